#include "tools/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

// How often the end of a command is looked for whose output stays open behind it.
constexpr std::chrono::milliseconds kEndPollInterval{50};

// Everything the child needs between fork and exec, where nothing may be allocated any more.
struct Launch {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* directory = nullptr;
  int output = -1;  // -1 = ours
  int errors = -1;
  bool own_session = false;  // and no input
  bool take_terminal = false;
  pid_t parent = 0;
  int failure_pipe = -1;
  int keeper_pipe = -1;  // where the command, before it is one, tells of its group
};

std::vector<std::string> Environment(const CommandLine& command) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(command.environment.begin(), command.environment.end(),
                                      [&](const auto& given) { return given.first == name; });
    if (!replaced) {
      entries.emplace_back(text);
    }
  }
  for (const auto& [name, value] : command.environment) {
    if (!value.empty()) {
      entries.push_back(fmt::format("{}={}", name, value));
    }
  }
  return entries;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child: only calls that are safe after a fork of a process with threads.
[[noreturn]] void BecomeCommand(const Launch& launch) {
  const auto fail = [&launch] {
    const int reason = errno;
    static_cast<void>(!write(launch.failure_pipe, &reason, sizeof reason));
    _exit(127);
  };
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above.
  if (getppid() != launch.parent) {
    _exit(127);
  }
  if (launch.own_session) {
    setsid();
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) fail();
  } else {
    setpgid(0, 0);
  }
  if (launch.keeper_pipe >= 0) {
    const pid_t group = getpid();
    static_cast<void>(!write(launch.keeper_pipe, &group, sizeof group));
  }
  if (launch.take_terminal) {
    tcsetpgrp(STDIN_FILENO, getpid());
  }
  if (launch.output >= 0 && dup2(launch.output, STDOUT_FILENO) < 0) fail();
  if (launch.errors >= 0 && dup2(launch.errors, STDERR_FILENO) < 0) fail();
  if (launch.directory != nullptr && chdir(launch.directory) != 0) fail();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(launch.arguments[0], launch.arguments.data(), launch.environment.data());
  fail();
  _exit(127);
}

Status StartFailure(const CommandLine& command, int reason) {
  const Code code = reason == ENOENT ? Code::kNotFound : Code::kIoError;
  return Status(
      code, fmt::format("cannot start '{}': {}", command.arguments.front(), std::strerror(reason)));
}

// The pid of the started command.
Result<pid_t> ForkAndExec(const CommandLine& command, Launch launch) {
  if (command.arguments.empty() || command.arguments.front().empty()) {
    return Status(Code::kNotFound, "no command given");
  }
  // Ends of children are read by waiting for them, whoever started us ignoring them.
  std::signal(SIGCHLD, SIG_DFL);
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = Environment(command);
  launch.arguments = Pointers(arguments);
  launch.environment = Pointers(environment);
  launch.directory = command.directory.empty() ? nullptr : command.directory.c_str();
  launch.parent = getpid();
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0) {
    return StartFailure(command, errno);
  }
  launch.failure_pipe = failure[1];
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeCommand(launch);
  }
  const int fork_error = errno;
  close(failure[1]);
  int reason = pid < 0 ? fork_error : 0;
  if (pid > 0) {
    // Ends at the exec, which closes the other end.
    ssize_t count = 0;
    do {
      count = read(failure[0], &reason, sizeof reason);
    } while (count < 0 && errno == EINTR);
    if (count != sizeof reason) {
      reason = 0;
    }
  }
  close(failure[0]);
  if (reason == 0) {
    return pid;
  }
  if (pid > 0) {
    waitpid(pid, nullptr, 0);
  }
  return StartFailure(command, reason);
}

ProcessEnd EndOf(int status) {
  return WIFSIGNALED(status) ? ProcessEnd{true, WTERMSIG(status)}
                             : ProcessEnd{false, WEXITSTATUS(status)};
}

// Takes or gives the terminal without being stopped for it.
void SetForeground(pid_t group) {
  sigset_t terminal_output;
  sigset_t before;
  sigemptyset(&terminal_output);
  sigaddset(&terminal_output, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &terminal_output, &before);
  tcsetpgrp(STDIN_FILENO, group);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Reads what is there. False at the end of the stream.
bool Drain(int descriptor, std::string& text) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      const std::size_t room = kCommandOutputMax - std::min(kCommandOutputMax, text.size());
      text.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      return count < 0 && errno == EAGAIN;
    }
  }
}

// PR_SET_PDEATHSIG reaches only the worker itself. What the worker starts is reached by a process
// that sees our end of a pipe close without a word. It is there before the worker, which tells it
// of its group before it becomes the command: no moment is without it.
struct Keeper {
  pid_t pid = 0;
  int pipe = -1;
};

[[noreturn]] void BecomeKeeper(int read_end) {
  setsid();
  prctl(PR_SET_NAME, "sagalog-keeper");
  if (read_end != STDIN_FILENO) {
    dup2(read_end, STDIN_FILENO);
  }
  close_range(STDIN_FILENO + 1, ~0U, 0);
  const auto read_all = [](void* into, std::size_t size) {
    ssize_t count = 0;
    do {
      count = read(STDIN_FILENO, into, size);
    } while (count < 0 && errno == EINTR);
    return count == static_cast<ssize_t>(size);
  };
  pid_t group = 0;
  char word = 0;
  if (read_all(&group, sizeof group) && !read_all(&word, 1)) {
    kill(-group, SIGKILL);
  }
  _exit(0);
}

Keeper StartKeeper() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeKeeper(ends[0]);
  }
  close(ends[0]);
  if (pid < 0) {
    close(ends[1]);
    return {};
  }
  return {pid, ends[1]};
}

void EndKeeper(const Keeper& keeper) {
  if (keeper.pid > 0) {
    const char word = 'e';
    static_cast<void>(!write(keeper.pipe, &word, 1));
    close(keeper.pipe);
    waitpid(keeper.pid, nullptr, 0);
  }
}

struct OutputPipe {
  int read_end = -1;
  int write_end = -1;

  OutputPipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) == 0) {
      read_end = ends[0];
      write_end = ends[1];
      fcntl(read_end, F_SETFL, O_NONBLOCK);
    }
  }
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;
  ~OutputPipe() {
    CloseWriteEnd();
    if (read_end >= 0) close(read_end);
  }
  void CloseWriteEnd() {
    if (write_end >= 0) close(write_end);
    write_end = -1;
  }
};

}  // namespace

std::string ProcessEnd::Text() const {
  if (!by_signal) {
    return fmt::format("exited with {}", number);
  }
  const char* name = sigabbrev_np(number);
  return name == nullptr ? fmt::format("was killed by signal {}", number)
                         : fmt::format("was killed by signal {} (SIG{})", number, name);
}

Result<ChildProcess> ChildProcess::Start(const CommandLine& command) {
  Launch launch;
  launch.take_terminal = isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp();
  // The child takes the terminal from the background, which must not stop it.
  sigset_t terminal_output;
  sigset_t before;
  sigemptyset(&terminal_output);
  sigaddset(&terminal_output, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &terminal_output, &before);
  const Keeper keeper = StartKeeper();
  launch.keeper_pipe = keeper.pipe;
  const Result<pid_t> pid = ForkAndExec(command, launch);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!pid.ok()) {
    EndKeeper(keeper);
    if (launch.take_terminal) {
      SetForeground(getpgrp());
    }
    return pid.status();
  }
  ChildProcess child(*pid, launch.take_terminal);
  child.keeper_ = keeper.pid;
  child.keeper_pipe_ = keeper.pipe;
  return child;
}

ChildProcess::ChildProcess(pid_t pid, bool has_terminal) : pid_(pid), has_terminal_(has_terminal) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      has_terminal_(other.has_terminal_),
      keeper_(std::exchange(other.keeper_, 0)),
      keeper_pipe_(std::exchange(other.keeper_pipe_, -1)),
      end_(other.end_) {}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) {
    return;
  }
  if (!end_) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  EndKeeper({keeper_, keeper_pipe_});
  if (has_terminal_) {
    SetForeground(getpgrp());
  }
}

std::optional<ProcessEnd> ChildProcess::Poll() {
  int status = 0;
  while (!end_ && waitpid(pid_, &status, WNOHANG | (has_terminal_ ? WUNTRACED : 0)) == pid_) {
    if (!WIFSTOPPED(status)) {
      end_ = EndOf(status);
    } else if (WSTOPSIG(status) == SIGTSTP) {
      Signal(SIGCONT);
    }
  }
  return end_;
}

void ChildProcess::Signal(int signal) const { kill(-pid_, signal); }

bool ChildProcess::GroupIsAlive() const { return kill(-pid_, 0) == 0; }

Result<CommandResult> RunToEnd(const CommandLine& command, std::chrono::milliseconds patience) {
  OutputPipe output;
  OutputPipe errors;
  Launch launch;
  launch.output = output.write_end;
  launch.errors = errors.write_end;
  launch.own_session = true;
  ASSIGN_OR_RETURN(const pid_t pid, ForkAndExec(command, launch));
  output.CloseWriteEnd();
  errors.CloseWriteEnd();
  CommandResult result;
  std::array<pollfd, 2> streams{pollfd{output.read_end, POLLIN, 0},
                                pollfd{errors.read_end, POLLIN, 0}};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  for (bool ended = false; !ended;) {
    const bool open = streams[0].fd >= 0 || streams[1].fd >= 0;
    poll(streams.data(), streams.size(), open ? static_cast<int>(kEndPollInterval.count()) : 1);
    // The end is looked for first, so that all that was written before it is read after it.
    ended = waitpid(pid, &status, WNOHANG) == pid;
    if (streams[0].fd >= 0 && !Drain(output.read_end, result.output)) streams[0].fd = -1;
    if (streams[1].fd >= 0 && !Drain(errors.read_end, result.errors)) streams[1].fd = -1;
    if (!ended && !result.timed_out && std::chrono::steady_clock::now() >= deadline) {
      result.timed_out = true;
      kill(-pid, SIGKILL);
    }
  }
  result.end = EndOf(status);
  return result;
}

}  // namespace sagalog::tools
