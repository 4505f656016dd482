// Records as no store writes them, and times as no clock should tell them: whoever receives one
// gets an answer, never a crash.
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/event_encoder.h"
#include "schema/store_time.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/forged_record.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class CliOddRecord : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"complete", "T1", "--token", token});
    directory_.Json({"plan", "T2"});
  }

  // Every event, changed and nothing made right.
  void Change(const std::function<void(events::EventT&)>& change) {
    RewriteRaw(directory_.data(), [&](RawEvents& raw) {
      EventEncoder encoder;
      for (auto& [sequence, bytes] : raw) {
        events::EventT event;
        events::GetEvent(bytes.data())->UnPackTo(&event);
        change(event);
        bytes = encoder.Encode(event);
      }
    });
    fs::remove_all(directory_.data() / "projections");
  }
  void MoveTo(const char* first) {
    Duration by{};
    Change([&](events::EventT& event) {
      by = event.sequence == 1 ? *ParseTime(first) - TimeFromMicros(event.time) : by;
      event.time += by.count();
    });
  }
  void ExpectDone(const Words& words) {
    const CliResult done = directory_.Run(words);
    EXPECT_EQ(done.exit_code, 0) << words.front() << ": " << done.out << done.error;
  }
  std::string out() const { return (directory_.root() / "out").string(); }
  std::string page() const { return (directory_.root() / "page.html").string(); }

  CliDirectory directory_;
};

TEST_F(CliOddRecord, ALeaseWithoutATokenIsNobodysTenure) {
  Change([](events::EventT& event) {
    if (auto* leased = event.body.AsLeased()) {
      leased->token = 0;
    }
  });
  const CliResult told = directory_.Run({"why", "T1"});
  EXPECT_EQ(told.exit_code, 0) << told.error;
  EXPECT_THAT(told.out, HasSubstr("completed"));
  ExpectDone({"at", "3"});
  ExpectDone({"timeline", "--out", page()});
}

TEST_F(CliOddRecord, EventsBefore1970AreReadLikeOthers) {
  MoveTo("1969-12-31T23:00:00Z");
  for (const Words& words :
       {Words{"verify"}, Words{"audit", "verify"}, Words{"at", "2"}, Words{"diff", "1", "5"},
        Words{"why", "T1"}, Words{"replay", "--plain"}, Words{"timeline", "--out", page()},
        Words{"audit", "export", "--unsigned", "--out", out()}, Words{"audit", "verify", out()}}) {
    ExpectDone(words);
  }
}

TEST_F(CliOddRecord, EventsBehindTheYear9999AreExportedAndReadAgain) {
  MoveTo("9999-12-31T23:59:59.999999Z");
  for (const Words& words :
       {Words{"audit", "export", "--unsigned", "--out", out()}, Words{"audit", "verify", out()},
        Words{"audit", "export", "--unsigned", "--out", out()},
        Words{"at", "3", "--record", out()}}) {
    ExpectDone(words);
  }
}

TEST_F(CliOddRecord, TimesThatRunBackwardsAreDamageAndNoCrash) {
  Change([](events::EventT& event) {
    event.time -= event.sequence == 4 ? Duration(std::chrono::hours(1)).count() : 0;
  });
  const CliResult compared = directory_.Run({"diff", "2", "4"});
  EXPECT_EQ(compared.exit_code, 1) << compared.out;
  EXPECT_THAT(compared.error, HasSubstr("is later than the second"));
  EXPECT_EQ(directory_.Run({"verify"}).exit_code, 3);
  EXPECT_EQ(directory_.Run({"audit", "verify"}).exit_code, 3);
}

TEST(CliOddClock, IsRefusedAndNothingIsStored) {
  for (const char* start : {"1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z",
                            "9999-12-31T23:59:59Z"}) {
    CliDirectory directory;
    const CliResult refused = directory.Run({"serve", "--manual-clock", start});
    EXPECT_EQ(refused.exit_code, 2) << refused.out;
    EXPECT_THAT(refused.error, AllOf(HasSubstr("manual-clock"),
                                     HasSubstr("has to be between 1970 and the year 9999")));
    EXPECT_FALSE(fs::exists(directory.data()));
  }
  CliDirectory directory;
  directory.Serve({"--manual-clock", "1970-01-01T00:00:00Z"});
  directory.Json({"plan", "T1"});
  EXPECT_EQ(directory.StopServing(), 0);
  EXPECT_EQ(directory.Run({"verify"}).exit_code, 0);
}

}  // namespace
}  // namespace sagalog
