// Queues: their configuration, what may be claimed, who waits until when, and slots.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "projections/claim_order.h"
#include "projections/projections.h"
#include "projections/text_hash.h"
#include "projections/timers.h"

namespace sagalog {

// Slots are counted from the sagas themselves: one is used by being on the list kSlot, and left by
// an event or by time, whichever is first. So none can leak.
class Queues {
 public:
  // `facts` is borrowed: the store's policy and returns.
  explicit Queues(const StoreFacts& facts);

  [[nodiscard]] const QueueConfiguration& Configuration(std::string_view queue) const;
  [[nodiscard]] bool IsConfigured(std::string_view queue) const;
  void Configure(std::string_view queue, QueueConfiguration configuration);
  // Takes a configuration back: the one before it, or none.
  void Restore(std::string_view queue, std::optional<QueueConfiguration> before);
  // After the store's policy or returns changed. The sagas are then to be updated.
  void RefreshContexts();

  [[nodiscard]] EffectivePolicy PolicyFor(std::string_view queue, const schema::PolicyT* own) const;
  // Valid until the next call.
  [[nodiscard]] const StalenessContext& ContextOf(const Saga& saga);

  // A saga came into memory or leaves it.
  void Add(Saga& saga);
  void Remove(Saga& saga);
  // Moves the saga to the list that its state, and the newest time asked about, say.
  void Update(Saga& saga, const StalenessContext& context);

  [[nodiscard]] std::uint64_t SlotsUsed(std::string_view queue, StoreTime now);
  [[nodiscard]] std::uint64_t SlotsUsedInAll(StoreTime now);
  [[nodiscard]] Saga* FirstClaimable(std::string_view queue, bool for_dispatch,
                                     const InternedText& incarnation, StoreTime now);
  [[nodiscard]] std::uint64_t PlannedIn(std::string_view queue) const;
  // When the next slot ends by time alone.
  [[nodiscard]] std::optional<std::int64_t> NextSlotEnd(std::int64_t now) const {
    return slots_.FirstAfter(now);
  }
  [[nodiscard]] std::vector<std::string> Names() const;
  // Of those that were configured, by name.
  [[nodiscard]] std::vector<std::pair<std::string_view, const QueueConfiguration*>> Configured()
      const;

 private:
  struct Queue {
    QueueConfiguration configuration;
    bool configured = false;
    // Of its sagas that have no policy of their own.
    StalenessContext context;
    std::uint64_t members = 0;
    std::uint64_t planned = 0;
    std::uint64_t slots = 0;
    ClaimOrder claimable;
    ClaimOrder exhausted;
  };
  // A list, and the moment when time ends the stay there.
  struct Standing {
    QueueList list;
    std::int64_t moment;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return TextHash(name); }
  };

  [[nodiscard]] Queue* Find(std::string_view name) const;
  Queue& FindOrAdd(std::string_view name);
  Queue& QueueOf(const Saga& saga);
  [[nodiscard]] Standing StandingOf(const Saga& saga, const StalenessContext& context) const;
  void Enter(Saga& saga, Queue& queue, Standing standing);
  void Leave(Saga& saga, Queue& queue);
  void AdvanceTo(StoreTime now);
  void RefreshContext(Queue& queue) const;
  // Nobody needs it any more.
  void Drop(std::string_view name);

  const StoreFacts& facts_;
  EffectivePolicy store_policy_;
  boost::unordered_flat_map<std::string, std::unique_ptr<Queue>, NameHash, std::equal_to<>> queues_;
  Timers slots_;
  Timers delayed_;
  std::uint64_t slots_in_all_ = 0;
  // The newest time asked about: moments up to it are past.
  std::int64_t now_ = std::numeric_limits<std::int64_t>::min();
  // The queue of the saga before, which mostly is that of the next one.
  InternedText last_name_;
  Queue* last_queue_ = nullptr;
  // Of a saga with a policy of its own.
  StalenessContext own_context_;
};

}  // namespace sagalog
