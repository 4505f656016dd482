#include "tools/serve_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "reactor/connection_limits.h"
#include "reactor/store_clock.h"
#include "schema/store_time.h"
#include "tools/reserve_keeper.h"

namespace sagalog::tools {
namespace {

using Kind = ServeSettings::Kind;
using Values = Kind::Values;

// More is no file of settings.
constexpr std::size_t kSettingsSizeMax = 1UL << 20;

const Kind* FindKind(std::string_view name) {
  const auto& kinds = ServeSettings::Kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [name](const Kind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) {
    return {};
  }
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

// "token-file" is SAGALOG_TOKEN_FILE.
std::string VariableOf(std::string_view name) {
  std::string variable = "SAGALOG_";
  for (const char c : name) {
    variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
}

bool IsPath(const Kind& kind) {
  return kind.name == "data" || kind.name == "token-file" || kind.name == "tls-cert" ||
         kind.name == "tls-key";
}

// A file is read by no shell, and from whatever folder the daemon is started in.
Status CheckWritten(const Kind& kind, std::string_view value) {
  const auto wrong = [&](std::string_view what) {
    return Status(Code::kInvalidArgument, fmt::format("{}: {}: {}", kind.name, value, what));
  };
  if (value.starts_with('"') || value.starts_with('\'')) {
    return wrong("a value stands without quotes, blanks in it too");
  }
  if (!IsPath(kind) || value.empty() || value.starts_with('/')) {
    return {};
  }
  return wrong("in a file a path begins with /: ~ and relative paths mean nothing there");
}

// As it may stand in a file.
std::string Written(const Kind& kind, const std::string& value) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(value, error).lexically_normal();
  return !IsPath(kind) || value.empty() || error ? value : absolute.string();
}

Status CheckValue(const Kind& kind, std::string& value) {
  if (kind.values == Values::kYesOrNo) {
    const bool yes = value == "yes" || value == "true" || value == "1" || value == "on";
    const bool no = value == "no" || value == "false" || value == "0" || value == "off";
    value = yes ? "yes" : "no";
    return yes || no ? Status() : Status(Code::kInvalidArgument, "it is yes or no");
  }
  if (kind.name == "log-format" && value != "text" && value != "json") {
    return {Code::kInvalidArgument, "it is text or json"};
  }
  if (kind.name == "publish-interval") {
    const auto interval = ParseDuration(value);
    RETURN_IF_ERROR(interval.status());
    return *interval >= std::chrono::milliseconds(10) && *interval <= std::chrono::hours(24 * 365)
               ? Status()
               : Status(Code::kInvalidArgument, "from 10ms to 365d");
  }
  if (kind.name == "reserve") {
    return ParseSize(value).status();
  }
  if (kind.name == "connections-max") {
    std::size_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, number);
    const bool good =
        error == std::errc() && stopped == end && number > 0 && number <= kConnectionsSettableMax;
    return good ? Status()
                : Status(Code::kInvalidArgument,
                         fmt::format("it is a number from 1 to {}", kConnectionsSettableMax));
  }
  if (kind.name == "manual-clock" && !value.empty()) {
    const auto start = ParseTime(value);
    return start.ok() ? CheckClock(*start) : start.status();
  }
  return {};
}

}  // namespace

const std::vector<Kind>& ServeSettings::Kinds() {
  static const std::string connections_default = std::to_string(kConnectionsDefault);
  static const std::vector<Kind> kinds = {
      {"data", Values::kOne, "./.sagalog",
       "The data directory; --data and $SAGALOG_DATA come before"},
      {"listen", Values::kSeveral, "",
       "Also on TCP, HOST:PORT, several times if need be; port 0 = any"},
      {"token-file", Values::kOne, "", "Who may speak on TCP: sagalog token new"},
      {"insecure", Values::kYesOrNo, "no",
       "Listen without a token file: everybody who reaches the address is admin"},
      {"tls-cert", Values::kOne, "", "Speak TLS on TCP: the certificate chain, PEM"},
      {"tls-key", Values::kOne, "", "The certificate's private key, PEM"},
      {"connections-max", Values::kOne, connections_default,
       "Open connections; the next is told overloaded and closed"},
      {"no-reaper", Values::kYesOrNo, "no",
       "Leave stale sagas to others, whatever their on_stale says"},
      {"publish-checkpoint", Values::kOne, "",
       "Where signed checkpoints of the audit tree go: a directory, or a command that reads them"},
      {"publish-interval", Values::kOne, "60s", "How often at most, when the log has grown"},
      {"reserve", Values::kOne, "64MiB",
       "Kept back for the day the disk is full, so that the store can be closed and compacted; "
       "off"},
      {"log-format", Values::kOne, "text", "What is said on standard error: text, json"},
      {"manual-clock", Values::kOne, "",
       "For tests: time starts at RFC 3339 and moves only by POST /v1/clock:advance"},
  };
  return kinds;
}

Status ServeSettings::TakeFile(const std::string& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad() || text.size() > kSettingsSizeMax) {
    return {Code::kInvalidArgument, fmt::format("{}: no file of settings can be read there", path)};
  }
  std::map<std::string, std::vector<std::string>, std::less<>> read;
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string_view setting = Trimmed(std::string_view(line).substr(0, line.find('#')));
    if (setting.empty()) {
      continue;
    }
    const std::size_t equals = setting.find('=');
    const std::string name(Trimmed(setting.substr(0, equals)));
    const Kind* kind = FindKind(name);
    Status status;
    if (equals == std::string_view::npos || kind == nullptr) {
      status = Status(Code::kInvalidArgument, fmt::format("\"{}\" is no setting: NAME = VALUE, the "
                                                          "names are those of the flags",
                                                          name));
    } else {
      std::vector<std::string>& values = read[name];
      values.emplace_back(Trimmed(setting.substr(equals + 1)));
      status = values.size() > 1 && kind->values != Values::kSeveral
                   ? Status(Code::kInvalidArgument, fmt::format("{} is set twice", name))
                   : CheckWritten(*kind, values.back());
      status = status.ok() ? Set(name, values, path) : status;
    }
    if (!status.ok()) {
      return {Code::kInvalidArgument, fmt::format("{}:{}: {}", path, number, status.text())};
    }
  }
  return {};
}

Status ServeSettings::TakeEnvironment(const Environment& environment) {
  for (const Kind& kind : Kinds()) {
    const std::string variable = VariableOf(kind.name);
    const char* value = environment(variable.c_str());
    if (value == nullptr || *value == '\0') {
      continue;
    }
    const Status status = Set(
        kind.name, kind.values == Values::kSeveral ? Words(value) : std::vector<std::string>{value},
        "environment");
    if (!status.ok()) {
      return {Code::kInvalidArgument, fmt::format("${}: {}", variable, status.text())};
    }
  }
  return {};
}

Status ServeSettings::TakeFlag(std::string_view name, std::vector<std::string> values) {
  const Status status = Set(name, std::move(values), "flag");
  return status.ok() ? status : Status(Code::kInvalidArgument, fmt::format("--{}", status.text()));
}

Status ServeSettings::Set(std::string_view name, std::vector<std::string> values,
                          const std::string& from) {
  const Kind* kind = FindKind(name);
  if (kind == nullptr) {
    return {Code::kInvalidArgument, fmt::format("{} is no setting", name)};
  }
  for (std::string& value : values) {
    if (const Status status = CheckValue(*kind, value); !status.ok()) {
      return {Code::kInvalidArgument, fmt::format("{}: {}", name, status.text())};
    }
  }
  given_[std::string(name)] = {std::move(values), from};
  return {};
}

std::vector<std::string> ServeSettings::All(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>() : found->second.values;
}

std::string ServeSettings::Text(std::string_view name) const {
  const std::vector<std::string> values = All(name);
  return values.empty() ? std::string(FindKind(name)->otherwise) : values.front();
}

std::string ServeSettings::Print() const {
  std::string text;
  for (const Kind& kind : Kinds()) {
    const auto found = given_.find(kind.name);
    if (found == given_.end()) {
      text += fmt::format("# {} = {}\n", kind.name, kind.otherwise);
      continue;
    }
    for (const std::string& value : found->second.values) {
      text += fmt::format("{} = {}  # {}\n", kind.name, Written(kind, value), found->second.from);
    }
  }
  return text;
}

}  // namespace sagalog::tools
