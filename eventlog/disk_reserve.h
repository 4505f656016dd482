// Bytes that are kept back for the day on which the disk is full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

inline constexpr std::string_view kReserveFileName = "reserve";

// A file that holds nothing but its place on the disk. When the disk is full and the store has
// stopped writing, it goes, and what it held is room to fold again, to close, to open again and to
// compact. One thread.
class DiskReserve {
 public:
  // `size_bytes` 0 = none is kept, and one that is there goes.
  DiskReserve(std::filesystem::path file, std::uint64_t size_bytes);

  enum class Change {
    kNone,
    kMade,
    kFreed,   // the disk was full
    kTooFew,  // it is not there, and there is no room for it
  };
  // Looks at the disk. `writing`: whether the store takes appends. The reserve goes only when it
  // does not: while it does, it would only fill what was set free. It comes back when there is room
  // for twice as much. kIoError when the file cannot be made or removed.
  [[nodiscard]] Result<Change> Look(bool writing);

  // Of the file on the disk; 0 = it is not there.
  [[nodiscard]] static std::uint64_t SizeOf(const std::filesystem::path& file);

 private:
  [[nodiscard]] Status Make() const;
  [[nodiscard]] Status Free() const;

  const std::filesystem::path file_;
  const std::uint64_t size_bytes_;
};

}  // namespace sagalog
