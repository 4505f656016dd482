#include "tools/story_source.h"

#include <utility>

#include <fmt/format.h>

#include "tools/exit_code.h"

namespace sagalog::tools {
namespace {

void SayDamage(const GlobalOptions& global, const Record& record) {
  if (record.damage) {
    PrintError(global, fmt::format("the log is damaged: {}. What stands before it is told",
                                   record.damage->text));
  }
}

int RecordExitCode(const Status& status) {
  return status.code() == Code::kInvalidArgument ? kExitUsage : kExitUnavailable;
}

}  // namespace

std::optional<StorySource> OpenStorySource(const GlobalOptions& global, const std::string& record,
                                           int& exit_code) {
  StorySource source;
  if (record.empty()) {
    source.client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
    if (source.client == nullptr) {
      return std::nullopt;
    }
    source.now = source.client->Now();
  }
  auto opened =
      OpenRecord(record.empty() ? DataDirectoryPath(global.data) : std::filesystem::path(record));
  if (!opened.ok()) {
    PrintError(global, opened.status().text());
    exit_code = RecordExitCode(opened.status());
    return std::nullopt;
  }
  source.record = *std::move(opened);
  SayDamage(global, source.record);
  return source;
}

}  // namespace sagalog::tools
