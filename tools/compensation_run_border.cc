#include "tools/compensation_run_border.h"

#include <algorithm>

#include <fmt/format.h>

namespace sagalog::tools {
namespace fs = std::filesystem;

Result<RootBorder> RootBorder::At(const fs::path& root) {
  std::error_code error;
  fs::path real = fs::canonical(root, error);
  if (error || !fs::is_directory(real, error)) {
    return Status(Code::kInvalidArgument, fmt::format("there is no folder {}", root.string()));
  }
  if (real == real.root_path()) {
    return Status(Code::kInvalidArgument, "the root of the file system is no border");
  }
  return RootBorder(std::move(real));
}

Result<fs::path> RootBorder::Inside(std::string_view path) const {
  if (path.empty()) {
    return Status(Code::kInvalidArgument, "the path is empty");
  }
  std::error_code error;
  const fs::path given = root_ / fs::path(path);
  fs::path real = fs::weakly_canonical(given, error);
  if (error) {
    return Status(Code::kInvalidArgument, fmt::format("{}: {}", path, error.message()));
  }
  if (!real.has_filename()) {
    real = real.parent_path();
  }
  // What follows a link that leads nowhere, weakly_canonical takes as it is written.
  for (fs::path part = real; part != part.root_path(); part = part.parent_path()) {
    if (fs::is_symlink(fs::symlink_status(part, error))) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{} is a link that leads nowhere", part.string()));
    }
  }
  const auto differs = std::mismatch(root_.begin(), root_.end(), real.begin(), real.end());
  if (differs.first != root_.end()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} is outside of {}", real.string(), root_.string()));
  }
  return real;
}

}  // namespace sagalog::tools
