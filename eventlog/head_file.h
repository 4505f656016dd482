// HEAD: the last acknowledged sequence, beside the log. The bytes: docs/log-format.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "eventlog/disk_faults.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

inline constexpr std::string_view kHeadMagic = "SAGAHEAD";
// Each slot in a disk block of its own, so that a torn write leaves the other one alone.
inline constexpr std::size_t kHeadSlotSize = 4096;
inline constexpr std::size_t kHeadSlots = 2;
// Magic, sequence, CRC-32C of both.
inline constexpr std::size_t kHeadRecordSize = 8 + 8 + 4;
static_assert(kHeadRecordSize <= kHeadSlotSize, "a record fits its slot");

// Written after a batch is durable and before it is acknowledged, without a sync of its own: HEAD
// is never ahead of the log, is exact after the death of the process, and may be behind after a
// power loss.
//
// One thread writes; Sync() may come from another.
class HeadFile {
 public:
  // The sequence the file at `path` holds, that of its newest whole slot. kNotFound when there is
  // no file, kCorruption when no slot is whole.
  [[nodiscard]] static Result<Sequence> Read(const std::filesystem::path& path);

  // A whole file that holds `last`.
  [[nodiscard]] static std::string Encode(Sequence last);

  // Opens the file for writing, creates it durably with sequence 0 if there is none. `faults` may
  // be null.
  [[nodiscard]] static Result<HeadFile> Open(const std::filesystem::path& path, DiskFaults* faults);

  HeadFile(HeadFile&& other) noexcept;
  HeadFile& operator=(HeadFile&&) = delete;
  ~HeadFile();

  [[nodiscard]] Status Write(Sequence last);
  [[nodiscard]] Status Sync();

 private:
  HeadFile(std::filesystem::path path, int descriptor, DiskFaults* faults);

  std::filesystem::path path_;
  int descriptor_;
  DiskFaults* faults_;
  std::size_t next_slot_ = 0;
};

}  // namespace sagalog
