#include "tools/event_action.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "tools/child_process.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"

extern char** environ;

namespace sagalog::tools {
namespace {

// A descriptor from which `text` can be read; -1 when the machine has none.
int DescriptorOf(std::string_view text) {
  const int descriptor = memfd_create("event", MFD_CLOEXEC);
  if (descriptor < 0) {
    return -1;
  }
  while (!text.empty()) {
    const ssize_t size = write(descriptor, text.data(), text.size());
    if (size <= 0) {
      close(descriptor);
      return -1;
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

}  // namespace

void EventAction::Run(const std::string& sequence, std::string_view json) {
  const std::string line = std::string(json) + "\n";
  const int input = DescriptorOf(line);
  if (input < 0) {
    Fail(sequence, std::strerror(errno));
    return;
  }
  FlushOutput();
  setenv("SAGALOG_SEQUENCE", sequence.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : words_) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(input);
  if (error != 0) {
    Fail(sequence, fmt::format("{}: {}", words_.front(), std::strerror(error)));
    return;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const ProcessEnd end{WIFSIGNALED(status),
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
  if (end.by_signal || end.number != 0) {
    Fail(sequence, fmt::format("{} {}", words_.front(), end.Text()));
  }
}

void EventAction::Fail(const std::string& sequence, const std::string& why) {
  ++failures_;
  if (failures_ <= kShownFailuresMax) {
    PrintError(global_, fmt::format("events: at event {}: {}", sequence, why));
  }
  if (failures_ == kShownFailuresMax) {
    PrintError(global_, "events: further failures are counted and not shown");
  }
}

void EventAction::SayHowManyFailed() const {
  if (failures_ > kShownFailuresMax) {
    PrintError(global_, fmt::format("events: the command failed {} times", failures_));
  }
}

}  // namespace sagalog::tools
