// The data directory: what is where in it, and who holds it.
#pragma once

#include <filesystem>
#include <string_view>

#include "eventlog/log_opening.h"
#include "schema/status.h"

namespace sagalog {

inline constexpr std::string_view kLogDirectoryName = "log";
inline constexpr std::string_view kProjectionsDirectoryName = "projections";
inline constexpr std::string_view kAuditDirectoryName = "audit";
inline constexpr std::string_view kHeadFileName = "HEAD";
inline constexpr std::string_view kLockFileName = "LOCK";
inline constexpr std::string_view kSocketName = "socket";
inline constexpr std::string_view kReadersFileName = "readers";
inline constexpr std::string_view kRedactingFileName = "redacting";

// An open data directory. For writing it is locked until the object is gone; the lock also ends
// with the process, however that dies. Movable; one thread.
class DataDirectory {
 public:
  // kReadWrite creates the directory (mode 0700) or takes an empty one, and locks it: kLocked, with
  // the holder's process id and since when, if somebody else has. kReadOnly locks and writes
  // nothing: kNotFound if there is none. A directory that is neither ours nor empty, or no
  // directory at all, is kInvalidArgument and stays as it is. A backup is a data directory too, but
  // only to be read: kReadOnly, what to do instead.
  [[nodiscard]] static Result<DataDirectory> Open(const std::filesystem::path& path, LogMode mode);

  // Whether somebody holds the directory for writing just now. Takes nothing.
  [[nodiscard]] static bool HasWriter(const std::filesystem::path& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  ~DataDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / kLogDirectoryName; }
  [[nodiscard]] std::filesystem::path projections() const {
    return path_ / kProjectionsDirectoryName;
  }
  [[nodiscard]] std::filesystem::path audit() const { return path_ / kAuditDirectoryName; }
  [[nodiscard]] std::filesystem::path head() const { return path_ / kHeadFileName; }
  [[nodiscard]] std::filesystem::path lock() const { return path_ / kLockFileName; }
  [[nodiscard]] std::filesystem::path socket() const { return path_ / kSocketName; }

 private:
  DataDirectory(std::filesystem::path path, int lock_descriptor);

  void Release();

  std::filesystem::path path_;
  int lock_descriptor_;  // -1 when opened for reading
};

}  // namespace sagalog
