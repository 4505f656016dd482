#include "eventlog/wal_inspection.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/crc32c.h"

namespace sagalog {
namespace {

// RocksDB's framing: blocks of 32 KiB, in each records of checksum, length, type, payload.
constexpr std::size_t kBlockSize = 32768;
constexpr std::size_t kHeaderSize = 4 + 2 + 1;
constexpr std::uint8_t kFull = 1;
constexpr std::uint8_t kFirst = 2;
constexpr std::uint8_t kLast = 4;
// A batch begins with its RocksDB sequence and its count of entries.
constexpr std::size_t kBatchSizeMin = 8 + 4;

struct Record {
  std::uint8_t type = 0;
  std::size_t size = 0;  // with its header
};

std::uint32_t Masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; }

std::uint32_t LittleEndian(std::string_view bytes, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

// The whole record at the start of `rest`, what is left of a block.
std::optional<Record> ParseRecord(std::string_view rest) {
  if (rest.size() < kHeaderSize) {
    return std::nullopt;
  }
  const std::size_t length = LittleEndian(rest.substr(4), 2);
  const auto type = static_cast<std::uint8_t>(rest[6]);
  if (type == 0 || length > rest.size() - kHeaderSize ||
      LittleEndian(rest, 4) != Masked(Crc32c(rest.substr(6, 1 + length)))) {
    return std::nullopt;
  }
  return Record{type, kHeaderSize + length};
}

bool BeginsWrite(const Record& record) {
  return (record.type == kFull || record.type == kFirst) &&
         record.size >= kHeaderSize + kBatchSizeMin;
}

// What is left of the block that `offset` lies in.
std::string_view RestOfBlock(std::string_view file, std::size_t offset) {
  const std::size_t block_end = (offset / kBlockSize + 1) * kBlockSize;
  return file.substr(offset, std::min(block_end, file.size()) - offset);
}

// Where `file` stops being whole records, or its size. A write that was begun must be finished.
std::size_t WholeUntil(std::string_view file) {
  std::size_t whole_until = 0;
  bool begun = false;
  for (std::size_t offset = 0; offset < file.size();) {
    const std::string_view rest = RestOfBlock(file, offset);
    const bool trailer = rest.size() < kHeaderSize && offset + rest.size() < file.size();
    if (trailer && rest.find_first_not_of('\0') == std::string_view::npos) {
      offset += rest.size();
    } else {
      const std::optional<Record> record = ParseRecord(rest);
      if (!record || (begun && BeginsWrite(*record))) {
        return whole_until;
      }
      begun = record->type == kFirst || (begun && record->type != kLast);
      offset += record->size;
    }
    whole_until = begun ? whole_until : offset;
  }
  return whole_until;
}

// Whether `rest` may be a record of events; most bytes that are none are told without a checksum.
bool HasTypeOfWrite(std::string_view rest) {
  return rest.size() >= kHeaderSize && rest[6] >= kFull && rest[6] <= kLast;
}

// Whether a write begins anywhere at or behind `offset`. Looks at every byte where the records'
// lengths cannot be trusted; the next block is a fresh start.
bool WriteBeginsFrom(std::string_view file, std::size_t offset) {
  while (offset < file.size()) {
    const std::string_view rest = RestOfBlock(file, offset);
    const std::optional<Record> record = HasTypeOfWrite(rest) ? ParseRecord(rest) : std::nullopt;
    if (record && BeginsWrite(*record)) {
      return true;
    }
    offset += record ? record->size : 1;
  }
  return false;
}

// Behind a write that was begun but not finished is only what begins behind its first record.
std::size_t BehindDamage(std::string_view file, std::size_t offset) {
  const std::optional<Record> record = ParseRecord(RestOfBlock(file, offset));
  return offset + (record ? record->size : 1);
}

Result<std::string> ReadWhole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes;
  std::error_code error;
  bytes.resize(std::filesystem::file_size(path, error));
  if (error || !stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return Status(Code::kIoError, fmt::format("cannot read {}", path.string()));
  }
  return bytes;
}

}  // namespace

Result<std::vector<std::filesystem::path>> ListWalFiles(const std::filesystem::path& directory,
                                                        std::uint64_t from_number) {
  std::map<std::uint64_t, std::filesystem::path> by_number;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc() && std::string_view(end) == ".log" && number >= from_number) {
      by_number.emplace(number, entry->path());
    }
  }
  if (error) {
    return Status(Code::kIoError,
                  fmt::format("cannot list {}: {}", directory.string(), error.message()));
  }
  std::vector<std::filesystem::path> files;
  for (auto& [number, path] : by_number) {
    files.push_back(std::move(path));
  }
  return files;
}

Result<WalInspection> InspectWal(const std::filesystem::path& directory,
                                 std::uint64_t from_number) {
  ASSIGN_OR_RETURN(const auto files, ListWalFiles(directory, from_number));
  WalInspection found;
  for (const std::filesystem::path& path : files) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(path));
    std::size_t behind = 0;
    if (found.state == WalState::kWhole) {
      const std::size_t whole_until = WholeUntil(bytes);
      if (whole_until == bytes.size()) {
        continue;
      }
      found.state = WalState::kTorn;
      found.place = fmt::format("{} at byte {}", path.filename().string(), whole_until);
      behind = BehindDamage(bytes, whole_until);
    }
    if (WriteBeginsFrom(bytes, behind)) {
      found.state = WalState::kDamaged;
      return found;
    }
  }
  return found;
}

}  // namespace sagalog
