#include "tools/saga_course.h"

#include "schema/text_view.h"

namespace sagalog::tools {

std::optional<StoreTime> AwaySince(const events::Event& event) {
  if (const auto* opened = event.body_as_StoreOpened(); opened && opened->away_since() != 0) {
    return TimeFromMicros(opened->away_since());
  }
  if (const auto* suspended = event.body_as_HostSuspended()) {
    return TimeFromMicros(suspended->away_since());
  }
  return std::nullopt;
}

bool ApplyToDependencies(Saga& saga, const events::Event& event) {
  const auto* terminal = event.body_as_Terminal();
  if (terminal == nullptr || !saga.extras) {
    return false;
  }
  bool ended = false;
  for (DependencyRecord& dependency : saga.extras->depends_on) {
    if (dependency.saga_id != View(event.saga_id()) ||
        dependency.standing != DependencyRecord::Standing::kUnmet) {
      continue;
    }
    ended = true;
    if (terminal->state() == schema::State::completed) {
      dependency.standing = DependencyRecord::Standing::kMet;
    } else {
      dependency.standing = DependencyRecord::Standing::kDead;
      dependency.dead_since = TimeFromMicros(event.time());
    }
  }
  return ended;
}

std::vector<StoreTime> IndexMoments(const Saga& saga, const StalenessContext& context,
                                    StoreTime after, StoreTime through) {
  std::vector<StoreTime> moments;
  for (auto next = StalenessChangesAt(saga, context, after); next && *next <= through;
       next = StalenessChangesAt(saga, context, *next)) {
    moments.push_back(*next);
  }
  return moments;
}

}  // namespace sagalog::tools
