// What people see: colours, widths, and text that plays no tricks.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEscape = "\x1B";

// Columns of a line, where each character of UTF-8 takes one.
std::size_t Columns(const std::string& line) {
  std::size_t columns = 0;
  for (const char c : line) {
    columns += (c & 0xC0) == 0x80 || c == '\r' ? 0 : 1;
  }
  return columns;
}

std::size_t WidestLine(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    widest = std::max(widest, Columns(line));
  }
  return widest;
}

TEST(CliDisplay, ColoursAreForTerminalsThatWantThem) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const Words ls = {"--data", directory.data(), "ls"};
  EXPECT_THAT(RunCli(ls).out, Not(HasSubstr(kEscape)));
  EXPECT_THAT(RunCliOnTerminal(ls, {{"TERM", "xterm"}}, 80).out, HasSubstr(kEscape));
  EXPECT_THAT(RunCliOnTerminal(ls, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}, 80).out,
              Not(HasSubstr(kEscape)));
  EXPECT_THAT(RunCliOnTerminal(ls, {{"TERM", "dumb"}}, 80).out, Not(HasSubstr(kEscape)));
  const Words json = {"--json", "--data", directory.data(), "ls"};
  EXPECT_THAT(RunCliOnTerminal(json, {{"TERM", "xterm"}}, 80).out, Not(HasSubstr(kEscape)));
}

TEST(CliDisplay, TablesFitTheTerminalAndPipesGetEverything) {
  CliDirectory directory;
  const std::string key(200, 'k');
  directory.Json({"plan", "T1", "--key", key, "--stage", "a-rather-long-stage"});
  const Words ls = {"--data", directory.data(), "ls"};
  EXPECT_THAT(RunCli(ls).out, HasSubstr(key));
  for (const unsigned short columns : {60, 40}) {
    const std::string shown = RunCliOnTerminal(ls, {{"TERM", "dumb"}}, columns).out;
    EXPECT_THAT(shown, AllOf(HasSubstr("T1"), HasSubstr("…"), Not(HasSubstr(key))));
    EXPECT_LE(WidestLine(shown), columns);
  }
  EXPECT_LE(WidestLine(RunCli(ls, {{"COLUMNS", "50"}}).out), 50U);
  EXPECT_THAT(RunCli(ls, {{"COLUMNS", "wide"}}).out, HasSubstr(key));
}

TEST(CliDisplay, WideCharactersTakeTwoColumns) {
  CliDirectory directory;
  // Eight of them take 16 columns: as many as the second saga's key.
  directory.Json({"plan", "T1", "--key", "漢漢漢漢漢漢漢漢", "--stage", "x"});
  directory.Json({"plan", "T2", "--key", "kkkkkkkkkkkkkkkk", "--stage", "x"});
  // All columns together take 38.
  const std::string whole = RunCli({"--data", directory.data(), "ls"}, {{"COLUMNS", "38"}}).out;
  EXPECT_THAT(whole, AllOf(HasSubstr("漢漢漢漢漢漢漢漢\n"), Not(HasSubstr("…"))));
  const std::string cut = RunCli({"--data", directory.data(), "ls"}, {{"COLUMNS", "30"}}).out;
  EXPECT_THAT(cut, AllOf(HasSubstr(" 漢漢漢…\n"), HasSubstr(" kkkkkkk…\n")));
}

TEST(CliDisplay, StoredTextCannotSteerTheTerminal) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"annotate", "T1", "red \x1B[31m alert\n\xE2\x80\xAE reversed \xC2\x9B"});
  const std::string shown = directory.Run({"history", "T1"}).out;
  EXPECT_THAT(shown, AllOf(HasSubstr("red \xEF\xBF\xBD[31m alert \xEF\xBF\xBD reversed"),
                           Not(HasSubstr(kEscape)), Not(HasSubstr("\xC2\x9B"))));
}

TEST(CliDisplay, ASheetShowsWhoHoldsASagaAndHowLongStill) {
  CliDirectory directory;
  directory.Json({"plan", "T1", "--key", "acme/app#1", "--label", "team=core", "--compensation",
                  "id=wt,kind=remove-worktree,target=/srv/wt"});
  directory.Json({"acquire", "T1", "--owner", "w1", "--host", "h", "--ttl", "10m"});
  const std::string shown = directory.Run({"show", "T1"}).out;
  EXPECT_THAT(shown, AllOf(HasSubstr("T1  running  version 2"), HasSubstr("w1 (host h)"),
                           HasSubstr("expires in "), HasSubstr("acme/app#1"),
                           HasSubstr("team=core"), HasSubstr("/srv/wt")));
}

TEST(CliDisplay, ANarrowTableKeepsWhatItIsAskedForAndWrapsTheRest) {
  CliDirectory directory;
  directory.Json({"plan", "some-saga-with-a-name", "--key", "acme/app#168-of-many", "--stage",
                  "a-rather-long-stage"});
  directory.Json(
      {"acquire", "some-saga-with-a-name", "--owner", "somebody-on-some-host", "--ttl", "1us"});
  const Environment narrow = {{"COLUMNS", "80"}};
  const std::string stale = directory.Run({"stale"}, narrow).out;
  EXPECT_THAT(stale, AllOf(HasSubstr("lease_expired"), HasSubstr(" ago "), HasSubstr("SINCE")));
  EXPECT_LE(WidestLine(stale), 80U);
  std::string words;
  for (int i = 0; i < 40; ++i) {
    words += "word" + std::to_string(i) + " ";
  }
  directory.Json({"annotate", "some-saga-with-a-name", words});
  const std::string history = directory.Run({"history", "some-saga-with-a-name"}, narrow).out;
  EXPECT_LE(WidestLine(history), 80U);
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(history, HasSubstr("word" + std::to_string(i)));
  }
  EXPECT_THAT(history, Not(HasSubstr("…")));
}

TEST(CliDisplay, ADependencyThatNobodyPlannedIsNamed) {
  CliDirectory directory;
  directory.Json({"plan", "A"});
  directory.Json({"plan", "T1", "--depends-on", "A", "--depends-on", "NOPE", "--compensation",
                  "id=wt,kind=k,target=t"});
  const std::string shown = directory.Run({"show", "T1"}).out;
  EXPECT_THAT(shown, AllOf(HasSubstr("A (planned), NOPE (no such saga)"),
                           HasSubstr("wt            registered")));
  directory.Json({"cancel", "T1"});
  EXPECT_THAT(directory.Run({"show", "T1"}).out, HasSubstr("wt            owed"));
}

TEST(CliDisplay, AnAnswerNamesTheSectionTheEffectAndTheReasonThatStays) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"park", "T1", "--reason", "one"});
  EXPECT_THAT(directory.Run({"park", "T1", "--reason", "two"}).out,
              HasSubstr("the reason it was parked with stays"));
  directory.Json({"unpark", "T1"});
  const std::string token = directory.Token({"acquire", "T1", "--owner", "w", "--ttl", "1h"});
  // As inside of sagalog run.
  const Environment run = {{"SAGALOG_SAGA", "T1"}, {"SAGALOG_TOKEN", token}};
  EXPECT_THAT(directory.Run({"section", "enter", "--name", "merge"}, run).out,
              HasSubstr("inside merge"));
  EXPECT_THAT(directory.Run({"effect", "begin", "--effect", "push", "--fingerprint", "f"}, run).out,
              HasSubstr("in doubt: push"));
  EXPECT_THAT(directory.Run({"status"}).out, ::testing::ContainsRegex("effects +in doubt 1"));
  directory.Json({"plan", "T2"});
  const CliResult other = directory.Run({"heartbeat", "T2"}, run);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.error, HasSubstr("--token is required"));
  EXPECT_EQ(directory.Run({"section", "leave", "--outcome", "done"}, run).exit_code, 0);
  const CliResult failed = directory.Run({"fail", "--reason", "r"}, run);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.error, HasSubstr("--no-compensation-reason"));
}

// Runs the program in a shell; its exit code.
int Shell(const CliDirectory& directory, const std::string& words) {
  const std::string command =
      std::string(kProgram) + " --data " + directory.data().string() + " " + words;
  return WEXITSTATUS(std::system(("bash -c '" + command + "'").c_str()));
}

TEST(CliDisplay, AnOutputThatCannotBeWrittenIsNoSuccess) {
  CliDirectory directory;
  // More than what is buffered before the first write.
  directory.Json({"plan", "T1"});
  for (int i = 0; i < 8; ++i) {
    directory.Json({"annotate", "T1", std::string(4000, 'a')});
  }
  const std::string error = (directory.root() / "error").string();
  for (const char* words : {"ls", "history T1", "--json history T1", "show T1", "status", "--help",
                            "plan --help", "doctor"}) {
    SCOPED_TRACE(words);
    EXPECT_EQ(Shell(directory, words + (" >/dev/full 2>" + error)), 3);
    std::ostringstream said;
    said << std::ifstream(error).rdbuf();
    EXPECT_EQ(said.str(), "sagalog: cannot write to standard output: No space left on device\n");
  }
  EXPECT_EQ(Shell(directory, "ls >/dev/full 2>/dev/full"), 3);
  EXPECT_EQ(Shell(directory, "show T9 2>/dev/full"), 1);
}

TEST(CliDisplay, AReaderWhoHasGoneIsNoSuccessEither) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const std::string program = std::string(kProgram) + " --data " + directory.data().string();
  // The other end is closed before the program starts; whoever started it ignores SIGPIPE.
  const std::string command =
      "bash -c 'trap \"\" PIPE; exec 3> >(:); wait $!; " + program + " ls >&3 2>/dev/null'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 3);
}

}  // namespace
}  // namespace sagalog
