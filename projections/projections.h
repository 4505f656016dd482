// Everything that is true now: all read models, folded from the log together.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "projections/ended_rows.h"
#include "projections/policy.h"
#include "projections/saga.h"
#include "projections/staleness.h"
#include "schema/events_generated.h"
#include "schema/limits.h"

namespace sagalog {

// What was configured for a queue. A queue needs no creation.
struct QueueConfiguration {
  std::optional<std::int64_t> limit;
  bool frozen = false;
  schema::PolicyT policy;
};

// A request that concerned the store as a whole and no saga, and the event that answered it.
struct StoreRequest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t content = 0;
  Sequence sequence;
};

// A boot of a host on which somebody was granted a saga.
struct SeenBoot {
  std::string host;
  std::string boot_id;
};

// A list that is copied when it grows and shared otherwise: it grows seldom.
template <typename Entry>
using SharedList = std::shared_ptr<const std::vector<Entry>>;

// What is true of the store as a whole.
struct StoreFacts {
  std::string store_id;
  std::uint64_t token_offset = 0;
  std::string lineage;
  // The mode of the newest store_opened; none = never opened.
  std::optional<schema::OpenMode> last_open;
  // When the store came back after being away, ascending; only those that can still matter.
  std::vector<StoreReturn> returns;
  schema::PolicyT policy;
  std::optional<std::int64_t> limit;  // over all queues
  StoreTime last_time;
  // EventMark of the last event.
  std::uint64_t last_event = 0;
  // In the order of their first grant, the newest kSeenBootsMax; null = none.
  SharedList<SeenBoot> boots;
  // In the order of their answers, the newest kStoreRequestsMax; null = none.
  SharedList<StoreRequest> requests;
};

// How many of each there are. Folded from the log, so a rebuild gives the same.
struct Statistics {
  std::array<std::uint64_t, 16> sagas_by_state{};
  std::array<std::uint64_t, 64> events_by_type{};
};

class ReadModels;

// The read models and the fold that keeps them. Memory grows with live sagas (not terminal, or
// with compensations still owed), not with history: what has ended and is settled moves to rows
// at a checkpoint (checkpoint.h).
//
// One thread at a time: in a running store, whoever has the sequencer's turn.
class Projections {
 public:
  // `rows` answers for sagas that are not in memory, when an event for one is folded. Borrowed.
  explicit Projections(const EndedRows& rows);
  ~Projections();
  Projections(const Projections&) = delete;
  Projections& operator=(const Projections&) = delete;

  // Folds the next event. `event` must be the one after Applied(). Errors only when a row of an
  // ended saga cannot be read (kCorruption, kIoError); the event is then not folded.
  Status Apply(const events::Event& event);

  // The sequence of the last event folded.
  [[nodiscard]] Sequence Applied() const;

  // What is folded from now on is kept by KeepTrial, or taken back by RollBack: all is then as it
  // was, but for ended sagas that have come into memory. No checkpoint may begin in between.
  void BeginTrial();
  void KeepTrial();
  void RollBack();

  // Puts an ended saga that was looked up into memory, so that an event for it can be folded.
  // Nothing if it is there already.
  void Admit(Saga saga);

  // Null when the saga is not in memory: unknown, or ended and settled.
  [[nodiscard]] const Saga* Find(std::string_view saga_id) const;
  // Find will be called soon: hints for the processor's cache, of no other effect. AnticipateSlot
  // first, AnticipateSaga when memory has had the time to answer.
  void AnticipateSlot(std::string_view saga_id) const;
  void AnticipateSaga(std::string_view saga_id) const;
  // The same before PlannedByRequest.
  void AnticipateRequest(std::uint64_t high, std::uint64_t low) const;
  // The saga that is not terminal and holds the key; null = nobody.
  [[nodiscard]] const Saga* HolderOfKey(std::string_view key) const;
  // The newest generation of a key that ended and is still in memory; null = look at the rows. An
  // older one than the rows have, when it came back or still owes compensations: compare.
  [[nodiscard]] const Saga* NewestEndedOfKey(std::string_view key) const;
  // The saga in memory that was planned, or claimed by claim_next, with this request id: those are
  // unique in the store.
  [[nodiscard]] const Saga* PlannedByRequest(std::uint64_t high, std::uint64_t low) const;
  // Another saga than `self` in memory that is not terminal, has registered the target and has
  // not settled it; null = none. Unless `undoing_too`, compensating sagas are passed over.
  [[nodiscard]] const Saga* OtherHolderOfTarget(std::uint64_t target_hash, const Saga* self,
                                                bool undoing_too) const;

  [[nodiscard]] const StoreFacts& facts() const;
  [[nodiscard]] const Statistics& statistics() const;
  // Of an unconfigured queue: the defaults.
  [[nodiscard]] const QueueConfiguration& Queue(std::string_view queue) const;
  // The policy in force for a saga, or for one that would be planned with `own` in `queue`.
  [[nodiscard]] EffectivePolicy PolicyOf(const Saga& saga) const;
  [[nodiscard]] EffectivePolicy PolicyFor(std::string_view queue, const schema::PolicyT* own) const;
  [[nodiscard]] StalenessContext ContextOf(const Saga& saga) const;

  // Dispatched and running sagas whose lease is not over, in grace, or in a section that is not
  // overdue. `now` must not decrease from call to call.
  [[nodiscard]] std::uint64_t SlotsUsed(std::string_view queue, StoreTime now) const;
  [[nodiscard]] std::uint64_t SlotsUsedInAll(StoreTime now) const;
  // The first planned saga by priority, then age, that is not parked, not waiting for not_before
  // or a dependency; when `for_dispatch`, not past max_dispatch_failures, else not one on which
  // the incarnation was proven dead. Null = none.
  [[nodiscard]] const Saga* FirstClaimable(std::string_view queue, bool for_dispatch,
                                           const InternedText& incarnation, StoreTime now) const;
  // How many sagas of the queue are planned, claimable or not.
  [[nodiscard]] std::uint64_t PlannedIn(std::string_view queue) const;
  // Names of all queues that are configured or hold a saga in memory, sorted.
  [[nodiscard]] std::vector<std::string> QueueNames() const;

  // Stale sagas: those with an actionable reason first, then by the moment of becoming stale, then
  // by planning. Costs what it finds. `limit` bounds the rows returned.
  [[nodiscard]] std::vector<const Saga*> Stale(StoreTime now, std::size_t limit) const;
  [[nodiscard]] std::array<std::uint64_t, 16> CountStaleByReason(StoreTime now) const;
  // The next moment after `now` at which a saga becomes stale, or at which one that is stale may
  // be acted on (its grace ends, its section is overdue); none = never.
  [[nodiscard]] std::optional<StoreTime> NextStaleMoment(StoreTime now) const;

  // For the reaper: sagas whose policy says on_stale = something, by the moment of becoming stale.
  // What it has looked at and left, it puts aside: that comes back when an event or a policy
  // changes the saga, or when it is brought back. Both cost what they return.
  [[nodiscard]] std::vector<const Saga*> DueForReaper(StoreTime now, std::size_t limit) const;
  [[nodiscard]] std::vector<const Saga*> AsideForReaper(StoreTime now, std::size_t limit) const;
  // The first moment for the reaper, come or not; none = never.
  [[nodiscard]] std::optional<StoreTime> NextForReaper() const;
  // Nothing when the saga is not there.
  void PutAside(std::string_view saga_id);
  void BringBack(std::string_view saga_id);

  // Sagas with compensations owed or failed, by the time since which they owe them.
  [[nodiscard]] std::vector<const Saga*> CompensationBacklog(std::size_t limit) const;
  // Sagas held by owners: each owner's incarnation with the sagas it holds.
  using OwnerVisitor =
      std::function<void(const InternedText& owner, std::span<const Saga* const> sagas)>;
  void VisitOwners(const OwnerVisitor& visitor) const;
  // What exactly this incarnation holds, in the order of planning.
  [[nodiscard]] std::vector<const Saga*> HeldBy(const InternedText& owner) const;
  // The boots of a host on which somebody holds a saga, and what is held on one of them.
  [[nodiscard]] std::vector<std::string> BootsOf(std::string_view host) const;
  [[nodiscard]] std::vector<const Saga*> HeldByBoot(std::string_view host,
                                                    std::string_view boot_id) const;
  // Sagas in memory in the order of planning, planned after `after`, until the visitor says false.
  void VisitPlannedAfter(Sequence after, const std::function<bool(const Saga&)>& visitor) const;
  // Live sagas that carry the label, in no particular order.
  [[nodiscard]] std::vector<const Saga*> WithLabel(std::string_view name,
                                                   std::string_view value) const;
  // Sagas in memory that are not terminal and wait for `saga_id`.
  [[nodiscard]] std::vector<const Saga*> DependentsOf(std::string_view saga_id) const;
  // Sagas that began an effect that is not settled, in the order of planning. Those that ended stay
  // in memory until it is.
  [[nodiscard]] std::vector<const Saga*> WithEffectsInDoubt(std::size_t limit) const;
  // Sagas with an open section, in the order of planning.
  [[nodiscard]] std::vector<const Saga*> WithOpenSection(std::size_t limit) const;
  // How many sagas are in memory.
  [[nodiscard]] std::size_t CountInMemory() const;

  // For checkpoints: the models themselves, which no other folder can see into.
  [[nodiscard]] ReadModels& models() { return *models_; }

 private:
  std::unique_ptr<ReadModels> models_;
};

}  // namespace sagalog
