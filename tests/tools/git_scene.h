// A git repository with a history, a remote and worktrees, made for one test.
#pragma once

#include <filesystem>
#include <string>

namespace sagalog {

class GitScene {
 public:
  // Makes `folder`/repo on the branch trunk, with `folder`/origin.git as its remote "origin".
  explicit GitScene(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path repository() const { return folder_ / "repo"; }
  [[nodiscard]] std::filesystem::path remote() const { return folder_ / "origin.git"; }

  // What `git -C DIRECTORY ARGUMENTS` prints, without the last line break; expected to succeed. The
  // arguments are taken apart by a shell.
  std::string Git(const std::filesystem::path& directory, const std::string& arguments) const;
  std::string Git(const std::string& arguments) const { return Git(repository(), arguments); }

  // A worktree at `path` on a new branch.
  void AddWorktree(const std::filesystem::path& path, const std::string& branch) const;
  // A commit in a worktree that is nowhere else.
  void Commit(const std::filesystem::path& worktree) const;
  [[nodiscard]] bool HasBranch(const std::string& branch) const;
  [[nodiscard]] bool RemoteHasBranch(const std::string& branch) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace sagalog
