// sagalog why: the stories of tests/tools/stories/, each told from a scenario that is played and
// kept.
//
// The expected texts lie beside the scenarios, ID.txt. After a change of words, look at the
// difference, and renew them: SAGALOG_RENEW_STORIES=1 build/tests/sagalog_tests_tools
// --gtest_filter='*Story*'. A run that renews fails, so that it cannot be mistaken for a test.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

fs::path Stories() { return fs::path(kSourceDirectory) / "tests/tools/stories"; }

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Plays a scenario and keeps its data directory at `directory`.
void Play(const std::string& id, const fs::path& directory) {
  const CliResult played = RunCli({"incidents", "run", (Stories() / "scenarios.json").string(),
                                   "--only", id, "--keep", directory.string()});
  ASSERT_EQ(played.exit_code, 0) << played.out << played.error;
}

struct ToldStory {
  const char* id;
  // The moment it is told at; empty = the end of the record.
  const char* at = "";
};

std::ostream& operator<<(std::ostream& out, const ToldStory& story) { return out << story.id; }

class Story : public testing::TestWithParam<ToldStory> {};

TEST_P(Story, IsToldInTheseWords) {
  const CliDirectory directory;
  const fs::path record = directory.root() / "record";
  Play(GetParam().id, record);
  Words words = {"why", "T", "--record", record.string()};
  if (*GetParam().at != '\0') {
    words.insert(words.end(), {"--at", GetParam().at});
  }
  const CliResult told = RunCli(words, {{"COLUMNS", "100"}});
  ASSERT_EQ(told.exit_code, 0) << told.error;
  const fs::path expected = Stories() / (std::string(GetParam().id) + ".txt");
  if (std::getenv("SAGALOG_RENEW_STORIES") != nullptr) {
    std::ofstream(expected) << told.out;
    FAIL() << expected << " was renewed: look at the difference";
  }
  EXPECT_EQ(told.out, ReadText(expected)) << "to renew it: see the top of this test";
}

std::string NameOf(const testing::TestParamInfo<ToldStory>& story) {
  std::string name = story.param.id;
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, Story,
    testing::Values(ToldStory{"killed-worker"}, ToldStory{"silent-worker", "2026-01-01T00:07:00Z"},
                    ToldStory{"ghost-dispatch"}, ToldStory{"double-entry"}, ToldStory{"stage-race"},
                    ToldStory{"reaped-finaliser"}, ToldStory{"cancel-in-section"},
                    ToldStory{"poison-task"}, ToldStory{"failed-cleanup"}, ToldStory{"clock-step"},
                    ToldStory{"store-outage"}, ToldStory{"host-asleep"}, ToldStory{"store-stalled"},
                    ToldStory{"effect-in-doubt"}, ToldStory{"restored-store"},
                    ToldStory{"taken-over"}, ToldStory{"dependency-dead"}, ToldStory{"forced"},
                    ToldStory{"same-name"}, ToldStory{"hostile-words"}, ToldStory{"long-run"},
                    ToldStory{"section-overdue"}, ToldStory{"ran-too-long"},
                    ToldStory{"no-progress"}, ToldStory{"exited", "2026-01-01T00:06:50Z"},
                    ToldStory{"dispatch-exhausted"},
                    ToldStory{"abandoned-claim", "2026-01-01T00:10:00Z"}),
    NameOf);

TEST(CliWhy, SaysTheSameToPrograms) {
  const CliDirectory directory;
  const fs::path record = directory.root() / "record";
  Play("killed-worker", record);
  const CliResult told = RunCli({"why", "T", "--record", record.string(), "--json"});
  ASSERT_EQ(told.exit_code, 0) << told.error;
  const json::value value = json::parse(told.out);
  const json::object& story = value.as_object();
  EXPECT_EQ(Word(story, "state"), "completed");
  std::vector<std::string> kinds;
  for (const json::value& line : story.at("lines").as_array()) {
    kinds.push_back(Word(line.as_object(), "kind"));
    EXPECT_NE(Word(line.as_object(), "text"), "");
  }
  EXPECT_THAT(kinds, testing::ElementsAre("planned", "compensation_registered", "leased",
                                          "heartbeated", "owner_reported", "recovered", "leased",
                                          "refused", "refused", "terminal"));
  const json::object& late = story.at("lines").as_array()[7].as_object();
  EXPECT_EQ(Word(late.at("facts").as_object(), "code"), "stale_token");
}

class CliWhyOfAStore : public testing::TestWithParam<bool> {};

TEST_P(CliWhyOfAStore, KnowsRefusalsThatAreNotNotedYet) {
  CliDirectory directory;
  if (GetParam()) {
    directory.Serve({"--manual-clock", "2026-01-01T00:00:00Z"});
  }
  directory.Json({"plan", "T1"});
  directory.Json({"acquire", "T1", "--owner", "w1"});
  EXPECT_EQ(directory.Run({"acquire", "T1", "--owner", "w2"}).exit_code, 1);
  const CliResult told = directory.Run({"why", "T1"});
  EXPECT_EQ(told.exit_code, 0) << told.error;
  EXPECT_THAT(told.out, AllOf(HasSubstr("T1 is running: w1 owns it"),
                              HasSubstr("w2 tried to acquire: refused, lease_held")));
}

INSTANTIATE_TEST_SUITE_P(Alone, CliWhyOfAStore, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(WithDaemon, CliWhyOfAStore, testing::Values(true));

TEST(CliWhy, TellsADamagedRecordUpToTheDamage) {
  CliDirectory directory;
  const fs::path scenario = directory.root() / "damaged.json";
  std::ofstream(scenario) << R"({"id": "D", "title": "damaged", "steps": [
    {"do": "plan", "saga": "T", "expect": "ok"},
    {"do": "acquire", "saga": "T", "owner": "w1", "ttl": "60s", "as": "f", "expect": "ok"},
    {"do": "annotate", "saga": "T", "text": "before", "expect": "ok"},
    {"do": "annotate", "saga": "T", "text": "one", "expect": "ok"},
    {"do": "annotate", "saga": "T", "text": "two", "expect": "ok"},
    {"do": "annotate", "saga": "T", "text": "after", "expect": "ok"},
    {"do": "plan", "saga": "U", "expect": "ok"},
    {"do": "reopen", "how": "corrupt_mid", "expect": "corrupt"}]})";
  const fs::path record = directory.root() / "record";
  const CliResult played =
      RunCli({"incidents", "run", scenario.string(), "--keep", record.string()});
  ASSERT_EQ(played.exit_code, 0) << played.out << played.error;
  const CliResult told = RunCli({"why", "T", "--record", record.string()});
  EXPECT_EQ(told.exit_code, 3);
  EXPECT_THAT(told.error, HasSubstr("the log is damaged"));
  EXPECT_THAT(told.out, AllOf(HasSubstr("acquired it"), Not(HasSubstr("before"))));
  // What stands behind the damage is not denied.
  const CliResult behind = RunCli({"why", "U", "--record", record.string()});
  EXPECT_EQ(behind.exit_code, 3);
  EXPECT_THAT(behind.error,
              AllOf(HasSubstr("U is not in what can be read"), Not(HasSubstr("there is no saga"))));
  const CliResult drawn = RunCli({"timeline", "U", "--record", record.string(), "--out",
                                  (directory.root() / "u.html").string()});
  EXPECT_EQ(drawn.exit_code, 3);
  EXPECT_THAT(drawn.error, HasSubstr("as far as it can be read"));
}

TEST(CliWhy, SaysWhatIsWrongWithTheQuestion) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const CliResult unknown = directory.Run({"why", "T2"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.error, HasSubstr("there is no saga T2"));
  const CliResult zone = directory.Run({"why", "T1", "--at", "2026-01-01T00:00:00"});
  EXPECT_EQ(zone.exit_code, 2);
  EXPECT_THAT(zone.error, HasSubstr("--at"));
  const CliResult beyond = directory.Run({"why", "T1", "--at", "99"});
  EXPECT_EQ(beyond.exit_code, 2);
  EXPECT_THAT(beyond.error, HasSubstr("--at: the log ends at sequence 2"));
  const CliResult nowhere = directory.Run({"why", "T1", "--record", "/nowhere"});
  EXPECT_EQ(nowhere.exit_code, 3);
  const CliResult two = RunCli({"incidents", "run", (Stories() / "scenarios.json").string(),
                                "--keep", (directory.root() / "kept").string()});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_THAT(two.error, HasSubstr("--keep takes one scenario"));
}

TEST(CliWhy, FitsTheTerminalAndIsPlainOutsideOfOne) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"acquire", "T1", "--owner", "a-worker-with-a-long-name"});
  const Words words = {"why", "T1", "--data", directory.data().string()};
  EXPECT_THAT(RunCliOnTerminal(words, {{"TERM", "xterm"}}, 60).out, HasSubstr("\x1B["));
  const std::string plain = RunCli(words).out;
  EXPECT_THAT(plain, Not(HasSubstr("\x1B")));
  std::stringstream narrow(RunCli(words, {{"COLUMNS", "60"}}).out);
  for (std::string line; std::getline(narrow, line);) {
    EXPECT_LE(line.size(), 64U) << line;
  }
}

}  // namespace
}  // namespace sagalog
