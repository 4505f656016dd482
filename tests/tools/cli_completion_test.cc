// What shells complete, with the scripts that the program prints.
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAreArray;

class Completion : public testing::Test {
 protected:
  // The script for a shell, as a file.
  std::string Script(const std::string& shell) {
    const CliResult printed = RunCli({"completion", shell});
    EXPECT_EQ(printed.exit_code, 0) << printed.error;
    const std::string path = directory_.root() / shell;
    std::ofstream(path) << printed.out;
    return path;
  }

  // What bash offers for the last of these words.
  std::vector<std::string> Bash(const Words& words) {
    std::string line = "COMP_WORDS=(sagalog";
    for (const std::string& word : words) {
      line += fmt::format(" '{}'", word);
    }
    return Lines(
        fmt::format("bash -c \"source {}; {}); COMP_CWORD={}; _sagalog; "
                    "printf '%s\\n' \\\"\\${{COMPREPLY[@]}}\\\"\"",
                    Script("bash"), line, words.size()));
  }

  // What zsh adds for the last of these words, through its own `compadd` and `_files` put aside.
  std::vector<std::string> Zsh(const Words& words) {
    std::string line = "words=(sagalog";
    for (const std::string& word : words) {
      line += fmt::format(" {}", word.empty() ? "''" : word);
    }
    const std::string path = directory_.root() / "offer.zsh";
    std::ofstream(path) << "compdef() { :; }\n"
                        << "compadd() { shift; print -l -- ${(M)@:#$words[CURRENT]*}; }\n"
                        << "_files() { print FILES; }\n"
                        << "source " << Script("zsh") << "\n"
                        << line << "); CURRENT=" << words.size() + 1 << "; _sagalog\n";
    return Lines("zsh -f " + path);
  }

  // What fish itself completes the line to, without the descriptions.
  std::vector<std::string> Fish(const std::string& line) {
    const std::string path = directory_.root() / "offer.fish";
    std::ofstream(path) << "source " << Script("fish") << "\ncomplete -C '" << line << "'\n";
    std::vector<std::string> words;
    for (const std::string& offer :
         Lines(fmt::format("HOME={} fish --no-config {}", directory_.root().string(), path))) {
      words.push_back(offer.substr(0, offer.find('\t')));
    }
    return words;
  }

  // tools/setup installs them; on another machine there may be nothing that could read the script.
  bool Has(const std::string& shell) {
    Lines("command -v " + shell);
    return status_ == 0;
  }

  std::vector<std::string> Lines(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::string text;
    std::array<char, 4096> buffer{};
    for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
      text.append(buffer.data(), got);
    }
    status_ = pclose(pipe);
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string word; std::getline(in, word);) {
      if (!word.empty()) {
        lines.push_back(word);
      }
    }
    return lines;
  }

  CliDirectory directory_;
  int status_ = 0;
};

TEST_F(Completion, OfBashFindsACommand) {
  EXPECT_THAT(Bash({"acq"}), ElementsAre("acquire"));
  EXPECT_THAT(Bash({"compensation", "reg"}), ElementsAre("register"));
  EXPECT_THAT(Bash({""}), IsSupersetOf({"plan", "serve", "completion"}));
  EXPECT_THAT(Bash({"frobni"}), IsEmpty());
}

TEST_F(Completion, OfBashFindsAFlag) {
  EXPECT_THAT(Bash({"acquire", "T1", "--own"}), ElementsAre("--owner"));
  EXPECT_THAT(Bash({"acquire", "--d"}), IsSupersetOf({"--data", "--dispatch-token"}));
  EXPECT_THAT(Bash({"--js"}), ElementsAre("--json"));
}

TEST_F(Completion, OfBashKnowsWhatIsAValue) {
  // A value that is named like a command is none.
  EXPECT_THAT(Bash({"--data", "compensation", "reco"}), ElementsAre("recover"));
  EXPECT_THAT(Bash({"--data", "=", "compensation", "reco"}), ElementsAre("recover"));
  EXPECT_THAT(Bash({"recover", "T1", "--decision", "re"}), ElementsAre("requeue"));
  EXPECT_THAT(Bash({"recover", "T1", "--decision", "=", "q"}), ElementsAre("quarantine"));
  EXPECT_THAT(Bash({"acquire", "T1", "--owner", "a"}), IsEmpty());
  EXPECT_THAT(Bash({"--data", directory_.root().string() + "/ba"}),
              ElementsAre(directory_.root().string() + "/bash"));
}

// Every command that --help lists is completed: the script is made of the same.
TEST_F(Completion, LeavesNoCommandOut) {
  const auto offered = Bash({""});
  std::istringstream help(RunCli({"--help"}).out);
  std::size_t listed = 0;
  for (std::string line; std::getline(help, line);) {
    std::istringstream words(line);
    std::string first;
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ' && line[2] != '-' &&
        words >> first && first != "sagalog" && std::isdigit(first[0]) == 0) {
      EXPECT_THAT(offered, Contains(first)) << line;
      ++listed;
    }
  }
  EXPECT_GT(listed, 20U);
}

TEST_F(Completion, ForOtherShellsIsOfTheirSyntax) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string path = Script(shell);
    // Where the shell is not installed there is nothing that could read it.
    Lines(fmt::format("if command -v {0} >/dev/null; then {0} -n {1}; fi", shell, path));
    EXPECT_EQ(status_, 0) << shell;
  }
  std::ifstream fish(Script("fish"));
  std::string line;
  std::set<std::string> lines;
  while (std::getline(fish, line)) {
    lines.insert(line);
  }
  EXPECT_THAT(lines, Contains(HasSubstr("'__sagalog_at \"compensation\"' -a claim -d ")));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("'__sagalog_at \"recover\"' -l decision -x"),
                                    HasSubstr("-a 'requeue fail compensate"))));
}

TEST_F(Completion, KnowsTheWordsOfTheDaemonsFlags) {
  EXPECT_THAT(Bash({"serve", "--log-format", ""}), ElementsAre("text", "json"));
  EXPECT_THAT(Bash({"token", "new", "ci", "--role", "o"}), ElementsAre("orchestrator", "operator"));
}

TEST_F(Completion, OfZshIsTheSame) {
  if (!Has("zsh")) {
    return;
  }
  EXPECT_THAT(Zsh({"acq"}), ElementsAre("acquire"));
  EXPECT_THAT(Zsh({"compensation", "reg"}), ElementsAre("register"));
  EXPECT_THAT(Zsh({"acquire", "T1", "--own"}), ElementsAre("--owner"));
  EXPECT_THAT(Zsh({"--data", "compensation", "reco"}), ElementsAre("recover"));
  EXPECT_THAT(Zsh({"recover", "T1", "--decision", "q"}), ElementsAre("quarantine"));
  EXPECT_THAT(Zsh({"acquire", "T1", "--owner", "a"}), IsEmpty());
  EXPECT_THAT(Zsh({"--data", "x"}), ElementsAre("FILES"));
  EXPECT_EQ(Zsh({""}), Bash({""}));
}

TEST_F(Completion, OfZshRegistersItself) {
  if (!Has("zsh")) {
    return;
  }
  const std::string path = directory_.root() / "registered.zsh";
  std::ofstream(path) << "autoload -Uz compinit; compinit -D -u\nsource " << Script("zsh")
                      << "\nprint -- $_comps[sagalog]\n";
  EXPECT_THAT(Lines("zsh -f " + path), ElementsAre("_sagalog"));
}

TEST_F(Completion, OfFishIsTheSame) {
  if (!Has("fish")) {
    return;
  }
  EXPECT_THAT(Fish("sagalog acq"), ElementsAre("acquire"));
  EXPECT_THAT(Fish("sagalog compensation reg"), ElementsAre("register"));
  EXPECT_THAT(Fish("sagalog acquire T1 --own"), ElementsAre("--owner"));
  EXPECT_THAT(Fish("sagalog --data compensation reco"), ElementsAre("recover"));
  EXPECT_THAT(Fish("sagalog recover T1 --decision q"), Contains("quarantine"));
  EXPECT_THAT(Fish("sagalog acquire T1 --owner a"), IsEmpty());
  EXPECT_THAT(Fish("sagalog "), UnorderedElementsAreArray(Bash({""})));
}

TEST_F(Completion, NamesTheShellsItKnows) {
  for (const Words& words : {Words{"completion"}, Words{"completion", "tcsh"}}) {
    const CliResult result = RunCli(words);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.error, AllOf(HasSubstr("bash, zsh, fish"), HasSubstr("See sagalog")));
    EXPECT_THAT(result.out, IsEmpty());
  }
  EXPECT_THAT(RunCli({"completion", "tcsh"}).error, HasSubstr("\"tcsh\" is no shell"));
}

}  // namespace
}  // namespace sagalog
