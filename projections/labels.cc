#include "projections/labels.h"

namespace sagalog {
namespace {

std::string Joined(std::string_view name, std::string_view value) {
  std::string joined;
  joined.reserve(name.size() + 1 + value.size());
  joined.append(name).append(1, '\0').append(value);
  return joined;
}

}  // namespace

Labels::~Labels() {
  for (auto& [label, sagas] : sagas_) {
    sagas.Free();
  }
}

void Labels::Add(Saga& saga, std::string_view name, std::string_view value) {
  Label& label = *sagas_.try_emplace(Joined(name, value)).first;
  label.second.Insert(&saga);
  of_saga_[&saga].push_back(&label);
}

void Labels::Remove(Saga& saga) {
  const auto found = of_saga_.find(&saga);
  if (found == of_saga_.end()) {
    return;
  }
  for (Label* label : found->second) {
    label->second.Erase(&saga);
  }
  for (Label* label : found->second) {
    if (label->second.empty()) {
      sagas_.erase(sagas_.find(label->first));
    }
  }
  of_saga_.erase(found);
}

std::vector<const Saga*> Labels::With(std::string_view name, std::string_view value) const {
  std::vector<const Saga*> sagas;
  if (const auto found = sagas_.find(Joined(name, value)); found != sagas_.end()) {
    sagas.reserve(found->second.size());
    found->second.ForEach([&](const Saga& saga) { sagas.push_back(&saga); });
  }
  return sagas;
}

std::size_t Labels::CountOf(const Saga& saga) const {
  const auto found = of_saga_.find(&saga);
  return found == of_saga_.end() ? 0 : found->second.size();
}

}  // namespace sagalog
