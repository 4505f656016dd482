// sagalog top: one frame as text, lines for programs, and the screen of a terminal.
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
namespace json = boost::json;

constexpr const char* kHome = "\x1b[H";
constexpr const char* kLeave = "\x1b[?25h\x1b[?1049l";

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

// A text with its colours and other orders to the terminal taken out.
std::string Plain(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && std::isalpha(static_cast<unsigned char>(text[i])) == 0) ++i;
    } else if (text[i] != '\r') {
      plain += text[i];
    }
  }
  return plain;
}

// How many columns a line of ASCII and of the bar's blocks, three bytes each, takes.
std::size_t Columns(const std::string& line) {
  std::size_t columns = 0;
  for (const char c : line) {
    columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return columns;
}

// The program on a terminal of its own.
class Terminal {
 public:
  Terminal(const Words& words, unsigned short columns, unsigned short rows) {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    process_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (process_ == 0) {
      std::vector<std::string> all = {"sagalog"};
      all.insert(all.end(), words.begin(), words.end());
      std::vector<char*> arguments;
      for (std::string& word : all) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      setenv("TERM", "xterm", 1);
      execv(kProgram, arguments.data());
      _exit(127);
    }
  }
  ~Terminal() {
    if (process_ != 0) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    close(terminal_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // The newest whole frame that holds `text`, plain; fails when none comes.
  std::string FrameWith(const std::string& text) {
    return FrameThat(
        [&](const std::string& frame) { return frame.find(text) != std::string::npos; }, text);
  }
  std::string FrameOfLines(std::size_t count) {
    return FrameThat([&](const std::string& frame) { return LinesOf(frame).size() == count; },
                     fmt::format("{} lines", count));
  }

  void Type(char key) const { EXPECT_EQ(write(terminal_, &key, 1), 1); }
  void Resize(unsigned short columns, unsigned short rows) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    EXPECT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
  }
  void Signal(int signal) const { kill(process_, signal); }
  // Whether lines are gathered and echoed, as before the program came.
  [[nodiscard]] bool IsCooked() const {
    termios mode{};
    EXPECT_EQ(tcgetattr(terminal_, &mode), 0);
    return (mode.c_lflag & ICANON) != 0 && (mode.c_lflag & ECHO) != 0;
  }
  // The exit code, and all that was written.
  int Wait(std::string& all) {
    while (ReadMore()) {
    }
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
    all = shown_;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  template <typename Wanted>
  std::string FrameThat(const Wanted& wanted, const std::string& what) {
    for (;;) {
      const std::size_t end = shown_.rfind("\x1b[J");
      const std::size_t start = end == std::string::npos ? end : shown_.rfind(kHome, end);
      if (start != std::string::npos) {
        std::string frame = Plain(shown_.substr(start, end - start));
        if (wanted(frame)) {
          return frame;
        }
      }
      if (!ReadMore()) {
        ADD_FAILURE() << "no frame with " << what << " in " << shown_;
        return "";
      }
    }
  }

  bool ReadMore() {
    pollfd wait{terminal_, POLLIN, 0};
    constexpr int kHangMillis = 60'000;  // A hang fails instead of lasting.
    if (poll(&wait, 1, kHangMillis) <= 0) {
      return false;
    }
    std::array<char, 4096> bytes{};
    const ssize_t got = read(terminal_, bytes.data(), bytes.size());
    if (got <= 0) {
      return false;
    }
    shown_.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }

  pid_t process_ = 0;
  int terminal_ = -1;
  std::string shown_;
};

class CliTop : public testing::Test {
 protected:
  // Sagas in several states; two are stale.
  void Fill() {
    directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
    directory_.Run({"queue", "deploy", "--limit", "4"});
    directory_.Run({"plan", "newer", "--queue", "deploy"});
    directory_.Run({"acquire", "newer", "--owner", "worker-1", "--ttl", "30s"});
    AdvanceClock(directory_, "10s");
    directory_.Run({"plan", "older", "--queue", "deploy", "--key", "acme/app#1"});
    directory_.Run({"acquire", "older", "--owner", "worker-2", "--ttl", "5s"});
    directory_.Run({"plan", "T3"});
    AdvanceClock(directory_, "1m");
  }

  Words Top(const Words& more) {
    Words words = {"--data", directory_.data().string(), "top"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  CliDirectory directory_;
};

TEST_F(CliTop, OnceIsOneFrameAsText) {
  Fill();
  const CliResult top = directory_.Run({"top", "--once"}, {{"COLUMNS", "80"}});
  EXPECT_EQ(top.exit_code, 0) << top.error;
  EXPECT_THAT(top.out,
              AllOf(HasSubstr("open"), HasSubstr("planned 1"), HasSubstr("running 2"),
                    HasSubstr("lease_expired 2"), HasSubstr("older"), HasSubstr("worker-1"),
                    HasSubstr("connections "), Not(HasSubstr("\x1b"))));
  for (const std::string& line : LinesOf(top.out)) {
    EXPECT_LE(Columns(line), 80U) << line;
  }
}

TEST_F(CliTop, ShowsADirectoryThatNobodyServes) {
  directory_.Run({"plan", "newer"});
  const CliResult top = directory_.Run({"top", "--once"});
  EXPECT_EQ(top.exit_code, 0) << top.error;
  EXPECT_THAT(top.out, AllOf(HasSubstr("no daemon runs"), HasSubstr("planned 1")));
  EXPECT_EQ(RunCli({"--data", "/nowhere/at/all", "top", "--once"}).exit_code, 3);
}

TEST_F(CliTop, IsALineOfJsonForEachFrame) {
  Fill();
  const std::string command = fmt::format("{} --data {} top --json --interval 100ms --count 600",
                                          kProgram, directory_.data().string());
  FILE* pipe = popen(command.c_str(), "r");
  const auto next = [&]() -> json::object {
    std::string line;
    for (int c = 0; (c = fgetc(pipe)) != EOF && c != '\n';) line += static_cast<char>(c);
    boost::system::error_code error;
    json::value value = json::parse(line, error);
    return value.is_object() ? std::move(value.get_object()) : json::object();
  };
  const json::object first = next();
  EXPECT_EQ(Word(first, "health"), "open");
  EXPECT_EQ(first.at("stale_rows").as_array().size(), 2U);
  EXPECT_FALSE(first.contains("rates"));
  directory_.Run({"plan", "T9"});
  directory_.Run({"complete", "T9", "--token", "1"});
  bool ok = false;
  bool refused = false;
  for (json::object frame = next(); !frame.empty() && !(ok && refused); frame = next()) {
    const json::object& rates = frame.at("rates").as_object();
    ok = ok || rates.at("commands").as_object().contains("ok");
    refused = refused || rates.at("commands").as_object().contains("stale_token");
  }
  EXPECT_TRUE(ok && refused);
  pclose(pipe);
}

TEST_F(CliTop, DrawsOnAScreenAndObeysKeys) {
  Fill();
  Terminal terminal(Top({"--interval", "1h"}), 80, 24);
  std::string frame = terminal.FrameWith("lease_expired 2");
  EXPECT_EQ(LinesOf(frame).size(), 24U);
  EXPECT_THAT(frame, AllOf(HasSubstr("urgent first"), HasSubstr("q quit")));
  EXPECT_FALSE(terminal.IsCooked());
  terminal.Type('s');
  frame = terminal.FrameWith("oldest first");
  EXPECT_LT(frame.find("older"), frame.find("newer"));
  terminal.Type('s');
  terminal.FrameWith("by name");
  terminal.Type('p');
  terminal.FrameWith("PAUSED");
  terminal.Type('p');
  terminal.FrameWith("p pause");
  terminal.Type('q');
  std::string all;
  EXPECT_EQ(terminal.Wait(all), 0);
  EXPECT_THAT(all, EndsWith(kLeave));
}

TEST_F(CliTop, FollowsTheSizeOfItsTerminal) {
  Fill();
  Terminal terminal(Top({"--interval", "1h"}), 200, 50);
  std::string frame = terminal.FrameWith("lease_expired 2");
  EXPECT_EQ(LinesOf(frame).size(), 50U);
  EXPECT_THAT(frame, HasSubstr("acme/app#1"));
  terminal.Resize(40, 12);
  frame = terminal.FrameOfLines(12);
  for (const std::string& line : LinesOf(frame)) {
    EXPECT_LE(Columns(line), 40U) << line;
  }
  terminal.Resize(1, 1);
  terminal.Type('q');
  std::string all;
  EXPECT_EQ(terminal.Wait(all), 0);
}

TEST_F(CliTop, GivesTheTerminalBackWhenASignalEndsIt) {
  Fill();
  const std::vector<std::pair<int, int>> ends = {{SIGTERM, 143}, {SIGHUP, 129}, {SIGINT, 0}};
  for (const auto& [signal, code] : ends) {
    Terminal terminal(Top({"--interval", "1h"}), 80, 24);
    terminal.FrameWith("lease_expired 2");
    terminal.Signal(signal);
    std::string all;
    EXPECT_EQ(terminal.Wait(all), code);
    EXPECT_THAT(all, EndsWith(kLeave));
  }
}

TEST_F(CliTop, GoesOnWhileTheDaemonIsAway) {
  Fill();
  Terminal terminal(Top({"--interval", "100ms"}), 80, 24);
  terminal.FrameWith("connections 1");
  directory_.StopServing();
  terminal.FrameWith("no daemon runs");
  terminal.Type('q');
  std::string all;
  EXPECT_EQ(terminal.Wait(all), 0);
}

TEST_F(CliTop, SaysWhatItNeeds) {
  const CliResult pipe = directory_.Run({"top"});
  EXPECT_EQ(pipe.exit_code, 2);
  EXPECT_THAT(pipe.error, AllOf(HasSubstr("--once"), HasSubstr("--json")));
  EXPECT_EQ(directory_.Run({"top", "--once", "--interval", "1ms"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"top", "--once", "--count", "2"}).exit_code, 2);
}

}  // namespace
}  // namespace sagalog
