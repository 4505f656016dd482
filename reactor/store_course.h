// What of a store decides the deadlines of its sagas, followed through the log: the policies that
// were set, and its returns from being away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "projections/policy.h"
#include "projections/saga.h"
#include "projections/staleness.h"
#include "schema/events_generated.h"

namespace sagalog {

// What an event sets of a policy.
struct PolicyChange {
  Sequence sequence;
  // None = the store's own.
  std::optional<std::string> queue;
  schema::PolicyT policy;
};

// None = the event sets no policy.
[[nodiscard]] std::optional<PolicyChange> PolicyChangeOf(const events::Event& event);

// Folded from events of the store itself. Memory grows with the queues that were configured and
// with the returns.
class StoreCourse {
 public:
  // Any event, in the order of the log; those of sagas change nothing.
  void Apply(const events::Event& event);
  // The same of a policy alone.
  void Apply(const PolicyChange& change);

  [[nodiscard]] EffectivePolicy PolicyOf(const Saga& saga) const;
  // Ascending.
  [[nodiscard]] const std::vector<StoreReturn>& returns() const { return returns_; }
  // Borrows from this object.
  [[nodiscard]] StalenessContext ContextOf(const Saga& saga) const {
    return {PolicyOf(saga), returns_};
  }

 private:
  schema::PolicyT store_;
  std::map<std::string, schema::PolicyT, std::less<>> queues_;
  std::vector<StoreReturn> returns_;
};

}  // namespace sagalog
