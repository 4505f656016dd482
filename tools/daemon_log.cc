#include "tools/daemon_log.h"

#include <string>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

spdlog::level::level_enum LevelOf(ServerNote::Level level) {
  switch (level) {
    case ServerNote::Level::kWarning: return spdlog::level::warn;
    case ServerNote::Level::kError: return spdlog::level::err;
    default: return spdlog::level::info;
  }
}

std::string JsonQuoted(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

}  // namespace

DaemonLog::DaemonLog(bool json)
    : json_(json),
      logger_(std::make_shared<spdlog::logger>("sagalog",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  const std::string pattern =
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%fZ %l %v";
  logger_->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger_->flush_on(spdlog::level::info);
}

DaemonLog::~DaemonLog() = default;

void DaemonLog::Say(const ServerNote& note) const {
  const std::string line =
      json_ ? fmt::format(R"("event":{},"text":{})", JsonQuoted(note.event), JsonQuoted(note.text))
            : fmt::format("{}: {}", note.event, Printable(note.text));
  logger_->log(LevelOf(note.level), "{}", line);
}

}  // namespace sagalog::tools
