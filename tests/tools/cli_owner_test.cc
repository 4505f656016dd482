// Files of another user in a data directory: who may open it, and what is said of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

// Gives the whole directory away: to the service's user, as if that had made it. Only root can.
void GiveToNobody(const CliDirectory& directory) {
  ASSERT_EQ(chmod(directory.root().c_str(), 0755), 0);
  ASSERT_EQ(lchown(directory.data().c_str(), kNobody, kNobody), 0);
  for (const auto& entry : fs::recursive_directory_iterator(directory.data())) {
    ASSERT_EQ(lchown(entry.path().c_str(), kNobody, kNobody), 0);
  }
}

// As the service's user; as the present one where that is not root's to choose.
CliResult RunAsNobody(const CliDirectory& directory, Words words) {
  words.insert(words.begin(), {"sagalog", "--data", directory.data().string()});
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const fs::path errors = directory.root() / "errors";
  const int file = open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const pid_t process = fork();
  if (process == 0) {
    dup2(file, STDERR_FILENO);
    dup2(file, STDOUT_FILENO);
    if (geteuid() == 0 && setuid(kNobody) != 0) {
      _exit(126);
    }
    execv(kProgram, arguments.data());
    _exit(127);
  }
  close(file);
  CliResult result;
  int status = 0;
  EXPECT_EQ(waitpid(process, &status, 0), process);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::ostringstream text;
  text << std::ifstream(errors).rdbuf();
  result.error = text.str();
  return result;
}

TEST(CliOwner, WhatMayNotBeOpenedIsNotWaitedFor) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  if (geteuid() == 0) {
    GiveToNobody(directory);
  }
  // Closed to everybody but root, who is not asked here. The folder too: projections that cannot
  // be read, but be replaced, are made anew.
  for (const std::string part : {"projections", "log"}) {
    const fs::path folder = directory.data() / part;
    const fs::path lock = folder / "LOCK";
    ASSERT_EQ(chmod(lock.c_str(), 0), 0);
    ASSERT_EQ(chmod(folder.c_str(), 0555), 0);
    for (const Words& words : {Words{"serve"}, Words{"plan", "T2"}}) {
      const CliResult refused = RunAsNobody(directory, words);
      EXPECT_EQ(refused.exit_code, 3) << refused.error;
      EXPECT_THAT(refused.error,
                  AllOf(HasSubstr(lock.string() + ": Permission denied"),
                        HasSubstr("(sagalog doctor explains)"), Not(HasSubstr("many processes")),
                        Not(HasSubstr("waiting"))));
    }
    ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
    ASSERT_EQ(chmod(lock.c_str(), 0600), 0);
  }
}

TEST(CliOwner, DoctorNamesTheFilesOfAnotherUser) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  EXPECT_THAT(directory.Run({"doctor"}).out, HasSubstr("ok      owner: "));
  if (geteuid() != 0) {
    return;  // Only root can make a file somebody else's.
  }
  GiveToNobody(directory);
  const fs::path lock = directory.data() / "projections" / "LOCK";
  ASSERT_EQ(chown(lock.c_str(), 0, 0), 0);
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("broken  owner: " + lock.string() +
                                          " belongs to the "
                                          "user root, and the store to nobody"),
                                HasSubstr("next: as root: chown -R nobody ")));
}

TEST(CliOwner, RootLeavesNothingInTheDirectoryOfAnother) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  if (geteuid() != 0) {
    return;  // Others may not write there anyway.
  }
  GiveToNobody(directory);
  for (const Words& words : {Words{"plan", "T2"}, Words{"rebuild"}, Words{"serve"}}) {
    const CliResult refused = directory.Run(words);
    EXPECT_EQ(refused.exit_code, 3) << words.front();
    EXPECT_THAT(refused.error, AllOf(HasSubstr("belongs to the user nobody"),
                                     HasSubstr("sudo -u nobody sagalog")));
  }
  EXPECT_THAT(directory.Run({"doctor"}).out, HasSubstr("ok      owner: "));
  // Reading leaves nothing.
  EXPECT_EQ(directory.Run({"show", "T1"}).exit_code, 0);
  EXPECT_EQ(RunAsNobody(directory, {"plan", "T2"}).exit_code, 0);
}

}  // namespace
}  // namespace sagalog
