// The fold of events that belong to no saga.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "projections/read_models.h"
#include "projections/redaction.h"
#include "schema/limits.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

void Take(std::optional<std::int64_t>& limit, const flatbuffers::Optional<std::int64_t>& change) {
  if (change.has_value()) {
    limit = *change == kOff ? std::nullopt : std::optional(*change);
  }
}

// The oldest makes room.
template <typename Entry>
void Append(SharedList<Entry>& list, Entry entry, std::size_t size_max) {
  std::vector<Entry> grown;
  if (list) {
    grown.assign(list->size() < size_max ? list->begin() : list->begin() + 1, list->end());
  }
  grown.push_back(std::move(entry));
  list = std::make_shared<const std::vector<Entry>>(std::move(grown));
}

void Take(schema::PolicyT& policy, const schema::Policy* change) {
  if (change != nullptr) {
    schema::PolicyT sparse;
    change->UnPackTo(&sparse);
    UpdatePolicy(policy, sparse);
  }
}

}  // namespace

Status ReadModels::ApplyToStore(const events::Event& event) {
  const StoreReturn back{TimeFromMicros(event.time()), Sequence(event.sequence())};
  switch (event.body_type()) {
    case events::Body::StoreOpened: StoreOpened(*event.body_as_StoreOpened(), back); break;
    case events::Body::HostSuspended: StoreCameBack(back); break;
    case events::Body::StoreRestored:
      facts_.token_offset = event.body_as_StoreRestored()->token_offset();
      facts_.lineage = View(event.body_as_StoreRestored()->lineage());
      // Whatever the backup says last, nobody could reach the store until now.
      StoreCameBack(back);
      break;
    case events::Body::QueueConfigured:
      QueueConfigured(*event.body_as_QueueConfigured());
      NoteRequest(event);
      break;
    case events::Body::PolicyChanged:
      PolicyChanged(*event.body_as_PolicyChanged());
      NoteRequest(event);
      break;
    case events::Body::RefusalsNoted:
      return RefusalsNoted(*event.body_as_RefusalsNoted(), Sequence(event.sequence()));
    case events::Body::Redacted: {
      NoteRequest(event);
      // The labels of a plan go with its event; the plan itself was folded with them.
      const Sequence redacted(event.body_as_Redacted()->redacted_sequence());
      sagas_.Planned().VisitAfter(Sequence(redacted.value() - 1), [&](Saga& saga) {
        if (saga.planned_sequence == redacted && labels_.CountOf(saga) > 0) {
          Touch(saga);
          labels_.Remove(saga);
          labels_.Add(saga, kRedactedName, kRedactedText);
        }
        return false;
      });
      break;
    }
    // The log's own business: it is counted, and changes nothing else.
    default: break;
  }
  return {};
}

// Each saga remembers where its refusals are noted. One that nobody planned has nobody to remember.
Status ReadModels::RefusalsNoted(const events::RefusalsNoted& event, Sequence sequence) {
  if (event.refusals() == nullptr) {
    return {};
  }
  for (const events::NotedRefusal* refusal : *event.refusals()) {
    const std::string_view saga_id = View(refusal->saga_id());
    if (saga_id.empty()) {
      continue;
    }
    ASSIGN_OR_RETURN(Saga* const saga, FindAnywhere(saga_id));
    if (saga == nullptr) {
      continue;
    }
    Touch(*saga);
    auto& notes = saga->extras.Ensure().refusal_notes;
    if (notes.empty() || notes.back() != sequence) {
      notes.push_back(sequence);
    }
    if (notes.size() > kRefusalNotesPerSagaMax) {
      notes.erase(notes.begin());
    }
  }
  return {};
}

void ReadModels::NoteRequest(const events::Event& event) {
  if (const schema::RequestId* id = event.request_id()) {
    Append(facts_.requests,
           StoreRequest{id->high(), id->low(), event.request_content(), Sequence(event.sequence())},
           kStoreRequestsMax);
  }
}

void ReadModels::NoteBoot(const InternedText& owner) {
  const HostBoot place = HostBootOf(owner);
  if (place.host.empty() || place.boot_id.empty() || owners_.Holds(place)) {
    return;  // a boot that holds something was seen
  }
  const auto is_same = [&](const SeenBoot& seen) {
    return seen.host == place.host && seen.boot_id == place.boot_id;
  };
  if (!facts_.boots || std::none_of(facts_.boots->begin(), facts_.boots->end(), is_same)) {
    Append(facts_.boots, SeenBoot{std::string(place.host), std::string(place.boot_id)},
           kSeenBootsMax);
  }
}

void ReadModels::StoreOpened(const events::StoreOpened& event, StoreReturn back) {
  if (event.store_id() != nullptr && event.store_id()->size() > 0) {
    facts_.store_id = View(event.store_id());
  }
  facts_.last_open = event.mode();
  if (event.away_since() != 0) {
    StoreCameBack(back);
  }
}

// A return matters to a saga whose lease was last extended before it. So those before the oldest
// lease of all matter to nobody any more.
void ReadModels::StoreCameBack(StoreReturn back) {
  auto& returns = facts_.returns;
  Sequence oldest = back.sequence.Next();
  sagas_.Planned().VisitAfter(Sequence(), [&](const Saga& saga) {
    if (saga.state == State::running) {
      oldest = std::min(oldest, saga.lease_sequence);
    }
    return true;
  });
  returns.push_back(back);
  std::erase_if(returns, [&](const StoreReturn& one) { return one.sequence < oldest; });
  queues_.RefreshContexts();
  UpdateDeadlinesWhere([](const Saga& saga) { return saga.state == State::running; });
}

void ReadModels::QueueConfigured(const events::QueueConfigured& event) {
  const std::string_view name = View(event.queue());
  if (trial_ != nullptr) {
    NoteQueueBefore(name);
    trial_->policy_changed |= event.policy() != nullptr;
  }
  QueueConfiguration configuration = queues_.Configuration(name);
  Take(configuration.limit, event.limit());
  if (event.frozen().has_value()) {
    configuration.frozen = *event.frozen();
  }
  Take(configuration.policy, event.policy());
  queues_.Configure(name, std::move(configuration));
  if (event.policy() != nullptr) {
    UpdateDeadlinesWhere([name](const Saga& saga) { return saga.queue.view() == name; });
  }
}

void ReadModels::PolicyChanged(const events::PolicyChanged& event) {
  if (trial_ != nullptr) {
    trial_->policy_changed |= event.policy() != nullptr;
  }
  Take(facts_.limit, event.limit());
  Take(facts_.policy, event.policy());
  if (event.policy() != nullptr) {
    queues_.RefreshContexts();
    UpdateDeadlinesWhere([](const Saga&) { return true; });
  }
}

}  // namespace sagalog
