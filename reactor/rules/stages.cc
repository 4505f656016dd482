// advance_stage, enter_section, leave_section: where the work stands, and who is inside.
#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

Refusal CheckStage(const Situation& situation, std::string_view expected) {
  const Saga& saga = *situation.saga;
  if (saga.stage.view() == expected) {
    return nullptr;
  }
  Refusal refusal =
      Refuse(situation, RefusalCode::stage_conflict,
             fmt::format("the stage is \"{}\", expected \"{}\"", saga.stage.view(), expected));
  refusal->actual_sequence = saga.stage_sequence.value();
  return refusal;
}

Refusal CheckCancelPending(const Situation& situation) {
  return situation.saga->IsCancelPending() ? RefuseCancelPending(situation) : nullptr;
}

}  // namespace

Refusal CheckAdvanceStage(const Situation& situation) {
  const commands::AdvanceStageT& advance = *situation.command.body.AsAdvanceStage();
  const Saga& saga = *situation.saga;
  if (!advance.token && saga.IsHeld()) {
    return Refuse(situation, RefusalCode::lease_held,
                  fmt::format("{} holds {}: only its token writes the stage", OwnerName(saga.owner),
                              saga.id));
  }
  if (Refusal refusal = CheckCancelPending(situation)) {
    return refusal;
  }
  return CheckStage(situation, advance.expected);
}

void ActAdvanceStage(const Situation& situation, Decision& decision) {
  const commands::AdvanceStageT& advance = *situation.command.body.AsAdvanceStage();
  if (advance.next == advance.expected) {
    return;
  }
  events::StageAdvancedT event;
  event.previous_stage = advance.expected;
  event.stage = advance.next;
  Append(decision, situation, std::move(event));
}

Refusal CheckEnterSection(const Situation& situation) {
  const commands::EnterSectionT& enter = *situation.command.body.AsEnterSection();
  if (Refusal refusal = CheckCancelPending(situation)) {
    return refusal;
  }
  if (situation.saga->Section() != nullptr) {
    return RefuseOpenSection(situation);
  }
  return enter.expected_stage.empty() ? nullptr : CheckStage(situation, enter.expected_stage);
}

void ActEnterSection(const Situation& situation, Decision& decision) {
  const commands::EnterSectionT& enter = *situation.command.body.AsEnterSection();
  events::SectionEnteredT event;
  event.name = enter.name;
  event.max_age = enter.max_age ? *enter.max_age : situation.Policy().section_max_age.count();
  Append(decision, situation, std::move(event));
}

Refusal CheckLeaveSection(const Situation& situation) {
  const commands::LeaveSectionT& leave = *situation.command.body.AsLeaveSection();
  if (leave.final == schema::SectionFinal::failed) {
    if (Refusal refusal = RequireCompensation(situation, leave.no_compensation_reason)) {
      return refusal;
    }
  }
  // To leave twice changes nothing; to end what was not ended is no repetition.
  if (leave.final != schema::SectionFinal::none && situation.saga->Section() == nullptr) {
    return Refuse(situation, RefusalCode::wrong_state,
                  "no section is open, so it ends nothing: complete or fail instead");
  }
  return nullptr;
}

void ActLeaveSection(const Situation& situation, Decision& decision) {
  const commands::LeaveSectionT& leave = *situation.command.body.AsLeaveSection();
  const Saga& saga = *situation.saga;
  const SectionRecord* section = saga.Section();
  if (section == nullptr) {
    return;
  }
  events::SectionLeftT left;
  left.name = section->name.str();
  left.outcome = leave.outcome;
  left.final = leave.final;
  Append(decision, situation, std::move(left));
  if (leave.final == schema::SectionFinal::none && !saga.IsCancelPending()) {
    return;
  }
  events::TerminalT terminal;
  switch (leave.final) {
    case schema::SectionFinal::completed: terminal.state = State::completed; break;
    case schema::SectionFinal::failed: terminal.state = State::failed; break;
    case schema::SectionFinal::none: terminal.state = State::cancelled; break;
  }
  terminal.reason = leave.final == schema::SectionFinal::none
                        ? "cancel was pending when the section was left"
                        : leave.outcome;
  terminal.no_compensation_reason = leave.no_compensation_reason;
  terminal.by_owner = leave.final != schema::SectionFinal::none;
  Append(decision, situation, std::move(terminal));
}

}  // namespace sagalog::rules
