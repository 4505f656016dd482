#include "projections/folded_rows.h"

#include <functional>
#include <utility>

#include "projections/read_models.h"
#include "projections/saga_rows.h"
#include "projections/stored_rows.h"

namespace sagalog {
namespace {

// Rows that wait for their last change, and sagas with notes behind it: beyond these a second copy
// is the better way.
constexpr std::size_t kWaitingBytesMax = 48UL << 20;
// What is folded before the last changes are known waits, too.
constexpr std::size_t kUnknownBytesMax = 8UL << 20;
constexpr std::size_t kNotedLaterMax = 500'000;
// Rows of live sagas that are made before they are counted.
constexpr std::size_t kLiveSagasAtOnce = 1000;
// How often the reading of stored rows looks whether it is to end.
constexpr std::uint64_t kRowsBetweenLooks = 4096;

std::size_t HashOf(std::string_view saga_id) { return std::hash<std::string_view>()(saga_id); }

// A key of kGenerations.
struct GenerationKey {
  std::string_view key;
  std::uint32_t generation = 0;
};

std::optional<GenerationKey> ParseGenerationKey(std::string_view row_key) {
  constexpr std::size_t kTail = 1 + sizeof(std::uint32_t);
  if (row_key.size() <= kTail) {
    return std::nullopt;
  }
  GenerationKey parsed;
  parsed.key = row_key.substr(0, row_key.size() - kTail);
  for (const char byte : row_key.substr(row_key.size() - sizeof(std::uint32_t))) {
    parsed.generation = parsed.generation << 8 | static_cast<std::uint8_t>(byte);
  }
  return parsed;
}

}  // namespace

FoldedRows::FoldedRows(const CheckpointStore& stored)
    : stored_(stored),
      prints_of_stored_(RowPrintKeys::Random()),
      prints_(prints_of_stored_),
      is_last_change_(stored.CheckpointSequence().value() + 1),
      reader_([this] { ReadStored(); }) {}

FoldedRows::~FoldedRows() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  if (reader_.joinable()) {
    reader_.join();
  }
}

void FoldedRows::ReadStored() {
  const auto read = [this]() -> Result<bool> {
    ASSIGN_OR_RETURN(const bool sagas_agree, ReadSagas());
    SayLastChangesAreKnown();
    if (!sagas_agree) {
      return false;
    }
    ASSIGN_OR_RETURN(const bool look_ups_agree, ReadLookUps());
    return look_ups_agree ? ReadKeys() : Result<bool>(false);
  };
  read_ = read();
  SayLastChangesAreKnown();
}

void FoldedRows::SayLastChangesAreKnown() {
  const std::lock_guard lock(mutex_);
  last_changes_are_known_ = true;
  changed_.notify_all();
}

// Those in memory and those that ended, side by side: no saga is both.
Result<bool> FoldedRows::ReadSagas() {
  const auto ended = ReadRows(stored_, RowFamily::kEnded);
  const auto live = ReadRows(stored_, RowFamily::kLive);
  for (std::uint64_t rows = 0; !ended->AtEnd() || !live->AtEnd(); ++rows) {
    if (rows % kRowsBetweenLooks == 0) {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) {
        return false;
      }
    }
    const int order = ended->AtEnd() ? 1 : live->AtEnd() ? -1 : ended->key().compare(live->key());
    if (order == 0) {
      return false;
    }
    if (order > 0) {
      prints_of_stored_.Add(RowFamily::kLive, live->key(), live->value());
      live->Next();
      continue;
    }
    ASSIGN_OR_RETURN(const bool agrees, ReadEnded(ended->key(), ended->value()));
    if (!agrees) {
      return false;
    }
    ended->Next();
  }
  RETURN_IF_ERROR(ended->status());
  RETURN_IF_ERROR(live->status());
  return true;
}

Result<bool> FoldedRows::ReadEnded(std::string_view saga_id, std::string_view row) {
  prints_of_stored_.Add(RowFamily::kEnded, saga_id, row);
  ASSIGN_OR_RETURN(const RowHistory history, ReadRowHistory(row));
  if (history.changed.value() >= is_last_change_.size()) {
    return false;
  }
  if (history.noted_later.IsNone()) {
    is_last_change_[history.changed.value()] = true;
  } else {
    noted_later_[HashOf(saga_id)] = history.noted_later;
  }
  return noted_later_.size() <= kNotedLaterMax;
}

Result<bool> FoldedRows::ReadLookUps() {
  for (const RowFamily family : {RowFamily::kByPlan, RowFamily::kRequests}) {
    const auto rows = ReadRows(stored_, family);
    for (; !rows->AtEnd(); rows->Next()) {
      prints_of_stored_.Add(family, rows->key(), rows->value());
    }
    RETURN_IF_ERROR(rows->status());
  }
  return true;
}

// The row of a key follows from those of its generations, which are counted.
Result<bool> FoldedRows::ReadKeys() {
  const auto keys = ReadRows(stored_, RowFamily::kKeys);
  const auto generations = ReadRows(stored_, RowFamily::kGenerations);
  while (!generations->AtEnd()) {
    const auto first = ParseGenerationKey(generations->key());
    if (!first) {
      return false;
    }
    const std::string key(first->key);
    EndedKey newest;
    for (; !generations->AtEnd(); generations->Next()) {
      const auto parsed = ParseGenerationKey(generations->key());
      if (!parsed || parsed->key != key) {
        break;
      }
      prints_of_stored_.Add(RowFamily::kGenerations, generations->key(), generations->value());
      newest.generation = parsed->generation;
      newest.saga_id = generations->value();
    }
    ASSIGN_OR_RETURN(const auto saga, stored_.FindSaga(newest.saga_id));
    if (!saga || keys->AtEnd() || keys->key() != key) {
      return false;
    }
    newest.state = saga->state;
    if (keys->value() != EncodeKeyRow(newest)) {
      return false;
    }
    keys->Next();
  }
  RETURN_IF_ERROR(generations->status());
  RETURN_IF_ERROR(keys->status());
  return keys->AtEnd();
}

bool FoldedRows::IsLast(std::string_view saga_id, const RowHistory& history) const {
  if (!history.noted_later.IsNone()) {
    const auto stored = noted_later_.find(HashOf(saga_id));
    return stored != noted_later_.end() && stored->second == history.noted_later;
  }
  const std::uint64_t changed = history.changed.value();
  return changed < is_last_change_.size() && is_last_change_[changed];
}

Status FoldedRows::TakeEnded(Projections& folded) {
  ReadModels& models = folded.models();
  models.changed().TakeEnded([this](Saga& saga) { CountEnded(saga); });
  models.LetGo(static_cast<std::size_t>(-1));
  return is_beyond_bounds_ ? Status(Code::kCancelled, "too many rows wait for their last change")
                           : Status();
}

void FoldedRows::Count(RowFamily family, std::string_view key, std::string_view row) {
  // A key's row follows from its generations.
  if (family != RowFamily::kKeys) {
    prints_.Add(family, key, row);
  }
}

void FoldedRows::CountEnded(Saga& saga) {
  if (!saga.places.has_ended_row) {
    saga.places.has_ended_row = true;
    VisitLookUpRows(saga, [this](RowFamily family, std::string_view key, std::string_view value) {
      Count(family, key, value);
    });
  }
  StopAwaiting(saga.id);
  row_.clear();
  EncodeSaga(saga, row_);
  if (KnowsLastChanges() && IsLast(saga.id, HistoryOf(saga))) {
    Count(RowFamily::kEnded, saga.id, row_);
  } else {
    Await(saga.id, row_);
  }
}

bool FoldedRows::KnowsLastChanges() {
  if (knows_last_changes_) {
    return true;
  }
  {
    std::unique_lock lock(mutex_);
    if (waiting_bytes_ > kUnknownBytesMax) {
      changed_.wait(lock, [this] { return last_changes_are_known_; });
    }
    if (!last_changes_are_known_) {
      return false;
    }
  }
  knows_last_changes_ = true;
  CountLastOnes();
  return true;
}

void FoldedRows::CountLastOnes() {
  for (auto waits = waiting_.begin(); waits != waiting_.end();) {
    const auto& [id, row] = *waits;
    const Result<RowHistory> history = ReadRowHistory(row);
    CHECK(history.ok());
    if (!IsLast(id, *history)) {
      ++waits;
      continue;
    }
    Count(RowFamily::kEnded, id, row);
    waiting_bytes_ -= id.size() + row.size();
    waits = waiting_.erase(waits);
  }
}

void FoldedRows::Await(std::string_view saga_id, std::string_view row) {
  waiting_bytes_ += saga_id.size() + row.size();
  waiting_.emplace(saga_id, row);
  is_beyond_bounds_ = waiting_bytes_ > kWaitingBytesMax;
}

void FoldedRows::StopAwaiting(std::string_view saga_id) {
  if (waiting_.empty()) {
    return;
  }
  if (const auto waits = waiting_.find(std::string(saga_id)); waits != waiting_.end()) {
    waiting_bytes_ -= waits->first.size() + waits->second.size();
    waiting_.erase(waits);
  }
}

Result<bool> FoldedRows::CompareLive(Projections& folded) {
  ReadModels& models = folded.models();
  CheckpointBatch batch;
  const auto count = [&] {
    batch.Visit([this](const CheckpointBatch::Row& row) { Count(row.family, row.key, row.value); });
    batch.Clear();
  };
  std::size_t sagas = 0;
  Status failed;
  bool agrees = true;
  models.sagas().Planned().VisitAfter(Sequence(), [&](Saga& saga) {
    if (MayLeaveMemory(saga)) {
      return true;  // committed before
    }
    WriteSagaRows(saga, models.labels(), batch);
    if (++sagas % kLiveSagasAtOnce == 0) {
      count();
    }
    if (!saga.key.empty()) {
      const auto ended =
          ReadRow(stored_, RowFamily::kGenerations, GenerationRowKey(saga.key, saga.generation));
      failed = ended.status();
      agrees = ended.ok() && !*ended;
    }
    return agrees;
  });
  RETURN_IF_ERROR(failed);
  count();
  return agrees;
}

Result<bool> FoldedRows::AreStored(Projections& folded) {
  reader_.join();
  RETURN_IF_ERROR(read_.status());
  ASSIGN_OR_RETURN(const auto meta, ReadRow(stored_, RowFamily::kMeta, kMetaRowKey));
  if (!*read_ || is_beyond_bounds_ || !meta || *meta != folded.models().EncodeStore()) {
    return false;
  }
  if (!KnowsLastChanges() || !waiting_.empty()) {
    return false;
  }
  ASSIGN_OR_RETURN(const bool live_agrees, CompareLive(folded));
  is_compared_ = live_agrees && prints_ == prints_of_stored_;
  return is_compared_;
}

std::uint32_t FoldedRows::GenerationBefore(std::string_view key, std::uint32_t planned,
                                           Sequence at) const {
  if (planned <= 1) {
    return 0;
  }
  const auto saga_id =
      ReadRow(stored_, RowFamily::kGenerations, GenerationRowKey(key, planned - 1));
  if (!saga_id.ok() || !*saga_id) {
    return 0;
  }
  const auto row = ReadRow(stored_, RowFamily::kEnded, **saga_id);
  if (!row.ok() || !*row) {
    return 0;
  }
  const auto history = ReadRowHistory(**row);
  return history.ok() && history->planned < at ? planned - 1 : 0;
}

Result<std::optional<Saga>> FoldedRows::FindSaga(std::string_view saga_id) const {
  if (!waiting_.empty()) {
    if (const auto waits = waiting_.find(std::string(saga_id)); waits != waiting_.end()) {
      ASSIGN_OR_RETURN(Saga saga, DecodeEndedRow(waits->second));
      return std::optional(std::move(saga));
    }
  }
  return is_compared_ ? stored_.FindSaga(saga_id) : Result(std::optional<Saga>());
}

Result<std::optional<EndedKey>> FoldedRows::FindKey(std::string_view /*key*/) const {
  return std::optional<EndedKey>();
}

Result<std::optional<EndedRequest>> FoldedRows::FindPlanRequest(std::uint64_t /*high*/,
                                                                std::uint64_t /*low*/) const {
  return std::optional<EndedRequest>();
}

Result<std::vector<std::string>> FoldedRows::Generations(std::string_view /*key*/) const {
  return std::vector<std::string>();
}

Result<std::vector<Saga>> FoldedRows::EndedAfter(Sequence /*after*/, std::size_t /*limit*/) const {
  return std::vector<Saga>();
}

}  // namespace sagalog
