// The program in a terminal of its own, and somebody who presses keys.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/tools/cli_directory.h"

namespace sagalog {

// Killed with the object, when it has not ended.
class TerminalRun {
 public:
  // With --data of the directory.
  TerminalRun(const CliDirectory& directory, Words words, unsigned short columns = 100,
              unsigned short rows = 40);
  ~TerminalRun();
  TerminalRun(const TerminalRun&) = delete;
  TerminalRun& operator=(const TerminalRun&) = delete;

  void Press(const std::string& keys) const;
  void Signal(int signal) const;
  // Waits until the screen, as it was last drawn to its end, holds `part`; all that was on it then.
  // A hang fails.
  std::string ScreenWith(const std::string& part);
  // What was written in all, once it has ended; `exit_code` says how.
  std::string ReadToTheEnd();
  [[nodiscard]] int exit_code() const { return exit_code_; }
  // Whether the terminal shows what is typed again, a line at a time.
  [[nodiscard]] bool IsAsItWas() const;

 private:
  // False at the end.
  bool ReadMore();

  pid_t pid_ = 0;
  int terminal_ = -1;
  // Our own side of the other end, so that its state can be looked at afterwards.
  int program_side_ = -1;
  std::string written_;
  int exit_code_ = -1;
};

}  // namespace sagalog
