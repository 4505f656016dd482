#include "tools/server_url.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "tools/exit_code.h"
#include "tools/store_client.h"

namespace sagalog::tools {
namespace {

// A token is a word.
constexpr std::size_t kTokenSizeMax = 4096;

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A token is sent in a header: a line break in it would begin another one.
bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') {
      return false;
    }
  }
  return !text.empty() && text.size() <= kTokenSizeMax;
}

Result<std::string> ReadTokenFile(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    return Status(Code::kInvalidArgument, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} holds an access token, and others must not read it: chmod 600 {}",
                              path, path));
  }
  std::ifstream file(path);
  std::string token;
  std::string more;
  file >> token;
  if (!IsToken(token) || file >> more) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} holds no access token: one word is expected, as `sagalog token "
                              "new` prints it",
                              path));
  }
  return token;
}

Result<std::string> AccessToken() {
  if (const std::string file = FromEnvironment(kTokenFileVariable); !file.empty()) {
    return ReadTokenFile(file);
  }
  const std::string token = FromEnvironment(kTokenVariable);
  if (!token.empty() && !IsToken(token)) {
    return Status(Code::kInvalidArgument, fmt::format("${} is no access token", kTokenVariable));
  }
  return token;
}

}  // namespace

bool LacksStore(const std::filesystem::path& place) {
  std::error_code error;
  return !IsServerUrl(place) && !std::filesystem::exists(place, error);
}

Result<HttpAddress> ServerAddress(const std::filesystem::path& place) {
  ASSIGN_OR_RETURN(HttpAddress address, ParseHttpAddress(place.native()));
  ASSIGN_OR_RETURN(address.bearer_token, AccessToken());
  if (address.kind == HttpAddress::Kind::kTls) {
    address.ca_file = FromEnvironment(kCaVariable);
  }
  return address;
}

bool RefusesUrl(const GlobalOptions& global, std::string_view command,
                const std::filesystem::path& place, int& exit_code) {
  if (!IsServerUrl(place)) {
    return false;
  }
  PrintError(global, fmt::format("{}: works on a data directory itself and does not go over a URL "
                                 "({}): name the directory with --data, on its machine",
                                 command, place.native()));
  exit_code = kExitUsage;
  return true;
}

}  // namespace sagalog::tools
