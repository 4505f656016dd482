// sagalog replay in a pipe: lines, NDJSON, filters and ranges.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace json = boost::json;
namespace fs = std::filesystem;

class CliReplay : public testing::Test {
 protected:
  // 1 store_opened, 2 planned T1, 3 planned T2, 4 leased T1, 5 leased T2, a minute passes,
  // 6 leased T1 (taken over), 7 terminal T1, 8 annotated T2.
  void SetUp() override {
    directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
    directory_.Json({"plan", "T1", "--label", "team=core", "--queue", "q"});
    directory_.Json({"plan", "T2", "--label", "team=web site"});
    directory_.Json({"acquire", "T1", "--owner", "w1", "--ttl", "30s"});
    directory_.Json({"acquire", "T2", "--owner", "w2", "--ttl", "1h"});
    AdvanceClock(directory_, "60s");
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w3"});
    directory_.Json({"complete", "T1", "--token", token});
    directory_.Json({"annotate", "T2", "--text", "note"});
  }

  // The steps as JSON.
  std::vector<json::object> Steps(Words words) {
    words.insert(words.begin(), {"--json", "replay"});
    const CliResult result = directory_.Run(words);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    std::vector<json::object> steps;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) {
      steps.push_back(json::parse(line).as_object());
    }
    return steps;
  }

  // Their sequences.
  std::vector<int> Sequences(const Words& words) {
    std::vector<int> sequences;
    for (const json::object& step : Steps(words)) {
      sequences.push_back(step.at("event").at("sequence").to_number<int>());
    }
    return sequences;
  }

  std::vector<int> Where(const std::string& filter) { return Sequences({"--where", filter}); }

  CliDirectory directory_;
};

TEST_F(CliReplay, ShowsTheSagaBeforeAndAfterEachEvent) {
  const std::vector<json::object> steps = Steps({});
  ASSERT_EQ(steps.size(), 8U);
  EXPECT_TRUE(steps[0].at("after").is_null());
  EXPECT_TRUE(steps[1].at("before").is_null());
  EXPECT_EQ(steps[1].at("after").at("state").as_string(), "planned");
  // Before the takeover the lease was over, and the index said so.
  const json::value& before = steps[5].at("before");
  EXPECT_EQ(before.at("owner").as_string(), "w1");
  EXPECT_EQ(before.at("stale").at(0).at("reason").as_string(), "lease_expired");
  EXPECT_EQ(steps[5].at("after").at("owner").as_string(), "w3");
  EXPECT_THAT(steps[5].at("after").at("stale").as_array(), IsEmpty());
  EXPECT_EQ(steps[6].at("after").at("state").as_string(), "completed");
  const std::string text = directory_.Run({"replay"}).out;
  EXPECT_THAT(text, AllOf(HasSubstr("T1  leased  taken_over"),
                          HasSubstr("before  running, w1, token 4, over for 30 s, stale "
                                    "lease_expired for 30 s"),
                          HasSubstr("still   running, w2")));
}

TEST_F(CliReplay, FiltersByWhatTheEventAndItsSagaSay) {
  EXPECT_THAT(Where("type=leased"), ElementsAre(4, 5, 6));
  EXPECT_THAT(Where("type=leased,terminal saga=T1"), ElementsAre(4, 6, 7));
  EXPECT_THAT(Where("type!=leased saga=T*"), ElementsAre(2, 3, 7, 8));
  EXPECT_THAT(Where("owner=w1"), ElementsAre(4));
  EXPECT_THAT(Where("owner=w3"), ElementsAre(6, 7));
  EXPECT_THAT(Where("queue=q"), ElementsAre(2, 4, 6, 7));
  EXPECT_THAT(Where("label=team=core"), ElementsAre(2, 4, 6, 7));
  EXPECT_THAT(Where("label=\"team=web site\""), ElementsAre(3, 5, 8));
  EXPECT_THAT(Where("label=team"), ElementsAre(2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(Where("label!=team"), ElementsAre(1));
  EXPECT_THAT(Where("time>=2026-11-21T04:19:00+01:00"), ElementsAre(6, 7, 8));
  EXPECT_THAT(Where("sequence>2 sequence<=4"), ElementsAre(3, 4));
  EXPECT_THAT(Where("sequence=1,8"), ElementsAre(1, 8));
  EXPECT_THAT(Where("saga=\"\""), ElementsAre(1));
  EXPECT_THAT(Where("type=parked"), IsEmpty());
}

// The late call stands in the log when it was noted; it is found by the saga that it was about.
TEST_F(CliReplay, RefusedCallsAreReadAndFoundByTheirSaga) {
  EXPECT_EQ(directory_.Run({"heartbeat", "T1", "--token", "4"}).exit_code, 1);
  EXPECT_EQ(directory_.Run({"acquire", "T2", "--owner", "w9"}).exit_code, 1);
  AdvanceClock(directory_, "60s");
  directory_.Json({"annotate", "T2", "--text", "so that the refusals are noted"});
  ASSERT_EQ(directory_.StopServing(), 0);
  const CliResult replay =
      directory_.Run({"replay", "--where", "type=refusals_noted saga=T1", "--plain"});
  EXPECT_THAT(replay.out, HasSubstr("T1 heartbeat at 03:19:00Z: terminal"));
  EXPECT_THAT(replay.out, testing::Not(HasSubstr("{\"")));
  EXPECT_EQ(Where("type=refusals_noted saga=T2").size(), 1U);
  EXPECT_THAT(Where("type=refusals_noted saga=T3"), IsEmpty());
}

TEST_F(CliReplay, CleanUpsEffectsAndWhoDidItAreShown) {
  directory_.Json({"plan", "T3", "--compensation", "id=vm,kind=k,target=t"});
  const std::string token = directory_.Token({"acquire", "T3", "--owner", "w3"});
  directory_.Json(
      {"effect", "begin", "T3", "--token", token, "--effect", "push", "--fingerprint", "f"});
  directory_.Json({"cancel", "T3", "--reason", "r", "--actor", "ann"});
  const std::string out = directory_.Run({"replay", "--saga", "T3", "--plain"}).out;
  EXPECT_THAT(out,
              AllOf(HasSubstr("clean-ups vm registered, effects push in doubt"),
                    HasSubstr("clean-ups vm owed, effects push in doubt"), HasSubstr("(by ann)")));
  const std::vector<json::object> steps = Steps({"--saga", "T3"});
  EXPECT_EQ(json::serialize(steps.back().at("after").at("compensations")),
            R"([{"id":"vm","state":"owed"}])");
}

TEST_F(CliReplay, AWrongFilterIsNamedWithItsColumn) {
  struct Wrong {
    const char* filter;
    const char* says;
  };
  for (const Wrong& wrong :
       {Wrong{"tpye=leased", "column 1: \"tpye\" is nothing to ask for: type, saga"},
        Wrong{"saga=T1 type=lease", "column 14: \"lease\" is no type of event"},
        Wrong{"saga", "column 5: = or != is needed here"},
        Wrong{"saga=", "column 6: a value is needed here"},
        Wrong{"saga=T1,", "column 9: a value is needed here"},
        Wrong{"saga<T1", "column 5: < is for time and sequence"},
        Wrong{"saga=\"T1", "column 6: the quote that begins here does not end"},
        Wrong{"time>2026-11-21T03:18:00", "column 6: \"2026-11-21T03:18:00\" is no time with a"},
        Wrong{"sequence=x", "column 10: \"x\" is no sequence"},
        Wrong{"sequence<1,2", "column 13: more than one value"},
        Wrong{"label==x", "column 7: a label is NAME=VALUE"},
        Wrong{" ", "column 1: it is empty"}}) {
    SCOPED_TRACE(wrong.filter);
    const CliResult result = directory_.Run({"replay", "--where", wrong.filter});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.error, HasSubstr(std::string("replay: --where: ") + wrong.says));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(CliReplay, RangesAreInSequencesOrTimes) {
  EXPECT_THAT(Sequences({"--from", "7"}), ElementsAre(7, 8));
  EXPECT_THAT(Sequences({"--until", "2"}), ElementsAre(1, 2));
  EXPECT_THAT(Sequences({"--from", "2026-11-21T03:18:00Z", "--until", "3"}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Sequences({"--from", "2026-11-21T03:19:00Z"}), ElementsAre(6, 7, 8));
  EXPECT_THAT(Sequences({"--until", "2026-11-21T03:18:59Z"}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(Sequences({"--saga", "T2", "--where", "type!=annotated"}), ElementsAre(3, 5));
}

TEST_F(CliReplay, BackwardsIsTheSameTheOtherWayRound) {
  std::vector<json::object> forwards = Steps({});
  std::reverse(forwards.begin(), forwards.end());
  EXPECT_EQ(Steps({"--backwards"}), forwards);
  EXPECT_THAT(Sequences({"--backwards", "--where", "owner=w3", "--from", "2"}), ElementsAre(7, 6));
}

TEST_F(CliReplay, WrongArgumentsAreRefusedInOneLine) {
  struct Wrong {
    Words words;
    int exit_code;
    const char* says;
  };
  for (const Wrong& wrong : {
           Wrong{{"--from", "noon"}, 2, "--from: \"noon\" is neither"},
           Wrong{
               {"--until", "2026-11-21T03:18:00"}, 2, "--until: \"2026-11-21T03:18:00\" names no"},
           Wrong{{"--from", "99"}, 1, "--from: the log ends at sequence 8"},
           Wrong{{"--until", "0"}, 1, "--until: there is no event 0"},
           Wrong{{"--from", "5", "--until", "4"}, 1, "no event between --from and --until"},
           Wrong{{"--saga", "T9"}, 1, "there is no event of saga T9 there"},
           Wrong{{"--speed", "0"}, 2, "--speed: a number above 0"},
           Wrong{{"--speed", "fast"}, 2, "--speed"},
       }) {
    SCOPED_TRACE(testing::PrintToString(wrong.words));
    Words words = wrong.words;
    words.insert(words.begin(), "replay");
    const CliResult result = directory_.Run(words);
    EXPECT_EQ(result.exit_code, wrong.exit_code);
    EXPECT_THAT(result.error, HasSubstr(wrong.says));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(CliReplay, ItsPaceIsASpeed) {
  EXPECT_THAT(Sequences({"--speed", "1000000", "--until", "7"}), ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(CliReplay, NothingIsWritten) {
  directory_.StopServing();
  const auto files = [this] {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.data())) {
      if (entry.is_regular_file()) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        found[entry.path()] = bytes.str();
      }
    }
    return found;
  };
  const auto before = files();
  EXPECT_EQ(directory_.Run({"replay"}).exit_code, 0);
  EXPECT_EQ(directory_.Run({"at", "8"}).exit_code, 0);
  EXPECT_EQ(directory_.Run({"diff", "2", "8"}).exit_code, 0);
  EXPECT_TRUE(files() == before);
}

}  // namespace
}  // namespace sagalog
