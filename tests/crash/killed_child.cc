#include "tests/crash/killed_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

constexpr const char* kVariable = "SAGALOG_TEST_CHILD";

[[noreturn]] void BecomeChild(const std::string& task) {
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string filter =
      std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  const char* const arguments[] = {"child", filter.c_str(), "--gtest_brief=1", nullptr};
  ::setenv(kVariable, task.c_str(), 1);
  ::execv("/proc/self/exe", const_cast<char* const*>(arguments));
  ::_exit(127);
}

}  // namespace

std::optional<ChildTask> TaskOfThisChild() {
  const char* const text = std::getenv(kVariable);
  if (text == nullptr) {
    return std::nullopt;
  }
  ChildTask task;
  std::istringstream words(text);
  words >> task.told_fd >> task.round >> task.directory;
  return task;
}

void EndChild(int code, const std::string& why) {
  static_cast<void>(!::write(STDERR_FILENO, why.data(), why.size()));
  ::_exit(code);
}

void RunAndKill(const std::string& round, const std::filesystem::path& directory,
                const std::function<bool(int fd, pid_t child)>& read) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
  std::ostringstream task;
  task << ends[1] << ' ' << round << ' ' << directory;
  const pid_t child = ::fork();
  if (child == 0) {
    BecomeChild(task.str());
  }
  ::close(ends[1]);
  while (read(ends[0], child)) {
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "it ended by itself with " << WEXITSTATUS(status);
}

}  // namespace sagalog
