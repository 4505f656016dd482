#include "reactor/invariants.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "projections/merkle_tree.h"
#include "schema/event_stub.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

using events::Body;
using schema::State;

// What is wrong; empty = nothing.
using Wrong = std::string;

Wrong TimeNeverDecreases(const InvariantScene& scene) {
  const StoreTime last = scene.before.facts().last_time;
  const StoreTime time = TimeFromMicros(scene.event.time());
  // Before the first event there is none.
  return time < last && !scene.before.Applied().IsNone()
             ? fmt::format("its time {} is before {}, that of the event before it",
                           FormatTime(time), FormatTime(last))
             : Wrong();
}

Wrong SagaIsPlannedOnce(const InvariantScene& scene) {
  if (scene.event.body_type() != Body::Planned) {
    return {};
  }
  const std::string_view id = View(scene.event.saga_id());
  if (scene.saga != nullptr) {
    return fmt::format("it plans {}, which is {}", id, EnumNameState(scene.saga->state));
  }
  return scene.ended.Find(id) ? fmt::format("it plans {}, which has ended", id) : Wrong();
}

bool MayFollowTheEnd(Body type) {
  switch (type) {
    case Body::Annotated:
    case Body::ExitRecorded:
    case Body::OwnerReported:
    case Body::EffectSettled:
    case Body::CompensationClaimed:
    case Body::CompensationSettled: return true;
    default: return false;
  }
}

Wrong TerminalIsFinal(const InvariantScene& scene) {
  const Body type = scene.event.body_type();
  const bool ended = scene.event.version() > 0 && type != Body::Planned &&
                     (scene.saga == nullptr || scene.saga->IsTerminal());
  return ended && !MayFollowTheEnd(type) ? "its saga has ended before, or was never planned"
                                         : Wrong();
}

Wrong KeyHasOneLiveSaga(const InvariantScene& scene) {
  const events::Planned* planned = scene.event.body_as_Planned();
  if (planned == nullptr || View(planned->key()).empty()) {
    return {};
  }
  const std::string_view key = View(planned->key());
  if (const Saga* holder = scene.before.HolderOfKey(key)) {
    return fmt::format("it plans the key {}, which {} holds", key, holder->id);
  }
  std::uint32_t newest =
      scene.ended.NewestGeneration(key, planned->generation(), Sequence(scene.event.sequence()));
  if (const Saga* ended = scene.before.NewestEndedOfKey(key)) {
    newest = std::max(newest, ended->generation);
  }
  return planned->generation() != newest + 1
             ? fmt::format("it is generation {} of the key {}, behind generation {}",
                           planned->generation(), key, newest)
             : Wrong();
}

Wrong TokensGrow(const InvariantScene& scene) {
  const std::uint64_t offset = scene.before.facts().token_offset;
  if (const events::StoreRestored* restored = scene.event.body_as_StoreRestored()) {
    return restored->token_offset() < offset
               ? fmt::format("it sets the token offset back from {} to {}", offset,
                             restored->token_offset())
               : Wrong();
  }
  std::optional<std::uint64_t> token;
  if (const events::Leased* leased = scene.event.body_as_Leased()) {
    token = leased->token();
  } else if (const events::Dispatched* dispatched = scene.event.body_as_Dispatched()) {
    token = dispatched->token();
  } else if (const auto* claimed = scene.event.body_as_CompensationClaimed()) {
    token = claimed->token();
  }
  const std::uint64_t expected = scene.event.sequence() + offset;
  return token && *token != expected
             ? fmt::format("it grants the token {}, not {}", *token, expected)
             : Wrong();
}

Wrong CheckLeaseOf(const InvariantScene& scene, const events::Leased& leased) {
  const Saga& saga = *scene.saga;
  if (saga.IsProvenDead(OwnerIdentity(leased.owner()))) {
    return "it leases the saga to an incarnation that was proven dead";
  }
  if (leased.how() == schema::LeaseHow::first) {
    return saga.state == State::planned || saga.state == State::dispatched
               ? Wrong()
               : fmt::format("it is a first lease of a saga that is {}", EnumNameState(saga.state));
  }
  if (saga.state != State::running || TimeFromMicros(scene.event.time()) < saga.expires_at) {
    return "it takes over a lease that is not over";
  }
  const bool same = OwnerIdentity(leased.owner()) == saga.owner;
  return same == (leased.how() == schema::LeaseHow::reacquired)
             ? Wrong()
             : "it mistakes a takeover for the same owner's, or the other way round";
}

Wrong LeaseHasOneOwner(const InvariantScene& scene) {
  if (scene.saga == nullptr) {
    return {};
  }
  if (const events::Leased* leased = scene.event.body_as_Leased()) {
    return CheckLeaseOf(scene, *leased);
  }
  return scene.event.body_type() == Body::Dispatched && scene.saga->state != State::planned
             ? fmt::format("it dispatches a saga that is {}", EnumNameState(scene.saga->state))
             : Wrong();
}

Wrong HeartbeatsKeepALiveLease(const InvariantScene& scene) {
  if (scene.saga == nullptr || scene.event.body_type() != Body::Heartbeated) {
    return {};
  }
  if (!scene.saga->IsHeld()) {
    return fmt::format("it is a heartbeat of a saga that is {}", EnumNameState(scene.saga->state));
  }
  return TimeFromMicros(scene.event.time()) >= scene.saga->expires_at
             ? fmt::format("it is a heartbeat of a lease that was over at {}",
                           FormatTime(scene.saga->expires_at))
             : Wrong();
}

Wrong StageIsComparedAndSwapped(const InvariantScene& scene) {
  const events::StageAdvanced* advanced = scene.event.body_as_StageAdvanced();
  return advanced != nullptr && scene.saga != nullptr &&
                 View(advanced->previous_stage()) != scene.saga->stage.view()
             ? fmt::format("it advances from the stage \"{}\", but the stage is \"{}\"",
                           View(advanced->previous_stage()), scene.saga->stage.view())
             : Wrong();
}

Wrong OneSectionIsOpen(const InvariantScene& scene) {
  if (scene.saga == nullptr) {
    return {};
  }
  const SectionRecord* open = scene.saga->Section();
  if (scene.event.body_type() == Body::SectionEntered) {
    return open != nullptr || scene.saga->state != State::running
               ? "it enters a section where one is open, or nobody runs"
               : Wrong();
  }
  if (scene.event.body_type() == Body::SectionLeft && open == nullptr) {
    return "it leaves a section where none is open";
  }
  const events::Terminal* terminal = scene.event.body_as_Terminal();
  return terminal != nullptr && terminal->state() == State::completed && open != nullptr
             ? fmt::format("it completes the saga inside of the section \"{}\"", open->name.view())
             : Wrong();
}

Wrong EffectsAreGrantedOnce(const InvariantScene& scene) {
  const events::EffectBegun* begun = scene.event.body_as_EffectBegun();
  const events::EffectSettled* settled = scene.event.body_as_EffectSettled();
  if (scene.saga == nullptr || (begun == nullptr && settled == nullptr)) {
    return {};
  }
  const std::string_view name = View(begun != nullptr ? begun->effect() : settled->effect());
  const EffectRecord* known = nullptr;
  for (std::size_t i = 0; scene.saga->extras && i < scene.saga->extras->effects.size(); ++i) {
    if (scene.saga->extras->effects[i].effect == name) {
      known = &scene.saga->extras->effects[i];
    }
  }
  if (begun != nullptr) {
    return known != nullptr ? fmt::format("it begins the effect \"{}\" again", name) : Wrong();
  }
  if (known == nullptr) {
    return fmt::format("it settles the effect \"{}\", which was never begun", name);
  }
  return known->settled.IsNone() ? Wrong()
                                 : fmt::format("it settles the effect \"{}\" again", name);
}

Wrong CompensationsSettleOnce(const InvariantScene& scene) {
  const auto* claimed = scene.event.body_as_CompensationClaimed();
  const auto* settled = scene.event.body_as_CompensationSettled();
  if (scene.saga == nullptr || (claimed == nullptr && settled == nullptr)) {
    return {};
  }
  const std::string_view id = View(claimed != nullptr ? claimed->id() : settled->id());
  const CompensationRecord* record = scene.saga->FindCompensation(id);
  if (record == nullptr) {
    return fmt::format("it is about the compensation \"{}\", which nobody registered", id);
  }
  return record->IsSettled() ? fmt::format("the compensation \"{}\" was settled before", id)
                             : Wrong();
}

Wrong FailuresLeaveSomethingToUndo(const InvariantScene& scene) {
  const events::Terminal* terminal = scene.event.body_as_Terminal();
  return terminal != nullptr && terminal->state() == State::failed && scene.saga != nullptr &&
                 scene.saga->compensations.empty() &&
                 View(terminal->no_compensation_reason()).empty()
             ? "it fails a saga without a compensation, and nobody said why there is none"
             : Wrong();
}

Wrong RedactedEventsLostTheirTexts(const InvariantScene& scene) {
  const events::Redacted* redacted = scene.event.body_as_Redacted();
  if (redacted == nullptr) {
    return {};
  }
  const auto target = scene.log.Read(Sequence(redacted->redacted_sequence()));
  if (!target.ok()) {
    return target.status().text();
  }
  if (!IsStub(**target)) {
    return fmt::format("it redacts event {}, which is still whole: sagalog redact {} finishes it",
                       redacted->redacted_sequence(), redacted->redacted_sequence());
  }
  if (ToBase64(LeafHash(**target, target->bytes())) != View(redacted->hash())) {
    return fmt::format("it names another hash than event {} has", redacted->redacted_sequence());
  }
  return ToBase64(LeafHash(target->bytes())) == View(redacted->left_hash())
             ? Wrong()
             : fmt::format("what is left of event {} is not what it left",
                           redacted->redacted_sequence());
}

// Events by their type, a bit for each.
using Types = std::uint64_t;
static_assert(static_cast<int>(Body::MAX) < 64);

template <typename... Bodies>
constexpr Types Of(Bodies... types) {
  return ((Types{1} << static_cast<int>(types)) | ...);
}
constexpr Types kAny = ~Types{0};

struct Invariant {
  std::string_view name;
  Wrong (*check)(const InvariantScene& scene);
  // Those that can break it: the others are not asked.
  Types types;
};

// clang-format off
constexpr std::array kInvariants = {
    Invariant{"time_never_decreases", TimeNeverDecreases, kAny},
    Invariant{"saga_is_planned_once", SagaIsPlannedOnce, Of(Body::Planned)},
    Invariant{"terminal_is_final", TerminalIsFinal, kAny},
    Invariant{"key_has_one_live_saga", KeyHasOneLiveSaga, Of(Body::Planned)},
    Invariant{"tokens_grow", TokensGrow, Of(Body::Leased, Body::Dispatched, Body::CompensationClaimed,
                                            Body::StoreRestored)},
    Invariant{"lease_has_one_owner", LeaseHasOneOwner, Of(Body::Leased, Body::Dispatched)},
    Invariant{"heartbeats_keep_a_live_lease", HeartbeatsKeepALiveLease, Of(Body::Heartbeated)},
    Invariant{"stage_is_compared_and_swapped", StageIsComparedAndSwapped, Of(Body::StageAdvanced)},
    Invariant{"one_section_is_open", OneSectionIsOpen, Of(Body::SectionEntered, Body::SectionLeft,
                                                          Body::Terminal)},
    Invariant{"effects_are_granted_once", EffectsAreGrantedOnce, Of(Body::EffectBegun,
                                                                    Body::EffectSettled)},
    Invariant{"compensations_settle_once", CompensationsSettleOnce, Of(Body::CompensationClaimed,
                                                                       Body::CompensationSettled)},
    Invariant{"failures_leave_something_to_undo", FailuresLeaveSomethingToUndo, Of(Body::Terminal)},
    Invariant{"redacted_events_lost_their_texts", RedactedEventsLostTheirTexts, Of(Body::Redacted)},
};
// clang-format on

}  // namespace

std::optional<BrokenInvariant> FindBroken(const InvariantScene& scene) {
  const Types type = Of(scene.event.body_type());
  for (const Invariant& invariant : kInvariants) {
    if ((invariant.types & type) == 0) {
      continue;
    }
    if (Wrong wrong = invariant.check(scene); !wrong.empty()) {
      return BrokenInvariant{invariant.name,
                             fmt::format("event {}: {}", scene.event.sequence(), wrong)};
    }
  }
  return std::nullopt;
}

}  // namespace sagalog
