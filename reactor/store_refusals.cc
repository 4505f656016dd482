// Refused commands, as the store remembers them.
#include <utility>

#include "reactor/store_engine.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

// Of one note: the refusals about the saga.
void AddNoted(const events::Event& event, std::string_view saga,
              std::vector<RefusalRecord>& records) {
  const events::RefusalsNoted* note = event.body_as_RefusalsNoted();
  if (note == nullptr || note->refusals() == nullptr) {
    return;  // redacted
  }
  for (const events::NotedRefusal* refusal : *note->refusals()) {
    if (refusal->saga_id() != nullptr && refusal->saga_id()->string_view() == saga) {
      RefusalRecord& record = records.emplace_back();
      record.noted = Sequence(event.sequence());
      refusal->UnPackTo(&record.facts);
    }
  }
}

}  // namespace

void Store::NoteRefusal(const commands::CommandT& command, const answers::RefusalT& refusal) {
  // What is wrong by itself may be of any size, and is no evidence of anything.
  if (ValidateCommand(command).ok()) {
    engine_->NoteRefusal(command, refusal);
  }
}

Result<std::vector<RefusalRecord>> Store::Refusals(std::string_view saga) {
  ASSIGN_OR_RETURN(const std::optional<SagaSnapshot> found, engine_->FindSaga(saga));
  if (!found) {
    return Status(Code::kNotFound, "there is no saga " + std::string(saga));
  }
  // Before the notes are read: what is noted meanwhile would else be in neither.
  std::vector<events::NotedRefusalT> waiting = engine_->notes().About(saga);
  std::vector<RefusalRecord> records;
  if (found->saga.extras) {
    for (const Sequence noted : found->saga.extras->refusal_notes) {
      ASSIGN_OR_RETURN(const StoredEvent event, engine_->log().Read(noted));
      AddNoted(*event, saga, records);
    }
  }
  for (events::NotedRefusalT& facts : waiting) {
    records.push_back({Sequence(), std::move(facts)});
  }
  return records;
}

}  // namespace sagalog
