// The log in memory, for tests and simulation.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "eventlog/durable_end.h"
#include "eventlog/event_log.h"
#include "eventlog/log_maintenance.h"
#include "eventlog/log_opening.h"
#include "eventlog/memory_disk.h"
#include "eventlog/poison_latch.h"

namespace sagalog {

// Behaves as RocksLog does on a disk that behaves as `MemoryDisk` is told to.
class MemoryLog final : public EventLog, private LogMaintenance {
 public:
  // Opens what is on `disk`, which is borrowed and outlives the log, under RocksLog's rules for
  // damage. kLocked while another log is open on it for writing.
  [[nodiscard]] static Result<std::unique_ptr<MemoryLog>> Open(MemoryDisk& disk,
                                                               LogMode mode = LogMode::kReadWrite);

  MemoryLog(const MemoryLog&) = delete;
  MemoryLog& operator=(const MemoryLog&) = delete;
  ~MemoryLog() override;

  // What a read-only opening found wrong; Health() says it too, as kCorruption.
  [[nodiscard]] const std::optional<Damage>& damage() const { return damage_; }

  [[nodiscard]] Sequence Last() const override { return end_.Last(); }
  Status Append(Sequence expected_last, std::span<const std::string_view> events) override;
  [[nodiscard]] Status Health() const override { return latch_.Health(); }
  [[nodiscard]] Result<StoredEvent> Read(Sequence sequence) const override;
  Status Scan(Sequence from, Sequence through, const Visitor& visitor) const override;
  [[nodiscard]] bool WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const override;
  // Backs nothing up: MemoryDisk::CopyTo does.
  [[nodiscard]] LogMaintenance* Maintenance() override { return this; }
  Status Close() override;

 private:
  Status Replace(std::span<const std::string_view> events) override;
  [[nodiscard]] Status Noted(Status found) const;
  [[nodiscard]] Result<StoredEvent> ReadVerified(Sequence sequence) const;
  Status Settle() override { return latch_.Writable(); }
  Status ReclaimSpace(Sequence /*from*/, Sequence /*through*/) override {
    return latch_.Writable();
  }
  Result<LogBackup> Backup(const LogBackupOptions& options) override;

  MemoryLog(MemoryDisk& disk, LogMode mode) : disk_(disk), mode_(mode) {}

  Status WriteBatchDurably(std::span<const std::string_view> events);

  MemoryDisk& disk_;
  const LogMode mode_;
  std::optional<Damage> damage_;
  DurableEnd end_;
  mutable PoisonLatch latch_;  // reads that find damage poison it too
  std::mutex append_mutex_;
  bool closed_ = false;  // guarded by the disk's mutex
};

}  // namespace sagalog
