// The look-ups on disk that a command needs before it is decided.
#include "reactor/decide.h"

namespace sagalog {
namespace {

using commands::Body;

// Fills `target` or keeps the first error.
template <typename Target, typename Source>
void Fill(Lookups& lookups, Target& target, Result<Source> found) {
  if (!found.ok()) {
    lookups.status = found.status();
  } else {
    target = *std::move(found);
  }
}

void LookUpStoreRequest(const EndedRows& rows, const schema::RequestId& id, Lookups& lookups) {
  std::optional<EndedRequest> request;
  Fill(lookups, request, rows.FindPlanRequest(id.high(), id.low()));
  if (!request) {
    return;
  }
  std::optional<Saga> saga;
  Fill(lookups, saga, rows.FindSaga(request->saga_id));
  const RequestRecord* record = saga ? saga->FindRequest(id.high(), id.low()) : nullptr;
  if (record != nullptr) {
    lookups.store_request = Lookups::Answered{std::move(request->saga_id), *record};
  }
}

void LookUpPlan(const EndedRows& rows, const commands::PlanT& plan, Lookups& lookups) {
  if (!plan.key.empty()) {
    std::optional<EndedKey> newest;
    Fill(lookups, newest, rows.FindKey(plan.key));
    if (newest) {
      Fill(lookups, lookups.newest_of_key, rows.FindSaga(newest->saga_id));
    }
  }
  for (const std::string& id : plan.depends_on) {
    std::optional<Saga> ended;
    Fill(lookups, ended, rows.FindSaga(id));
    if (ended) {
      lookups.ended_dependencies.emplace_back(id, ended->state);
    }
  }
}

// The children of the wanted sagas and of all below them that have left memory too. What is not on
// disk is in memory, where its children are looked for first.
void LookUpChildren(const EndedRows& rows, std::span<const std::string> wanted, Lookups& lookups) {
  std::vector<std::string> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    std::string id = std::move(open.back());
    open.pop_back();
    const auto [entry, added] = lookups.children.try_emplace(std::move(id));
    if (!added) {
      continue;
    }
    std::optional<Saga> ended;
    Fill(lookups, ended, rows.FindSaga(entry->first));
    if (ended && ended->extras) {
      entry->second = std::move(ended->extras->children);
      open.insert(open.end(), entry->second.begin(), entry->second.end());
    }
  }
}

}  // namespace

Lookups LookUp(const EndedRows& rows, std::uint64_t epoch, const commands::CommandT& command,
               std::span<const std::string> wanted) {
  Lookups lookups;
  lookups.epoch = epoch;
  if (!command.saga_id.empty()) {
    Fill(lookups, lookups.saga, rows.FindSaga(command.saga_id));
  }
  const bool plan = command.body.type == Body::Plan;
  if (command.request_id && HasStoreWideRequest(command.body.type)) {
    LookUpStoreRequest(rows, *command.request_id, lookups);
  }
  if (plan) {
    LookUpPlan(rows, *command.body.AsPlan(), lookups);
  }
  LookUpChildren(rows, wanted, lookups);
  return lookups;
}

}  // namespace sagalog
