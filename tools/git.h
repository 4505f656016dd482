// What is asked of git: always the program, with arguments only, never a shell.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "schema/status.h"
#include "tools/child_process.h"

namespace sagalog::tools {

struct GitWorktree {
  std::filesystem::path path;
  std::string branch;  // full name; empty = detached or bare
  bool main = false;   // the repository's own
  bool locked = false;
  std::string lock_reason;
};

// `git -C DIRECTORY ARGUMENTS…`, which asks nobody for a password and takes no repository from our
// environment.
[[nodiscard]] CommandLine GitCommand(const std::filesystem::path& directory,
                                     std::vector<std::string> arguments);

// Looks into one repository. What is looked up fails with kNotFound when `directory` is in no
// repository, and with kIoError, in git's words, when git cannot say.
class GitRepository {
 public:
  // `directory`: the repository, or any folder in one of its worktrees. Links are resolved.
  [[nodiscard]] static Result<GitRepository> Open(const std::filesystem::path& directory);

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  // Where refs and objects are: all worktrees share it.
  [[nodiscard]] const std::filesystem::path& common_directory() const { return common_; }

  [[nodiscard]] Result<std::vector<GitWorktree>> Worktrees() const;
  // Whether anything in the worktree at `path` is in no commit; files that are ignored do not
  // count.
  [[nodiscard]] Result<bool> HasUncommittedChanges(const std::filesystem::path& path) const;
  // The commit of the worktree at `path` when it is on no branch.
  [[nodiscard]] Result<std::optional<std::string>> DetachedCommit(
      const std::filesystem::path& path) const;

  // The commit a ref points to; none when there is no such ref.
  [[nodiscard]] Result<std::optional<std::string>> CommitOf(const std::string& ref) const;
  // How many commits of `commit` no ref but `except` leads to: what is lost with that ref. `except`
  // is a full name, or empty. None when the commit is not here.
  [[nodiscard]] Result<std::optional<std::uint64_t>> CommitsNowhereElse(
      const std::string& commit, const std::string& except) const;
  // Names of branches that stand for the whole: HEAD of the repository and of its remotes,
  // init.defaultBranch, main and master.
  [[nodiscard]] Result<std::vector<std::string>> DefaultBranches() const;

  [[nodiscard]] Result<bool> HasRemote(const std::string& remote) const;
  // A branch as the remote itself has it now, and the branch its HEAD names (empty: none).
  struct RemoteBranch {
    std::optional<std::string> commit;
    std::string default_branch;
  };
  [[nodiscard]] Result<RemoteBranch> AskRemote(const std::string& remote,
                                               const std::string& branch) const;

 private:
  GitRepository(std::filesystem::path directory, std::filesystem::path common)
      : directory_(std::move(directory)), common_(std::move(common)) {}
  // Output of git, whose exit code is one of `expected`.
  [[nodiscard]] Result<CommandResult> Run(std::vector<std::string> arguments,
                                          std::vector<int> expected = {0}) const;

  std::filesystem::path directory_;
  std::filesystem::path common_;
};

// Whether git takes `name` for a branch, written out in full ("@{-1}" and "-f" are none).
[[nodiscard]] bool IsBranchName(const std::string& name);

}  // namespace sagalog::tools
