// The append-only log in one RocksDB database. Keys and values: docs/log-format.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "eventlog/disk_faults.h"
#include "eventlog/durable_end.h"
#include "eventlog/event_log.h"
#include "eventlog/head_file.h"
#include "eventlog/log_maintenance.h"
#include "eventlog/log_opening.h"
#include "eventlog/poison_latch.h"

namespace sagalog {

struct RocksLogOptions {
  LogMode mode = LogMode::kReadWrite;
  // Events are collected in memory up to this size before they become a table file. What is
  // there is read again from the write-ahead log at the next opening.
  std::size_t write_buffer_bytes = 64UL << 20;
  // Blocks of events kept in memory for single reads; scans pass them by.
  std::size_t block_cache_bytes = 32UL << 20;
  // For tests: what goes wrong on the disk. Borrowed; outlives the log.
  DiskFaults* faults = nullptr;
};

class RocksLog final : public EventLog, private LogMaintenance {
 public:
  // Opens or creates the log in the data directory `directory`: the database `log/` and the file
  // `HEAD`. The directory itself must exist, and whoever opens for writing holds its lock
  // (DataDirectory).
  //
  // A write that was torn before it was acknowledged is dropped. With any other damage kReadWrite
  // gives kCorruption, naming the first event that is damaged or lost, and changes nothing;
  // kReadOnly opens what stands before it. kUnsupportedVersion when a newer program wrote the log,
  // kLocked when another process writes it, kNotFound when there is none to read.
  //
  // A read-only log shows what was acknowledged when it was opened, also beside a writer.
  [[nodiscard]] static Result<std::unique_ptr<RocksLog>> Open(
      const std::filesystem::path& directory, const RocksLogOptions& options);

  RocksLog(const RocksLog&) = delete;
  RocksLog& operator=(const RocksLog&) = delete;
  ~RocksLog() override;

  // What a read-only opening found wrong; Health() says it too, as kCorruption. Reads of what is
  // damaged, and scans that reach it, return kCorruption.
  [[nodiscard]] const std::optional<Damage>& damage() const { return damage_; }

  [[nodiscard]] Sequence Last() const override { return end_.Last(); }
  Status Append(Sequence expected_last, std::span<const std::string_view> events) override;
  [[nodiscard]] Status Health() const override { return latch_.Health(); }
  [[nodiscard]] Result<StoredEvent> Read(Sequence sequence) const override;
  Status Scan(Sequence from, Sequence through, const Visitor& visitor) const override;
  [[nodiscard]] bool WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const override;
  [[nodiscard]] LogMaintenance* Maintenance() override { return this; }
  [[nodiscard]] const AppendFigures* Figures() const override { return &figures_; }
  Status Close() override;

 private:
  // All of RocksDB that this class holds.
  struct Database;

  RocksLog(std::filesystem::path directory, const RocksLogOptions& options);

  Status Replace(std::span<const std::string_view> events) override;
  Status Settle() override;
  Status ReclaimSpace(Sequence from, Sequence through) override;
  Result<LogBackup> Backup(const LogBackupOptions& options) override;

  Status OpenForWriting();
  Status OpenForReading();
  [[nodiscard]] Status Maintainable() const;
  Status WriteBatchDurably(std::span<const std::string_view> events, Sequence last);
  [[nodiscard]] Status Noted(Status found) const;
  [[nodiscard]] Result<StoredEvent> ReadVerified(Sequence sequence) const;
  Status ScanInOneGo(Sequence from, Sequence through, const Visitor& visitor) const;

  const std::filesystem::path directory_;
  const RocksLogOptions options_;
  std::optional<Damage> damage_;
  DurableEnd end_;
  mutable PoisonLatch latch_;  // reads that find damage poison it too
  AppendFigures figures_;
  std::mutex append_mutex_;
  std::optional<HeadFile> head_;  // written under append_mutex_
  std::atomic<bool> closed_{false};
  // Held shared by everybody who reads from the database, alone to close it.
  mutable std::shared_mutex database_mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace sagalog
