#include "reactor/saga_view.h"

#include <string_view>
#include <utility>

namespace sagalog {
namespace {

std::string Text(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

std::vector<std::unique_ptr<schema::LabelT>> Labels(
    const flatbuffers::Vector<flatbuffers::Offset<schema::Label>>* labels) {
  std::vector<std::unique_ptr<schema::LabelT>> copies;
  if (labels != nullptr) {
    for (const schema::Label* label : *labels) {
      copies.emplace_back(label->UnPack());
    }
  }
  return copies;
}

// What is shown of an owner: the holder; while compensating and after the end, the last one.
void AddOwner(const Saga& saga, answers::SagaT& view) {
  if (saga.owner.empty() || saga.state == State::planned) {
    return;
  }
  view.owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(saga.owner));
  if (saga.IsHeld()) {
    view.token = saga.token.value();
    view.expires_at = ToMicros(saga.expires_at);
    view.heartbeat_at = ToMicros(saga.heartbeat_at);
  }
}

void AddState(const Saga& saga, answers::SagaT& view) {
  view.saga_id = saga.id;
  view.key = saga.key;
  view.generation = saga.generation;
  view.queue = saga.queue.str();
  view.priority = saga.priority;
  view.state = saga.state;
  view.stage = saga.stage.str();
  view.version = saga.version.value();
  view.sequence = saga.sequence.value();
  view.attempts = saga.attempts;
  view.recoveries = saga.recoveries;
  view.dispatch_failures = saga.dispatch_failures;
  view.cancel_pending = saga.IsCancelPending();
  view.parked = saga.IsParked();
  view.compensation_status = saga.compensation_status;
  if (const SectionRecord* section = saga.Section()) {
    view.section = ViewSection(*section);
  }
  if (const ExitRecord* exit = saga.Exit()) {
    view.exit = std::make_unique<answers::ExitT>();
    view.exit->code = exit->code;
    view.exit->at = ToMicros(exit->at);
  }
  if (saga.IsTerminal()) {
    view.ended_at = ToMicros(saga.state_since);
  }
}

// The reason that an event of the kinds a reason_sequence points to gives.
const flatbuffers::String* ReasonOf(const events::Event& event) {
  switch (event.body_type()) {
    case events::Body::DispatchAborted: return event.body_as_DispatchAborted()->reason();
    case events::Body::Released: return event.body_as_Released()->reason();
    case events::Body::Recovered: return event.body_as_Recovered()->evidence();
    case events::Body::Terminal: return event.body_as_Terminal()->reason();
    case events::Body::Compensating: return event.body_as_Compensating()->reason();
    case events::Body::ForceReleased: return event.body_as_ForceReleased()->reason();
    default: return nullptr;
  }
}

// A cancel that waited ends the saga with words about the waiting: why it was wanted stands in the
// request, a few events earlier.
constexpr std::string_view kCancelWaited = "cancel was pending when ";
constexpr int kEventsBackMax = 100;

// What `event` says of the compensation that it registered.
const schema::Compensation* Registered(const events::Event& event,
                                       const CompensationRecord& record) {
  if (const events::CompensationRegistered* body = event.body_as_CompensationRegistered()) {
    return body->compensation();
  }
  const events::Planned* planned = event.body_as_Planned();
  if (planned == nullptr || planned->compensations() == nullptr ||
      record.position >= planned->compensations()->size()) {
    return nullptr;
  }
  return planned->compensations()->Get(record.position);
}

}  // namespace

SagaSnapshot TakeSnapshot(const Projections& state, const Saga& saga, StoreTime now) {
  const StalenessContext context = state.ContextOf(saga);
  return {saga, context.policy, {context.returns.begin(), context.returns.end()}, now};
}

std::unique_ptr<answers::SectionT> ViewSection(const SectionRecord& section) {
  auto view = std::make_unique<answers::SectionT>();
  view->name = section.name.str();
  view->since = ToMicros(section.since);
  view->max_age = section.max_age.count();
  return view;
}

std::vector<std::unique_ptr<answers::StaleSinceT>> ViewReasons(
    const std::vector<StaleSince>& reasons) {
  std::vector<std::unique_ptr<answers::StaleSinceT>> views;
  for (const StaleSince& reason : reasons) {
    views.push_back(std::make_unique<answers::StaleSinceT>());
    views.back()->reason = reason.reason;
    views.back()->since = ToMicros(reason.since);
  }
  return views;
}

Result<const events::Event*> SagaViewer::Read(Sequence sequence) {
  auto found = events_.find(sequence);
  if (found == events_.end()) {
    Result<StoredEvent> event = log_.Read(sequence);
    if (!event.ok() && log_.Health().code() == Code::kCorruption) {
      return nullptr;
    }
    RETURN_IF_ERROR(event.status());
    found = events_.emplace(sequence, *std::move(event)).first;
  }
  return &*found->second;
}

Result<std::unique_ptr<answers::SagaT>> SagaViewer::View(const SagaSnapshot& snapshot) {
  const Saga& saga = snapshot.saga;
  auto view = std::make_unique<answers::SagaT>();
  AddState(saga, *view);
  AddOwner(saga, *view);
  view->stale = ViewReasons(
      StaleReasons(saga, StalenessContext{snapshot.policy, snapshot.returns}, snapshot.now));
  RETURN_IF_ERROR(AddPlannedFacts(saga, *view));
  RETURN_IF_ERROR(AddReason(saga, *view));
  for (const CompensationRecord& record : saga.compensations) {
    ASSIGN_OR_RETURN(auto compensation, ViewCompensation(record));
    view->compensations.push_back(std::move(compensation));
  }
  if (saga.extras) {
    RETURN_IF_ERROR(AddExtras(*saga.extras, *view));
  }
  return view;
}

Status SagaViewer::AddPlannedFacts(const Saga& saga, answers::SagaT& view) {
  ASSIGN_OR_RETURN(const events::Event* event, Read(saga.planned_sequence));
  view.planned_at = event == nullptr ? 0 : event->time();
  const events::Planned* planned = event == nullptr ? nullptr : event->body_as_Planned();
  if (planned == nullptr) {
    return {};  // redacted, or lost
  }
  view.not_before = planned->not_before();
  view.rerun = Text(planned->rerun());
  view.issue = Text(planned->issue());
  view.repository = Text(planned->repository());
  view.branch = Text(planned->branch());
  view.worktree = Text(planned->worktree());
  view.labels = Labels(planned->labels());
  if (planned->payload() != nullptr) {
    view.payload.assign(planned->payload()->begin(), planned->payload()->end());
  }
  view.parent = Text(planned->parent());
  if (planned->depends_on() != nullptr) {
    for (const flatbuffers::String* id : *planned->depends_on()) {
      view.depends_on.push_back(id->str());
    }
  }
  if (planned->policy() != nullptr) {
    view.policy.reset(planned->policy()->UnPack());
  }
  return {};
}

Status SagaViewer::AddReason(const Saga& saga, answers::SagaT& view) {
  if (saga.reason_sequence.IsNone()) {
    return {};
  }
  ASSIGN_OR_RETURN(const events::Event* event, Read(saga.reason_sequence));
  if (event == nullptr) {
    return {};
  }
  view.reason = Text(ReasonOf(*event));
  if (const events::Terminal* terminal = event->body_as_Terminal()) {
    view.result = Text(terminal->result());
    const bool waited =
        terminal->state() == schema::State::cancelled && view.reason.starts_with(kCancelWaited);
    Sequence before(event->previous_transition());
    for (int i = 0; waited && i < kEventsBackMax && !before.IsNone(); ++i) {
      ASSIGN_OR_RETURN(event, Read(before));
      if (event == nullptr) {
        break;
      }
      if (const events::CancelRequested* request = event->body_as_CancelRequested()) {
        const std::string wanted = Text(request->reason());
        view.reason = wanted.empty() ? view.reason : wanted;
        break;
      }
      before = Sequence(event->previous_transition());
    }
  }
  return {};
}

Status SagaViewer::AddExtras(const SagaExtras& extras, answers::SagaT& view) {
  view.children = extras.children;
  if (extras.not_before) {
    view.not_before = ToMicros(*extras.not_before);
  }
  if (!extras.progress_sequence.IsNone()) {
    ASSIGN_OR_RETURN(const events::Event* event, Read(extras.progress_sequence));
    if (event != nullptr && event->body_type() == events::Body::Heartbeated) {
      view.progress = Text(event->body_as_Heartbeated()->progress());
    }
  }
  for (const EffectRecord& record : extras.effects) {
    ASSIGN_OR_RETURN(auto effect, ViewEffect(record));
    view.effects.push_back(std::move(effect));
  }
  return {};
}

Result<std::unique_ptr<answers::EffectT>> SagaViewer::ViewEffect(const EffectRecord& record) {
  auto view = std::make_unique<answers::EffectT>();
  view->effect = record.effect;
  view->fingerprint = record.fingerprint;
  view->scope = record.key_scope ? schema::EffectScope::key : schema::EffectScope::saga;
  ASSIGN_OR_RETURN(const events::Event* begun, Read(record.begun));
  view->begun_at = begun == nullptr ? 0 : begun->time();
  if (record.settled.IsNone()) {
    return view;
  }
  view->settled = true;
  ASSIGN_OR_RETURN(const events::Event* settled, Read(record.settled));
  if (settled != nullptr && settled->body_type() == events::Body::EffectSettled) {
    const events::EffectSettled* body = settled->body_as_EffectSettled();
    view->outcome = Text(body->outcome());
    view->result = Text(body->result());
  }
  return view;
}

Result<std::unique_ptr<answers::CompensationEntryT>> SagaViewer::ViewCompensation(
    const CompensationRecord& record) {
  auto view = std::make_unique<answers::CompensationEntryT>();
  view->id = record.id.str();
  view->when = record.when;
  view->shared = record.shared;
  view->state = record.state;
  view->attempts = record.attempts;
  ASSIGN_OR_RETURN(const events::Event* event, Read(record.registered));
  const schema::Compensation* registered = event == nullptr ? nullptr : Registered(*event, record);
  if (registered != nullptr) {
    view->kind = Text(registered->kind());
    view->target = Text(registered->target());
    view->params = Labels(registered->params());
  }
  if (record.claim) {
    view->executor = record.claim->executor.str();
    if (record.state == CompensationState::claimed) {
      view->expires_at = ToMicros(record.claim->expires_at);
    }
  }
  if (!record.settled.IsNone()) {
    ASSIGN_OR_RETURN(const events::Event* settled, Read(record.settled));
    if (settled != nullptr && settled->body_type() == events::Body::CompensationSettled) {
      view->detail = Text(settled->body_as_CompensationSettled()->detail());
    }
  }
  return view;
}

Result<bool> SagaViewer::HasLabel(const Saga& saga, std::string_view name, std::string_view value) {
  if (!saga.extras || !saga.extras->labelled) {
    return false;
  }
  ASSIGN_OR_RETURN(const events::Event* event, Read(saga.planned_sequence));
  const events::Planned* planned = event == nullptr ? nullptr : event->body_as_Planned();
  if (planned == nullptr || planned->labels() == nullptr) {
    return false;
  }
  for (const schema::Label* label : *planned->labels()) {
    if (label->name()->string_view() == name && label->value() != nullptr &&
        label->value()->string_view() == value) {
      return true;
    }
  }
  return false;
}

}  // namespace sagalog
