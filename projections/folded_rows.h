// The rows that a fold of the log gives, compared with stored ones and not kept.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "projections/checkpoint.h"
#include "projections/checkpoint_batch.h"
#include "projections/row_prints.h"
#include "projections/saga_row.h"

namespace sagalog {

// Compares what a fold from zero makes with what is stored, without a second copy. A row of an
// ended saga is the last one that is made of it when the stored row is of the same event: it is
// then counted (row_prints.h) and forgotten. Else it waits here, so that the fold finds it again.
// At the end what was counted is compared with what is stored.
//
// It only ever says that all is as it should be, or that it cannot tell: the stored rows, which are
// asked on the way, may be what is wrong. Who wants to know what differs folds a copy.
//
// One thread folds, and asks.
class FoldedRows final : public EndedRows {
 public:
  // `stored` is borrowed, and nothing is written to it meanwhile. It is read from now on, on a
  // thread of its own.
  explicit FoldedRows(const CheckpointStore& stored);
  ~FoldedRows() override;

  // Behind each event: sagas that ended with it leave memory. An error when a second copy is the
  // better way.
  Status TakeEnded(Projections& folded);
  // Whether what was folded, up to the sequence of the stored checkpoint, is what is stored, and no
  // saga and no generation of a key was planned twice. If so, sagas that ended are looked up in the
  // stored rows from then on. An error when they could not be read.
  [[nodiscard]] Result<bool> AreStored(Projections& folded);
  // Before that: the newest ended generation of a key when `at` plans the generation `planned`, as
  // the stored rows know it; AreStored then says whether they are to be believed. 0 = none.
  [[nodiscard]] std::uint32_t GenerationBefore(std::string_view key, std::uint32_t planned,
                                               Sequence at) const;

  // What a fold asks. Only sagas that may still change are found before AreStored.
  [[nodiscard]] Result<std::optional<Saga>> FindSaga(std::string_view saga_id) const override;

  // What a fold does not ask: there is nothing.
  [[nodiscard]] Result<std::optional<EndedKey>> FindKey(std::string_view key) const override;
  [[nodiscard]] Result<std::optional<EndedRequest>> FindPlanRequest(
      std::uint64_t high, std::uint64_t low) const override;
  [[nodiscard]] Result<std::vector<std::string>> Generations(std::string_view key) const override;
  [[nodiscard]] Result<std::vector<Saga>> EndedAfter(Sequence after,
                                                     std::size_t limit) const override;

 private:
  // On the thread that reads the stored rows. False when they contradict themselves.
  void ReadStored();
  [[nodiscard]] Result<bool> ReadSagas();
  [[nodiscard]] Result<bool> ReadEnded(std::string_view saga_id, std::string_view row);
  [[nodiscard]] Result<bool> ReadLookUps();
  [[nodiscard]] Result<bool> ReadKeys();
  void SayLastChangesAreKnown();

  // Waits for them when too many rows do.
  [[nodiscard]] bool KnowsLastChanges();
  [[nodiscard]] bool IsLast(std::string_view saga_id, const RowHistory& history) const;
  void Count(RowFamily family, std::string_view key, std::string_view row);
  void CountEnded(Saga& saga);
  void Await(std::string_view saga_id, std::string_view row);
  void StopAwaiting(std::string_view saga_id);
  // Of what waited before the last changes were known.
  void CountLastOnes();
  [[nodiscard]] Result<bool> CompareLive(Projections& folded);

  const CheckpointStore& stored_;
  RowPrints prints_of_stored_;
  RowPrints prints_;
  std::string row_;                                       // room for one
  std::unordered_map<std::string, std::string> waiting_;  // id -> row
  std::size_t waiting_bytes_ = 0;
  bool knows_last_changes_ = false;
  bool is_beyond_bounds_ = false;
  bool is_compared_ = false;

  // When each stored row of an ended saga was written last: a bit for each event, and for the few
  // that a note of a refusal was added to, the note, by the hash of the id. Written by the reading
  // thread until it says that they are known.
  std::vector<bool> is_last_change_;
  std::unordered_map<std::size_t, Sequence> noted_later_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool last_changes_are_known_ = false;  // guarded by mutex_
  bool is_stopping_ = false;             // guarded by mutex_
  Result<bool> read_ = false;
  std::thread reader_;
};

}  // namespace sagalog
