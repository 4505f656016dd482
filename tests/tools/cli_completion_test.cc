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
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

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

TEST_F(Completion, NamesTheShellsItKnows) {
  const CliResult none = RunCli({"completion"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.error, AnyOf(HasSubstr("subcommand"), HasSubstr("which command?")));
  EXPECT_EQ(RunCli({"completion", "tcsh"}).exit_code, 2);
}

}  // namespace
}  // namespace sagalog
