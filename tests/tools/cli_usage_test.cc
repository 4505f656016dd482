// What the program says to a command line that is wrong.
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct WrongLine {
  Words words;
  std::string says;  // a part of what standard error must hold
};

const std::vector<WrongLine> kWrongLines = {
    {{}, "sagalog --help"},
    {{"frobnicate"}, "no command \"frobnicate\""},
    {{"acquier", "T1"}, "did you mean acquire?"},
    {{"--frobnicate"}, "no flag --frobnicate"},
    {{"ls", "--frobnicate"}, "--frobnicate"},
    {{"ls", "extra"}, "extra"},
    {{"ls", "--limit", "0"}, "--limit"},
    {{"ls", "--limit", "ten"}, "--limit"},
    {{"ls", "--limit", "99999"}, "from 1 to 10000"},
    {{"ls", "--state", "foo"}, "\"foo\" is none of planned, dispatched"},
    {{"ls", "--label", "foo"}, "\"foo\" is not NAME=VALUE"},
    {{"force-release", "T1"}, "--reason is required"},
    {{"show"}, "show: which saga? It stands first, or behind --saga."},
    {{"history"}, "history: which saga?"},
    {{"why"}, "why: which saga?"},
    {{"status", "--timeout", "5"}, "--timeout"},
    {{"status", "--timeout", "1ms"}, "is not from 100ms to 1d"},
    {{"show", "T1", "--saga", "T2"}, "is given more than once"},
    {{"run", "--", "true"}, "which saga? It stands before --, or behind --saga: sagalog run"},
    {{"run", "--", "sleep", "1"}, "which saga? It stands before --"},
    {{"run"}, "which saga? It stands before --"},
    {{"run", "T1"}, "which command? It stands behind --: sagalog run --saga ID -- COMMAND"},
    {{"run", "--saga", "T1", "--"}, "which command? It stands behind --"},
    {{"--json", "run", "T1", "--", "true"}, "--json"},
    {{"backup", "b", "--keep", "many"}, "--keep"},
    {{"show"}, "saga"},
    {{"plan"}, "which saga?"},
    {{"plan", "T1", "--priority", "7x"}, "\"7x\" is not a number"},
    {{"plan", "T1", "--priority", "0x10"}, "\"0x10\" is not a number"},
    {{"plan", "T1", "--priority", "3000000000"}, "priority"},
    {{"plan", "T1", "--key"}, "--key"},
    {{"plan", "T1", "--key", "a", "--key", "b"}, "--key"},
    {{"plan", "T1", "--label", "team"}, "\"team\" is not NAME=VALUE"},
    {{"plan", "T1", "--label", "a=1", "--label", "a=2"}, "\"a\" is given twice"},
    {{"plan", "T1", "--not-before", "tomorrow"}, "not_before"},
    {{"plan", "T1", "--policy", "lease_ttl=fast"}, "lease_ttl"},
    {{"plan", "T1", "--policy", "max_recoveries=7x"}, "max_recoveries"},
    {{"plan", "T1", "--policy", "no_such=1"}, "no_such"},
    {{"plan", "T1", "--payload-file", "/nonexistent/payload"}, "/nonexistent/payload"},
    {{"plan", "T1", "--compensation", "id=a,kind=b"}, "target is missing"},
    {{"plan", "T1", "--compensation", "id=a,kind=b,target=c,color=red"}, "\"color\""},
    {{"plan", "T1", "--compensation", "id=a,id=b,kind=b,target=c"}, "id is given twice"},
    {{"plan", "T1", "--compensation-json", "{"}, "JSON"},
    {{"plan", "T1", "--compensation-json", "7"}, "neither an object nor a list"},
    {{"plan", "T1", "--compensation-json", R"({"id":"a","color":"red"})"}, "color"},
    {{"plan", "T1", "--request-id", "xyz"}, "request_id"},
    {{"plan", "T1", "--expected-version", "many"}, "neither a number nor \"none\""},
    {{"acquire", "T1"}, "--owner is required"},
    {{"acquire", "T1", "--owner", "w", "--ttl", "30"}, "\"30\" is no duration"},
    {{"acquire", "T1", "--owner", "w", "--pid", "-1"}, "owner.pid"},
    {{"heartbeat", "T1"}, "--token is required"},
    {{"heartbeat", "T1", "--token", "x"}, "\"x\" is not a number"},
    {{"claim", "build", "--owner", "w", "--as", "thief"}, "\"thief\" is none of"},
    {{"recover", "T1", "--decision", "requeue"}, "--observed is required"},
    {{"recover", "T1", "--observed", "3", "--decision", "hope"}, "\"hope\" is none of"},
    {{"exit", "T1", "--token", "3"}, "--exit-code is required"},
    {{"compensation"}, "compensation: which command?"},
    {{"compensation", "settle", "T1", "--id", "a", "--outcome", "maybe"}, "\"maybe\" is none of"},
    {{"queue", "q", "--limit", "few"}, "neither a number nor \"off\""},
    {{"queue", "q", "--freeze", "--unfreeze"}, "--unfreeze"},
    {{"serve", "--manual-clock", "noon"}, "--manual-clock"},
};

TEST(CliUsage, AWrongLineExitsWithTwoSaysWhyInOneLineAndWritesNothing) {
  for (const WrongLine& line : kWrongLines) {
    SCOPED_TRACE(::testing::PrintToString(line.words));
    CliDirectory directory;
    const CliResult result = directory.Run(line.words);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.error, AllOf(StartsWith("sagalog: "), HasSubstr(line.says)));
    EXPECT_EQ(result.error.find('\n'), result.error.size() - 1);
    EXPECT_FALSE(std::filesystem::exists(directory.data()));
  }
}

TEST(CliUsage, APayloadThatIsTooLargeIsRefusedBeforeAnythingIsOpened) {
  CliDirectory directory;
  const auto file = directory.root() / "payload";
  std::ofstream(file) << std::string(65537, 'x');
  const CliResult result = directory.Run({"plan", "T1", "--payload-file", file});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("65536"));
  EXPECT_FALSE(std::filesystem::exists(directory.data()));
}

TEST(CliUsage, HelpTeachesEveryCommandWithAnExampleAndTheExitCodes) {
  const CliResult help = RunCli({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.error, IsEmpty());
  EXPECT_THAT(help.out, AllOf(HasSubstr("Exit codes:"), HasSubstr("Work on a saga:"),
                              HasSubstr("sagalog acquire T1 --owner w1 --ttl 30s")));
  for (const char* command :
       {"serve",         "sweep",     "run",        "plan",     "dispatch",     "abort-dispatch",
        "acquire",       "claim",     "release",    "stage",    "exit",         "complete",
        "fail",          "cancel",    "park",       "unpark",   "recover",      "mark-compensated",
        "quarantine",    "ls",        "show",       "stale",    "history",      "queue",
        "status",        "verify",    "rebuild",    "doctor",   "section",      "effect",
        "report-owner",  "policy",    "compensate", "annotate", "compensation", "heartbeat",
        "force-release", "incidents", "backup",     "restore",  "compact",      "reader",
        "redact"}) {
    SCOPED_TRACE(command);
    EXPECT_THAT(help.out, HasSubstr(std::string("\n  ") + command + " "));
    const CliResult own = RunCli({command, "--help"});
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_THAT(own.out,
                AllOf(HasSubstr("Example:"), HasSubstr(std::string("sagalog ") + command)));
  }
}

TEST(CliUsage, HelpIsACommandTooAndASagaMayBeCalledSo) {
  EXPECT_EQ(RunCli({"help"}).out, RunCli({"--help"}).out);
  EXPECT_EQ(RunCli({"help", "plan"}).out, RunCli({"plan", "--help"}).out);
  EXPECT_EQ(RunCli({"help", "section", "enter"}).exit_code, 0);
  CliDirectory directory;
  EXPECT_EQ(directory.Run({"help"}).out, RunCli({"--help"}).out);
  EXPECT_THAT(directory.Run({"plan", "help"}).out, HasSubstr("help  planned"));
}

TEST(CliUsage, AnEmptyDataDirectoryIsNoDirectory) {
  const CliResult result = RunCli({"--data", "", "ls"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("--data"));
}

// The lines of a help text that are wider than `columns`, but for what people copy.
std::string TooWide(const std::string& help, std::size_t columns) {
  std::istringstream lines(help);
  std::string wide;
  for (std::string line; std::getline(lines, line);) {
    const bool copied = line.starts_with("  ") || line.starts_with("Usage: ");
    if (line.size() > columns && !copied) wide += line + "\n";
  }
  return wide;
}

TEST(CliUsage, HelpFitsTheTerminalAndSaysEachThingOnce) {
  for (const char* command : {"plan", "run", "queue", "section", "backup", "bench", "fail", "ls"}) {
    SCOPED_TRACE(command);
    for (const std::size_t columns : {40U, 80U}) {
      const std::string help =
          RunCli({command, "--help"}, {{"COLUMNS", std::to_string(columns)}}).out;
      EXPECT_EQ(TooWide(help, columns), "");
      EXPECT_EQ(help.find("\n\n\n"), std::string::npos) << help;
      EXPECT_EQ(help.find("REQUIRED"), std::string::npos) << help;
      EXPECT_EQ(help.find("TEXT:"), std::string::npos) << help;
      EXPECT_NE(help.find("--data"), std::string::npos) << help;
    }
  }
  const std::string fail = RunCli({"fail", "--help"}).out;
  EXPECT_THAT(fail, AllOf(HasSubstr("[saga]"), HasSubstr("else $SAGALOG_SAGA, or behind --saga")));
  EXPECT_EQ(fail.find("\n  --saga"), std::string::npos);
  EXPECT_THAT(RunCli({"plan", "--help"}).out,
              AllOf(HasSubstr("[FLAGS] saga\n"), HasSubstr("on_stale")));
  EXPECT_EQ(RunCli({"bench", "local", "--help"}).out.find("A first round"), std::string::npos);
}

TEST(CliUsage, VersionIsOneLine) {
  const CliResult version = RunCli({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, ::testing::MatchesRegex("sagalog [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CliUsage, ASagaMayBeNamedLikeACommand) {
  CliDirectory directory;
  EXPECT_EQ(directory.Run({"plan", "status", "--key", "ls"}).exit_code, 0);
  EXPECT_EQ(Word(directory.Json({"show", "status"}), "key"), "ls");
}

TEST(CliUsage, GlobalFlagsMayStandBehindTheCommand) {
  CliDirectory directory;
  const CliResult result = RunCli({"plan", "T1", "--data", directory.data(), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.out, StartsWith("{"));
}

TEST(CliUsage, TheDataDirectoryMayComeFromTheEnvironment) {
  CliDirectory directory;
  EXPECT_EQ(RunCli({"plan", "T1"}, {{"SAGALOG_DATA", directory.data()}}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(directory.data()));
}

TEST(CliUsage, AnEmptyValueIsAValue) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  EXPECT_EQ(
      directory.Run({"stage", "T1", "--actor", "ann", "--expected=", "--next", "one"}).exit_code,
      0);
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "stage"), "one");
}

}  // namespace
}  // namespace sagalog
