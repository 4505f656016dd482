#include "tests/tools/terminal_run.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <chrono>
#include <csignal>
#include <vector>

#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/background_run.h"

namespace sagalog {
namespace {

// What a screen begins and ends with.
constexpr std::string_view kBegin = "\x1B[2J";
constexpr std::string_view kEnd = "\x1B[?2026l";

}  // namespace

TerminalRun::TerminalRun(const CliDirectory& directory, Words words, unsigned short columns,
                         unsigned short rows) {
  words.insert(words.begin(), {"sagalog", "--data", directory.data().string()});
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  std::string term = "TERM=xterm";
  std::string color = "NO_COLOR=1";
  const std::array<char*, 3> environment = {term.data(), color.data(), nullptr};
  winsize size{};
  size.ws_col = columns;
  size.ws_row = rows;
  EXPECT_EQ(openpty(&terminal_, &program_side_, nullptr, nullptr, &size), 0);
  fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  pid_ = fork();
  if (pid_ == 0) {
    if (login_tty(program_side_) != 0) _exit(126);
    execve(kProgram, arguments.data(), environment.data());
    _exit(127);
  }
}

TerminalRun::~TerminalRun() {
  if (exit_code_ < 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
  close(program_side_);
}

void TerminalRun::Press(const std::string& keys) const {
  EXPECT_EQ(write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void TerminalRun::Signal(int signal) const { EXPECT_EQ(kill(pid_, signal), 0); }

bool TerminalRun::ReadMore() {
  pollfd source{terminal_, POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kHangPatience).count();
  if (poll(&source, 1, static_cast<int>(patience)) != 1) {
    ADD_FAILURE() << "nothing more is written behind: " << written_;
    return false;
  }
  std::array<char, 4096> bytes{};
  const ssize_t got = read(terminal_, bytes.data(), bytes.size());
  if (got <= 0) {
    return false;
  }
  written_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string TerminalRun::ScreenWith(const std::string& part) {
  while (true) {
    const std::size_t end = written_.rfind(kEnd);
    const std::size_t begin = end == std::string::npos ? end : written_.rfind(kBegin, end);
    const std::string screen =
        begin == std::string::npos ? "" : written_.substr(begin, end - begin);
    if (screen.find(part) != std::string::npos) {
      return screen;
    }
    if (!ReadMore()) {
      ADD_FAILURE() << "no screen with " << part << " but: " << screen;
      return screen;
    }
  }
}

std::string TerminalRun::ReadToTheEnd() {
  int status = 0;
  // The terminal stays open on our side: so the end is that of the process.
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    pollfd source{terminal_, POLLIN, 0};
    if (poll(&source, 1, 10) == 1 && !ReadMore()) {
      break;
    }
  }
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  for (pollfd source{terminal_, POLLIN, 0}; poll(&source, 1, 0) == 1 && ReadMore();) {
  }
  return written_;
}

bool TerminalRun::IsAsItWas() const {
  termios state{};
  EXPECT_EQ(tcgetattr(program_side_, &state), 0);
  return (state.c_lflag & ICANON) != 0 && (state.c_lflag & ECHO) != 0;
}

}  // namespace sagalog
