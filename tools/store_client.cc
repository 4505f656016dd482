#include "tools/store_client.h"

#include <cstdio>
#include <filesystem>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/server_url.h"
#include "tools/standard_streams.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

json::object ParseObject(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return !error && value.is_object() ? std::move(value.get_object()) : json::object();
}

// No store that answers at all, or one that answers only reads: nothing the caller asked was wrong.
bool IsUnavailable(int status, std::string_view code) {
  return code == "read_only" || code == "corrupt" || status >= 500;
}

// What a directory that cannot be opened needs, where its own message does not say so already.
const char* NextStep(Code code) {
  switch (code) {
    case Code::kLocked: return " (sagalog serve lets many processes share a directory)";
    case Code::kReadOnly:
    case Code::kNotFound:
    case Code::kInvalidArgument: return "";
    default: return " (sagalog doctor explains)";
  }
}

}  // namespace

std::unique_ptr<StoreClient> StoreClient::Open(const GlobalOptions& global, Access access,
                                               int& exit_code, std::chrono::milliseconds patience) {
  ConnectionOptions options = global.Connect(access == Access::kRead);
  options.patience = patience;
  if (access != Access::kCreate && LacksStore(options.data)) {
    PrintError(global, fmt::format("there is no data directory {}: name another one with --data or "
                                   "$SAGALOG_DATA; sagalog plan and sagalog serve create it",
                                   options.data.string()));
    exit_code = kExitUnavailable;
    return nullptr;
  }
  auto connection = Connection::Open(options);
  if (!connection.ok()) {
    const bool remote = IsServerUrl(options.data);
    const Code code = connection.status().code();
    PrintError(global, connection.status().text() + (remote ? "" : NextStep(code)));
    exit_code = remote && code == Code::kInvalidArgument ? kExitUsage : kExitUnavailable;
    return nullptr;
  }
  std::unique_ptr<StoreClient> client(new StoreClient(*std::move(connection), global, exit_code));
  if (access == Access::kRead) {
    const int before = std::exchange(exit_code, kExitDone);
    client->WarnOfDamage();
    if (exit_code != kExitDone) {
      return nullptr;
    }
    exit_code = before;
  }
  return client;
}

void StoreClient::WarnOfDamage() {
  const auto ready = connection_->Send("GET", "/readyz");
  if (!ready.ok()) {
    // Whoever does not answer this in time would be waited for again.
    PrintError(global_, ready.status().text());
    exit_code_ = kExitUnavailable;
    return;
  }
  if (ready->status < 300) {
    return;
  }
  const json::object problem = ParseObject(ready->body);
  const std::string_view code = TextIn(problem, "code");
  if (code == "corrupt") {
    PrintError(global_, fmt::format("the log is damaged: answers are of sequence {}, the last that "
                                    "is known; sagalog doctor explains",
                                    NumberIn(problem, "sequence").value_or(0)));
  } else if (code == "read_only") {
    PrintError(global_, fmt::format("the store takes no commands: answers are of sequence {}, the "
                                    "last that is durable; sagalog status says why",
                                    NumberIn(problem, "sequence").value_or(0)));
  }
}

std::optional<json::object> StoreClient::Ask(std::string_view method, std::string_view target,
                                             std::string_view body) {
  auto response = connection_->Send(method, target, body);
  if (!response.ok()) {
    PrintError(global_, response.status().text());
    exit_code_ = kExitUnavailable;
    return std::nullopt;
  }
  return Take(*std::move(response));
}

void StoreClient::Follow(std::string_view target, const Connection::Sink& sink) {
  auto response = connection_->Follow(target, sink);
  if (!response.ok()) {
    PrintError(global_, response.status().text());
    exit_code_ = kExitUnavailable;
    return;
  }
  Take(*std::move(response));
}

// The answer, or what is said of a refusal.
std::optional<json::object> StoreClient::Take(ApiResponse response) {
  raw_ = std::move(response.body);
  json::object answer = ParseObject(raw_);
  if (response.status < 300) {
    return answer;
  }
  if (global_.json) {
    PrintLine(raw_);
  }
  std::string line = RefusalLine(answer);
  if (line.empty()) {
    line = fmt::format("HTTP status {}: {}", response.status, Printable(raw_));
  }
  WriteError(fmt::format("{} {}\n", Paint("refused:", Style::kBad, global_.error_color), line));
  if (const std::string facts = RefusalFacts(answer); !facts.empty()) {
    WriteError(fmt::format("  {}\n", facts));
  }
  if (TextIn(answer, "code") == "unauthenticated") {
    WriteError("  --bearer-token-file names the file with the access token\n");
  }
  if (TextIn(answer, "code") == "compensation_missing") {
    WriteError(
        "  register what is to be undone (sagalog compensation register), or say with "
        "--no-compensation-reason why there is nothing\n");
  }
  const bool unavailable = IsUnavailable(response.status, TextIn(answer, "code"));
  exit_code_ = unavailable ? kExitUnavailable : kExitRefused;
  return std::nullopt;
}

std::optional<json::object> StoreClient::Look(std::string_view target) {
  const auto response = connection_->Send("GET", target);
  if (!response.ok() || response->status >= 300) {
    return std::nullopt;
  }
  return ParseObject(response->body);
}

std::optional<StoreTime> StoreClient::Now() {
  const auto status = Look("/v1/status");
  const auto now = ParseTime(status ? TextIn(*status, "time") : std::string_view());
  return now.ok() ? std::optional(*now) : std::nullopt;
}

void PrintError(const GlobalOptions& global, std::string_view text) {
  WriteError(
      fmt::format("{} {}\n", Paint("sagalog:", Style::kBad, global.error_color), Printable(text)));
}

void PrintLine(std::string_view line) {
  WriteOutput(line);
  WriteOutput(line.ends_with('\n') ? "" : "\n");
}

std::string UrlPart(std::string_view text) {
  static constexpr std::string_view kUnreserved = "-._~";
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kUnreserved.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

void UrlQuery::Add(std::string_view name, std::string_view value) {
  if (!value.empty()) {
    text_ += fmt::format("{}{}={}", text_.empty() ? "?" : "&", name, UrlPart(value));
  }
}

}  // namespace sagalog::tools
