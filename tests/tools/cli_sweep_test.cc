// sagalog sweep, and the reaper of sagalog serve.
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace json = boost::json;

constexpr const char* kNoon = "2031-02-03T12:00:00Z";

void Start(CliDirectory& directory, const std::string& saga, const std::string& on_stale,
           const std::string& ttl = "30s") {
  directory.Json({"plan", saga, "--policy", "on_stale=" + on_stale});
  directory.Json({"acquire", saga, "--owner", "w1", "--ttl", ttl});
}

TEST(CliSweep, TheReaperOfADaemonHasActedWhenTimeHasPassed) {
  CliDirectory directory;
  directory.Serve({"--manual-clock", kNoon});
  Start(directory, "T1", "requeue");
  Start(directory, "T2", "quarantine");
  Start(directory, "T3", "report");
  AdvanceClock(directory, "29s");
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "running");
  AdvanceClock(directory, "1h");
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "planned");
  EXPECT_EQ(Word(directory.Json({"show", "T2"}), "state"), "quarantined");
  EXPECT_EQ(Word(directory.Json({"show", "T3"}), "state"), "running");
  EXPECT_THAT(directory.Run({"history", "T1"}).out,
              AllOf(HasSubstr("2031-02-03T12:00:30Z"), HasSubstr("reaper")));
  EXPECT_THAT(directory.Run({"status"}).out,
              HasSubstr("acts by itself; recovered: requeue 1, quarantine 1"));
}

TEST(CliSweep, ADaemonWithoutAReaperLeavesItToASweep) {
  CliDirectory directory;
  directory.Serve({"--manual-clock", kNoon, "--no-reaper"});
  Start(directory, "T1", "requeue");
  Start(directory, "T2", "fail");
  AdvanceClock(directory, "1h");
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "running");
  EXPECT_THAT(directory.Run({"status"}).out, HasSubstr("does not act by itself"));

  const CliResult dry = directory.Run({"sweep", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0);
  EXPECT_THAT(dry.out, AllOf(HasSubstr("would requeue"), HasSubstr("left: compensation_missing"),
                             HasSubstr("would recover: 1 requeue")));
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "running");

  const CliResult swept = directory.Run({"sweep"});
  EXPECT_EQ(swept.exit_code, 0);
  EXPECT_THAT(swept.out, AllOf(HasSubstr("recovered: 1 requeue"),
                               HasSubstr("left as they were: 1 compensation_missing")));
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "planned");
  EXPECT_THAT(directory.Run({"sweep", "--limit", "1"}).out, HasSubstr("compensation_missing"));
}

TEST(CliSweep, OpensTheDirectoryWhereNoDaemonRuns) {
  CliDirectory directory;
  Start(directory, "T1", "requeue", "1us");
  const json::object dry = directory.Json({"sweep", "--dry-run"});
  EXPECT_EQ(Word(dry.at("items").as_array()[0].as_object(), "outcome"), "would_recover");
  const json::object swept = directory.Json({"sweep"});
  EXPECT_EQ(Word(swept.at("items").as_array()[0].as_object(), "outcome"), "recovered");
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "planned");
  EXPECT_THAT(directory.Run({"sweep"}).out, HasSubstr("nothing to do"));
}

TEST(CliSweep, WithoutADirectoryItSaysSo) {
  CliDirectory directory;
  const CliResult result = directory.Run({"sweep"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("there is no data directory"));
  EXPECT_EQ(directory.Run({"sweep", "--limit", "none"}).exit_code, 2);
  EXPECT_EQ(directory.Run({"sweep", "--limit", "0"}).exit_code, 2);
}

}  // namespace
}  // namespace sagalog
