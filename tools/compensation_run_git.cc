// The kinds of compensation that git does.
#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tools/compensation_run_intention.h"
#include "tools/git.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeads = "refs/heads/";
// Of a commit, in what people read.
constexpr std::size_t kShortCommitSize = 12;

Intention RefusedByGit(std::string why) {
  return {Intention::Kind::kRefused, std::move(why), {}, true};
}
Intention Gone(std::string why) { return {Intention::Kind::kGone, std::move(why), {}, true}; }

Intention ToAct(std::string text, CommandLine command) {
  Intention intention;
  intention.kind = Intention::Kind::kAct;
  intention.text = std::move(text);
  intention.commands.push_back(std::move(command));
  intention.verifiable = true;
  return intention;
}

// Where the task says its repository is; empty when it does not.
std::string RepositoryPath(const CompensationTask& task) {
  std::string path = task.Param("repository");
  // What a saga notes as its repository may as well be a name ("acme/app").
  if (path.empty() && task.saga_repository.starts_with('/')) {
    path = task.saga_repository;
  }
  return path;
}

// The repository at `path`, all of it inside of the border.
Result<GitRepository> RepositoryInside(const RootBorder& border, const std::string& path) {
  if (path.empty()) {
    return Status(Code::kInvalidArgument, "params.repository does not say where the repository is");
  }
  ASSIGN_OR_RETURN(const fs::path place, border.Inside(path));
  ASSIGN_OR_RETURN(GitRepository repository, GitRepository::Open(place));
  ASSIGN_OR_RETURN(const fs::path common, border.Inside(repository.common_directory().string()));
  return repository;
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

bool SamePlace(const fs::path& registered, const fs::path& real) {
  std::error_code error;
  return fs::weakly_canonical(registered, error) == real;
}

bool IsWithin(const fs::path& inner, const fs::path& outer) {
  const auto differs = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return differs.first == outer.end() && inner != outer;
}

std::string Short(const std::string& commit) { return commit.substr(0, kShortCommitSize); }

// Why a worktree that is there must stay; nothing when it may go.
Result<std::optional<std::string>> LossOfWorktree(const GitRepository& repository,
                                                  const fs::path& path) {
  ASSIGN_OR_RETURN(const bool dirty, repository.HasUncommittedChanges(path));
  if (dirty) {
    return std::optional<std::string>("it has uncommitted changes (--discard throws them away)");
  }
  ASSIGN_OR_RETURN(const auto detached, repository.DetachedCommit(path));
  if (detached) {
    ASSIGN_OR_RETURN(const auto lost, repository.CommitsNowhereElse(*detached, ""));
    if (lost.value_or(1) > 0) {
      return std::optional(fmt::format(
          "{} of its commits are on no branch (--discard throws them away)", lost.value_or(1)));
    }
  }
  return std::optional<std::string>();
}

// Why a worktree must stay whatever --discard says.
std::optional<std::string> WorktreeStays(const std::vector<GitWorktree>& worktrees,
                                         const GitWorktree& worktree, const fs::path& path) {
  if (worktree.main) {
    return "it is the main worktree of its repository";
  }
  if (worktree.locked) {
    return fmt::format("it is locked{}{}", worktree.lock_reason.empty() ? "" : ": ",
                       worktree.lock_reason);
  }
  for (const GitWorktree& other : worktrees) {
    std::error_code error;
    if (IsWithin(fs::weakly_canonical(other.path, error), path) && Exists(other.path)) {
      return fmt::format("another worktree is inside of it: {}", other.path.string());
    }
  }
  return std::nullopt;
}

Result<Intention> WorktreeIntention(const CompensationTask& task,
                                    const CompensationPermissions& permissions) {
  const RootBorder& border = permissions.border;
  ASSIGN_OR_RETURN(const fs::path path, border.Inside(task.target));
  if (path == border.root()) {
    return RefusedByGit("it is the root itself");
  }
  std::string repository_path = RepositoryPath(task);
  if (repository_path.empty()) {
    if (!Exists(path)) {
      return Gone(fmt::format("{} was not there", path.string()));
    }
    // A worktree knows its repository.
    repository_path = path.string();
  }
  ASSIGN_OR_RETURN(const GitRepository repository, RepositoryInside(border, repository_path));
  ASSIGN_OR_RETURN(const std::vector<GitWorktree> worktrees, repository.Worktrees());
  const auto found =
      std::find_if(worktrees.begin(), worktrees.end(),
                   [&](const GitWorktree& worktree) { return SamePlace(worktree.path, path); });
  if (found == worktrees.end()) {
    return Exists(path)
               ? RefusedByGit(fmt::format("{} is no worktree of {}, and nothing else is removed",
                                          path.string(), repository.directory().string()))
               : Gone(fmt::format("{} was not there", path.string()));
  }
  if (auto stays = WorktreeStays(worktrees, *found, path)) {
    return RefusedByGit(*std::move(stays));
  }
  const bool there = Exists(path);
  if (there && !permissions.discard) {
    ASSIGN_OR_RETURN(auto loss, LossOfWorktree(repository, path));
    if (loss) {
      return RefusedByGit(*std::move(loss));
    }
  }
  std::vector<std::string> arguments = {"worktree", "remove"};
  if (there && permissions.discard) {
    arguments.emplace_back("--force");
  }
  arguments.insert(arguments.end(), {"--", found->path.string()});
  // Never from inside of what is to be removed.
  return ToAct(there ? fmt::format("removed the worktree {}", path.string())
                     : fmt::format("{} was not there; removed its registration", path.string()),
               GitCommand(repository.common_directory(), std::move(arguments)));
}

std::string BranchName(const std::string& target) {
  return target.starts_with(kHeads) ? target.substr(kHeads.size()) : target;
}

// Why a branch of this name must stay; nothing when it may go.
std::optional<std::string> NameStays(const std::string& branch,
                                     const std::vector<std::string>& defaults,
                                     const CompensationPermissions& permissions) {
  if (std::find(defaults.begin(), defaults.end(), branch) != defaults.end()) {
    return "it is a default branch";
  }
  for (const std::string& pattern : permissions.protected_branches) {
    if (pattern == branch || fnmatch(pattern.c_str(), branch.c_str(), 0) == 0) {
      return fmt::format("it is protected (--protect {})", pattern);
    }
  }
  return std::nullopt;
}

// Why its commits must stay; nothing when something else leads to them.
Result<std::optional<std::string>> LossOfCommits(const GitRepository& repository,
                                                 const std::string& commit,
                                                 const std::string& except) {
  ASSIGN_OR_RETURN(const auto lost, repository.CommitsNowhereElse(commit, except));
  if (!lost) {
    return std::optional(
        fmt::format("its commit {} is not in this repository (--discard deletes "
                    "it nevertheless)",
                    Short(commit)));
  }
  if (*lost > 0) {
    return std::optional(
        fmt::format("{} of its commits are nowhere else (--discard deletes it "
                    "nevertheless)",
                    *lost));
  }
  return std::optional<std::string>();
}

Result<Intention> BranchIntention(const CompensationTask& task,
                                  const CompensationPermissions& permissions) {
  const std::string branch = BranchName(task.target);
  if (!IsBranchName(branch)) {
    return RefusedByGit(fmt::format("\"{}\" is no name of a branch", task.target));
  }
  const std::string ref = std::string(kHeads) + branch;
  ASSIGN_OR_RETURN(const GitRepository repository,
                   RepositoryInside(permissions.border, RepositoryPath(task)));
  ASSIGN_OR_RETURN(const auto commit, repository.CommitOf(ref));
  if (!commit) {
    return Gone(fmt::format("the branch {} was not there", branch));
  }
  ASSIGN_OR_RETURN(const auto defaults, repository.DefaultBranches());
  if (auto stays = NameStays(branch, defaults, permissions)) {
    return RefusedByGit(*std::move(stays));
  }
  ASSIGN_OR_RETURN(const auto worktrees, repository.Worktrees());
  for (const GitWorktree& worktree : worktrees) {
    if (worktree.branch == ref) {
      return RefusedByGit(fmt::format("it is checked out in {}", worktree.path.string()));
    }
  }
  if (!permissions.discard) {
    ASSIGN_OR_RETURN(auto loss, LossOfCommits(repository, *commit, ref));
    if (loss) {
      return RefusedByGit(*std::move(loss));
    }
  }
  // What -d would ask, whether HEAD has its commits, was asked better above.
  return ToAct(fmt::format("deleted the branch {} (was {})", branch, Short(*commit)),
               GitCommand(repository.common_directory(), {"branch", "-D", "--", branch}));
}

Result<Intention> RemoteBranchIntention(const CompensationTask& task,
                                        const CompensationPermissions& permissions) {
  const std::string branch = BranchName(task.target);
  if (!IsBranchName(branch)) {
    return RefusedByGit(fmt::format("\"{}\" is no name of a branch", task.target));
  }
  const std::string remote = task.Param("remote");
  ASSIGN_OR_RETURN(const GitRepository repository,
                   RepositoryInside(permissions.border, RepositoryPath(task)));
  ASSIGN_OR_RETURN(const bool known, repository.HasRemote(remote));
  if (remote.empty() || remote.starts_with('-') || !known) {
    return RefusedByGit(fmt::format("params.remote, \"{}\", is no remote of {}", remote,
                                    repository.directory().string()));
  }
  ASSIGN_OR_RETURN(std::vector<std::string> defaults, repository.DefaultBranches());
  ASSIGN_OR_RETURN(const auto found, repository.AskRemote(remote, branch));
  if (!found.commit) {
    return Gone(fmt::format("the branch {} was not there on {}", branch, remote));
  }
  defaults.push_back(found.default_branch);
  if (auto stays = NameStays(branch, defaults, permissions)) {
    return RefusedByGit(*std::move(stays));
  }
  if (!permissions.discard) {
    ASSIGN_OR_RETURN(auto loss, LossOfCommits(repository, *found.commit,
                                              fmt::format("refs/remotes/{}/{}", remote, branch)));
    if (loss) {
      return RefusedByGit(*std::move(loss));
    }
  }
  return ToAct(
      fmt::format("deleted the branch {} on {} (was {})", branch, remote, Short(*found.commit)),
      GitCommand(repository.directory(),
                 {"push", "--quiet", "--delete", "--", remote, std::string(kHeads) + branch}));
}

Intention OrRefused(Result<Intention> intention) {
  return intention.ok() ? *std::move(intention) : RefusedByGit(intention.status().text());
}

}  // namespace

Intention IntendToRemoveWorktree(const CompensationTask& task,
                                 const CompensationPermissions& permissions) {
  return OrRefused(WorktreeIntention(task, permissions));
}

Intention IntendToDeleteBranch(const CompensationTask& task,
                               const CompensationPermissions& permissions) {
  return OrRefused(BranchIntention(task, permissions));
}

Intention IntendToDeleteRemoteBranch(const CompensationTask& task,
                                     const CompensationPermissions& permissions) {
  return OrRefused(RemoteBranchIntention(task, permissions));
}

}  // namespace sagalog::tools
