#include "tools/record.h"

#include <system_error>
#include <utility>

#include "eventlog/backup_directory.h"
#include "eventlog/rocks_log.h"

namespace sagalog::tools {

Result<Record> OpenRecord(const std::filesystem::path& path) {
  std::filesystem::path directory = path;
  if (const auto backup = BackupDirectory::Find(path); backup.ok()) {
    directory = *backup;
  }
  RocksLogOptions options;
  options.mode = LogMode::kReadOnly;
  ASSIGN_OR_RETURN(auto log, RocksLog::Open(directory, options));
  Record record;
  record.damage = log->damage();
  record.log = std::move(log);
  return record;
}

}  // namespace sagalog::tools
