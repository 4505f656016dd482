// The append-only log of events, as everybody above sees it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

class LogMaintenance;

// One verified event and the bytes that hold it.
class StoredEvent {
 public:
  // `bytes` must have passed VerifyEvent.
  explicit StoredEvent(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] const events::Event& operator*() const { return *events::GetEvent(bytes_.data()); }
  [[nodiscard]] const events::Event* operator->() const { return events::GetEvent(bytes_.data()); }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A conditional append of one batch, and reads. Knows nothing of leases. Small on purpose: a
// replicated engine can stand behind it.
//
// Thread-safe: one thread appends at a time, any number read meanwhile. Reads see what is durable
// and nothing else. What is read back is verified (block checksum, FlatBuffers verifier, the
// sequence asked for, the chain of previous sequences where a scan passes both ends); damage is
// kCorruption and names the exact sequence.
class EventLog {
 public:
  // Called with each event in order; the reference is borrowed for the call. An error ends the
  // scan and is returned from it.
  using Visitor = std::function<Status(const events::Event& event, std::string_view bytes)>;

  virtual ~EventLog() = default;

  // The last durable sequence.
  [[nodiscard]] virtual Sequence Last() const = 0;

  // Appends all of `events` (encoded with the sequences after `expected_last`) or none. Durable
  // when it returns OK. kConflict, with the actual last sequence in the text, when that is not
  // `expected_last`: nothing happened. After any other error the log is poisoned: every later
  // append returns kReadOnly with the first error, and nothing is retried. kIndeterminate:
  // durable or not, open again to know.
  virtual Status Append(Sequence expected_last, std::span<const std::string_view> events) = 0;

  // The error that poisoned the log, or OK. Damage that a read finds poisons a log that is written.
  [[nodiscard]] virtual Status Health() const = 0;

  // kNotFound beyond the end.
  [[nodiscard]] virtual Result<StoredEvent> Read(Sequence sequence) const = 0;

  // Visits the events from `from` through `through` (or the end, if that comes first).
  virtual Status Scan(Sequence from, Sequence through, const Visitor& visitor) const = 0;

  // Visits the history of one saga from the newest to the oldest event, starting at `newest`, an
  // event of that saga, by its chain of `previous`; `transitions_only` leaves heartbeats out.
  Status WalkBack(Sequence newest, bool transitions_only, const Visitor& visitor) const;

  // Waits until Last() > `seen`, Close() was called, or `patience` is over; true in the first case.
  [[nodiscard]] virtual bool WaitBeyond(Sequence seen,
                                        std::chrono::milliseconds patience) const = 0;

  // How this log is backed up and kept small; null = it sees to that itself.
  [[nodiscard]] virtual LogMaintenance* Maintenance() { return nullptr; }

  // Wakes all waiters, flushes and releases the directory. Appends fail from here on. Idempotent.
  virtual Status Close() = 0;
};

}  // namespace sagalog
