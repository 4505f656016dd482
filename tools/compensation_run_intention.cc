#include "tools/compensation_run_intention.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "tools/command_words.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

Intention Refused(std::string why) {
  return {Intention::Kind::kRefused, std::move(why), {}, false};
}
Intention NotOurs(std::string why) {
  return {Intention::Kind::kNotOurs, std::move(why), {}, false};
}

// What a configured command is told about its compensation.
std::vector<std::pair<std::string, std::string>> TaskEnvironment(const CompensationTask& task) {
  std::vector<std::pair<std::string, std::string>> environment = {{"SAGALOG_SAGA", task.saga_id},
                                                                  {"SAGALOG_COMPENSATION", task.id},
                                                                  {"SAGALOG_TARGET", task.target}};
  for (const auto& [name, value] : task.params) {
    std::string variable = "SAGALOG_PARAM_";
    for (const char c : name) {
      const auto byte = static_cast<unsigned char>(c);
      variable += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    environment.emplace_back(std::move(variable), value);
  }
  return environment;
}

// The folder in which a command starts: the one it names, else its repository, else the root.
Result<fs::path> StartFolder(const CompensationPermissions& permissions,
                             const CompensationTask& task) {
  std::string given = task.Param("directory");
  if (const std::string repository = task.Param("repository");
      given.empty() && repository.starts_with('/')) {
    given = repository;
  }
  if (given.empty()) {
    return permissions.border.root();
  }
  ASSIGN_OR_RETURN(const fs::path folder, permissions.border.Inside(given));
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return Status(Code::kInvalidArgument, fmt::format("there is no folder {}", folder.string()));
  }
  return folder;
}

Intention IntendTo(const CompensationTask& task, std::vector<std::string> words,
                   const fs::path& folder) {
  CommandLine command;
  command.arguments = std::move(words);
  command.environment = TaskEnvironment(task);
  command.directory = folder;
  Intention intention;
  intention.kind = Intention::Kind::kAct;
  intention.text = fmt::format("ran {}", JoinWords(command.arguments));
  intention.commands.push_back(std::move(command));
  return intention;
}

Intention IntendToClosePr(const CompensationTask& task,
                          const CompensationPermissions& permissions) {
  if (permissions.close_pr_command.empty()) {
    return NotOurs("needs --close-pr-command");
  }
  if (task.target.starts_with('-')) {
    return Refused("the target would be an option of the command");
  }
  const auto folder = StartFolder(permissions, task);
  if (!folder.ok()) {
    return Refused(folder.status().text());
  }
  std::vector<std::string> words = permissions.close_pr_command;
  words.push_back(task.target);
  return IntendTo(task, std::move(words), *folder);
}

Intention IntendToRunCommand(const CompensationTask& task,
                             const CompensationPermissions& permissions) {
  if (!permissions.allow_command) {
    return NotOurs("needs --allow-command");
  }
  auto words = SplitWords(task.Param("command"));
  if (!words.ok()) {
    return Refused(fmt::format("params.command: {}", words.status().text()));
  }
  const auto folder = StartFolder(permissions, task);
  if (!folder.ok()) {
    return Refused(folder.status().text());
  }
  return IntendTo(task, *std::move(words), *folder);
}

bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

Intention IntendFor(const CompensationTask& task, const CompensationPermissions& permissions) {
  // Arguments, paths and environments end at a NUL: more would be checked than is used.
  if (HasNul(task.target) ||
      std::any_of(task.params.begin(), task.params.end(),
                  [](const auto& param) { return HasNul(param.first) || HasNul(param.second); })) {
    return Refused("the target or a parameter holds a NUL");
  }
  if (task.kind == "remove-worktree") return IntendToRemoveWorktree(task, permissions);
  if (task.kind == "delete-branch") return IntendToDeleteBranch(task, permissions);
  if (task.kind == "delete-remote-branch") return IntendToDeleteRemoteBranch(task, permissions);
  if (task.kind == "close-pr") return IntendToClosePr(task, permissions);
  if (task.kind == "command") return IntendToRunCommand(task, permissions);
  return NotOurs("is of a kind for somebody else");
}

}  // namespace sagalog::tools
