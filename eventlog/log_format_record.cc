#include "eventlog/log_format_record.h"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include "eventlog/log_keys.h"
#include "eventlog/rocks_opening.h"

namespace sagalog {

Status CheckFormatRecord(rocksdb::DB& db) {
  std::string record;
  const rocksdb::Status found = db.Get({}, LogKey(kFormatRecord).bytes(), &record);
  if (found.IsNotFound()) {
    return {Code::kNotFound, "the record that says the log's format is missing"};
  }
  RETURN_IF_ERROR(FromRocks(found, "cannot read the log's format"));
  std::uint32_t format = 0;
  if (record.starts_with(kFormatWords)) {
    const char* const end = record.data() + record.size();
    const auto parsed = std::from_chars(record.data() + kFormatWords.size(), end, format);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      format = 0;
    }
  }
  if (format == 0) {
    return {Code::kCorruption, "the record that says the log's format is damaged"};
  }
  if (format > kLogFormat) {
    return {Code::kUnsupportedVersion,
            fmt::format("written by a newer sagalog (format {}, this one reads {}): update", format,
                        kLogFormat)};
  }
  return {};
}

Status CheckOrWriteFormatRecord(rocksdb::DB& db, Sequence last) {
  const Status checked = CheckFormatRecord(db);
  if (checked.code() != Code::kNotFound || !last.IsNone()) {
    return checked.code() == Code::kNotFound ? Status(Code::kCorruption, checked.text()) : checked;
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const std::string record = fmt::format("{}{}", kFormatWords, kLogFormat);
  return FromRocks(db.Put(durable, LogKey(kFormatRecord).bytes(), record),
                   "cannot write the log's format");
}

}  // namespace sagalog
