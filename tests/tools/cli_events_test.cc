// sagalog events: the log on a terminal, in a pipe, and as a command for each event.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/http_client.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

std::size_t LinesOf(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string Text(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool SomebodyFollows(const CliDirectory& directory) {
  const auto client = HttpClient::Connect(directory.data() / "socket");
  EXPECT_TRUE(client.ok());
  const auto metrics = (*client)->Send({"GET", "/metrics", "", ""});
  return metrics.ok() && metrics->body.find("\nsagalog_followers 1\n") != std::string::npos;
}

TEST(CliEvents, ShowsALineForEachEvent) {
  CliDirectory directory;
  directory.Run({"plan", "T1"});
  directory.Run({"acquire", "T1", "--owner", "w1"});
  const CliResult all = directory.Run({"events"});
  EXPECT_EQ(all.exit_code, 0) << all.error;
  EXPECT_THAT(all.out, AllOf(HasSubstr("store_opened"), HasSubstr("planned T1"),
                             HasSubstr("leased T1 first, owner w1")));
  const CliResult leased = directory.Run({"events", "--type", "leased", "--type", "terminal"});
  EXPECT_EQ(LinesOf(leased.out), 1U);
  EXPECT_THAT(directory.Run({"events", "--saga", "T9"}).out, IsEmpty());
}

TEST(CliEvents, IsTheSameThroughTheDaemon) {
  CliDirectory directory;
  directory.Serve();
  directory.Run({"plan", "T1"});
  directory.Run({"plan", "T2"});
  const CliResult json = directory.Run({"events", "--from", "2", "--json"});
  EXPECT_EQ(json.exit_code, 0) << json.error;
  EXPECT_THAT(json.out, StartsWith("{\"sequence\":2,"));
  EXPECT_EQ(LinesOf(json.out), 2U);
}

TEST(CliEvents, WhatIsWrongIsRefused) {
  CliDirectory directory;
  directory.Run({"plan", "T1"});
  EXPECT_EQ(directory.Run({"events", "--type", "walked"}).exit_code, 1);
  EXPECT_EQ(directory.Run({"events", "--from", "99"}).exit_code, 1);
  EXPECT_EQ(directory.Run({"events", "--exec", "'"}).exit_code, 2);
  const CliResult alone = directory.Run({"events", "--follow"});
  EXPECT_EQ(alone.exit_code, 3);
  EXPECT_THAT(alone.error, HasSubstr("no daemon runs"));
}

TEST(CliEvents, FollowsUntilTheDaemonEnds) {
  CliDirectory directory;
  directory.Serve();
  CliResult followed;
  std::thread follower([&] {
    followed = directory.Run({"events", "--from", "2", "--follow", "--json"});
  });
  // It comes sooner or later than this event; either way it gets it.
  directory.Run({"plan", "T1"});
  while (!SomebodyFollows(directory)) {
    std::this_thread::yield();
  }
  directory.Run({"plan", "T2"});
  directory.StopServing();
  follower.join();
  EXPECT_EQ(followed.exit_code, 3);
  EXPECT_THAT(followed.error, HasSubstr("the daemon has ended the stream"));
  EXPECT_THAT(followed.out,
              AllOf(HasSubstr("\"saga_id\":\"T1\""), HasSubstr("\"saga_id\":\"T2\"")));
}

TEST(CliEvents, RunsACommandForEachEvent) {
  CliDirectory directory;
  directory.Run({"plan", "T1"});
  directory.Run({"plan", "T2"});
  const std::string out = (directory.root() / "events").string();
  const CliResult run =
      directory.Run({"events", "--type", "planned", "--exec",
                     "sh -c 'echo $SAGALOG_SEQUENCE >> " + out + "; cat >> " + out + "'"});
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_THAT(Text(out), AllOf(StartsWith("2\n{\"sequence\":2,"), HasSubstr("}\n"),
                               HasSubstr("\"saga_id\":\"T2\"")));
}

TEST(CliEvents, FailuresOfTheCommandAreShownAndBounded) {
  CliDirectory directory;
  for (int i = 0; i < 12; ++i) {
    directory.Run({"plan", "T" + std::to_string(i)});
  }
  const CliResult run = directory.Run({"events", "--type", "planned", "--exec", "sh -c 'exit 3'"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.error, AllOf(HasSubstr("at event 2: sh exited with 3"),
                               HasSubstr("further failures are counted"),
                               HasSubstr("the command failed 12 times")));
  EXPECT_EQ(LinesOf(run.error), 12U);
  const CliResult missing = directory.Run({"events", "--exec", "/nowhere/notify"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.error, HasSubstr("/nowhere/notify"));
}

}  // namespace
}  // namespace sagalog
