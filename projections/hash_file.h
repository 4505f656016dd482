// Hashes in a file, one behind the other, each with its own checksum. The bytes: docs/audit.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "schema/event_stub.h"
#include "schema/status.h"

namespace sagalog {

// Appended to and read by one thread at a time. Others may read the file meanwhile.
class HashFile {
 public:
  // In memory alone.
  HashFile() = default;
  // Opens the file, or creates it; for reading only, takes what is there, which may be nothing, and
  // keeps what is appended in memory. What stands behind the last whole hash was never finished
  // and counts for nothing.
  [[nodiscard]] static Result<HashFile> Open(const std::filesystem::path& path, bool read_only);

  HashFile(HashFile&& other) noexcept;
  HashFile& operator=(HashFile&& other) noexcept;
  ~HashFile();

  [[nodiscard]] std::uint64_t size() const { return in_file_ + in_memory_.size(); }
  void Append(const EventHash& hash) { in_memory_.push_back(hash); }
  // kCorruption when it is not what was appended. `index` is below size().
  [[nodiscard]] Result<EventHash> Read(std::uint64_t index) const;
  // The same for `count` of them.
  [[nodiscard]] Result<std::vector<EventHash>> Read(std::uint64_t index, std::size_t count) const;
  // Forgets what stands behind the first `size`.
  Status Truncate(std::uint64_t size);
  // Hands what was appended to the kernel. Nothing is synced: what a power cut takes or damages is
  // found by the checksums, and made again.
  Status Flush();

 private:
  HashFile(std::filesystem::path path, int descriptor, std::uint64_t in_file, bool read_only)
      : path_(std::move(path)), descriptor_(descriptor), read_only_(read_only), in_file_(in_file) {}

  [[nodiscard]] Status Failed(const char* what, int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;  // -1 = none: all is in memory
  bool read_only_ = true;
  std::uint64_t in_file_ = 0;
  std::vector<EventHash> in_memory_;  // behind those in the file
};

}  // namespace sagalog
