#include "projections/saga.h"

#include <algorithm>

#include "projections/redaction.h"
#include "schema/limits.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

std::string Text(const flatbuffers::String* text) { return std::string(View(text)); }

void AppendCompensation(Saga& saga, const schema::Compensation& compensation,
                        const events::Event& event, std::size_t position) {
  CompensationRecord record;
  record.id = InternedText(View(compensation.id()));
  record.target_hash = TargetHash(View(compensation.target()));
  record.registered = Sequence(event.sequence());
  record.position = static_cast<std::uint8_t>(position);
  record.content = RedactedContent(event, compensation).value_or(CompensationContent(compensation));
  record.when = compensation.when();
  record.shared = compensation.shared();
  saga.compensations.push_back(std::move(record));
}

void AppendDependencies(Saga& saga, const events::Planned& body, StoreTime time) {
  using Ids = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
  const auto contains = [](const Ids* ids, std::string_view id) {
    return ids != nullptr &&
           std::any_of(ids->begin(), ids->end(), [&](const auto* one) { return View(one) == id; });
  };
  for (const flatbuffers::String* id : *body.depends_on()) {
    DependencyRecord record;
    record.saga_id = Text(id);
    if (contains(body.dependencies_met(), record.saga_id)) {
      record.standing = DependencyRecord::Standing::kMet;
    } else if (contains(body.dependencies_dead(), record.saga_id)) {
      record.standing = DependencyRecord::Standing::kDead;
      record.dead_since = time;
    }
    saga.extras.Ensure().depends_on.push_back(std::move(record));
  }
}

CompensationRecord* FindRecord(Saga& saga, std::string_view id) {
  for (CompensationRecord& record : saga.compensations) {
    if (record.id.view() == id) {
      return &record;
    }
  }
  return nullptr;
}

// What stands beside the state once compensations are owed.
CompensationStatus StatusOf(const Saga& saga) {
  if (!saga.IsTerminal() && saga.state != State::compensating) {
    return CompensationStatus::none;
  }
  bool any = false;
  bool owed = false;
  for (const CompensationRecord& record : saga.compensations) {
    if (record.state == CompensationState::failed) {
      return CompensationStatus::failed;
    }
    any = any || record.state != CompensationState::dropped;
    owed = owed || !record.IsSettled();
  }
  if (owed) {
    return CompensationStatus::owed;
  }
  return any ? CompensationStatus::settled : CompensationStatus::none;
}

void DropHeartbeatRequests(Saga& saga) {
  saga.requests.EraseIf([](const RequestRecord& request) { return request.heartbeat; });
}

// As far as attempts are counted.
constexpr std::uint32_t kAttemptsMax = 0xffff;

// What an attempt leaves behind does not reach into the next one.
void ForgetAttempt(Saga& saga) {
  DropHeartbeatRequests(saga);
  if (saga.extras) {
    saga.let_go = saga.let_go || saga.extras->exit.has_value();
    saga.extras->exit.reset();
    saga.extras->section.reset();
    saga.extras->reported_alive_at.reset();
    saga.extras->reported_dead_at.reset();
    saga.extras->progress_at.reset();
    saga.extras->progress_sequence = Sequence();
  }
}

void EnterState(Saga& saga, State state, StoreTime time) {
  saga.state = state;
  saga.state_since = time;
}

// Folds one body; `SagaFold` knows the saga, the event and its time.
class SagaFold {
 public:
  SagaFold(Saga& saga, const events::Event& event)
      : saga_(saga),
        event_(event),
        time_(TimeFromMicros(event.time())),
        sequence_(Sequence(event.sequence())) {}

  void operator()(const events::Planned& body) {
    saga_.id = Text(event_.saga_id());
    saga_.key = Text(body.key());
    saga_.generation = body.generation();
    saga_.queue = InternedText(View(body.queue()));
    saga_.priority = body.priority();
    saga_.stage = InternedText(View(body.stage()));
    saga_.stage_sequence = saga_.stage.empty() ? Sequence() : sequence_;
    saga_.planned_sequence = sequence_;
    EnterState(saga_, State::planned, time_);
    if (body.not_before() != 0) {
      saga_.extras.Ensure().not_before = TimeFromMicros(body.not_before());
    }
    if (body.parent() != nullptr) {
      saga_.extras.Ensure().parent = Text(body.parent());
    }
    if (body.labels() != nullptr && body.labels()->size() > 0) {
      saga_.extras.Ensure().labelled = true;
    }
    if (body.depends_on() != nullptr) {
      AppendDependencies(saga_, body, time_);
    }
    if (body.policy() != nullptr) {
      saga_.extras.Ensure().policy.emplace();
      body.policy()->UnPackTo(&*saga_.extras->policy);
    }
    if (body.inherited_effects() != nullptr) {
      for (const events::InheritedEffect* effect : *body.inherited_effects()) {
        saga_.extras.Ensure().effects.push_back(
            {Text(effect->effect()), Text(effect->fingerprint()),
             Sequence(effect->begun_sequence()), Sequence(effect->settled_sequence()),
             effect->settlement(), true});
      }
    }
    if (body.compensations() != nullptr) {
      saga_.compensations.reserve(body.compensations()->size());
      for (flatbuffers::uoffset_t i = 0; i < body.compensations()->size(); ++i) {
        AppendCompensation(saga_, *body.compensations()->Get(i), event_, i);
      }
    }
  }

  void operator()(const events::Dispatched& body) {
    ForgetAttempt(saga_);
    Grant(body.owner(), body.token(), body.ttl(), body.expires_at());
    EnterState(saga_, State::dispatched, time_);
  }

  void operator()(const events::DispatchAborted&) {
    ForgetAttempt(saga_);
    saga_.let_go = true;
    ++saga_.dispatch_failures;
    saga_.reason_sequence = sequence_;
    EnterState(saga_, State::planned, time_);
  }

  void operator()(const events::Leased& body) {
    const Token spent = SpentBy(body.how());
    ForgetAttempt(saga_);
    if (saga_.extras) {
      saga_.extras->spent_dispatch_token = spent;
      saga_.extras->not_before.reset();
    } else if (!spent.IsNone()) {
      saga_.extras.Ensure().spent_dispatch_token = spent;
    }
    if (body.how() == schema::LeaseHow::taken_over) {
      ++saga_.recoveries;
    }
    ++saga_.attempts;
    saga_.dispatch_failures = 0;
    Grant(body.owner(), body.token(), body.ttl(), body.expires_at());
    EnterState(saga_, State::running, time_);
  }

  void operator()(const events::Heartbeated& body) {
    saga_.heartbeat_at = time_;
    saga_.lease_sequence = sequence_;
    saga_.expires_at = std::max(saga_.expires_at, TimeFromMicros(body.expires_at()));
    if (body.progress() != nullptr) {
      saga_.extras.Ensure().progress_sequence = sequence_;
      saga_.extras->progress_at = time_;
    }
  }

  void operator()(const events::Released&) {
    ForgetAttempt(saga_);
    saga_.let_go = true;
    saga_.reason_sequence = sequence_;
    EnterState(saga_, State::planned, time_);
  }

  void operator()(const events::StageAdvanced& body) {
    saga_.stage = InternedText(View(body.stage()));
    saga_.stage_sequence = sequence_;
  }

  void operator()(const events::SectionEntered& body) {
    saga_.extras.Ensure().section =
        SectionRecord{InternedText(View(body.name())), time_, Duration(body.max_age())};
  }

  void operator()(const events::SectionLeft&) {
    if (saga_.extras) {
      saga_.extras->section.reset();
    }
  }

  void operator()(const events::EffectBegun& body) {
    EffectRecord record;
    record.effect = Text(body.effect());
    record.fingerprint = Text(body.fingerprint());
    record.begun = sequence_;
    record.key_scope = body.scope() == schema::EffectScope::key;
    saga_.extras.Ensure().effects.push_back(std::move(record));
  }

  void operator()(const events::EffectSettled& body) {
    for (EffectRecord& effect : saga_.extras.Ensure().effects) {
      if (effect.effect == View(body.effect())) {
        effect.settled = sequence_;
        effect.settlement =
            RedactedSettlement(event_, body)
                .value_or(SettlementHash(View(body.outcome()), View(body.result())));
      }
    }
  }

  void operator()(const events::ExitRecorded& body) {
    saga_.extras.Ensure().exit = ExitRecord{body.exit_code(), time_, sequence_};
  }

  void operator()(const events::CancelRequested& body) {
    SagaExtras& extras = saga_.extras.Ensure();
    extras.cancel_requested_at = extras.cancel_requested_at.value_or(time_);
    extras.cancel_cascade = extras.cancel_cascade || body.cascade();
  }

  void operator()(const events::Recovered& body) {
    saga_.reason_sequence = sequence_;
    if (saga_.extras) {
      saga_.extras->section.reset();
    }
    if (body.decision() != schema::RecoverDecision::requeue) {
      return;  // `terminal` or `compensating` follows in the same append
    }
    if (saga_.state == State::dispatched) {
      ++saga_.dispatch_failures;
    } else if (body.counts()) {
      ++saga_.recoveries;
    }
    ForgetAttempt(saga_);
    if (body.not_before() != 0) {
      saga_.extras.Ensure().not_before = TimeFromMicros(body.not_before());
    }
    EnterState(saga_, State::planned, time_);
  }

  void operator()(const events::Terminal& body) {
    DropHeartbeatRequests(saga_);
    if (body.by_owner()) {
      saga_.let_go = true;
    }
    if (body.state() == State::completed) {
      for (CompensationRecord& record : saga_.compensations) {
        if (record.when == schema::CompensationWhen::unless_completed && !record.IsSettled()) {
          record.state = CompensationState::dropped;
        }
      }
    }
    if (saga_.extras) {
      saga_.extras->section.reset();
      saga_.extras->cancel_requested_at.reset();
      saga_.extras->parked_at.reset();
    }
    saga_.reason_sequence = sequence_;
    EnterState(saga_, body.state(), time_);
  }

  void operator()(const events::Compensating& body) {
    DropHeartbeatRequests(saga_);
    if (body.by_owner()) {
      saga_.let_go = true;
    }
    saga_.reason_sequence = sequence_;
    EnterState(saga_, State::compensating, time_);
  }

  void operator()(const events::CompensationRegistered& body) {
    AppendCompensation(saga_, *body.compensation(), event_, 0);
  }

  void operator()(const events::CompensationClaimed& body) {
    CompensationRecord* record = FindRecord(saga_, View(body.id()));
    if (record == nullptr) {
      return;
    }
    record->state = CompensationState::claimed;
    record->attempts = static_cast<std::uint16_t>(std::min(body.attempt(), kAttemptsMax));
    CompensationClaim& claim = record->claim.Ensure();
    claim.token = Token(body.token());
    claim.executor = InternedText(View(body.executor()));
    claim.claimed_at = time_;
    claim.expires_at = TimeFromMicros(body.expires_at());
    claim.failed_at.reset();
  }

  void operator()(const events::CompensationSettled& body) {
    CompensationRecord* record = FindRecord(saga_, View(body.id()));
    if (record == nullptr) {
      return;
    }
    record->settled = sequence_;
    switch (body.outcome()) {
      case schema::CompensationOutcome::done: record->state = CompensationState::done; break;
      case schema::CompensationOutcome::failed:
        record->state = CompensationState::failed;
        record->claim.Ensure().failed_at = time_;
        break;
      case schema::CompensationOutcome::waived: record->state = CompensationState::waived; break;
    }
  }

  void operator()(const events::OwnerReported& body) {
    if (body.verdict() == schema::Verdict::alive) {
      saga_.extras.Ensure().reported_alive_at = time_;
    } else if (body.verdict() == schema::Verdict::dead) {
      SagaExtras& extras = saga_.extras.Ensure();
      if (!extras.reported_dead_at) {
        extras.reported_dead_at = time_;
        if (!saga_.IsProvenDead(saga_.owner)) {
          extras.dead_owners.push_back(saga_.owner);
        }
      }
    }
  }

  void operator()(const events::Annotated&) {}

  void operator()(const events::Parked&) { saga_.extras.Ensure().parked_at = time_; }

  void operator()(const events::Unparked&) {
    if (saga_.extras) {
      saga_.extras->parked_at.reset();
    }
  }

  void operator()(const events::ForceReleased&) {
    ForgetAttempt(saga_);
    saga_.reason_sequence = sequence_;
    EnterState(saga_, State::planned, time_);
  }

  // Of the store, not of a saga.
  template <typename StoreLevel>
  void operator()(const StoreLevel&) {}

 private:
  // The dispatch token that the worker of this lease acquired with; none = another way.
  [[nodiscard]] Token SpentBy(schema::LeaseHow how) const {
    if (saga_.state == State::dispatched) {
      return saga_.token;
    }
    return how == schema::LeaseHow::reacquired && saga_.extras ? saga_.extras->spent_dispatch_token
                                                               : Token();
  }

  void Grant(const schema::Owner* owner, std::uint64_t token, std::int64_t ttl,
             std::int64_t expires_at) {
    saga_.owner = OwnerIdentity(owner);
    saga_.token = Token(token);
    saga_.lease_sequence = sequence_;
    saga_.acquired_at = time_;
    saga_.heartbeat_at = time_;
    saga_.expires_at = TimeFromMicros(expires_at);
    saga_.ttl = Duration(ttl);
    saga_.let_go = false;
  }

  Saga& saga_;
  const events::Event& event_;
  StoreTime time_;
  Sequence sequence_;
};

void FoldBody(SagaFold& fold, const events::Event& event) {
  switch (event.body_type()) {
#define SAGALOG_FOLD(Type) \
  case events::Body::Type: fold(*event.body_as_##Type()); break
    SAGALOG_FOLD(Planned);
    SAGALOG_FOLD(Dispatched);
    SAGALOG_FOLD(DispatchAborted);
    SAGALOG_FOLD(Leased);
    SAGALOG_FOLD(Heartbeated);
    SAGALOG_FOLD(Released);
    SAGALOG_FOLD(StageAdvanced);
    SAGALOG_FOLD(SectionEntered);
    SAGALOG_FOLD(SectionLeft);
    SAGALOG_FOLD(EffectBegun);
    SAGALOG_FOLD(EffectSettled);
    SAGALOG_FOLD(ExitRecorded);
    SAGALOG_FOLD(CancelRequested);
    SAGALOG_FOLD(Recovered);
    SAGALOG_FOLD(Terminal);
    SAGALOG_FOLD(Compensating);
    SAGALOG_FOLD(CompensationRegistered);
    SAGALOG_FOLD(CompensationClaimed);
    SAGALOG_FOLD(CompensationSettled);
    SAGALOG_FOLD(OwnerReported);
    SAGALOG_FOLD(Annotated);
    SAGALOG_FOLD(Parked);
    SAGALOG_FOLD(Unparked);
    SAGALOG_FOLD(ForceReleased);
#undef SAGALOG_FOLD
    default: break;
  }
}

// Whether the event's request id is unique in the store.
bool IsStoreWide(const events::Event& event) {
  switch (event.body_type()) {
    case events::Body::Planned: return true;
    case events::Body::Leased: return event.body_as_Leased()->claimed();
    case events::Body::Dispatched: return event.body_as_Dispatched()->claimed();
    case events::Body::OwnerReported: return event.body_as_OwnerReported()->of_holders();
    default: return false;
  }
}

void RememberRequest(Saga& saga, const events::Event& event) {
  const schema::RequestId* id = event.request_id();
  if (id == nullptr) {
    return;
  }
  const bool heartbeat = event.body_type() == events::Body::Heartbeated;
  if (heartbeat) {
    const auto is_heartbeat = [](const RequestRecord& request) { return request.heartbeat; };
    const auto count = std::count_if(saga.requests.begin(), saga.requests.end(), is_heartbeat);
    if (static_cast<std::size_t>(count) >= kHeartbeatRequestsMax) {
      saga.requests.erase(std::find_if(saga.requests.begin(), saga.requests.end(), is_heartbeat));
    }
  }
  saga.requests.push_back(RequestRecord{id->high(), id->low(), event.request_content(),
                                        Sequence(event.sequence()), heartbeat, IsStoreWide(event)});
}

}  // namespace

const CompensationRecord* Saga::FindCompensation(std::string_view compensation_id) const {
  for (const CompensationRecord& record : compensations) {
    if (record.id.view() == compensation_id) {
      return &record;
    }
  }
  return nullptr;
}

bool Saga::IsProvenDead(const InternedText& incarnation) const {
  return extras && std::find(extras->dead_owners.begin(), extras->dead_owners.end(), incarnation) !=
                       extras->dead_owners.end();
}

const RequestRecord* Saga::FindRequest(std::uint64_t high, std::uint64_t low) const {
  for (const RequestRecord& request : requests) {
    if (request.low == low && request.high == high) {
      return &request;
    }
  }
  return nullptr;
}

void ApplyToSaga(Saga& saga, const events::Event& event) {
  SagaFold fold(saga, event);
  FoldBody(fold, event);
  saga.version = SagaVersion(event.version());
  saga.sequence = Sequence(event.sequence());
  if (event.body_type() != events::Body::Heartbeated) {
    saga.previous_transition = saga.sequence;
    saga.compensation_status = StatusOf(saga);
  }
  RememberRequest(saga, event);
}

}  // namespace sagalog
