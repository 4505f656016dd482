#include "tests/tools/background_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include <gtest/gtest.h>

#include "reactor/http_client.h"
#include "tests/generated/places.h"

namespace sagalog {
namespace {

int PatienceMillis() { return static_cast<int>(std::chrono::milliseconds(kHangPatience).count()); }

// One line without its end; empty at the end of the stream or when nothing comes.
std::string ReadLineFrom(int descriptor) {
  std::string line;
  char c = 0;
  for (;;) {
    pollfd source{descriptor, POLLIN, 0};
    if (poll(&source, 1, PatienceMillis()) <= 0) {
      ADD_FAILURE() << "nothing was said behind: " << line;
      return line;
    }
    if (read(descriptor, &c, 1) != 1 || c == '\n') {
      return line;
    }
    line += c;
  }
}

bool HasEnded(int pid_descriptor, int patience_millis) {
  pollfd source{pid_descriptor, POLLIN, 0};
  return poll(&source, 1, patience_millis) == 1;
}

}  // namespace

BackgroundRun::BackgroundRun(const CliDirectory& directory, const Words& flags,
                             const Words& command) {
  Words words = {"sagalog", "--data", directory.data().string(), "run"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  std::array<int, 2> output{};
  std::array<int, 2> errors{};
  EXPECT_EQ(pipe2(output.data(), O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(errors.data(), O_CLOEXEC), 0);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(output[1], STDOUT_FILENO);
    dup2(errors[1], STDERR_FILENO);
    execv(kProgram, arguments.data());
    _exit(127);
  }
  close(output[1]);
  close(errors[1]);
  output_ = output[0];
  errors_ = errors[0];
}

BackgroundRun::~BackgroundRun() {
  if (pid_ != 0) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
  close(errors_);
}

void BackgroundRun::Signal(int signal) const { kill(pid_, signal); }

std::string BackgroundRun::ReadLine() { return ReadLineFrom(output_); }

std::string BackgroundRun::ReadErrorsUntil(const std::string& part) {
  std::string text;
  for (;;) {
    const std::string line = ReadLineFrom(errors_);
    text += line + "\n";
    if (line.empty() || line.find(part) != std::string::npos) {
      return text;
    }
  }
}

int BackgroundRun::Wait() {
  AwaitEnd(pid_);
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string BackgroundRun::ReadErrors() {
  std::string text;
  for (std::string line = ReadLineFrom(errors_); !line.empty(); line = ReadLineFrom(errors_)) {
    text += line + "\n";
  }
  return text;
}

void AwaitEnd(pid_t pid) {
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) {
    return;  // it has ended, and was waited for
  }
  EXPECT_TRUE(HasEnded(descriptor, PatienceMillis())) << "process " << pid << " goes on";
  close(descriptor);
}

void AdvanceClock(const CliDirectory& directory, const std::string& by) {
  const auto client = HttpClient::Connect(directory.data() / "socket");
  ASSERT_TRUE(client.ok()) << client.status().text();
  ApiRequest request;
  request.method = "POST";
  request.target = "/v1/clock:advance";
  request.body = "{\"by\":\"" + by + "\"}";
  const auto response = (*client)->Send(request);
  ASSERT_TRUE(response.ok()) << response.status().text();
  EXPECT_EQ(response->status, 200) << response->body;
}

}  // namespace sagalog
