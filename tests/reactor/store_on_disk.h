// A store that a test opens, kills and opens again on the same disk in memory.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "eventlog/memory_disk.h"
#include "reactor/clock.h"
#include "reactor/store.h"
#include "tests/reactor/gated_log.h"

namespace sagalog {

class StoreOnDisk {
 public:
  StoreOnDisk();
  ~StoreOnDisk();

  // The store is there at once; these change how the next one is opened.
  StoreOptions options;
  // Rows on the disk too, in a folder that goes with the object; else every opening folds from
  // zero.
  void KeepRows();
  [[nodiscard]] std::filesystem::path rows() const { return folder_ / "projections"; }

  Status Open();
  // The process dies: nothing is flushed, no checkpoint is taken.
  void Kill();
  void Reopen();

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  GatedLog& log() { return *log_; }
  std::unique_ptr<MemoryDisk> disk = std::make_unique<MemoryDisk>();
  ManualClock clock;

  // In a few words. Those that return a token expect the command to be answered.
  Reply Plan(std::string_view saga, std::string_view key = {});
  std::uint64_t Acquire(std::string_view saga, std::string_view owner = "W");
  Reply TryAcquire(std::string_view saga, std::string_view owner = "W");
  Reply Heartbeat(std::string_view saga, std::uint64_t token, CallOptions call = {});
  Reply Complete(std::string_view saga, std::uint64_t token, CallOptions call = {});
  std::string StateOf(std::string_view saga);
  // The types of all events in the log, separated by blanks.
  std::string Events();

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
  GatedLog* log_ = nullptr;
};

[[nodiscard]] commands::AcquireT AcquireBy(std::string_view owner);
[[nodiscard]] CallOptions Requested(std::uint64_t request);
// "ok", "ok:replayed", "ok:unchanged", … or the refusal's code.
[[nodiscard]] std::string Summary(const Reply& reply);

}  // namespace sagalog
