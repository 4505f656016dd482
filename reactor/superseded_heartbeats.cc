#include "reactor/superseded_heartbeats.h"

#include <algorithm>

#include "schema/event_stub.h"

namespace sagalog {

NeededHeartbeats NeededHeartbeats::Of(const Saga* saga) {
  NeededHeartbeats needed;
  if (saga == nullptr) {
    return needed;
  }
  if (saga->IsHeld()) {
    needed.lease = saga->lease_sequence;
  }
  if (saga->extras) {
    needed.progress = saga->extras->progress_sequence;
  }
  for (const RequestRecord& request : saga->requests) {
    if (request.heartbeat) {
      needed.requests.push_back(request.sequence);
    }
  }
  std::sort(needed.requests.begin(), needed.requests.end());
  return needed;
}

bool NeededHeartbeats::Has(Sequence sequence) const {
  return sequence == lease || sequence == progress ||
         std::binary_search(requests.begin(), requests.end(), sequence);
}

void SupersededHeartbeats::Add(const events::Event& event) {
  if (event.version() == 0) {
    return;
  }
  Entry entry;
  entry.sequence = Sequence(event.sequence());
  if (const events::Heartbeated* heartbeat = event.body_as_Heartbeated()) {
    entry.heartbeat = true;
    entry.stub = IsStub(event);
    entry.told_progress = heartbeat->progress() != nullptr;
  }
  entries_[event.saga_id()->str()].push_back(entry);
}

std::vector<std::string> SupersededHeartbeats::Sagas() const {
  std::vector<std::string> sagas;
  for (const auto& [saga, entries] : entries_) {
    const auto is_whole = [](const Entry& entry) { return entry.heartbeat && !entry.stub; };
    if (std::any_of(entries.begin(), entries.end(), is_whole)) {
      sagas.push_back(saga);
    }
  }
  return sagas;
}

void SupersededHeartbeats::Choose(const std::string& saga_id, const NeededHeartbeats& needed,
                                  std::vector<Sequence>& superseded) const {
  // Of the progress in force: whether its heartbeat would become a stub.
  Sequence in_force;
  for (const Entry& entry : entries_.at(saga_id)) {
    const bool stays = !entry.heartbeat || (!entry.stub && needed.Has(entry.sequence));
    if (entry.told_progress && !stays) {
      if (!in_force.IsNone()) {
        superseded.push_back(in_force);
      }
      in_force = entry.stub ? Sequence() : entry.sequence;
    } else if (stays) {
      // Itself a heartbeat that tells progress, it needs no other's; else what is in force stays.
      if (entry.told_progress && !in_force.IsNone()) {
        superseded.push_back(in_force);
      }
      in_force = Sequence();
    } else if (!entry.stub) {
      superseded.push_back(entry.sequence);
    }
  }
}

}  // namespace sagalog
