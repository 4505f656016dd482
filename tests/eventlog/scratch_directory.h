// A directory of a test's own, and what tests do to the files in it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace sagalog {

// Empty at first; gone with the object.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ScratchDirectory(ScratchDirectory&& other) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&& other) noexcept;
  ~ScratchDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string ReadFile(const std::filesystem::path& path);
void WriteFile(const std::filesystem::path& path, std::string_view bytes);
void FlipByte(const std::filesystem::path& path, std::size_t offset);

// All files below `directory` with their bytes.
[[nodiscard]] std::map<std::string, std::string> Snapshot(const std::filesystem::path& directory);

// The newest file in `directory` whose name ends with `extension` and that is not empty.
[[nodiscard]] std::filesystem::path NewestFile(const std::filesystem::path& directory,
                                               std::string_view extension);

}  // namespace sagalog
