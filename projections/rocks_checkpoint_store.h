// The rows of checkpoints in one RocksDB database.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include "projections/checkpoint.h"
#include "projections/checkpoint_batch.h"

namespace sagalog {

// A column family a kind of row, Bloom filters for those that are looked up by chance, no WAL: a
// commit is one write batch and one flush, both atomic over all families. So what is on disk is
// always a whole checkpoint.
class RocksCheckpointStore final : public CheckpointStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CheckpointStore>> Open(
      const std::filesystem::path& directory, Mode mode);
  ~RocksCheckpointStore() override;

  [[nodiscard]] Sequence CheckpointSequence() const override { return Sequence(sequence_.load()); }
  Status Load(Projections& projections) override;
  [[nodiscard]] Result<std::optional<std::string>> FirstDifference(
      const CheckpointStore& other) const override;
  Status DropOverwritten() const override;
  [[nodiscard]] std::uint64_t SizeBytes() const override;
  Status Close() override;

  [[nodiscard]] Result<std::optional<Saga>> FindSaga(std::string_view saga_id) const override;
  [[nodiscard]] Result<std::optional<EndedKey>> FindKey(std::string_view key) const override;
  [[nodiscard]] Result<std::optional<EndedRequest>> FindPlanRequest(
      std::uint64_t high, std::uint64_t low) const override;
  [[nodiscard]] Result<std::vector<std::string>> Generations(std::string_view key) const override;
  [[nodiscard]] Result<std::vector<Saga>> EndedAfter(Sequence after,
                                                     std::size_t limit) const override;

  // The row under a key; empty = there is none.
  [[nodiscard]] Result<std::optional<std::string>> Read(RowFamily family,
                                                        std::string_view key) const;
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> Iterate(
      RowFamily family, const rocksdb::ReadOptions& options = {}) const;
  // A status of the rows' database as one of ours.
  [[nodiscard]] static Status Told(const rocksdb::Status& status);

 private:
  RocksCheckpointStore(Mode mode, std::filesystem::path directory);
  Status OpenDatabase();
  Status ReadSequence();
  Status Commit(CheckpointBatch& batch) override;

  [[nodiscard]] rocksdb::ColumnFamilyHandle* HandleOf(RowFamily family) const;

  const Mode mode_;
  const std::filesystem::path directory_;
  // Of kInMemory; outlives the database.
  std::unique_ptr<rocksdb::Env> memory_;
  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::atomic<std::uint64_t> sequence_ = 0;
};

}  // namespace sagalog
