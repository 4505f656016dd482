// What would be done about one owed compensation: found out by looking only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schema/status.h"
#include "tools/child_process.h"
#include "tools/compensation_run_border.h"

namespace sagalog::tools {

// A compensation as the store lists it.
struct CompensationTask {
  std::string saga_id;
  std::string id;
  std::string kind;
  std::string target;
  std::map<std::string, std::string> params;
  // Where the saga says its repository is; params["repository"] goes first.
  std::string saga_repository;

  // Empty when there is none of that name.
  [[nodiscard]] std::string Param(const std::string& name) const {
    const auto found = params.find(name);
    return found == params.end() ? "" : found->second;
  }
};

// What this run may do.
struct CompensationPermissions {
  RootBorder border;
  // Throw away what is in no commit, and commits that nothing else leads to.
  bool discard = false;
  // Branches, as names or glob patterns.
  std::vector<std::string> protected_branches;
  std::vector<std::string> close_pr_command;  // empty = not configured
  bool allow_command = false;
};

struct Intention {
  enum class Kind {
    kAct,      // `commands` would undo it
    kGone,     // there is nothing left to undo
    kRefused,  // it must not be done as things are
    kNotOurs,  // of a kind that this run was not told how or not allowed to do
  };
  Kind kind = Kind::kRefused;
  std::string text;  // what and why, for a person and the history
  std::vector<CommandLine> commands;
  // Whether the target can be seen to be gone afterwards.
  bool verifiable = false;
};

// Refused is also what cannot be found out.
[[nodiscard]] Intention IntendFor(const CompensationTask& task,
                                  const CompensationPermissions& permissions);

// The same for the kinds that git does: remove-worktree, delete-branch, delete-remote-branch.
[[nodiscard]] Intention IntendToRemoveWorktree(const CompensationTask& task,
                                               const CompensationPermissions& permissions);
[[nodiscard]] Intention IntendToDeleteBranch(const CompensationTask& task,
                                             const CompensationPermissions& permissions);
[[nodiscard]] Intention IntendToDeleteRemoteBranch(const CompensationTask& task,
                                                   const CompensationPermissions& permissions);

}  // namespace sagalog::tools
