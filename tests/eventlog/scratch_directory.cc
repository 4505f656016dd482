#include "tests/eventlog/scratch_directory.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <utility>

#include <gtest/gtest.h>

namespace sagalog {

ScratchDirectory::ScratchDirectory() {
  std::string name = ::testing::TempDir() + "sagalog_eventlog_XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  path_ = name;
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory& ScratchDirectory::operator=(ScratchDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

ScratchDirectory::~ScratchDirectory() {
  if (!path_.empty()) {
    std::filesystem::remove_all(path_);
  }
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.is_open()) << path;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(stream.flush()) << path;
}

void FlipByte(const std::filesystem::path& path, std::size_t offset) {
  std::string bytes = ReadFile(path);
  bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 0x10);
  WriteFile(path, bytes);
}

std::map<std::string, std::string> Snapshot(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    files[entry.path().string()] = entry.is_regular_file() ? ReadFile(entry.path()) : "";
  }
  return files;
}

std::filesystem::path NewestFile(const std::filesystem::path& directory,
                                 std::string_view extension) {
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == extension && entry.file_size() > 0 && entry.path() > newest) {
      newest = entry.path();
    }
  }
  EXPECT_FALSE(newest.empty()) << "no " << extension << " in " << directory;
  return newest;
}

}  // namespace sagalog
