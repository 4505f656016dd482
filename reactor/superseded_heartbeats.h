// Which heartbeats nobody needs whole any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "projections/projections.h"
#include "schema/events_generated.h"

namespace sagalog {

// What a saga's present state still needs of its heartbeats. A saga that is not in memory needs
// nothing: its end dropped what it needed before.
struct NeededHeartbeats {
  // Of a live lease: the event that last granted or extended it.
  Sequence lease;
  // The one whose progress is shown.
  Sequence progress;
  // Those whose request ids count, ascending.
  std::vector<Sequence> requests;

  // In a turn.
  [[nodiscard]] static NeededHeartbeats Of(const Saga* saga);
  [[nodiscard]] bool Has(Sequence sequence) const;
};

// Looks at one stretch of the log and tells which of its heartbeats may become stubs: those that a
// later heartbeat of their lease, or its end, has superseded. What stays whole:
//   - what the present state needs, see above;
//   - a heartbeat whose progress was in force at an event that stays whole, so that the answer to
//     the request of that event is the same for ever;
//   - at the end of the stretch, the one whose progress is in force there.
// Folding the log gives the same state with stubs as without, once it has reached the sequence at
// which the needs were taken.
//
// One thread.
class SupersededHeartbeats {
 public:
  // The next event of the stretch.
  void Add(const events::Event& event);

  // The sagas that have heartbeats in the stretch.
  [[nodiscard]] std::vector<std::string> Sagas() const;
  // Of one of them: adds the sequences of its superseded heartbeats to `superseded`.
  void Choose(const std::string& saga_id, const NeededHeartbeats& needed,
              std::vector<Sequence>& superseded) const;

 private:
  struct Entry {
    Sequence sequence;
    bool heartbeat = false;
    bool stub = false;
    bool told_progress = false;
  };

  std::unordered_map<std::string, std::vector<Entry>> entries_;
};

}  // namespace sagalog
