// A disk in memory for MemoryLog, which outlives the log: for tests and simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <shared_mutex>
#include <string>

#include "schema/id.h"

namespace sagalog {

// A test lets the log go, as a crash would, changes the disk and opens a log on it again.
//
// Thread-safe.
class MemoryDisk {
 public:
  enum class Fault {
    kWriteFails,  // nothing reaches the disk, and the appender knows
    kTornWrite,   // a part of the batch does; the next opening drops it
    kSyncFails,   // all of it does, but a power loss takes it away
    kAnswerLost,  // it is durable; the appender is told an error all the same
  };

  // The append that comes after `appends` others meets `fault`, once.
  void InjectAfter(std::uint64_t appends, Fault fault);
  // Whether it did.
  [[nodiscard]] bool fault_fired() const;

  // A backup: all that is durable, onto `other`, on which no log is open.
  void CopyTo(MemoryDisk& other) const;

  // Power loss: what was not synced is gone.
  void LosePower();
  // Changes one byte of the event, which must be there.
  void FlipByte(Sequence sequence, std::size_t offset);
  // Takes away all events behind `last`, acknowledged ones too.
  void LoseBeyond(Sequence last);

 private:
  friend class MemoryLog;

  struct Record {
    std::string bytes;
    std::uint32_t checksum = 0;
  };

  // The fault that the append that is about to be made meets.
  [[nodiscard]] std::optional<Fault> NextFault();

  mutable std::shared_mutex mutex_;
  // All guarded by mutex_. Event s is at s - 1.
  std::deque<Record> records_;
  std::size_t synced_ = 0;  // records
  std::string torn_;        // what is there of a record behind the last whole one
  std::uint64_t head_ = 0;  // the last acknowledged sequence
  std::uint64_t appends_left_ = 0;
  std::optional<Fault> fault_;
  bool fault_fired_ = false;
  bool has_writer_ = false;
};

}  // namespace sagalog
