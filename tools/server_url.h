// A daemon that is named by a URL instead of a data directory.
//
// Wherever the place of a store is passed on as a path, the path may be such a URL: what opens
// directories finds none there, and Connection::Open goes to the daemon. What goes with it (the
// access token, whom to trust) stands in the environment, where the flags put it too: the commands
// that `sagalog run` starts are to reach the same daemon.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "reactor/http_address.h"
#include "schema/status.h"
#include "tools/global_options.h"

namespace sagalog::tools {

inline constexpr const char* kUrlVariable = "SAGALOG_URL";
inline constexpr const char* kTokenFileVariable = "SAGALOG_BEARER_TOKEN_FILE";
inline constexpr const char* kTokenVariable = "SAGALOG_BEARER_TOKEN";
inline constexpr const char* kCaVariable = "SAGALOG_CA";

[[nodiscard]] inline bool IsServerUrl(const std::filesystem::path& place) {
  const std::string& text = place.native();
  return text.starts_with("unix:") || text.find("://") != std::string::npos;
}

// No URL, and no directory either.
[[nodiscard]] bool LacksStore(const std::filesystem::path& place);

// The daemon of a URL, with what the environment says about it. kInvalidArgument for a URL that is
// none, and for a token file that is empty, or that others may read.
[[nodiscard]] Result<HttpAddress> ServerAddress(const std::filesystem::path& place);

// For commands that work on a data directory itself: whether a URL was given instead, which is then
// said on standard error and in the exit code.
[[nodiscard]] bool RefusesUrl(const GlobalOptions& global, std::string_view command,
                              const std::filesystem::path& place, int& exit_code);

}  // namespace sagalog::tools
