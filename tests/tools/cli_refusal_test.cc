// How the program says that the store said no, or that there is no store.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

TEST(CliRefusal, ExitsWithOneAndNamesTheCodeAndTheFacts) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"acquire", "T1", "--owner", "w1", "--ttl", "60s"});
  const CliResult refused = directory.Run({"acquire", "T1", "--owner", "w2"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, IsEmpty());
  // What the words tell, the facts below them leave out; times look alike in both.
  EXPECT_THAT(refused.error,
              ::testing::MatchesRegex("refused: lease_held: [^\n]*w1[^\n]* until "
                                      "20[-0-9]+T[0-9:]+Z\n  [^\n]*actual state running[^\n]*\n"));
  EXPECT_THAT(refused.error, Not(HasSubstr("holder")));
  EXPECT_THAT(refused.error, Not(HasSubstr("expires at")));
}

TEST(CliRefusal, WithJsonTheProblemIsOnStandardOutputToo) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const CliResult refused = directory.Run({"--json", "show", "T2"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, StartsWith("refused: not_found"));
  EXPECT_EQ(Word(boost::json::parse(refused.out).as_object(), "code"), "not_found");
}

TEST(CliRefusal, WhatTheStoreFindsInvalidIsARefusal) {
  CliDirectory directory;
  const CliResult refused = directory.Run({"plan", "a b"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, StartsWith("refused: invalid_argument"));
}

TEST(CliRefusal, AnUnknownSagaIsNotFoundWhateverItsName) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  for (const char* name : {"T2", "a/b", "a:acquire", "%41", "é", "?at=1"}) {
    SCOPED_TRACE(name);
    const CliResult refused = directory.Run({"show", name});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.error, StartsWith("refused: not_found"));
  }
}

TEST(CliUnavailable, AMissingDirectoryIsNotCreatedByThoseWhoOnlyLookOrChange) {
  for (const Words& words :
       {Words{"ls"}, Words{"show", "T1"}, Words{"stale"}, Words{"status"}, Words{"verify"},
        Words{"acquire", "T1", "--owner", "w"}, Words{"cancel", "T1", "--reason", "r"},
        Words{"rebuild"}, Words{"doctor"}}) {
    SCOPED_TRACE(words.front());
    CliDirectory directory;
    const CliResult result = directory.Run(words);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.error + result.out, HasSubstr("--data"));
    EXPECT_FALSE(fs::exists(directory.data()));
  }
}

TEST(CliUnavailable, AForeignDirectoryIsLeftAlone) {
  CliDirectory directory;
  fs::create_directory(directory.data());
  std::ofstream(directory.data() / "thesis.tex") << "words";
  for (const Words& words : {Words{"plan", "T1"}, Words{"ls"}, Words{"serve"}}) {
    SCOPED_TRACE(words.front());
    const CliResult result = directory.Run(words);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.error, HasSubstr("not a sagalog data directory"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.data()), fs::directory_iterator()), 1);
}

TEST(CliUnavailable, AFileIsNoDirectory) {
  CliDirectory directory;
  std::ofstream(directory.data()) << "words";
  EXPECT_EQ(directory.Run({"plan", "T1"}).exit_code, 3);
}

TEST(CliUnavailable, ADirectoryWithoutPermissionIsNamed) {
  CliDirectory directory;
  const CliResult result = RunCli({"plan", "T1", "--data", "/proc/sagalog"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("/proc/sagalog"));
}

TEST(CliUnavailable, ADamagedLogIsNamedByItsSequence) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"plan", "T2"});
  // Whatever holds the events is gone; HEAD remembers that there were some.
  fs::remove_all(directory.data() / "log");
  const CliResult changed = directory.Run({"plan", "T3"});
  EXPECT_EQ(changed.exit_code, 3);
  const CliResult verified = directory.Run({"verify"});
  EXPECT_EQ(verified.exit_code, 3);
}

TEST(CliConcurrency, CommandsStartedAtOnceWaitForEachOther) {
  CliDirectory directory;
  directory.Json({"plan", "T0"});
  std::string all;
  for (int i = 1; i <= 8; ++i) {
    all += std::string(kProgram) + " --data " + directory.data().string() + " plan T" +
           std::to_string(i) + " >/dev/null || echo failed & ";
  }
  const fs::path report = directory.root() / "report";
  ASSERT_EQ(std::system(("{ " + all + " wait; } >" + report.string()).c_str()), 0);
  EXPECT_EQ(fs::file_size(report), 0U);
  EXPECT_EQ(directory.Json({"ls"}).at("items").as_array().size(), 9U);
}

}  // namespace
}  // namespace sagalog
