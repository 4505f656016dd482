#include "projections/stored_rows.h"

#include <utility>

#include "projections/rocks_checkpoint_store.h"
#include "schema/check.h"

namespace sagalog {
namespace {

constexpr std::size_t kReadAheadBytes = 1U << 20;

std::string_view SliceText(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksRowCursor final : public RowCursor {
 public:
  explicit RocksRowCursor(std::unique_ptr<rocksdb::Iterator> rows) : rows_(std::move(rows)) {
    rows_->SeekToFirst();
  }
  [[nodiscard]] bool AtEnd() const override { return !rows_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return SliceText(rows_->key()); }
  [[nodiscard]] std::string_view value() const override { return SliceText(rows_->value()); }
  void Next() override { rows_->Next(); }
  [[nodiscard]] Status status() const override {
    return RocksCheckpointStore::Told(rows_->status());
  }

 private:
  std::unique_ptr<rocksdb::Iterator> rows_;
};

const RocksCheckpointStore& Rocks(const CheckpointStore& store) {
  return dynamic_cast<const RocksCheckpointStore&>(store);
}

}  // namespace

std::unique_ptr<RowCursor> ReadRows(const CheckpointStore& store, RowFamily family) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = kReadAheadBytes;
  return std::make_unique<RocksRowCursor>(Rocks(store).Iterate(family, options));
}

Result<std::optional<std::string>> ReadRow(const CheckpointStore& store, RowFamily family,
                                           std::string_view key) {
  return Rocks(store).Read(family, key);
}

}  // namespace sagalog
