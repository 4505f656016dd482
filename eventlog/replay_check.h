// Watches RocksDB replay its write-ahead log. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <rocksdb/wal_filter.h>

#include "schema/id.h"

namespace sagalog {

// Sequences are dense, so a gap between replayed events is damage, which RocksDB does not see when
// the bytes between are zeros. The replay ends as corrupt before the first event behind a gap.
class ReplayCheck final : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "sagalog.ReplayCheck"; }

  void ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& log_numbers,
                                const std::map<std::string, std::uint32_t>& ids) override;
  WalProcessingOption LogRecordFound(unsigned long long log_number, const std::string& file,
                                     const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* new_batch, bool* batch_changed) override;

  // The first event that was replayed, if any.
  [[nodiscard]] std::optional<Sequence> first() const { return first_; }
  // Whether the replay ended at a gap.
  [[nodiscard]] bool broken() const { return broken_; }
  // The oldest write-ahead file that counts; what older ones held is in the tables.
  [[nodiscard]] std::uint64_t oldest_log() const { return oldest_log_; }

 private:
  std::optional<Sequence> first_;
  Sequence newest_;
  bool broken_ = false;
  std::uint64_t oldest_log_ = 0;
};

}  // namespace sagalog
