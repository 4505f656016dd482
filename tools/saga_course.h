// What a saga's deadlines depend on, followed through the log: the index as it was at any moment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/policy.h"
#include "projections/saga.h"
#include "projections/staleness.h"

namespace sagalog::tools {

[[nodiscard]] inline std::string_view View(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : text->string_view();
}

// Of the store: its policies, and its returns from being away. Folded from store-level events.
class StoreCourse {
 public:
  // Any event; those of sagas change nothing.
  void Apply(const events::Event& event);

  [[nodiscard]] EffectivePolicy PolicyOf(const Saga& saga) const;
  // Borrows from this object.
  [[nodiscard]] StalenessContext ContextOf(const Saga& saga) const {
    return {PolicyOf(saga), returns_};
  }

 private:
  schema::PolicyT store_policy_;
  std::map<std::string, schema::PolicyT, std::less<>> queue_policies_;
  std::vector<StoreReturn> returns_;
};

// Since when the store was away until this event; none = it is no return, or not from an absence.
[[nodiscard]] std::optional<StoreTime> AwaySince(const events::Event& event);

// The standing of the dependencies of `saga`, after an event of another saga. True when one ended.
bool ApplyToDependencies(Saga& saga, const events::Event& event);

// Moments in (after, through] at which the index may say something else of `saga`, if nothing
// happens to it. The end of its lease is one of them.
[[nodiscard]] std::vector<StoreTime> IndexMoments(const Saga& saga, const StalenessContext& context,
                                                  StoreTime after, StoreTime through);

}  // namespace sagalog::tools
