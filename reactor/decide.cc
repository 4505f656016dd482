#include "reactor/decide.h"

#include <fmt/format.h>

#include "reactor/state_machine.h"

namespace sagalog {
namespace {

using commands::Body;
using rules::Refusal;
using rules::RefusalCode;
using rules::Situation;

Decision RefusedBy(Refusal refusal) {
  Decision decision;
  decision.refusal = std::move(refusal);
  return decision;
}

// An earlier answer to the same request, or the refusal that its id has other content.
std::optional<Decision> ReplayOf(const Situation& situation, const RequestRecord& record,
                                 std::string_view saga_id, std::uint64_t content) {
  if (record.content != content) {
    Refusal refusal = Refuse(situation, RefusalCode::request_conflict,
                             "this request id was used for another request");
    refusal->saga_id = saga_id;
    refusal->actual_sequence = record.sequence.value();
    return RefusedBy(std::move(refusal));
  }
  Decision decision;
  decision.replay_of = record.sequence;
  decision.saga_id = saga_id;
  return decision;
}

// Of the commands whose request ids are unique in the store.
std::optional<Decision> StoreWideReplay(const Situation& situation, const schema::RequestId& id,
                                        std::uint64_t content) {
  if (const Saga* saga = situation.state.PlannedByRequest(id.high(), id.low())) {
    return ReplayOf(situation, *saga->FindRequest(id.high(), id.low()), saga->id, content);
  }
  if (const auto& answered = situation.lookups.store_request) {
    return ReplayOf(situation, answered->record, answered->saga_id, content);
  }
  return std::nullopt;
}

// Of the commands that concern no saga.
std::optional<Decision> ReplayForStore(const Situation& situation, const schema::RequestId& id,
                                       std::uint64_t content) {
  const SharedList<StoreRequest>& requests = situation.state.facts().requests;
  for (std::size_t i = requests ? requests->size() : 0; i > 0; --i) {
    const StoreRequest& request = (*requests)[i - 1];
    if (request.high == id.high() && request.low == id.low()) {
      RequestRecord record;
      record.content = request.content;
      record.sequence = request.sequence;
      return ReplayOf(situation, record, "", content);
    }
  }
  return std::nullopt;
}

std::optional<Decision> Replay(const Situation& situation, std::uint64_t content) {
  const commands::CommandT& command = situation.command;
  if (!command.request_id) {
    return std::nullopt;
  }
  const schema::RequestId& id = *command.request_id;
  if (HasStoreWideRequest(command.body.type)) {
    return StoreWideReplay(situation, id, content);
  }
  if (command.body.type == Body::ConfigureQueue || command.body.type == Body::ChangePolicy) {
    return ReplayForStore(situation, id, content);
  }
  if (situation.saga == nullptr) {
    return std::nullopt;
  }
  const RequestRecord* record = situation.saga->FindRequest(id.high(), id.low());
  if (record == nullptr) {
    return std::nullopt;
  }
  // A heartbeat's id counts only while its lease lives.
  // It is forgotten with the lease, so a saga that has one is held.
  if (record->heartbeat && situation.IsLeaseOver()) {
    return std::nullopt;
  }
  return ReplayOf(situation, *record, situation.saga->id, content);
}

// Whether a terminal saga takes the command all the same.
bool IsLetThrough(const Situation& situation, const CommandRow& row) {
  if (row.command == Body::RegisterCompensation) {
    return rules::IsRegisteredAlike(situation);  // and so changes nothing
  }
  if (!row.allowed.Has(situation.saga->state)) {
    return false;
  }
  if (row.proof != Proof::kLastToken) {
    return true;
  }
  return rules::CredentialsOf(situation.command).token == situation.saga->token;
}

// not_found of a part of the saga that the command names.
Refusal CheckNamedPart(const Situation& situation) {
  switch (situation.command.body.type) {
    case Body::SettleEffect: return rules::CheckNamedEffect(situation);
    case Body::ClaimCompensation:
    case Body::SettleCompensation: return rules::CheckNamedCompensation(situation);
    default: return nullptr;
  }
}

Refusal CheckExistence(const Situation& situation, const CommandRow& row) {
  const commands::CommandT& command = situation.command;
  const bool plan = row.command == Body::Plan;
  if (situation.saga == nullptr && !plan) {
    return Refuse(situation, RefusalCode::not_found,
                  fmt::format("there is no saga {}", command.saga_id));
  }
  if (Refusal refusal = CheckNamedPart(situation)) {
    return refusal;
  }
  if (!plan && situation.saga->IsTerminal() && !IsLetThrough(situation, row)) {
    return Refuse(situation, RefusalCode::terminal,
                  fmt::format("it is {} since {}", schema::EnumNameState(situation.saga->state),
                              FormatTime(situation.saga->state_since)));
  }
  const std::uint64_t version = situation.saga == nullptr ? 0 : situation.saga->version.value();
  if (command.expected_version && *command.expected_version != version) {
    Refusal refusal = Refuse(
        situation, RefusalCode::version_conflict,
        fmt::format("expected version {}, but it is {}", *command.expected_version, version));
    refusal->actual_version = version;
    return refusal;
  }
  return nullptr;
}

// Whether the token is the one that counts for this proof.
bool IsCurrent(const Saga& saga, Proof proof, Token token) {
  switch (proof) {
    case Proof::kNone: return true;
    case Proof::kLastToken: return token == saga.token && saga.state != State::planned;
    case Proof::kDispatchOrNone: return saga.state == State::dispatched && token == saga.token;
    case Proof::kDispatch:
      return (saga.state == State::dispatched && token == saga.token) ||
             (saga.state == State::running && saga.extras &&
              token == saga.extras->spent_dispatch_token);
    default: return saga.IsHeld() && token == saga.token;
  }
}

// stale_token, not_owner, lease_expired. Validation has seen to it that there is a token where the
// proof asks for one.
Refusal CheckProof(const Situation& situation, const CommandRow& row) {
  const rules::Credentials credentials = rules::CredentialsOf(situation.command);
  if (!credentials.token) {
    return nullptr;
  }
  const Saga& saga = *situation.saga;
  if (!IsCurrent(saga, row.proof, *credentials.token)) {
    return Refuse(situation, RefusalCode::stale_token,
                  saga.IsHeld() ? "another token holds it now" : "nobody holds it");
  }
  if (credentials.owner != nullptr && OwnerIdentity(credentials.owner) != saga.owner &&
      saga.token == *credentials.token) {
    return Refuse(situation, RefusalCode::not_owner, "another incarnation holds the token");
  }
  const bool in_time = row.proof == Proof::kToken || row.proof == Proof::kTokenOrNone;
  if (in_time && situation.IsLeaseOver()) {
    return Refuse(situation, RefusalCode::lease_expired,
                  fmt::format("the lease was over at {}", FormatTime(saga.expires_at)));
  }
  return nullptr;
}

Decision DecideForSaga(const Situation& situation, const CommandRow& row) {
  const bool plan = row.command == Body::Plan;
  if (plan) {
    if (Refusal refusal = rules::CheckPlanPolicy(situation)) {
      return RefusedBy(std::move(refusal));
    }
  }
  if (Refusal refusal = CheckExistence(situation, row)) {
    return RefusedBy(std::move(refusal));
  }
  if (Refusal refusal = CheckProof(situation, row)) {
    return RefusedBy(std::move(refusal));
  }
  if (row.check != nullptr) {
    if (Refusal refusal = row.check(situation)) {
      return RefusedBy(std::move(refusal));
    }
  }
  // What a terminal saga takes is told already.
  if (!plan && !situation.saga->IsTerminal() && !row.allowed.Has(situation.saga->state)) {
    return RefusedBy(Refuse(situation, RefusalCode::wrong_state,
                            fmt::format("it is {}", schema::EnumNameState(situation.saga->state))));
  }
  Decision decision;
  row.act(situation, decision);
  decision.saga_id = situation.command.saga_id;
  if (decision.events.empty() && decision.outcome == answers::Outcome::ok) {
    decision.outcome = answers::Outcome::unchanged;
  }
  return decision;
}

Decision DecideNew(const Situation& situation) {
  switch (situation.command.body.type) {
    case Body::ClaimNext: return rules::DecideClaimNext(situation);
    case Body::ConfigureQueue: return rules::DecideConfigureQueue(situation);
    case Body::ChangePolicy: return rules::DecideChangePolicy(situation);
    case Body::ReportOwners: return rules::DecideReportOwners(situation);
    default: break;
  }
  const CommandRow* row = FindRow(situation.command.body.type);
  if (row == nullptr) {
    return RefusedBy(Refuse(situation, RefusalCode::invalid_argument, "unknown command"));
  }
  return DecideForSaga(situation, *row);
}

}  // namespace

Decision Decide(const Projections& state, const Lookups& lookups, const commands::CommandT& command,
                std::uint64_t content, const DecideContext& context) {
  Situation situation{state, lookups, command, context, state.Find(command.saga_id)};
  if (situation.saga == nullptr && lookups.saga) {
    situation.saga = &*lookups.saga;
  }
  if (!lookups.status.ok()) {
    return RefusedBy(Refuse(situation, RefusalCode::corrupt, lookups.status.text()));
  }
  if (auto replay = Replay(situation, content)) {
    return *std::move(replay);
  }
  if (context.read_only != nullptr) {
    return RefusedBy(Refuse(situation, RefusalCode::read_only, context.read_only->text()));
  }
  return DecideNew(situation);
}

}  // namespace sagalog
