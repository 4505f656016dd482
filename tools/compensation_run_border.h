// The folder that compensations may touch, and nothing beside it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog::tools {

// Compares real places: a path is taken where its links lead to. Immutable.
class RootBorder {
 public:
  // kInvalidArgument unless `root` is a folder other than "/", which would be no border.
  [[nodiscard]] static Result<RootBorder> At(const std::filesystem::path& root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  // Where `path` really is, the root itself included; a relative one starts at the root. What does
  // not exist is taken where it would be made. kInvalidArgument when that is outside, or when a
  // link in it leads nowhere.
  [[nodiscard]] Result<std::filesystem::path> Inside(std::string_view path) const;

 private:
  explicit RootBorder(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace sagalog::tools
