#include "reactor/decider.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "schema/check.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

std::unique_ptr<answers::RefusalT> MakeRefusal(RefusalCode code, std::string detail,
                                               const commands::CommandT& command) {
  auto refusal = std::make_unique<answers::RefusalT>();
  refusal->code = code;
  refusal->detail = std::move(detail);
  refusal->saga_id = command.saga_id;
  return refusal;
}

// A request is remembered by the saga that the command names, or by the one that it chose. A
// cascade that changes nothing but what is below leaves no memory there that would be another's.
bool AnswersItsRequest(const commands::CommandT& command, const DecidedEvent& event) {
  return event.saga_id == command.saga_id || HasStoreWideRequest(command.body.type);
}

}  // namespace

bool CommandOperation::RunWith(Decider& decider, Batch& batch) {
  return decider.Decide(*this, batch);
}

void CommandOperation::Anticipate(const TurnWork& work, Distance distance) const {
  const Projections& projections = static_cast<const Decider&>(work).projections();
  if (distance == Distance::kFar) {
    __builtin_prefetch(command.body.value);
    projections.AnticipateSlot(command.saga_id);
    if (command.request_id && command.body.type == commands::Body::Plan) {
      projections.AnticipateRequest(command.request_id->high(), command.request_id->low());
    }
  } else {
    projections.AnticipateSaga(command.saga_id);
  }
}

bool CommandOperation::Undo(const Status& why) {
  needs_look_up = false;
  replay_of.reset();
  snapshot.reset();
  switch (why.code()) {
    case Code::kOverloaded:
      refusal = MakeRefusal(RefusalCode::overloaded, why.text(), command);
      break;
    case Code::kIndeterminate:
      refusal = MakeRefusal(RefusalCode::read_only,
                            "this may or may not have happened; open the store again and read to "
                            "know: " +
                                why.text(),
                            command);
      break;
    default: refusal = MakeRefusal(RefusalCode::read_only, why.text(), command); break;
  }
  return false;
}

bool TurnFunction::RunWith(Decider& decider, Batch&) {
  function_(decider);
  return true;
}

bool TurnFunction::Undo(const Status& why) {
  if (why.code() == Code::kOverloaded || why.code() == Code::kCancelled) {
    status_ = why;
    return false;
  }
  return true;  // what it saw is gone; it looks again
}

bool KeepingOperation::RunWith(Decider& decider, Batch& batch) {
  if (!batch.HasRoomFor(1, kEventSizeMax)) {
    return false;
  }
  const Result<Sequence> added = decider.AddKeepingNote(batch, note_);
  status_ = added.status();
  sequence_ = added.ok() ? *added : Sequence();
  return true;
}

bool KeepingOperation::Undo(const Status& why) {
  status_ = why;
  return false;
}

Decider::Decider(LiveState& state, CheckpointDue& due, RefusalNotes& notes, StoreClock clock,
                 Status read_only, Status health)
    : state_(state),
      due_(due),
      notes_(notes),
      clock_(clock),
      read_only_(std::move(read_only)),
      health_(std::move(health)) {}

Status Decider::Health() const {
  const std::lock_guard lock(health_mutex_);
  return health_;
}

void Decider::BeginTurn(Batch& batch, std::optional<Duration> writing_since) {
  turn_health_ = Status();
  due_.Applied(Applied());
  moment_ = clock_.Tick(writing_since);
  batch.decided_at = moment_.boot;
  notes_.SetTime(moment_.now);
  if (!read_only_.ok()) {
    return;
  }
  if (moment_.away) {
    events::HostSuspendedT suspended;
    suspended.away_since = ToMicros(moment_.away->since);
    suspended.suspended = moment_.away->length.count();
    AddStoreEvent(batch, std::move(suspended));
  }
  if (moment_.step) {
    events::ClockSteppedT stepped;
    stepped.step = moment_.step->count();
    AddStoreEvent(batch, std::move(stepped));
  }
  if (notes_.IsDue(moment_.now)) {
    NoteRefusals(batch);
  }
}

void Decider::NoteRefusals(Batch& batch) {
  if (!read_only_.ok() || !turn_health_.ok() || notes_.IsEmpty()) {
    return;
  }
  events::RefusalsNotedT note = notes_.Take();
  for (const auto& refusal : note.refusals) {
    // One that was refused without a turn has its place here.
    const Saga* saga = refusal->saga_id.empty() ? nullptr : projections().Find(refusal->saga_id);
    if (saga != nullptr && !refusal->actual_version) {
      refusal->actual_version = saga->version.value();
    }
  }
  AddStoreEvent(batch, std::move(note));
}

bool Decider::RunInTurn(QueuedOperation& operation, Batch& batch) {
  if (!turn_health_.ok()) {
    return true;  // comes to nothing anyway
  }
  return static_cast<StoreOperation&>(operation).RunWith(*this, batch);
}

void Decider::FoldAgain(const Status& why) {
  if (read_only_.ok()) {
    read_only_ =
        Status(Code::kReadOnly, "the store is read-only since a write failed: " + why.text());
  }
  const Status folded = state_.FoldAgain();
  if (folded.code() == Code::kCorruption) {
    read_only_ = folded;
  }
  const std::lock_guard lock(health_mutex_);
  health_ = read_only_;
}

void Decider::AddStoreOpened(Batch& batch, events::StoreOpenedT body) {
  AddStoreEvent(batch, std::move(body));
}

Result<Sequence> Decider::AddKeepingNote(Batch& batch, const KeepingNote& note) {
  RETURN_IF_ERROR(read_only_);
  event_.actor = note.actor;
  event_.principal = note.principal;
  event_.request_id.reset();
  if (note.request_id) {
    event_.request_id = std::make_unique<schema::RequestId>(*note.request_id);
  }
  event_.request_content = note.request_content;
  std::visit([&](const auto& body) { AddFilledStoreEvent(batch, body); }, note.body);
  return Applied();
}

template <typename Body>
void Decider::AddStoreEvent(Batch& batch, Body body) {
  event_.actor.clear();
  event_.principal.clear();
  event_.request_id.reset();
  event_.request_content = 0;
  AddFilledStoreEvent(batch, std::move(body));
}

template <typename Body>
void Decider::AddFilledStoreEvent(Batch& batch, Body body) {
  const std::size_t first = batch.CountEvents();
  event_.saga_id.clear();
  event_.traceparent.clear();
  event_.time = ToMicros(moment_.now);
  event_.wall_time = ToMicros(moment_.wall);
  event_.sequence = Applied().Next().value();
  event_.body.Set(std::move(body));
  Encode(batch, ChainEnd{});
  ApplyFrom(first, batch);
}

// False when the saga is not in memory and nobody has looked on disk.
bool Decider::HasLookUps(CommandOperation& operation) {
  const std::string& saga_id = operation.command.saga_id;
  if (!operation.lookups) {
    return saga_id.empty() || projections().Find(saga_id) != nullptr;
  }
  if (operation.lookups->epoch + 1 < state_.epoch()) {
    // Checkpoints went by since, and may have taken from memory what was not on disk then.
    *operation.lookups = state_.LookUp(operation.command, operation.wanted);
  }
  return true;
}

bool Decider::Decide(CommandOperation& operation, Batch& batch) {
  operation.needs_look_up = !HasLookUps(operation);
  if (operation.needs_look_up) {
    return true;
  }
  const Token next_token(Applied().Next().value() + projections().facts().token_offset);
  const DecideContext context{moment_.now, next_token, read_only_.ok() ? nullptr : &read_only_};
  Decision decision =
      sagalog::Decide(projections(), operation.lookups ? *operation.lookups : no_lookups_,
                      operation.command, operation.content, context);
  if (!decision.wanted.empty()) {
    std::move(decision.wanted.begin(), decision.wanted.end(), std::back_inserter(operation.wanted));
    operation.needs_look_up = true;
    return true;
  }
  if (decision.refusal) {
    ++commands_;
    operation.refusal = std::move(decision.refusal);
    return true;
  }
  operation.outcome = decision.outcome;
  operation.token = decision.token;
  operation.cancel_pending = decision.cancel_pending;
  operation.replay_of = decision.replay_of;
  operation.reports = std::move(decision.reports);
  if (!decision.events.empty() && !AppendDecision(operation, decision, batch)) {
    return false;
  }
  ++commands_;
  if (operation.refusal) {
    return true;
  }
  operation.sequence = Applied();
  if (operation.with_saga) {
    CopySaga(operation, decision.saga_id);
  }
  return true;
}

bool Decider::AppendDecision(CommandOperation& operation, Decision& decision, Batch& batch) {
  if (operation.lookups && operation.lookups->saga &&
      operation.lookups->saga->id == decision.events.front().saga_id) {
    state_.projections().Admit(std::move(*operation.lookups->saga));
    operation.lookups->saga.reset();
  }
  const std::size_t first = batch.CountEvents();
  const std::size_t count = decision.events.size();
  if (count > kBatchEventsMax) {
    RefuseForSize(operation, RefusalCode::limit_reached, kBatchEventsMax, count,
                  "more events than fit one append");
    return true;
  }
  chain_ends_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    DecidedEvent& decided = decision.events[i];
    const auto known =
        count == 1 ? chain_ends_.end() : chain_ends_.find(std::string_view(decided.saga_id));
    const ChainEnd end = known == chain_ends_.end() ? EndOfChain(decided.saga_id) : known->second;
    FillEnvelope(operation, i == 0 && AnswersItsRequest(operation.command, decided));
    event_.saga_id = decided.saga_id;
    event_.sequence = Applied().value() + 1 + i;
    event_.body = std::move(decided.body);
    const std::size_t size_bytes = Encode(batch, end);
    if (size_bytes > kEventSizeMax) {
      batch.Shrink(first);
      RefuseForSize(operation, RefusalCode::invalid_argument, kEventSizeMax, size_bytes,
                    "an event larger than the log takes");
      return true;
    }
    if (!batch.HasRoomFor(0, 0)) {
      batch.Shrink(first);
      if (first == 0) {
        RefuseForSize(operation, RefusalCode::limit_reached, kBatchBytesMax, kBatchBytesMax,
                      "more bytes than fit one append");
        return true;
      }
      return false;
    }
    if (count > 1 && !decided.saga_id.empty()) {
      const Sequence sequence(event_.sequence);
      chain_ends_[decided.saga_id] = {end.version.Next(), sequence, sequence};
    }
  }
  ApplyFrom(first, batch);
  return true;
}

void Decider::FillEnvelope(const CommandOperation& operation, bool answers_request) {
  const commands::CommandT& command = operation.command;
  event_.time = ToMicros(moment_.now);
  event_.wall_time = ToMicros(moment_.wall);
  event_.actor = command.actor;
  event_.principal = command.principal;
  event_.traceparent = command.traceparent;
  // Only the first event carries the request's id; the content marks the others of its append.
  event_.request_content = command.request_id ? operation.content : 0;
  if (!command.request_id || !answers_request) {
    event_.request_id.reset();
  } else if (event_.request_id) {
    *event_.request_id = *command.request_id;
  } else {
    event_.request_id = std::make_unique<schema::RequestId>(*command.request_id);
  }
}

Decider::ChainEnd Decider::EndOfChain(std::string_view saga_id) const {
  if (saga_id.empty()) {
    return {};
  }
  const Saga* saga = projections().Find(saga_id);
  return saga == nullptr ? ChainEnd{}
                         : ChainEnd{saga->version, saga->sequence, saga->previous_transition};
}

std::size_t Decider::Encode(Batch& batch, const ChainEnd& end) {
  event_.version = event_.saga_id.empty() ? 0 : end.version.value() + 1;
  event_.previous = end.sequence.value();
  event_.previous_transition = end.transition.value();
  const std::string_view bytes = encoder_.Encode(event_);
  batch.Add(bytes);
  return bytes.size();
}

// Live and replay share this path: what is applied is what was encoded.
void Decider::ApplyFrom(std::size_t first, Batch& batch) {
  for (std::size_t i = first; i < batch.CountEvents(); ++i) {
    Status applied = state_.projections().Apply(*events::GetEvent(batch.Event(i).data()));
    if (!applied.ok()) {
      turn_health_ = std::move(applied);
      return;
    }
  }
}

void Decider::RefuseForSize(CommandOperation& operation, RefusalCode code, std::size_t limit,
                            std::size_t actual, std::string_view what) {
  auto refusal =
      MakeRefusal(code, fmt::format("{}: {} of {}", what, actual, limit), operation.command);
  refusal->limit = static_cast<std::int64_t>(limit);
  refusal->actual = static_cast<std::int64_t>(actual);
  operation.refusal = std::move(refusal);
}

void Decider::CopySaga(CommandOperation& operation, std::string_view saga_id) {
  const Saga* saga = saga_id.empty() ? nullptr : projections().Find(saga_id);
  if (saga == nullptr && operation.lookups && operation.lookups->saga) {
    saga = &*operation.lookups->saga;
  }
  if (saga != nullptr) {
    operation.snapshot =
        std::make_unique<SagaSnapshot>(TakeSnapshot(projections(), *saga, moment_.now));
  }
}

}  // namespace sagalog
