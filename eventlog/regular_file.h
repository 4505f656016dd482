// Files that somebody else may have put there: read when they are regular ones, and never waited
// for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

// Whether a symbolic link under the name itself counts as what it leads to.
enum class Links { kFollowed, kRefused };

// Open for reading. Movable; one thread.
class RegularFile {
 public:
  // A pipe, a device, a socket or a folder is kCorruption, and so is a link where none is followed:
  // opening one may wait for ever, and reading one may have no end. kNotFound when nothing is
  // there.
  [[nodiscard]] static Result<RegularFile> Open(const std::filesystem::path& path,
                                                Links links = Links::kFollowed);
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&& other) noexcept;
  ~RegularFile();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  // The descriptor is the caller's from here on.
  [[nodiscard]] int Release();

  // All bytes from where it stands, in parts.
  Status Read(const std::function<void(std::string_view part)>& take) const;

 private:
  RegularFile(std::filesystem::path path, int descriptor, std::uint64_t size_bytes)
      : path_(std::move(path)), descriptor_(descriptor), size_bytes_(size_bytes) {}

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_bytes_;
};

// The whole of a small file; kCorruption when it is longer than `bytes_max`.
[[nodiscard]] Result<std::string> ReadRegularFile(const std::filesystem::path& path,
                                                  std::uint64_t bytes_max,
                                                  Links links = Links::kFollowed);

// Whether everything in the folder `directory` is a regular file or a folder, and the folder itself
// no link where none is followed: kCorruption names what is not. A folder that is not there is
// fine.
[[nodiscard]] Status CheckRegularFiles(const std::filesystem::path& directory, Links links);

}  // namespace sagalog
