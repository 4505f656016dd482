#include <fmt/format.h>

#include "schema/event_stub.h"
#include "schema/flatbuffer_bytes.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

// What is wrong with verified bytes, or null.
using Problem = const char*;

bool IsEmpty(const flatbuffers::String* text) { return text == nullptr || text->size() == 0; }

template <typename Enum>
bool IsKnown(Enum value) {
  static_assert(static_cast<int>(Enum::MIN) == 0);
  return value <= Enum::MAX;
}

template <typename Enum>
bool IsKnown(flatbuffers::Optional<Enum> value) {
  return !value.has_value() || IsKnown(*value);
}

Problem CheckOwner(const schema::Owner* owner) {
  return owner != nullptr && IsEmpty(owner->owner()) ? "an owner without a name" : nullptr;
}

Problem RequireOwner(const schema::Owner* owner) {
  return owner == nullptr ? "no owner" : CheckOwner(owner);
}

Problem CheckPolicy(const schema::Policy* policy) {
  if (policy == nullptr) {
    return nullptr;
  }
  if (!IsKnown(policy->compensation_order())) {
    return "an unknown compensation_order";
  }
  return IsKnown(policy->on_stale()) ? nullptr : "an unknown on_stale";
}

using Labels = flatbuffers::Vector<flatbuffers::Offset<schema::Label>>;

Problem CheckLabels(const Labels* labels) {
  if (labels != nullptr) {
    for (const schema::Label* label : *labels) {
      if (IsEmpty(label->name())) {
        return "a label without a name";
      }
    }
  }
  return nullptr;
}

Problem CheckCompensation(const schema::Compensation* compensation) {
  if (compensation == nullptr || IsEmpty(compensation->id())) {
    return "a compensation without an id";
  }
  if (!IsKnown(compensation->when())) {
    return "an unknown when";
  }
  return CheckLabels(compensation->params());
}

Problem CheckBody(const events::Planned& body) {
  if (const auto* compensations = body.compensations()) {
    for (const schema::Compensation* compensation : *compensations) {
      if (const Problem problem = CheckCompensation(compensation)) {
        return problem;
      }
    }
  }
  if (const auto* effects = body.inherited_effects()) {
    for (const events::InheritedEffect* effect : *effects) {
      if (IsEmpty(effect->effect())) {
        return "an inherited effect without a name";
      }
    }
  }
  const Problem problem = CheckLabels(body.labels());
  return problem != nullptr ? problem : CheckPolicy(body.policy());
}
Problem CheckBody(const events::Dispatched& body) { return RequireOwner(body.owner()); }
Problem CheckBody(const events::DispatchAborted& body) {
  return IsKnown(body.then()) ? nullptr : "an unknown then";
}
Problem CheckBody(const events::Leased& body) {
  if (!IsKnown(body.how())) {
    return "an unknown how";
  }
  const Problem problem = RequireOwner(body.owner());
  return problem != nullptr ? problem : CheckOwner(body.taken_from());
}
Problem CheckBody(const events::SectionEntered& body) {
  return IsEmpty(body.name()) ? "a section without a name" : nullptr;
}
Problem CheckBody(const events::SectionLeft& body) {
  return IsKnown(body.final()) ? nullptr : "an unknown final";
}
Problem CheckBody(const events::EffectBegun& body) {
  if (IsEmpty(body.effect())) {
    return "no effect";
  }
  return IsKnown(body.scope()) ? nullptr : "an unknown scope";
}
Problem CheckBody(const events::EffectSettled& body) {
  return IsEmpty(body.effect()) ? "no effect" : nullptr;
}
Problem CheckBody(const events::Recovered& body) {
  if (!IsKnown(body.decision())) {
    return "an unknown decision";
  }
  if (!IsKnown(body.gate())) {
    return "an unknown gate";
  }
  if (const auto* reasons = body.reasons()) {
    for (std::size_t i = 0; i < reasons->size(); ++i) {
      if (!IsKnown(reasons->GetEnum<schema::StaleReason>(static_cast<flatbuffers::uoffset_t>(i)))) {
        return "an unknown reason";
      }
    }
  }
  return CheckOwner(body.owner());
}
Problem CheckBody(const events::Terminal& body) {
  const bool is_terminal = body.state() >= schema::State::completed && IsKnown(body.state());
  return is_terminal ? nullptr : "no terminal state";
}
Problem CheckBody(const events::CompensationRegistered& body) {
  return CheckCompensation(body.compensation());
}
Problem CheckBody(const events::CompensationClaimed& body) {
  return IsEmpty(body.id()) ? "a compensation without an id" : nullptr;
}
Problem CheckBody(const events::CompensationSettled& body) {
  if (IsEmpty(body.id())) {
    return "a compensation without an id";
  }
  return IsKnown(body.outcome()) ? nullptr : "an unknown outcome";
}
Problem CheckBody(const events::OwnerReported& body) {
  if (!IsKnown(body.reported())) {
    return "an unknown reported verdict";
  }
  return IsKnown(body.verdict()) ? nullptr : "an unknown verdict";
}
Problem CheckBody(const events::ForceReleased& body) { return CheckOwner(body.owner()); }
Problem CheckBody(const events::StoreOpened& body) {
  return IsKnown(body.mode()) ? nullptr : "an unknown mode";
}
Problem CheckBody(const events::QueueConfigured& body) {
  return IsEmpty(body.queue()) ? "no queue" : CheckPolicy(body.policy());
}
Problem CheckBody(const events::PolicyChanged& body) { return CheckPolicy(body.policy()); }
Problem CheckBody(const events::RefusalsNoted& body) {
  if (const auto* refusals = body.refusals()) {
    for (const events::NotedRefusal* refusal : *refusals) {
      if (!IsKnown(refusal->code())) {
        return "an unknown code";
      }
      if (refusal->actual_state() && !IsKnown(*refusal->actual_state())) {
        return "an unknown state";
      }
    }
  }
  return nullptr;
}

Problem CheckEventBody(const events::Event& event) {
  using events::Body;
  switch (event.body_type()) {
    case Body::Planned: return CheckBody(*event.body_as_Planned());
    case Body::Dispatched: return CheckBody(*event.body_as_Dispatched());
    case Body::DispatchAborted: return CheckBody(*event.body_as_DispatchAborted());
    case Body::Leased: return CheckBody(*event.body_as_Leased());
    case Body::SectionEntered: return CheckBody(*event.body_as_SectionEntered());
    case Body::SectionLeft: return CheckBody(*event.body_as_SectionLeft());
    case Body::EffectBegun: return CheckBody(*event.body_as_EffectBegun());
    case Body::EffectSettled: return CheckBody(*event.body_as_EffectSettled());
    case Body::Recovered: return CheckBody(*event.body_as_Recovered());
    case Body::Terminal: return CheckBody(*event.body_as_Terminal());
    case Body::CompensationRegistered: return CheckBody(*event.body_as_CompensationRegistered());
    case Body::CompensationClaimed: return CheckBody(*event.body_as_CompensationClaimed());
    case Body::CompensationSettled: return CheckBody(*event.body_as_CompensationSettled());
    case Body::OwnerReported: return CheckBody(*event.body_as_OwnerReported());
    case Body::ForceReleased: return CheckBody(*event.body_as_ForceReleased());
    case Body::StoreOpened: return CheckBody(*event.body_as_StoreOpened());
    case Body::QueueConfigured: return CheckBody(*event.body_as_QueueConfigured());
    case Body::PolicyChanged: return CheckBody(*event.body_as_PolicyChanged());
    case Body::RefusalsNoted: return CheckBody(*event.body_as_RefusalsNoted());
    // Numbers and texts only, of which none has to be there.
    case Body::Heartbeated:
    case Body::Released:
    case Body::StageAdvanced:
    case Body::ExitRecorded:
    case Body::CancelRequested:
    case Body::Compensating:
    case Body::Annotated:
    case Body::Parked:
    case Body::Unparked:
    case Body::StoreRestored:
    case Body::HostSuspended:
    case Body::ClockStepped:
    case Body::Compacted:
    case Body::Redacted: return nullptr;
    case Body::NONE: break;
  }
  return "an unknown type of event";
}

Problem CheckEnvelope(const events::Event& event) {
  if (event.sequence() == 0) {
    return "no sequence";
  }
  if (event.previous() >= event.sequence() || event.previous_transition() >= event.sequence()) {
    return "a previous event that is not before it";
  }
  if (event.original_hash() != nullptr && event.original_hash()->size() != kEventHashSize) {
    return "a hash of another size";
  }
  const bool of_store = event.body_type() >= events::Body::StoreOpened;
  if (of_store != (event.version() == 0)) {
    return of_store ? "a version at store level" : "no version";
  }
  if (of_store != IsEmpty(event.saga_id())) {
    return of_store ? "a saga at store level" : "no saga";
  }
  return nullptr;
}

}  // namespace

Status VerifyEvent(std::string_view bytes) {
  if (bytes.size() > kEventSizeMax) {
    return Status(Code::kCorruption,
                  fmt::format("an event of {} bytes, allowed are {}", bytes.size(), kEventSizeMax));
  }
  const FlatbufferBytes buffer(bytes);
  if (!buffer.Verify<events::Event>(events::EventIdentifier())) {
    return Status(Code::kCorruption, fmt::format("{} bytes that are no event", bytes.size()));
  }
  const auto& event = buffer.GetRoot<events::Event>();
  Problem problem = CheckEventBody(event);
  if (problem == nullptr) {
    problem = CheckEnvelope(event);
  }
  if (problem != nullptr) {
    return Status(Code::kCorruption, fmt::format("event {} has {}", event.sequence(), problem));
  }
  return Status();
}

}  // namespace sagalog
