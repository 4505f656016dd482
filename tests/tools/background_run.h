// `sagalog run` beside the test, which talks with the worker over its output.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "tests/tools/cli_directory.h"

namespace sagalog {

// What nothing in a test takes, however busy the machine is: a hang fails instead of lasting.
inline constexpr std::chrono::seconds kHangPatience{60};

// Killed with the object, when it has not ended.
class BackgroundRun {
 public:
  // `flags` go before the "--", `command` behind it.
  BackgroundRun(const CliDirectory& directory, const Words& flags, const Words& command);
  ~BackgroundRun();
  BackgroundRun(const BackgroundRun&) = delete;
  BackgroundRun& operator=(const BackgroundRun&) = delete;

  // Of the wrapper.
  [[nodiscard]] pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The worker's next line; waits for it. Empty at the end.
  std::string ReadLine();
  // What the wrapper and the worker say on standard error, up to and with a line that holds `part`.
  std::string ReadErrorsUntil(const std::string& part);
  // The exit code, 128 + n when signal n ended the wrapper.
  int Wait();
  // The rest of standard error, once it has ended.
  std::string ReadErrors();

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  int errors_ = -1;
};

// Waits until a process has ended, whoever started it.
void AwaitEnd(pid_t pid);

// A script of a worker that says "ready", its pid and that of a child, and ends with 7 when it is
// asked to.
inline constexpr const char* kPoliteWorker =
    "trap 'echo asked; exit 7' TERM; sleep 1000 & echo ready $$ $!; wait; wait";

// A worker that cannot be asked.
inline constexpr const char* kDeafWorker =
    "trap '' TERM; sleep 1000 & echo ready $$ $!; wait; wait; wait";

// Has a daemon under a manual clock let time pass.
void AdvanceClock(const CliDirectory& directory, const std::string& by);

}  // namespace sagalog
