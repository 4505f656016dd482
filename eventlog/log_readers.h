// Who reads the log, and how far they have come.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/id.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// Each holds compaction back; more are a client that makes up a new name each time.
inline constexpr std::size_t kLogReadersMax = 64;

struct LogReader {
  std::string name;
  // What it will read next: all before it is dealt with.
  Sequence position;
  // When it came there.
  StoreTime moved_at;
};

// Kept in a small file beside the log (docs/log-format.md: readers), which is written anew, whole
// and durably, at each change. Thread-safe.
class LogReaders {
 public:
  // Of what is in `file`, of which there may be none; an empty path = in memory alone. When the
  // file is damaged every call says so: what nobody is known to wait for must not be thrown away.
  [[nodiscard]] static std::unique_ptr<LogReaders> Load(std::filesystem::path file);

  // Adds the reader, or moves it, forwards or back. False when it is there already. kOverloaded
  // when there are kLogReadersMax others.
  [[nodiscard]] Result<bool> Place(const LogReader& reader);
  // False when there is none of that name.
  [[nodiscard]] Result<bool> Remove(std::string_view name);

  // By name.
  [[nodiscard]] Result<std::vector<LogReader>> All() const;
  // The one with the lowest position; nothing when there are none.
  [[nodiscard]] Result<std::optional<LogReader>> Slowest() const;

 private:
  using ByName = std::map<std::string, LogReader, std::less<>>;

  explicit LogReaders(std::filesystem::path file) : file_(std::move(file)) {}

  [[nodiscard]] Status Read();
  // Makes `readers` durable, and then what is true.
  [[nodiscard]] Status Exchange(ByName readers);

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  ByName readers_;  // guarded by mutex_
  Status damage_;
};

}  // namespace sagalog
