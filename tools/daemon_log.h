// What a daemon says to whoever runs it: lines on standard error.
#pragma once

#include <memory>
#include <string_view>

#include "reactor/server.h"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace sagalog::tools {

// Thread-safe.
class DaemonLog {
 public:
  // Lines for people, or a JSON object in each: time, level, event, text.
  explicit DaemonLog(bool json);
  ~DaemonLog();
  DaemonLog(const DaemonLog&) = delete;
  DaemonLog& operator=(const DaemonLog&) = delete;

  void Say(const ServerNote& note) const;

 private:
  const bool json_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace sagalog::tools
