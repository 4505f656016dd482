// Starting other programs: a worker in a process group of its own, or a command whose output is
// wanted. No shell is involved. What is started dies with this process, even by SIGKILL.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schema/status.h"

namespace sagalog::tools {

struct CommandLine {
  // The program, looked up in PATH unless it holds a slash, and its arguments.
  std::vector<std::string> arguments;
  // Added to our own environment; an empty value removes the name.
  std::vector<std::pair<std::string, std::string>> environment;
  // Where it starts; empty = where we are.
  std::filesystem::path directory;
};

// How a process ended.
struct ProcessEnd {
  bool by_signal = false;
  int number = 0;  // of the exit, or of the signal

  // As a shell says it: 128 + n for a signal.
  [[nodiscard]] int ExitCode() const { return by_signal ? 128 + number : number; }
  // "exited with 3", "was killed by signal 15 (SIGTERM)".
  [[nodiscard]] std::string Text() const;
};

// A worker: its own process group, our standard streams, and the terminal when we had it. When
// this process dies in whatever way, the whole group is killed.
class ChildProcess {
 public:
  // kNotFound when there is no such program, kIoError when it cannot be run. Must be called on the
  // main thread: the child is killed when the thread that started it ends.
  [[nodiscard]] static Result<ChildProcess> Start(const CommandLine& command);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills what is left of the group when the worker has not ended by itself, and gives the
  // terminal back.
  ~ChildProcess();

  // The end, when there is one; never waits. A worker that was stopped from the terminal goes on:
  // its lease does not stand still.
  [[nodiscard]] std::optional<ProcessEnd> Poll();
  // To the worker and everything it started in its group.
  void Signal(int signal) const;
  // Whether anything of the group is left, after the end of the worker too.
  [[nodiscard]] bool GroupIsAlive() const;

 private:
  ChildProcess(pid_t pid, bool has_terminal);

  pid_t pid_ = 0;
  bool has_terminal_ = false;
  // The process that outlives us just long enough to kill the group, and our end of its pipe.
  pid_t keeper_ = 0;
  int keeper_pipe_ = -1;
  std::optional<ProcessEnd> end_;
};

// What a command that was waited for left.
struct CommandResult {
  ProcessEnd end;
  std::string output;
  std::string errors;
  bool timed_out = false;

  [[nodiscard]] bool ok() const { return !timed_out && !end.by_signal && end.number == 0; }
};

// Output that is kept of each stream; what is beyond it is read and dropped.
inline constexpr std::size_t kCommandOutputMax = 1UL << 20;

// Runs a command in a session of its own (it cannot ask anybody anything) to its end, or kills it
// and its group when `patience` is over. Errors as for ChildProcess::Start.
[[nodiscard]] Result<CommandResult> RunToEnd(const CommandLine& command,
                                             std::chrono::milliseconds patience);

}  // namespace sagalog::tools
