// sagalog serve: comes up, answers, goes down.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

TEST(CliServe, SaysInOneLineWhereItListens) {
  CliDirectory directory;
  const std::string line = directory.Serve();
  EXPECT_EQ(line, "serving " + directory.data().string() + " on " +
                      (directory.data() / "socket").string());
  EXPECT_TRUE(fs::is_socket(directory.data() / "socket"));
}

TEST(CliServe, EndsWellOnSigterm) {
  CliDirectory directory;
  directory.Serve();
  directory.Json({"plan", "T1"});
  EXPECT_EQ(directory.StopServing(), 0);
  EXPECT_FALSE(fs::exists(directory.data() / "socket"));
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "planned");
}

TEST(CliServe, ASecondDaemonIsRefusedAtOnce) {
  CliDirectory directory;
  directory.Serve();
  const CliResult second = directory.Run({"serve"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.error, HasSubstr("serves"));
  EXPECT_EQ(directory.Run({"plan", "T1"}).exit_code, 0);
}

TEST(CliServe, AStoppedDaemonIsNotWaitedForLongerThanIsSaid) {
  CliDirectory directory;
  directory.Serve();
  directory.Json({"plan", "T1"});
  kill(directory.daemon(), SIGSTOP);
  const CliResult status = directory.Run({"--json", "--timeout", "200ms", "status"});
  const CliResult plan = directory.Run({"plan", "T2"}, {{"SAGALOG_TIMEOUT", "200ms"}});
  kill(directory.daemon(), SIGCONT);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.error, HasSubstr("the daemon did not answer in time"));
  EXPECT_EQ(status.out, "");
  EXPECT_EQ(plan.exit_code, 3);
  EXPECT_THAT(plan.error, HasSubstr("the daemon did not answer in time"));
  EXPECT_EQ(directory.Run({"status"}).exit_code, 0);
}

TEST(CliServe, SaysForWhomItWaits) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  // A worker without a daemon holds the directory.
  BackgroundRun holder(directory, {"--saga", "T1", "--owner", "w1"}, {"sh", "-c", kPoliteWorker});
  ASSERT_THAT(holder.ReadLine(), StartsWith("ready"));
  const CliResult refused = directory.Run({"serve"});
  EXPECT_EQ(refused.exit_code, 3);
  const std::string held = "is held by process " + std::to_string(holder.pid());
  EXPECT_THAT(refused.error, AllOf(HasSubstr("warning waiting: "), HasSubstr(held),
                                   HasSubstr("sagalog: serve: " + directory.data().string())));
}

TEST(CliServe, CommandsGoThroughTheDaemon) {
  CliDirectory directory;
  directory.Serve();
  directory.Json({"plan", "T1"});
  EXPECT_THAT(directory.Run({"status"}).out, ::testing::Not(HasSubstr("no daemon")));
  // The daemon alone has the directory open, and knows what it was told.
  kill(directory.daemon(), SIGKILL);
  directory.StopServing();
  EXPECT_THAT(directory.Run({"status"}).out, HasSubstr("no daemon"));
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "state"), "planned");
}

TEST(CliServe, ASocketLeftBehindIsNoObstacle) {
  CliDirectory directory;
  directory.Serve();
  kill(directory.daemon(), SIGKILL);
  EXPECT_EQ(directory.StopServing(), 128 + SIGKILL);
  ASSERT_TRUE(fs::exists(directory.data() / "socket"));
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0);
  EXPECT_THAT(doctor.out, HasSubstr("left behind"));
  EXPECT_EQ(directory.Run({"plan", "T1"}).exit_code, 0);
  EXPECT_THAT(directory.Serve(), StartsWith("serving"));
}

TEST(CliServe, AManualClockStartsWhereItIsTold) {
  CliDirectory directory;
  directory.Serve({"--manual-clock", "2031-02-03T04:05:06Z"});
  directory.Json({"plan", "T1"});
  EXPECT_EQ(Word(directory.Json({"show", "T1"}), "planned_at"), "2031-02-03T04:05:06.000000Z");
  EXPECT_THAT(directory.Run({"acquire", "T1", "--owner", "w", "--ttl", "90s"}).out,
              HasSubstr("expires in 1 min 30 s (2031-02-03T04:06:36Z)"));
}

TEST(CliServe, AClockFarAheadNeedsToBeAccepted) {
  CliDirectory directory;
  directory.Serve({"--manual-clock", "2020-01-01T00:00:00Z"});
  directory.Json({"plan", "T1"});
  directory.StopServing();
  const CliResult refused = directory.Run({"plan", "T2"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.error, HasSubstr("--accept-clock"));
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("clock"), HasSubstr("--accept-clock")));
  EXPECT_EQ(directory.Run({"plan", "T2", "--accept-clock"}).exit_code, 0);
  EXPECT_EQ(directory.Run({"plan", "T3"}).exit_code, 0);
}

}  // namespace
}  // namespace sagalog
