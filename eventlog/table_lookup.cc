#include "eventlog/table_lookup.h"

#include <memory>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include "eventlog/log_keys.h"
#include "eventlog/rocks_opening.h"

namespace sagalog {
namespace {

Result<std::string> FindInTable(const rocksdb::LiveFileMetaData& file, std::string_view key) {
  rocksdb::SstFileReader table((rocksdb::Options()));
  const std::string what = fmt::format("table {}", file.name.substr(1));
  RETURN_IF_ERROR(FromRocks(table.Open(file.db_path + file.name), what));
  const std::unique_ptr<rocksdb::Iterator> entry(table.NewIterator({}));
  entry->Seek(key);
  RETURN_IF_ERROR(FromRocks(entry->status(), what));
  if (!entry->Valid() || entry->key() != key) {
    return Status(Code::kNotFound, what + " does not hold it");
  }
  return entry->value().ToString();
}

}  // namespace

Result<std::string> FindInTables(rocksdb::DB& db, Sequence sequence) {
  const LogKey key(sequence);
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  Status why(Code::kNotFound, "no table holds it");
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.smallestkey <= key.bytes() && key.bytes() <= file.largestkey) {
      Result<std::string> found = FindInTable(file, key.bytes());
      if (found.ok()) {
        return found;
      }
      if (why.code() == Code::kNotFound) {
        why = found.status();
      }
    }
  }
  return why;
}

Status CheckTable(const rocksdb::LiveFileMetaData& file) {
  return FindInTable(file, file.smallestkey).status();
}

}  // namespace sagalog
