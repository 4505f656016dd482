// Faults of a disk, for tests: the nth operation fails, a power loss takes what was not synced.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "schema/status.h"

namespace sagalog {

// Given to a log at its opening; sees every creation, write, sync and rename below it, HEAD's
// included, counted from 0. A write that fails leaves its first half behind. Outlives the log.
//
// Thread-safe.
class DiskFaults {
 public:
  enum class Kind { kIoError, kNoSpace };

  // The operation `step` from now fails, once.
  void FailAt(std::uint64_t step, Kind kind = Kind::kIoError);
  // So do all after it, as on a full disk, until Heal().
  void FailFrom(std::uint64_t step, Kind kind = Kind::kIoError);
  // Nothing fails any more.
  void Heal();

  // Whether anything failed since the last FailAt or FailFrom.
  [[nodiscard]] bool fired() const;
  // Operations since then.
  [[nodiscard]] std::uint64_t operations() const;

  // Power loss: every file goes back to what it was when it was last synced. What creates,
  // renames and deletes files is taken as durable at once. The log must be gone.
  [[nodiscard]] Status LoseUnsyncedBytes();

  // From here on: for the code that writes files.

  // Counts one operation; how it must fail, if it must.
  [[nodiscard]] std::optional<Kind> Count();
  void Appended(const std::filesystem::path& file, std::uint64_t size_bytes);
  // `before` is what stood at `offset`.
  void Overwrote(const std::filesystem::path& file, std::uint64_t offset, std::string before);
  // A file that is opened for appending, with what is there taken as synced.
  void Opened(const std::filesystem::path& file, std::uint64_t size_bytes);
  void Synced(const std::filesystem::path& file);
  void Renamed(const std::filesystem::path& from, const std::filesystem::path& to);
  void Removed(const std::filesystem::path& file);

 private:
  struct File {
    std::uint64_t size_bytes = 0;
    std::uint64_t synced_bytes = 0;
    std::map<std::uint64_t, std::string> overwritten;  // by offset, oldest bytes first
  };

  [[nodiscard]] static Status Rewind(const std::filesystem::path& path, const File& file);

  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::optional<std::uint64_t> fail_at_;
  bool sticky_ = false;
  Kind kind_ = Kind::kIoError;
  bool fired_ = false;
  std::uint64_t operations_ = 0;
  std::map<std::filesystem::path, File> files_;
};

}  // namespace sagalog
