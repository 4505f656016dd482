#include "tests/tools/git_scene.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

namespace fs = std::filesystem;

// Neither the settings of who runs the tests nor a repository around them have a part in this.
constexpr const char* kGit =
    "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE GIT_CONFIG_GLOBAL=/dev/null "
    "GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=w GIT_AUTHOR_EMAIL=w@example.com "
    "GIT_COMMITTER_NAME=w GIT_COMMITTER_EMAIL=w@example.com git ";

std::pair<int, std::string> Shell(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  if (!output.empty() && output.back() == '\n') {
    output.pop_back();
  }
  return {status, output};
}

}  // namespace

GitScene::GitScene(const fs::path& folder) : folder_(folder) {
  fs::create_directories(folder_);
  EXPECT_EQ(Shell(kGit + ("init -q -b trunk " + repository().string())).first, 0);
  EXPECT_EQ(Shell(kGit + ("init -q --bare -b trunk " + remote().string())).first, 0);
  std::ofstream(repository() / "prices.txt") << "apple 3\n";
  Git("add prices.txt");
  Git("commit -q -m 'sell apples'");
  Git("remote add origin " + remote().string());
  Git("push -q origin trunk");
}

std::string GitScene::Git(const fs::path& directory, const std::string& arguments) const {
  const auto [status, output] = Shell(kGit + ("-C " + directory.string() + " " + arguments));
  EXPECT_EQ(status, 0) << arguments << output;
  return output;
}

void GitScene::AddWorktree(const fs::path& path, const std::string& branch) const {
  Git("worktree add -q -b " + branch + " " + path.string() + " trunk");
}

void GitScene::Commit(const fs::path& worktree) const {
  Git(worktree, "commit -q --allow-empty -m work");
}

bool GitScene::HasBranch(const std::string& branch) const {
  return !Git("branch --list " + branch).empty();
}

bool GitScene::RemoteHasBranch(const std::string& branch) const {
  return !Git(remote(), "branch --list " + branch).empty();
}

}  // namespace sagalog
