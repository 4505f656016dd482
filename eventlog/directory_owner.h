// To whom the files of a data directory belong: one user, or its daemon cannot open them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "schema/status.h"

namespace sagalog {

// The user's name, or the number of one without a name.
[[nodiscard]] std::string UserName(uid_t user);

// kReadOnly, with who should do it, when this process would leave files of another user in the
// store of this directory: root beside the daemon's user. OK where there is no store yet, and on a
// file system that gives everything in the directory to one user.
[[nodiscard]] Status CheckSameOwner(const std::filesystem::path& directory);

// Files of a data directory that belong to somebody else than its store.
struct ForeignFiles {
  std::string owner;            // of the store
  std::filesystem::path first;  // one of them
  std::string first_owner;
  std::size_t count = 0;
};

// Nothing when there are none, or no store. Folders that may not be listed are not looked into.
[[nodiscard]] std::optional<ForeignFiles> FindForeignFiles(const std::filesystem::path& directory);

}  // namespace sagalog
