// Keeps the reserve of a daemon's data directory, and says what becomes of it.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "eventlog/disk_reserve.h"
#include "reactor/store.h"
#include "tools/daemon_log.h"

namespace sagalog::tools {

// Looks once at the beginning and then every second, on a thread of its own, until it is gone.
class ReserveKeeper {
 public:
  // `store` and `log` are borrowed.
  ReserveKeeper(const std::filesystem::path& directory, std::uint64_t size_bytes, Store& store,
                const DaemonLog& log);
  ~ReserveKeeper();
  ReserveKeeper(const ReserveKeeper&) = delete;
  ReserveKeeper& operator=(const ReserveKeeper&) = delete;

 private:
  void Look();
  void Loop();

  DiskReserve reserve_;
  const std::uint64_t size_bytes_;
  Store& store_;
  const DaemonLog& log_;
  // What was said last of a reserve that cannot be had: once is enough.
  std::string complaint_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

// "64MiB", "1GiB", "4096" or "off" in bytes; kInvalidArgument for anything else.
[[nodiscard]] Result<std::uint64_t> ParseSize(std::string_view text);

}  // namespace sagalog::tools
