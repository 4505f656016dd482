// A command that is run for each event of a stream.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/global_options.h"

namespace sagalog::tools {

// Failures are shown, the first kShownFailuresMax of them one by one, and never end the stream.
class EventAction {
 public:
  static constexpr std::size_t kShownFailuresMax = 10;

  // No words = nothing is run.
  EventAction(const GlobalOptions& global, std::vector<std::string> words)
      : global_(global), words_(std::move(words)) {}

  [[nodiscard]] bool IsWanted() const { return !words_.empty(); }
  // Runs the command to its end, `json` on its standard input, $SAGALOG_SEQUENCE set; its output
  // is ours.
  void Run(const std::string& sequence, std::string_view json);
  // Once, at the end, when not all failures were shown.
  void SayHowManyFailed() const;
  [[nodiscard]] std::size_t failures() const { return failures_; }

 private:
  void Fail(const std::string& sequence, const std::string& why);

  const GlobalOptions& global_;
  const std::vector<std::string> words_;
  std::size_t failures_ = 0;
};

}  // namespace sagalog::tools
