// SHA-256 of what is written to a file, or stands in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog::tools {

// Grows with each part. One thread.
class FileDigest {
 public:
  FileDigest();
  ~FileDigest();
  FileDigest(FileDigest&&) noexcept;
  FileDigest& operator=(FileDigest&&) noexcept;

  void Add(std::string_view bytes);
  // Of all that was added, in hex; more can be added then.
  [[nodiscard]] std::string Hex() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Adds `size_bytes` of `path` from `offset` on; kIoError when there are fewer.
[[nodiscard]] Status AddFile(FileDigest& digest, const std::filesystem::path& path,
                             std::uint64_t size_bytes, std::uint64_t offset = 0);

// Of a whole file, in hex.
[[nodiscard]] Result<std::string> DigestOf(const std::filesystem::path& path);

}  // namespace sagalog::tools
