#include "reactor/store_making.h"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "eventlog/durable_file.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

// Where the log is made; it goes when the store is there.
constexpr std::string_view kRestoringName = "restoring";
// In there: the damaged directory that is being salvaged. None = it is a restore.
constexpr std::string_view kSalvagedName = "salvaged";

Status CheckNoStore(const DataDirectory& directory) {
  std::error_code error;
  for (const fs::path& part : {directory.log(), directory.head()}) {
    if (fs::exists(part, error)) {
      return {Code::kInvalidArgument,
              fmt::format("{} holds a store already: restore into another directory, or move {}, "
                          "{} and {} away first",
                          directory.path().string(), kLogDirectoryName, kHeadFileName,
                          kProjectionsDirectoryName)};
    }
  }
  return {};
}

// What an interrupted restore left. Its HEAD came first, so one without a log is its own.
Status ClearAway(const DataDirectory& directory, const fs::path& restoring) {
  std::error_code error;
  if (fs::exists(restoring, error) && !fs::exists(directory.log(), error)) {
    fs::remove(directory.head(), error);
  }
  RETURN_IF_ERROR(CheckNoStore(directory));
  fs::remove_all(restoring, error);
  // Rows that were left behind belong to another past.
  fs::remove_all(directory.projections(), error);
  if (error) {
    return {Code::kIoError,
            fmt::format("cannot clear {}: {}", directory.path().string(), error.message())};
  }
  return {};
}

// The store appears with its log: HEAD alone is no store.
Status MoveIntoPlace(const DataDirectory& directory, const fs::path& restoring,
                     DiskFaults* faults) {
  RETURN_IF_ERROR(RenameDurably(restoring / kHeadFileName, directory.head(), faults));
  RETURN_IF_ERROR(RenameDurably(restoring / kLogDirectoryName, directory.log(), faults));
  std::error_code error;
  fs::remove_all(restoring, error);
  return {};
}

}  // namespace

Result<RestoreReport> MakeStore(const fs::path& path, DiskFaults* faults, const FillFolder& fill) {
  ASSIGN_OR_RETURN(const DataDirectory directory, DataDirectory::Open(path, LogMode::kReadWrite));
  const fs::path restoring = directory.path() / kRestoringName;
  RETURN_IF_ERROR(ClearAway(directory, restoring));
  std::error_code error;
  if (!fs::create_directory(restoring, error)) {
    return Status(Code::kIoError,
                  fmt::format("cannot create {}: {}", restoring.string(), error.message()));
  }
  Result<RestoreReport> report = fill(restoring);
  if (report.ok()) {
    RETURN_IF_ERROR(MoveIntoPlace(directory, restoring, faults));
    return report;
  }
  // The empty folder stays, so that nobody takes the directory for a new store by mistake.
  for (const fs::path& part : {restoring / kLogDirectoryName, restoring / kHeadFileName}) {
    fs::remove_all(part, error);
  }
  return report;
}

Status NoteSalvage(const fs::path& restoring, const fs::path& damaged) {
  return WriteFileDurably(restoring / kSalvagedName, damaged.string(), nullptr);
}

Status CheckNoUnfinishedRestore(const fs::path& directory) {
  std::error_code error;
  if (!fs::exists(directory / kRestoringName, error) ||
      fs::exists(directory / kLogDirectoryName, error)) {
    return {};
  }
  std::ifstream file(directory / kRestoringName / kSalvagedName, std::ios::binary);
  const std::string damaged(std::istreambuf_iterator<char>(file), {});
  if (!damaged.empty()) {
    return {Code::kInvalidArgument,
            fmt::format("a salvage of {} into {} was begun and not finished: run `sagalog doctor "
                        "--data {} --salvage {}` again, or remove this directory; the damaged one "
                        "is as it was",
                        damaged, directory.string(), damaged, directory.string())};
  }
  return {Code::kInvalidArgument,
          fmt::format("a restore into {} was begun and not finished: run `sagalog restore` again, "
                      "or remove the directory",
                      directory.string())};
}

}  // namespace sagalog
