#include "tools/record.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/backup_directory.h"
#include "eventlog/rocks_log.h"
#include "tools/export_log.h"
#include "tools/export_record.h"
#include "tools/server_url.h"

namespace sagalog::tools {
namespace {

Result<Record> OpenExport(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto log, ExportLog::Open(path));
  if (!log->manifest().scope.IsWhole()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} holds {} only: what is folded must begin with the first event, "
                              "and nothing be left out",
                              path.string(), InWords(log->manifest().scope)));
  }
  Record record;
  record.log = std::move(log);
  return record;
}

}  // namespace

Result<Record> OpenRecord(const std::filesystem::path& path) {
  if (IsServerUrl(path)) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("the log itself is read here, which does not go over a URL ({}): name "
                    "its directory, on its machine, or a backup",
                    path.native()));
  }
  if (IsExport(path)) {
    return OpenExport(path);
  }
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
