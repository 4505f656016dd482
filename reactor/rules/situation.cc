#include "reactor/rules/situation.h"

#include <fmt/format.h>

namespace sagalog::rules {
namespace {

template <typename Body>
Credentials Carried(const Body& body) {
  if constexpr (std::is_same_v<decltype(body.token), std::uint64_t>) {
    return {Token(body.token), body.owner.get()};
  } else {
    return {body.token ? std::optional(Token(*body.token)) : std::nullopt, body.owner.get()};
  }
}

}  // namespace

bool Situation::SectionHolds() const {
  return !saga->IsOwnerDead() && now() < *SectionOverdueAt(*saga, Policy());
}

std::optional<StoreTime> Situation::ReportedAliveUntil() const {
  if (!saga->extras || saga->IsOwnerDead()) {
    return std::nullopt;
  }
  // Never reported = at the beginning of time.
  const StoreTime reported = saga->extras->reported_alive_at.value_or(StoreTime());
  const StoreTime until = reported + kAliveReportCounts;
  return now() < until ? std::optional(until) : std::nullopt;
}

Refusal RefuseAbout(const Saga& saga, RefusalCode code, std::string detail) {
  auto refusal = std::make_unique<answers::RefusalT>();
  refusal->code = code;
  refusal->detail = std::move(detail);
  refusal->saga_id = saga.id;
  refusal->actual_state = saga.state;
  refusal->actual_version = saga.version.value();
  refusal->actual_stage = saga.stage.str();
  refusal->actual_sequence = saga.sequence.value();
  refusal->since = ToMicros(saga.state_since);
  if (saga.IsHeld()) {
    refusal->holder = CopyOwner(saga.owner);
    refusal->since = ToMicros(saga.acquired_at);
    refusal->expires_at = ToMicros(saga.expires_at);
  }
  return refusal;
}

Refusal Refuse(const Situation& situation, RefusalCode code, std::string detail) {
  if (situation.saga != nullptr) {
    return RefuseAbout(*situation.saga, code, std::move(detail));
  }
  auto refusal = std::make_unique<answers::RefusalT>();
  refusal->code = code;
  refusal->detail = std::move(detail);
  refusal->saga_id = situation.command.saga_id;
  return refusal;
}

Refusal RefuseOpenSection(const Situation& situation) {
  const SectionRecord& section = *situation.saga->Section();
  Refusal refusal = Refuse(
      situation, RefusalCode::section_open,
      fmt::format("section {} is open since {}", section.name.view(), FormatTime(section.since)));
  refusal->subject = section.name.str();
  refusal->since = ToMicros(section.since);
  return refusal;
}

Refusal RefuseCancelPending(const Situation& situation) {
  Refusal refusal =
      Refuse(situation, RefusalCode::cancel_pending,
             "a cancel is pending: it is applied when the section is left or recovered");
  refusal->since = ToMicros(*situation.saga->extras->cancel_requested_at);
  return refusal;
}

Refusal RequireCompensation(const Situation& situation, std::string_view no_compensation_reason) {
  if (!situation.saga->compensations.empty() || !no_compensation_reason.empty()) {
    return nullptr;
  }
  return Refuse(situation, RefusalCode::compensation_missing,
                "nothing is registered to undo: register it, or say why there is nothing "
                "(no_compensation_reason)");
}

std::unique_ptr<schema::OwnerT> CopyOwner(const schema::OwnerT& owner) {
  return std::make_unique<schema::OwnerT>(owner);
}

std::unique_ptr<schema::OwnerT> CopyOwner(const InternedText& identity) {
  return std::make_unique<schema::OwnerT>(OwnerFromIdentity(identity));
}

Credentials CredentialsOf(const commands::CommandT& command) {
  using commands::Body;
  const commands::BodyUnion& body = command.body;
  switch (body.type) {
    case Body::Heartbeat: return Carried(*body.AsHeartbeat());
    case Body::Release: return Carried(*body.AsRelease());
    case Body::AdvanceStage: return Carried(*body.AsAdvanceStage());
    case Body::EnterSection: return Carried(*body.AsEnterSection());
    case Body::LeaveSection: return Carried(*body.AsLeaveSection());
    case Body::BeginEffect: return Carried(*body.AsBeginEffect());
    case Body::RecordExit: return Carried(*body.AsRecordExit());
    case Body::RegisterCompensation: return Carried(*body.AsRegisterCompensation());
    case Body::Complete: return Carried(*body.AsComplete());
    case Body::Fail: return Carried(*body.AsFail());
    case Body::Compensate: return Carried(*body.AsCompensate());
    case Body::AbortDispatch:
      return {Token(body.AsAbortDispatch()->dispatch_token), body.AsAbortDispatch()->owner.get()};
    case Body::Acquire: {
      const auto& token = body.AsAcquire()->dispatch_token;
      return {token ? std::optional(Token(*token)) : std::nullopt, nullptr};
    }
    default: return {};
  }
}

}  // namespace sagalog::rules
