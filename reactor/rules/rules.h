// The rules, a family a file. Each command has a check, which gives the refusals of its row in the
// order of the contract's table (null = none), and an act, which appends its events. An act that
// would change nothing appends nothing. The general refusals and the states a command is allowed
// in are the state machine's matter (reactor/state_machine.h).
#pragma once

#include "reactor/rules/situation.h"

namespace sagalog::rules {

// planning.cc
// invalid_argument when the policy, merged, is out of order: like every bad argument it is told
// before anything else of the plan.
Refusal CheckPlanPolicy(const Situation& situation);
Refusal CheckPlan(const Situation& situation);
void ActPlan(const Situation& situation, Decision& decision);
void ActPark(const Situation& situation, Decision& decision);
void ActUnpark(const Situation& situation, Decision& decision);
void ActAnnotate(const Situation& situation, Decision& decision);

// leasing.cc
Refusal CheckDispatch(const Situation& situation);
void ActDispatch(const Situation& situation, Decision& decision);
Refusal CheckAbortDispatch(const Situation& situation);
void ActAbortDispatch(const Situation& situation, Decision& decision);
Refusal CheckAcquire(const Situation& situation);
void ActAcquire(const Situation& situation, Decision& decision);
void ActHeartbeat(const Situation& situation, Decision& decision);
Refusal CheckNoSection(const Situation& situation);
void ActRelease(const Situation& situation, Decision& decision);

// claiming.cc: claim_next is the one command that finds its saga itself.
Decision DecideClaimNext(const Situation& situation);
// Why a planned saga may not start now: parked, not_before, dependency_unmet, frozen.
Refusal CheckMayStart(const Situation& situation);
// limit_reached when the saga's queue, or the store, has no slot left for it.
Refusal CheckSlots(const Situation& situation);

// stages.cc
Refusal CheckAdvanceStage(const Situation& situation);
void ActAdvanceStage(const Situation& situation, Decision& decision);
Refusal CheckEnterSection(const Situation& situation);
void ActEnterSection(const Situation& situation, Decision& decision);
Refusal CheckLeaveSection(const Situation& situation);
void ActLeaveSection(const Situation& situation, Decision& decision);

// effects.cc
Refusal CheckBeginEffect(const Situation& situation);
void ActBeginEffect(const Situation& situation, Decision& decision);
// not_found of the effect that it settles.
Refusal CheckNamedEffect(const Situation& situation);
Refusal CheckSettleEffect(const Situation& situation);
void ActSettleEffect(const Situation& situation, Decision& decision);
void ActRecordExit(const Situation& situation, Decision& decision);
Refusal CheckRecordExit(const Situation& situation);

// ending.cc
void ActComplete(const Situation& situation, Decision& decision);
Refusal CheckFail(const Situation& situation);
void ActFail(const Situation& situation, Decision& decision);
Refusal CheckCompensate(const Situation& situation);
void ActCompensate(const Situation& situation, Decision& decision);
Refusal CheckMarkCompensated(const Situation& situation);
void ActMarkCompensated(const Situation& situation, Decision& decision);
void ActQuarantine(const Situation& situation, Decision& decision);
Refusal CheckCancel(const Situation& situation);
void ActCancel(const Situation& situation, Decision& decision);

// recovering.cc
Refusal CheckRecover(const Situation& situation);
void ActRecover(const Situation& situation, Decision& decision);
void ActReportOwner(const Situation& situation, Decision& decision);
// Like claim_next it finds its sagas itself.
Decision DecideReportOwners(const Situation& situation);
void ActForceRelease(const Situation& situation, Decision& decision);

// compensations.cc
Refusal CheckRegisterCompensation(const Situation& situation);
void ActRegisterCompensation(const Situation& situation, Decision& decision);
Refusal CheckClaimCompensation(const Situation& situation);
void ActClaimCompensation(const Situation& situation, Decision& decision);
// Whether it registers, without a token, what is registered in the same words already.
bool IsRegisteredAlike(const Situation& situation);
// not_found of the compensation that it claims or settles.
Refusal CheckNamedCompensation(const Situation& situation);
Refusal CheckSettleCompensation(const Situation& situation);
void ActSettleCompensation(const Situation& situation, Decision& decision);
// Why a compensation of `saga` may not be claimed now; null = it may.
Refusal CheckClaimable(const Projections& state, const Saga& saga,
                       const CompensationRecord& compensation, StoreTime now);

// configuring.cc: of the store, not of a saga.
Decision DecideConfigureQueue(const Situation& situation);
Decision DecideChangePolicy(const Situation& situation);

}  // namespace sagalog::rules
