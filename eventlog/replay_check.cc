#include "eventlog/replay_check.h"

#include <algorithm>

#include <rocksdb/write_batch.h>

#include "eventlog/log_keys.h"

namespace sagalog {
namespace {

// The events of one batch, in order.
class BatchEvents final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(std::uint32_t /*column_family*/, const rocksdb::Slice& key,
                        const rocksdb::Slice& /*value*/) override {
    const auto sequence = LogKey::Parse({key.data(), key.size()});
    if (!sequence || *sequence == kFormatRecord) {
      return rocksdb::Status::OK();
    }
    if (first_.IsNone()) {
      first_ = *sequence;
    } else if (*sequence != last_.Next()) {
      return rocksdb::Status::Corruption("a batch is not dense");
    }
    last_ = *sequence;
    return rocksdb::Status::OK();
  }

  [[nodiscard]] Sequence first() const { return first_; }
  [[nodiscard]] Sequence last() const { return last_; }

 private:
  Sequence first_;
  Sequence last_;
};

}  // namespace

void ReplayCheck::ColumnFamilyLogNumberMap(
    const std::map<std::uint32_t, std::uint64_t>& log_numbers,
    const std::map<std::string, std::uint32_t>& /*ids*/) {
  if (!log_numbers.empty()) {
    oldest_log_ = log_numbers.begin()->second;
  }
}

rocksdb::WalFilter::WalProcessingOption ReplayCheck::LogRecordFound(
    unsigned long long log_number, const std::string& /*file*/, const rocksdb::WriteBatch& batch,
    rocksdb::WriteBatch* /*new_batch*/, bool* /*batch_changed*/) {
  if (log_number < oldest_log_) {
    return WalProcessingOption::kContinueProcessing;
  }
  BatchEvents events;
  if (!batch.Iterate(&events).ok()) {
    broken_ = true;
    return WalProcessingOption::kCorruptedRecord;
  }
  if (events.first().IsNone()) {
    return WalProcessingOption::kContinueProcessing;
  }
  if (first_ && events.first() > newest_.Next()) {
    broken_ = true;
    return WalProcessingOption::kCorruptedRecord;
  }
  first_ = first_.value_or(events.first());
  newest_ = std::max(newest_, events.last());
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace sagalog
