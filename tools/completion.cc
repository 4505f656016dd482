#include "tools/completion.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

// Choices stand at the end of the help of a flag that takes a WORD: "How it went: done, failed".
std::vector<std::string> ChoicesIn(const CLI::Option& option) {
  std::vector<std::string> choices;
  const std::string help = option.get_description();
  const std::size_t colon = help.rfind(": ");
  if (option.get_type_name() != "WORD" || colon == std::string::npos) {
    return choices;
  }
  std::string_view list = std::string_view(help).substr(colon + 2);
  list = list.substr(0, list.find(" ("));
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    choices.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return choices;
}

// Nothing of an option that is only an argument by position.
void AddFlags(const CLI::App& app, std::vector<CompletionFlag>& flags) {
  for (const CLI::Option* option : app.get_options({})) {
    CompletionFlag flag;
    for (const std::string& name : option->get_lnames()) {
      flag.names.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      flag.names.push_back("-" + name);
    }
    if (flag.names.empty()) {
      continue;
    }
    flag.help = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    flag.choices = ChoicesIn(*option);
    const std::string type = option->get_type_name();
    flag.path = flag.takes_value && (type == "DIR" || type == "FILE");
    flags.push_back(std::move(flag));
  }
}

void Collect(const CLI::App& program, const CLI::App& app, const std::string& name,
             std::vector<CompletionCommand>& commands) {
  CompletionCommand command;
  command.name = name;
  command.help = app.get_description();
  AddFlags(app, command.flags);
  if (&app != &program) {
    // Its own help stands for that of the program, as when the line is read.
    std::vector<CompletionFlag> general;
    AddFlags(program, general);
    for (CompletionFlag& flag : general) {
      if (flag.names.front() != "--help") {
        command.flags.push_back(std::move(flag));
      }
    }
  }
  const std::vector<const CLI::App*> inner = app.get_subcommands({});
  for (const CLI::App* next : inner) {
    command.commands.push_back(next->get_name());
  }
  commands.push_back(std::move(command));
  for (const CLI::App* next : inner) {
    Collect(program, *next, fmt::format("{}{}{}", name, name.empty() ? "" : " ", next->get_name()),
            commands);
  }
}

std::vector<std::string> NamesOf(const std::vector<CompletionFlag>& flags) {
  std::vector<std::string> names;
  for (const CompletionFlag& flag : flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

// In single quotes, for every shell here.
std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

// The branches of a `case`: 'compensation ls') echo 'words' ;;
std::string Branch(std::string_view key, const std::vector<std::string>& words) {
  return fmt::format("    {}) echo {} ;;\n", ShellQuoted(key),
                     ShellQuoted(fmt::format("{}", fmt::join(words, " "))));
}

// What bash and zsh ask: tables of the commands and flags behind a command, and of what follows a
// flag: "@" a value of any kind, "/" a path, else the choices.
std::string Tables(const std::vector<CompletionCommand>& commands) {
  std::string inner;
  std::string flags;
  std::string values;
  for (const CompletionCommand& command : commands) {
    if (!command.commands.empty()) {
      inner += Branch(command.name, command.commands);
    }
    flags += Branch(command.name, NamesOf(command.flags));
    for (const CompletionFlag& flag : command.flags) {
      if (!flag.takes_value) {
        continue;
      }
      const std::vector<std::string> any = {flag.path ? "/" : "@"};
      for (const std::string& name : flag.names) {
        values += Branch(fmt::format("{} {}", command.name, name),
                         flag.choices.empty() ? any : flag.choices);
      }
    }
  }
  constexpr const char* kTable = "{}() {{\n  case \"$1\" in\n{}  esac\n}}\n";
  return fmt::format(kTable, "_sagalog_commands", inner) +
         fmt::format(kTable, "_sagalog_flags", flags) +
         fmt::format(kTable, "_sagalog_values", values);
}

// Reads the words before the cursor. A value that is told by "--flag=" is three words to bash.
constexpr const char* kBashBody = R"SH(_sagalog() {
  local word=${COMP_WORDS[COMP_CWORD]} command='' values='' part index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    part=${COMP_WORDS[index]}
    if [[ -n $values ]]; then
      [[ $part == '=' ]] || values=''
      continue
    fi
    case $part in
      --) compopt -o default 2>/dev/null; return ;;
      -*) values=$(_sagalog_values "$command $part") ;;
      *)
        if [[ " $(_sagalog_commands "$command") " == *" $part "* ]]; then
          command=${command:+$command }$part
        fi
        ;;
    esac
  done
  [[ -n $values && $word == '=' ]] && word=''
  if [[ $values == / ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  elif [[ -n $values && $values != @ ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [[ -z $values && $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_sagalog_flags "$command")" -- "$word")
  elif [[ -z $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_sagalog_commands "$command")" -- "$word")
  fi
}
complete -F _sagalog sagalog
)SH";

constexpr const char* kZshBody = R"SH(_sagalog() {
  local command='' values='' part index
  for ((index = 2; index < CURRENT; index++)); do
    part=${words[index]}
    if [[ -n $values ]]; then
      values=''
      continue
    fi
    case $part in
      --) _normal; return ;;
      -*) values=$(_sagalog_values "$command $part") ;;
      *)
        if [[ " $(_sagalog_commands "$command") " == *" $part "* ]]; then
          command=${command:+$command }$part
        fi
        ;;
    esac
  done
  if [[ $values == / ]]; then
    _files
  elif [[ -n $values ]]; then
    [[ $values == @ ]] || compadd -- ${=values}
  elif [[ ${words[CURRENT]} == -* ]]; then
    compadd -- ${=$(_sagalog_flags "$command")}
  else
    compadd -- ${=$(_sagalog_commands "$command")}
  fi
}
if [[ ${funcstack[1]} == _sagalog ]]; then
  _sagalog "$@"
else
  compdef _sagalog sagalog
fi
)SH";

// $__sagalog_known are all commands, $__sagalog_valued the flags that a value follows.
constexpr const char* kFishBody = R"SH(function __sagalog_at
  set -l command ''
  set -l value 0
  for part in (commandline -opc)[2..-1]
    if test $value = 1
      set value 0
    else if string match -q -- '-*' $part
      contains -- "$command $part" $__sagalog_valued; and set value 1
    else if contains -- (string trim -- "$command $part") $__sagalog_known
      set command (string trim -- "$command $part")
    end
  end
  test "$command" = "$argv[1]"
end
complete -c sagalog -f
)SH";

std::string FishFlag(const std::string& condition, const CompletionFlag& flag) {
  std::string line = fmt::format("complete -c sagalog -n {}", condition);
  for (const std::string& name : flag.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (flag.path) {
    line += " -r -F";
  } else if (flag.takes_value) {
    line += " -x";
  }
  if (!flag.choices.empty()) {
    line += " -a " + ShellQuoted(fmt::format("{}", fmt::join(flag.choices, " ")));
  }
  return line + " -d " + ShellQuoted(flag.help) + "\n";
}

}  // namespace

std::vector<CompletionCommand> CompletionsOf(const CLI::App& program) {
  std::vector<CompletionCommand> commands;
  Collect(program, program, "", commands);
  return commands;
}

std::string BashCompletion(const std::vector<CompletionCommand>& commands) {
  return "# Completion of sagalog for bash: eval \"$(sagalog completion bash)\"\n" +
         Tables(commands) + kBashBody;
}

std::string ZshCompletion(const std::vector<CompletionCommand>& commands) {
  return "#compdef sagalog\n# For zsh, behind compinit: eval \"$(sagalog completion zsh)\"\n" +
         Tables(commands) + kZshBody;
}

std::string FishCompletion(const std::vector<CompletionCommand>& commands) {
  std::string script = "# Completion of sagalog for fish: sagalog completion fish | source\n";
  std::string known;
  std::string valued;
  std::string lines;
  for (const CompletionCommand& command : commands) {
    if (!command.name.empty()) {
      known += " " + ShellQuoted(command.name);
    }
    const std::string condition = ShellQuoted("__sagalog_at \"" + command.name + "\"");
    for (const std::string& word : command.commands) {
      const std::string name = command.name.empty() ? word : command.name + " " + word;
      const auto inner =
          std::find_if(commands.begin(), commands.end(),
                       [&](const CompletionCommand& other) { return other.name == name; });
      lines += fmt::format("complete -c sagalog -n {} -a {} -d {}\n", condition, word,
                           ShellQuoted(inner->help));
    }
    for (const CompletionFlag& flag : command.flags) {
      for (const std::string& name : flag.names) {
        valued += flag.takes_value ? " " + ShellQuoted(command.name + " " + name) : "";
      }
      lines += FishFlag(condition, flag);
    }
  }
  script += fmt::format("set -g __sagalog_known{}\nset -g __sagalog_valued{}\n", known, valued);
  return script + kFishBody + lines;
}

}  // namespace sagalog::tools
