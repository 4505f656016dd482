// One saga as far as it decides: the fold of its events. Facts that decide nothing (issue, branch,
// payload, reasons, a compensation's target) stay in the log, at the sequences kept here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/boxed.h"
#include "projections/compact_vector.h"
#include "projections/interned_text.h"
#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/store_time.h"

namespace sagalog {

using schema::CompensationState;
using schema::CompensationStatus;
using schema::State;

[[nodiscard]] constexpr bool IsTerminal(State state) { return state >= State::completed; }
// Whether somebody owns a saga in this state.
[[nodiscard]] constexpr bool IsHeld(State state) {
  return state == State::dispatched || state == State::running;
}

// An owner's incarnation as one text: equal texts are the same incarnation. Fields are separated
// by line feeds, which no field can hold.
[[nodiscard]] InternedText OwnerIdentity(const schema::Owner* owner);
[[nodiscard]] InternedText OwnerIdentity(const schema::OwnerT* owner);
[[nodiscard]] schema::OwnerT OwnerFromIdentity(const InternedText& identity);
[[nodiscard]] std::string_view OwnerName(const InternedText& identity);
// Of an identity; empty where it does not say.
struct HostBoot {
  std::string_view host;
  std::string_view boot_id;
};
[[nodiscard]] HostBoot HostBootOf(const InternedText& identity);

// The first 64 bits of a target's SHA-256: enough to tell the targets of all live sagas apart.
[[nodiscard]] std::uint64_t TargetHash(std::string_view target);

// Hashes of what is compared but not kept in memory.
[[nodiscard]] std::uint32_t CompensationContent(const schema::Compensation& compensation);
[[nodiscard]] std::uint32_t CompensationContent(const schema::CompensationT& compensation);
[[nodiscard]] std::uint64_t SettlementHash(std::string_view outcome, std::string_view result);

struct CompensationClaim {
  Token token;
  InternedText executor;
  StoreTime claimed_at;
  StoreTime expires_at;
  // When the claim was settled as failed.
  std::optional<StoreTime> failed_at;
};

struct CompensationRecord {
  InternedText id;
  std::uint64_t target_hash = 0;
  // The event that holds kind, target and params: planned (then `position` is the place in its
  // list) or compensation_registered.
  Sequence registered;
  // The event that settled it or recorded its last failure; 0 = none.
  Sequence settled;
  // Of kind and parameters, to tell the same registration from another.
  std::uint32_t content = 0;
  std::uint16_t attempts = 0;
  std::uint8_t position = 0;
  // Together one byte: there are millions of these.
  CompensationState state : 4 = CompensationState::owed;
  schema::CompensationWhen when : 2 = schema::CompensationWhen::unless_completed;
  bool shared : 1 = false;
  // The newest claim.
  Boxed<CompensationClaim> claim;

  [[nodiscard]] bool IsSettled() const {
    return state == CompensationState::done || state == CompensationState::waived ||
           state == CompensationState::dropped;
  }
};

// An answered request, for its replay.
struct RequestRecord {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t content = 0;
  Sequence sequence;
  // A heartbeat's counts only while its lease lives.
  bool heartbeat = false;
  // A plan's and a claim_next's id is unique in the store, any other within its saga.
  bool store_wide = false;
};

struct SectionRecord {
  InternedText name;
  StoreTime since;
  Duration max_age{};
};

struct ExitRecord {
  std::int32_t code = 0;
  StoreTime at;
  Sequence sequence;
};

struct EffectRecord {
  std::string effect;
  std::string fingerprint;
  Sequence begun;
  Sequence settled;
  // A hash of outcome and result, to tell the same settlement from another.
  std::uint64_t settlement = 0;
  bool key_scope = false;
};

struct DependencyRecord {
  enum class Standing : std::uint8_t { kUnmet, kMet, kDead };
  std::string saga_id;
  Standing standing = Standing::kUnmet;
  StoreTime dead_since;
};

// What most sagas never have.
struct SagaExtras {
  std::string parent;
  std::vector<std::string> children;
  std::vector<DependencyRecord> depends_on;
  std::vector<EffectRecord> effects;
  // Incarnations proven dead: dead stays dead.
  std::vector<InternedText> dead_owners;
  std::optional<StoreTime> not_before;
  std::optional<StoreTime> parked_at;
  std::optional<StoreTime> cancel_requested_at;
  bool cancel_cascade = false;
  std::optional<StoreTime> reported_alive_at;
  std::optional<StoreTime> reported_dead_at;
  std::optional<SectionRecord> section;
  std::optional<ExitRecord> exit;
  std::optional<schema::PolicyT> policy;
  // The last heartbeat that told progress; its text is there.
  Sequence progress_sequence;
  std::optional<StoreTime> progress_at;
  // The dispatch token that the present worker acquired with.
  Token spent_dispatch_token;
  bool labelled = false;
  // The newest store-level notes of commands about it that were refused.
  CompactVector<Sequence> refusal_notes;
};

// Which list of its queue a saga is on.
enum class QueueList : std::uint8_t {
  kNone,
  // Planned, from here on:
  kWaiting,    // parked, or a dependency is unmet
  kDelayed,    // its not_before is to come
  kClaimable,  // may start
  kExhausted,  // may be acquired, but not dispatched any more
  // Held, from here on:
  kSlot,      // uses a slot
  kSlotOver,  // does not any more
};

// Which list of the stale index a saga is on.
enum class StaleList : std::uint8_t {
  kReported,  // nobody acts on it by itself
  kReaper,    // the reaper acts on it, or looks at it, when its moment has come
  kAside,     // the reaper has looked: not again before something happens to it
};

// Where the read models keep this saga: written by them alone, no part of its state.
struct SagaPlaces {
  static constexpr std::uint32_t kNowhere = 0xffffffff;

  SagaPlaces() = default;
  // A copy of a saga is listed nowhere.
  SagaPlaces(const SagaPlaces&) : SagaPlaces() {}
  SagaPlaces& operator=(const SagaPlaces&) { return *this; }

  std::int64_t stale_moment = 0;
  // The end of its slot, or of its delay.
  std::int64_t timer_moment = 0;
  std::uint32_t stale_place = kNowhere;
  std::uint32_t timer_place = kNowhere;
  std::uint32_t owner_place = kNowhere;
  // Packed to the bit: there are millions of these.
  QueueList queue_list : 3 = QueueList::kNone;
  StaleList stale_list : 2 = StaleList::kReported;
  bool holds_key : 1 = false;
  bool ended_of_key : 1 = false;
  bool in_backlog : 1 = false;
  bool dependencies_listed : 1 = false;
  bool effect_in_doubt : 1 = false;
  bool section_open : 1 = false;
  // Its targets are listed as being undone.
  bool targets_undone : 1 = false;
  // Of the checkpoint (changed_sagas.h): the mark of the one that will write it; of the one that
  // wrote it as ended; which rows it has.
  std::uint8_t changed : 2 = 0;
  std::uint8_t ended : 2 = 0;
  bool has_live_row : 1 = false;
  bool has_ended_row : 1 = false;
  // How many of its compensations.
  std::uint16_t targets_listed : 14 = 0;
};
static_assert(sizeof(SagaPlaces) == 32, "a byte more would cost eight in every saga");

// The first lines of the processor's cache hold what a heartbeat looks at.
struct Saga {
  std::string id;
  SagaPlaces places;
  InternedText queue;
  Boxed<SagaExtras> extras;
  SagaVersion version;
  Sequence sequence;
  Sequence lease_sequence;  // the event that last granted or extended the lease
  StoreTime acquired_at;
  StoreTime heartbeat_at;
  StoreTime expires_at;
  // The answered requests.
  CompactVector<RequestRecord> requests;
  Duration ttl{};
  std::int32_t priority = 0;
  std::uint32_t generation = 0;
  std::uint32_t attempts = 0;
  std::uint32_t recoveries = 0;
  std::uint32_t dispatch_failures = 0;
  State state = State::planned;
  CompensationStatus compensation_status = CompensationStatus::none;
  // The last owner ended its ownership itself (completed, failed, released, aborted, …), or had
  // exited when it lost it.
  bool let_go = true;
  // When the present state began.
  StoreTime state_since;
  // The holder, or the last one.
  InternedText owner;
  // Of the holder, or of the last one: then void.
  Token token;
  InternedText stage;
  Sequence planned_sequence;
  Sequence previous_transition;  // the newest event that is no heartbeat
  Sequence stage_sequence;       // the event that set the stage
  // The event whose reason is shown: aborted, released, recovered, terminal, …; 0 = none.
  Sequence reason_sequence;
  CompactVector<CompensationRecord> compensations;
  std::string key;

  [[nodiscard]] bool IsHeld() const { return sagalog::IsHeld(state); }
  [[nodiscard]] bool IsTerminal() const { return sagalog::IsTerminal(state); }
  [[nodiscard]] bool IsParked() const { return extras && extras->parked_at.has_value(); }
  [[nodiscard]] bool IsCancelPending() const {
    return extras && extras->cancel_requested_at.has_value();
  }
  [[nodiscard]] const SectionRecord* Section() const {
    return extras && extras->section ? &*extras->section : nullptr;
  }
  [[nodiscard]] const ExitRecord* Exit() const {
    return extras && extras->exit ? &*extras->exit : nullptr;
  }
  // The present holder is proven dead.
  [[nodiscard]] bool IsOwnerDead() const { return extras && extras->reported_dead_at.has_value(); }
  // That incarnation was proven dead while it held the saga, now or before: dead stays dead.
  [[nodiscard]] bool IsProvenDead(const InternedText& incarnation) const;
  // Nothing is left that could change on its own or block others: its row may go to disk.
  [[nodiscard]] bool IsSettled() const {
    return IsTerminal() && (compensation_status == CompensationStatus::none ||
                            compensation_status == CompensationStatus::settled);
  }
  [[nodiscard]] const CompensationRecord* FindCompensation(std::string_view compensation_id) const;
  // Of this request id, while it counts.
  [[nodiscard]] const RequestRecord* FindRequest(std::uint64_t high, std::uint64_t low) const;
};

// Folds one event into the saga it belongs to; `saga` is empty for `planned`. Never refuses:
// what is in the log has happened. Touches nothing but `saga`, and not its places.
void ApplyToSaga(Saga& saga, const events::Event& event);

}  // namespace sagalog
