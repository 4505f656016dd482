// What shows in a saga as it was, and is not in its own events: the policies in force, returns of
// the store, children, dependencies that ended, effects that another generation settled.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "projections/saga.h"
#include "projections/staleness.h"
#include "reactor/saga_view.h"
#include "reactor/store_course.h"
#include "schema/events_generated.h"

namespace sagalog {

// Collected event by event. Its memory grows with those facts alone, which are few beside the
// events: nothing is kept of a saga that has no parent, no dependency and no effect of scope `key`.
class PastFacts {
 public:
  // Any event; in the order of the log. Those that tell nothing here may be left out.
  void Note(const events::Event& event);
  // What is known without its event: a child that `parent` took, the end of a saga that others wait
  // for, and where an effect of scope `key` that began at `begun` was settled.
  void NoteChild(const std::string& parent, Sequence planned, std::string child);
  void NoteEnd(const std::string& saga, Sequence ended, StoreTime time, bool completed);
  void NoteSettlement(Sequence begun, Sequence settled, std::uint64_t hash);
  // The last that was noted.
  [[nodiscard]] Sequence noted() const { return noted_; }

  // `saga`, folded from its own events through `through`, as it showed at `moment` when all events
  // through `through`, and no others, had happened. They must have been noted; later ones may be.
  [[nodiscard]] SagaSnapshot Complete(Saga saga, Sequence through, StoreTime moment) const;

  // Its reasons for being stale then: what Complete would show, for who asks often.
  [[nodiscard]] std::vector<StaleSince> StaleThen(const Saga& saga, Sequence through,
                                                  StoreTime moment) const;

 private:
  struct End {
    Sequence sequence;
    StoreTime time;
    bool completed = false;
  };
  struct Child {
    Sequence planned;
    std::string id;
  };
  struct Settlement {
    Sequence sequence;
    std::uint64_t hash = 0;
  };
  void NotePlanned(const events::Event& event, const events::Planned& planned);
  void NoteSettled(const events::Event& event, const events::EffectSettled& settled);

  // What others did to it.
  void AddEnds(Saga& saga, Sequence through) const;
  void AddSettlements(Saga& saga, Sequence through) const;
  void AddChildren(Saga& saga, Sequence through) const;
  [[nodiscard]] EffectivePolicy PolicyOf(const Saga& saga, Sequence through) const;
  // Those that can matter to the saga's lease.
  [[nodiscard]] std::span<const StoreReturn> ReturnsSince(const Saga& saga, Sequence through) const;

  Sequence noted_;
  StoreCourse newest_;
  std::vector<PolicyChange> policy_changes_;
  // By the parent.
  std::unordered_map<std::string, std::vector<Child>> children_;
  // Of sagas that others wait for; null sequence = not ended.
  std::unordered_map<std::string, End> awaited_;
  // Where an effect of scope `key` began, by "saga\neffect" of every generation that knows it.
  std::unordered_map<std::string, Sequence> key_effects_;
  // By where it began.
  std::unordered_map<std::uint64_t, Settlement> settled_;
};

}  // namespace sagalog
