#include "projections/dependents.h"

#include <algorithm>

#include "projections/text_hash.h"

namespace sagalog {

void Dependents::Update(Saga& saga) {
  if (saga.IsTerminal()) {
    Remove(saga);
    return;
  }
  if (saga.places.dependencies_listed || !saga.extras || saga.extras->depends_on.empty()) {
    return;
  }
  for (const DependencyRecord& dependency : saga.extras->depends_on) {
    by_dependency_.Insert(TextHash(dependency.saga_id), &saga);
  }
  saga.places.dependencies_listed = true;
}

void Dependents::Remove(Saga& saga) {
  if (!saga.places.dependencies_listed) {
    return;
  }
  for (const DependencyRecord& dependency : saga.extras->depends_on) {
    by_dependency_.Erase(TextHash(dependency.saga_id), &saga);
  }
  saga.places.dependencies_listed = false;
}

std::vector<Saga*> Dependents::WaitingFor(std::string_view saga_id) const {
  std::vector<Saga*> waiting;
  by_dependency_.ForEach(TextHash(saga_id), [&](Saga& saga) {
    const auto& dependencies = saga.extras->depends_on;
    if (std::any_of(dependencies.begin(), dependencies.end(), [&](const auto& dependency) {
          return dependency.saga_id == saga_id &&
                 dependency.standing == DependencyRecord::Standing::kUnmet;
        })) {
      waiting.push_back(&saga);
    }
  });
  return waiting;
}

}  // namespace sagalog
