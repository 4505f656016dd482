#include "tools/git.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

// A look into a repository, or one question to a remote.
constexpr std::chrono::milliseconds kLookPatience = std::chrono::seconds(30);

// Would have git look at another repository than the one that is named (git rev-parse
// --local-env-vars), or ask somebody.
constexpr std::array<const char*, 18> kForeignEnvironment = {"GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                                             "GIT_CONFIG",
                                                             "GIT_CONFIG_PARAMETERS",
                                                             "GIT_CONFIG_COUNT",
                                                             "GIT_OBJECT_DIRECTORY",
                                                             "GIT_DIR",
                                                             "GIT_WORK_TREE",
                                                             "GIT_IMPLICIT_WORK_TREE",
                                                             "GIT_GRAFT_FILE",
                                                             "GIT_INDEX_FILE",
                                                             "GIT_NO_REPLACE_OBJECTS",
                                                             "GIT_REPLACE_REF_BASE",
                                                             "GIT_PREFIX",
                                                             "GIT_SHALLOW_FILE",
                                                             "GIT_COMMON_DIR",
                                                             "GIT_NAMESPACE",
                                                             "GIT_ASKPASS",
                                                             "SSH_ASKPASS"};

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Status GitFailure(const std::vector<std::string>& arguments, const CommandResult& result) {
  const std::string said = Trimmed(result.errors);
  return Status(Code::kIoError,
                fmt::format("git {} {}{}{}", arguments.empty() ? "" : arguments.front(),
                            result.timed_out ? "took too long" : result.end.Text(),
                            said.empty() ? "" : ": ", said));
}

}  // namespace

CommandLine GitCommand(const fs::path& directory, std::vector<std::string> arguments) {
  CommandLine command;
  command.arguments = {"git", "-C", directory.string()};
  command.arguments.insert(command.arguments.end(), std::make_move_iterator(arguments.begin()),
                           std::make_move_iterator(arguments.end()));
  for (const char* name : kForeignEnvironment) {
    command.environment.emplace_back(name, "");
  }
  command.environment.emplace_back("GIT_TERMINAL_PROMPT", "0");
  command.environment.emplace_back("SSH_ASKPASS_REQUIRE", "never");
  // What git says is read by this program and kept in histories.
  command.environment.emplace_back("LC_ALL", "C");
  return command;
}

Result<GitRepository> GitRepository::Open(const fs::path& directory) {
  std::error_code error;
  const fs::path real = fs::canonical(directory, error);
  if (error || !fs::is_directory(real, error)) {
    return Status(Code::kNotFound, fmt::format("there is no folder {}", directory.string()));
  }
  GitRepository repository(real, {});
  auto found = repository.Run({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!found.ok()) {
    return Status(Code::kNotFound, fmt::format("{} is in no git repository ({})", real.string(),
                                               found.status().text()));
  }
  repository.common_ = fs::canonical(Trimmed(found->output), error);
  if (error) {
    return Status(Code::kNotFound,
                  fmt::format("{} names a git folder that is not there", real.string()));
  }
  return repository;
}

Result<CommandResult> GitRepository::Run(std::vector<std::string> arguments,
                                         std::vector<int> expected) const {
  CommandLine command = GitCommand(directory_, arguments);
  // Looking must not write: git status would refresh the index.
  command.environment.emplace_back("GIT_OPTIONAL_LOCKS", "0");
  ASSIGN_OR_RETURN(CommandResult result, RunToEnd(command, kLookPatience));
  const bool as_expected =
      !result.timed_out && !result.end.by_signal &&
      std::find(expected.begin(), expected.end(), result.end.number) != expected.end();
  if (!as_expected) {
    return GitFailure(arguments, result);
  }
  return result;
}

Result<std::vector<GitWorktree>> GitRepository::Worktrees() const {
  ASSIGN_OR_RETURN(const CommandResult listed, Run({"worktree", "list", "--porcelain", "-z"}));
  std::vector<GitWorktree> worktrees;
  for (const std::string& line : Split(listed.output, '\0')) {
    const std::size_t blank = line.find(' ');
    const std::string_view word = std::string_view(line).substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (word == "worktree") {
      worktrees.push_back({});
      worktrees.back().path = rest;
      worktrees.back().main = worktrees.size() == 1;
    } else if (worktrees.empty()) {
      continue;
    } else if (word == "branch") {
      worktrees.back().branch = rest;
    } else if (word == "locked") {
      worktrees.back().locked = true;
      worktrees.back().lock_reason = rest;
    }
  }
  return worktrees;
}

Result<bool> GitRepository::HasUncommittedChanges(const fs::path& path) const {
  ASSIGN_OR_RETURN(const CommandResult changes,
                   Run({"-C", path.string(), "status", "--porcelain", "-z",
                        "--untracked-files=normal", "--ignore-submodules=none"}));
  return !changes.output.empty();
}

Result<std::optional<std::string>> GitRepository::DetachedCommit(const fs::path& path) const {
  ASSIGN_OR_RETURN(const CommandResult branch,
                   Run({"-C", path.string(), "symbolic-ref", "--quiet", "HEAD"}, {0, 1}));
  if (branch.end.number == 0) {
    return std::optional<std::string>();
  }
  ASSIGN_OR_RETURN(const CommandResult commit,
                   Run({"-C", path.string(), "rev-parse", "--verify", "--quiet", "HEAD"}));
  return std::optional(Trimmed(commit.output));
}

Result<std::optional<std::string>> GitRepository::CommitOf(const std::string& ref) const {
  ASSIGN_OR_RETURN(const CommandResult there,
                   Run({"show-ref", "--verify", "--quiet", "--", ref}, {0, 1}));
  if (there.end.number == 1) {
    return std::optional<std::string>();
  }
  ASSIGN_OR_RETURN(const CommandResult commit, Run({"show-ref", "--verify", "--hash", "--", ref}));
  return std::optional(Trimmed(commit.output));
}

Result<std::optional<std::uint64_t>> GitRepository::CommitsNowhereElse(
    const std::string& commit, const std::string& except) const {
  ASSIGN_OR_RETURN(const CommandResult here,
                   Run({"cat-file", "-e", commit + "^{commit}"}, {0, 1, 128}));
  if (here.end.number != 0) {
    return std::optional<std::uint64_t>();
  }
  // "@" and HEAD are no ref of their own here: what only a detached HEAD leads to is easily lost.
  std::vector<std::string> arguments = {"rev-list", "--count", commit, "--not"};
  if (!except.empty()) {
    arguments.push_back("--exclude=" + except);
  }
  arguments.push_back("--glob=refs/*");
  ASSIGN_OR_RETURN(const CommandResult counted, Run(std::move(arguments)));
  const std::string text = Trimmed(counted.output);
  std::uint64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return Status(Code::kIoError, "git rev-list gave no number: " + text);
  }
  return std::optional(count);
}

Result<std::vector<std::string>> GitRepository::DefaultBranches() const {
  std::vector<std::string> names = {"main", "master"};
  constexpr std::string_view kHeads = "refs/heads/";
  ASSIGN_OR_RETURN(const CommandResult head,
                   Run({"--git-dir", common_.string(), "symbolic-ref", "--quiet", "HEAD"}, {0, 1}));
  if (const std::string ref = Trimmed(head.output); ref.starts_with(kHeads)) {
    names.push_back(ref.substr(kHeads.size()));
  }
  ASSIGN_OR_RETURN(const CommandResult configured,
                   Run({"config", "--get", "init.defaultBranch"}, {0, 1}));
  if (std::string name = Trimmed(configured.output); !name.empty()) {
    names.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(const CommandResult remote_heads,
                   Run({"for-each-ref", "--format=%(refname) %(symref)", "refs/remotes/"}));
  for (const std::string& line : Split(remote_heads.output, '\n')) {
    // "refs/remotes/origin/HEAD refs/remotes/origin/trunk"
    const std::size_t blank = line.find(' ');
    const std::string ref = line.substr(0, blank);
    const std::string to = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (!ref.ends_with("/HEAD")) {
      continue;
    }
    const std::string prefix = ref.substr(0, ref.size() - std::string_view("HEAD").size());
    if (to.starts_with(prefix)) {
      names.push_back(to.substr(prefix.size()));
    }
  }
  return names;
}

Result<bool> GitRepository::HasRemote(const std::string& remote) const {
  ASSIGN_OR_RETURN(const CommandResult remotes, Run({"remote"}));
  const auto names = Split(remotes.output, '\n');
  return std::find(names.begin(), names.end(), remote) != names.end();
}

Result<GitRepository::RemoteBranch> GitRepository::AskRemote(const std::string& remote,
                                                             const std::string& branch) const {
  const std::string ref = "refs/heads/" + branch;
  ASSIGN_OR_RETURN(const CommandResult answer,
                   Run({"ls-remote", "--symref", "--", remote, "HEAD", ref}));
  RemoteBranch found;
  constexpr std::string_view kHeadIs = "ref: refs/heads/";
  for (const std::string& line : Split(answer.output, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) {
      continue;
    }
    const std::string what = line.substr(0, tab);
    const std::string name = line.substr(tab + 1);
    if (name == "HEAD" && what.starts_with(kHeadIs)) {
      found.default_branch = what.substr(kHeadIs.size());
    } else if (name == ref) {
      found.commit = what;
    }
  }
  return found;
}

bool IsBranchName(const std::string& name) {
  if (name.empty() || name.front() == '-') {
    return false;
  }
  const auto checked =
      RunToEnd(GitCommand("/", {"check-ref-format", "refs/heads/" + name}), kLookPatience);
  return checked.ok() && checked->ok() && name != "HEAD";
}

}  // namespace sagalog::tools
