// A directory of backups: numbered, each whole, the newest with the highest number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "eventlog/disk_faults.h"
#include "schema/status.h"

namespace sagalog {

// What a backup is called until it is whole.
inline constexpr std::string_view kUnfinishedBackupName = "unfinished";

// Locked while it is open for a new backup. One thread.
class BackupDirectory {
 public:
  // Creates the directory (mode 0700) or takes an empty one or one with backups, and locks it:
  // kLocked when another backup is being made. Anything else is kInvalidArgument and stays as it
  // is. What a backup that was interrupted left behind is removed. `faults` may be null.
  [[nodiscard]] static Result<BackupDirectory> Open(const std::filesystem::path& path,
                                                    DiskFaults* faults);

  // The backups in `path`, oldest first.
  [[nodiscard]] static std::vector<std::filesystem::path> List(const std::filesystem::path& path);
  // The backup that `path` means: itself, or the newest in it. kNotFound when there is none.
  [[nodiscard]] static Result<std::filesystem::path> Find(const std::filesystem::path& path);

  BackupDirectory(BackupDirectory&& other) noexcept;
  BackupDirectory& operator=(BackupDirectory&&) = delete;
  // Removes a backup that was not published.
  ~BackupDirectory();

  // Where the next one is written, empty at first.
  [[nodiscard]] std::filesystem::path unfinished() const { return path_ / kUnfinishedBackupName; }
  // Makes it one of the backups; its path.
  [[nodiscard]] Result<std::filesystem::path> Publish();
  // Removes the oldest until `keep` are left.
  void RemoveOld(std::size_t keep) const;

 private:
  BackupDirectory(std::filesystem::path path, int descriptor, DiskFaults* faults)
      : path_(std::move(path)), descriptor_(descriptor), faults_(faults) {}

  std::filesystem::path path_;
  int descriptor_;  // of the directory, locked; -1 when moved from
  DiskFaults* faults_;
};

}  // namespace sagalog
