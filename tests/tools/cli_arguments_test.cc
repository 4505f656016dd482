// Arguments that say nothing, and numbers that are none: the same error wherever they stand.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// A command line, and what its one line of error must say.
struct Refused {
  Words words;
  std::string says;
};

void ExpectUsageError(CliDirectory& directory, const Refused& refused) {
  SCOPED_TRACE(::testing::PrintToString(refused.words));
  const CliResult result = directory.Run(refused.words);
  EXPECT_EQ(result.exit_code, 2) << result.out << result.error;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.error, StartsWith("sagalog: "));
  EXPECT_THAT(result.error, HasSubstr(refused.says));
  EXPECT_EQ(result.error.find('\n'), result.error.size() - 1) << result.error;
}

// "$BACKUP" of a variable that is not set is no wish for the live store.
TEST(CliArguments, WhatNamesSomethingIsNeverEmpty) {
  const std::vector<Refused> lines = {
      {{"audit", "verify", ""}, "PATH: a value is needed, not \"\" (is a variable not set?)"},
      {{"audit", "verify", "--checkpoint", ""}, "--checkpoint: a file is needed"},
      {{"audit", "verify", "--key", ""}, "--key: a file is needed"},
      {{"audit", "prove", "--from", ""}, "--from: a file is needed"},
      {{"audit", "export", "--out", ""}, "--out: a directory is needed"},
      {{"audit", "export", "--out", "x", "--record", ""}, "--record"},
      {{"audit", "export", "--out", "x", "--saga", ""}, "--saga: an id is needed"},
      {{"audit", "export", "--out", "x", "--key", ""}, "--key"},
      {{"audit", "export", "--out", "x", "--to", ""}, "--to"},
      {{"at", "1", "--record", ""}, "--record: a directory is needed"},
      {{"at", "1", "--saga", ""}, "--saga: an id is needed"},
      {{"at", ""}, "--at: a moment is needed"},
      {{"diff", "1", "2", "--saga="}, "--saga"},
      {{"why", "T1", "--record", ""}, "--record"},
      {{"why", "T1", "--at", ""}, "--at"},
      {{"why", ""}, "--saga"},
      {{"replay", "--record", ""}, "--record"},
      {{"replay", "--where", ""}, "--where"},
      {{"timeline", "--out", ""}, "--out: a file is needed"},
      {{"timeline", "", "--out", "x"}, "sagas: an id is needed"},
      {{"doctor", "--salvage", ""}, "--salvage: a directory is needed"},
      {{"incidents", "run", "x", "--keep", ""}, "--keep"},
      {{"serve", "--print-config", "--publish-checkpoint", ""}, "--publish-checkpoint"},
      {{"serve", "--print-config", "--config", ""}, "--config: a file is needed"},
      {{"backup", ""}, "DIR"},
      {{"restore", ""}, "BACKUP"},
      {{"ls", "--owner", ""}, "--owner"},
      {{"ls", "--key", ""}, "--key"},
      {{"show", ""}, "--saga"},
      {{"history", "--saga", ""}, "--saga"},
      {{"events", "--exec", ""}, "--exec"},
      {{"events", "--reader", ""}, "--reader"},
      {{"plan", "T1", "--key", ""}, "--key"},
      {{"acquire", "T1", "--owner", ""}, "--owner"},
      {{"compensation", "run", "--root", ""}, "--root"},
      {{"--ca", "", "ls"}, "--ca: a file is needed"},
  };
  CliDirectory directory;
  for (const Refused& line : lines) {
    ExpectUsageError(directory, line);
  }
  EXPECT_FALSE(fs::exists(directory.data()));
}

TEST(CliArguments, WhatMaySayNothingMay) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  EXPECT_EQ(
      directory.Run({"stage", "T1", "--actor", "ann", "--expected", "", "--next", "a"}).exit_code,
      0);
  EXPECT_EQ(directory.Run({"run", "T1", "--", "sh", "-c", "test -z \"$1\"", "sh", ""}).exit_code, 0)
      << "the words of a command are its own";
}

TEST(CliArguments, ANumberThatIsNoneIsToldByNameAndRange) {
  const std::vector<Refused> lines = {
      {{"redact", "abc", "--reason", "x"}, "SEQUENCE: \"abc\" is not a whole number from 1 on"},
      {{"redact", "0", "--reason", "x"}, "SEQUENCE: \"0\" is not a whole number from 1 on"},
      {{"redact", "99999999999999999999", "--reason", "x"}, "SEQUENCE: \"99999999999999999999\""},
      {{"audit", "prove", "abc"}, "SEQUENCE: \"abc\" is not a whole number from 0 on"},
      {{"audit", "prove", "0x10"}, "SEQUENCE: \"0x10\" is not a whole number"},
      {{"audit", "prove", "1.5"}, "SEQUENCE: \"1.5\" is not a whole number"},
      {{"backup", "b", "--keep", "many"}, "--keep: \"many\" is not a whole number from 1 to 10000"},
      {{"backup", "b", "--keep", "0"}, "--keep: \"0\" is not a whole number from 1 to 10000"},
      {{"top", "--count", "-1"}, "--count: \"-1\" is not a whole number from 1 on"},
      {{"compensation", "run", "--root", ".", "--limit", "few"}, "--limit: \"few\" is not a whole"},
      {{"run", "T1", "--dispatch-token", "x", "--", "true"}, "--dispatch-token: \"x\" is not"},
      {{"reader", "r", "--position", "x"}, "--position: \"x\" is not a whole number"},
  };
  CliDirectory directory;
  for (const Refused& line : lines) {
    ExpectUsageError(directory, line);
  }
  EXPECT_FALSE(fs::exists(directory.data()));
}

TEST(CliArguments, WhatIsMissingIsNamedAsTheUsageNamesIt) {
  CliDirectory directory;
  ExpectUsageError(directory,
                   {{"at"}, "moment is required: it stands by its position, or behind --at"});
  ExpectUsageError(directory, {{"why"}, "which saga? It stands first, or behind --saga"});
  ExpectUsageError(directory, {{"redact", "--reason", "x"}, "SEQUENCE is required"});
}

}  // namespace
}  // namespace sagalog
