#include "reactor/state_machine.h"

#include <array>

namespace sagalog {
namespace {

using commands::Body;
using enum State;

constexpr StateSet kPlanned{planned};
constexpr StateSet kDispatched{dispatched};
constexpr StateSet kRunning{running};
constexpr StateSet kHeld{dispatched, running};
constexpr StateSet kNotTerminal{planned, dispatched, running, compensating};
// A cancelled saga's cancel is `unchanged`.
constexpr StateSet kCancellable{planned, dispatched, running, compensating, cancelled};
constexpr StateSet kTerminalOrCompensating{compensating, completed,   failed,
                                           compensated,  quarantined, cancelled};
constexpr StateSet kEnding{running,     compensating, completed, failed,
                           compensated, quarantined,  cancelled};
constexpr StateSet kAny{planned, dispatched,  running,     compensating, completed,
                        failed,  compensated, quarantined, cancelled};

// clang-format off
constexpr CommandRow kRows[] = {
    // command                     proof                allowed in                check                              act
    {Body::Plan,                   Proof::kNone,        {},                       rules::CheckPlan,                  rules::ActPlan},
    {Body::Dispatch,               Proof::kNone,        kPlanned,                 rules::CheckDispatch,              rules::ActDispatch},
    {Body::AbortDispatch,          Proof::kDispatch,    kDispatched,              rules::CheckAbortDispatch,         rules::ActAbortDispatch},
    {Body::Acquire,                Proof::kDispatchOrNone, {planned, dispatched, running},
                                                                                  rules::CheckAcquire,               rules::ActAcquire},
    {Body::Heartbeat,              Proof::kToken,       kHeld,                    nullptr,                           rules::ActHeartbeat},
    {Body::Release,                Proof::kToken,       kRunning,                 rules::CheckNoSection,             rules::ActRelease},
    {Body::AdvanceStage,           Proof::kTokenOrNone, kNotTerminal,             rules::CheckAdvanceStage,          rules::ActAdvanceStage},
    {Body::EnterSection,           Proof::kToken,       kRunning,                 rules::CheckEnterSection,          rules::ActEnterSection},
    {Body::LeaveSection,           Proof::kLateToken,   kRunning,                 rules::CheckLeaveSection,          rules::ActLeaveSection},
    {Body::BeginEffect,            Proof::kToken,       kRunning,                 rules::CheckBeginEffect,           rules::ActBeginEffect},
    {Body::SettleEffect,           Proof::kNone,        kAny,                     rules::CheckSettleEffect,          rules::ActSettleEffect},
    {Body::RecordExit,             Proof::kLastToken,   kEnding,                  rules::CheckRecordExit,            rules::ActRecordExit},
    {Body::RegisterCompensation,   Proof::kTokenOrNone, kNotTerminal,             rules::CheckRegisterCompensation,  rules::ActRegisterCompensation},
    {Body::Complete,               Proof::kToken,       kRunning,                 rules::CheckNoSection,             rules::ActComplete},
    {Body::Fail,                   Proof::kToken,       kHeld,                    rules::CheckFail,                  rules::ActFail},
    {Body::Compensate,             Proof::kToken,       kRunning,                 rules::CheckCompensate,            rules::ActCompensate},
    {Body::MarkCompensated,        Proof::kNone,        {compensating, compensated},
                                                                                  rules::CheckMarkCompensated,       rules::ActMarkCompensated},
    {Body::Quarantine,             Proof::kNone,        kNotTerminal,             rules::CheckNoSection,             rules::ActQuarantine},
    {Body::Cancel,                 Proof::kNone,        kCancellable,             rules::CheckCancel,                rules::ActCancel},
    {Body::Park,                   Proof::kNone,        kPlanned,                 nullptr,                           rules::ActPark},
    {Body::Unpark,                 Proof::kNone,        kPlanned,                 nullptr,                           rules::ActUnpark},
    {Body::Recover,                Proof::kNone,        kNotTerminal,             rules::CheckRecover,               rules::ActRecover},
    {Body::ClaimCompensation,      Proof::kNone,        kTerminalOrCompensating,  rules::CheckClaimCompensation,     rules::ActClaimCompensation},
    {Body::SettleCompensation,     Proof::kNone,        kTerminalOrCompensating,  rules::CheckSettleCompensation,    rules::ActSettleCompensation},
    {Body::ReportOwner,            Proof::kNone,        kAny,                     nullptr,                           rules::ActReportOwner},
    {Body::Annotate,               Proof::kNone,        kAny,                     nullptr,                           rules::ActAnnotate},
    {Body::ForceRelease,           Proof::kNone,        kHeld,                    nullptr,                           rules::ActForceRelease},
};
// clang-format on

constexpr std::size_t kBodies = static_cast<std::size_t>(Body::MAX) + 1;

constexpr std::array<const CommandRow*, kBodies> MakeIndex() {
  std::array<const CommandRow*, kBodies> index{};
  for (const CommandRow& row : kRows) {
    index[static_cast<std::size_t>(row.command)] = &row;
  }
  return index;
}

constexpr auto kIndex = MakeIndex();

}  // namespace

std::span<const CommandRow> StateMachine() { return kRows; }

const CommandRow* FindRow(commands::Body command) {
  const auto place = static_cast<std::size_t>(command);
  return place < kBodies ? kIndex[place] : nullptr;
}

}  // namespace sagalog
