// sagalog at and sagalog diff: what was, and what changed.
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace json = boost::json;
namespace fs = std::filesystem;

// One saga's changes, "field from to" each.
std::vector<std::string> Changes(const json::object& diff, std::string_view saga) {
  std::vector<std::string> changes;
  for (const json::value& row : diff.at("sagas").as_array()) {
    if (row.at("saga_id").as_string() != saga) {
      continue;
    }
    for (const json::value& change : row.at("changes").as_array()) {
      changes.push_back(Word(change.as_object(), "field") + " " +
                        json::serialize(change.at("from")) + " " +
                        json::serialize(change.at("to")));
    }
  }
  return changes;
}

class CliPast : public testing::Test {
 protected:
  // 1 store_opened, 2 planned, 3 leased, 4 stage_advanced, 5 terminal.
  void LiveOneLife() {
    directory_.Json({"plan", "T1", "--key", "k"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"stage", "T1", "--token", token, "--expected", "", "--next", "pushed"});
    directory_.Json({"complete", "T1", "--token", token});
  }

  CliDirectory directory_;
};

TEST_F(CliPast, ASagaIsShownAsTheStoreShowsItAtThatSequence) {
  LiveOneLife();
  for (const char* sequence : {"2", "3", "4", "5"}) {
    SCOPED_TRACE(sequence);
    EXPECT_EQ(json::serialize(directory_.Json({"at", sequence, "--saga", "T1"})),
              json::serialize(directory_.Json({"show", "T1", "--at", sequence})));
  }
  EXPECT_EQ(Word(directory_.Json({"at", "2", "--saga", "T1"}), "state"), "planned");
  EXPECT_THAT(directory_.Run({"at", "3", "--saga", "T1"}).out,
              AllOf(StartsWith("as it was at sequence 3, 20"), HasSubstr("running")));
}

std::string Items(const json::object& page) { return json::serialize(page.at("items")); }

TEST_F(CliPast, ListsAreShownAsTheyWere) {
  directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  directory_.Json({"queue", "q", "--limit", "2"});
  directory_.Json({"plan", "T1", "--queue", "q", "--compensation", "id=c,kind=k,target=t"});
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1", "--ttl", "30s"});
  directory_.Json({"section", "enter", "T1", "--token", token, "--name", "merge"});
  directory_.Json(
      {"effect", "begin", "T1", "--token", token, "--effect", "push", "--fingerprint", "f"});
  AdvanceClock(directory_, "60s");
  const std::vector<Words> lists = {{"ls", "--queue", "q"}, {"stale"}, {"sections"},
                                    {"effect", "ls"},       {"queue"}, {"compensation", "ls"}};
  std::vector<std::string> then;
  for (const Words& list : lists) {
    then.push_back(Items(directory_.Json(list)));
  }
  AdvanceClock(directory_, "60s");
  directory_.Json({"effect", "settle", "T1", "--effect", "push", "--outcome", "pushed"});
  directory_.Json({"section", "leave", "T1", "--token", token, "--outcome", "o"});
  directory_.Json({"force-release", "T1", "--actor", "a", "--reason", "r"});
  directory_.Json({"queue", "q", "--limit", "3"});
  directory_.Json({"policy", "--limit", "5"});
  const CliResult both = directory_.Run({"queue", "q", "--at", "2", "--limit", "4"});
  EXPECT_EQ(both.exit_code, 1);
  EXPECT_THAT(both.error, HasSubstr("at: "));
  for (const bool daemon : {true, false}) {
    if (!daemon) {
      EXPECT_EQ(directory_.StopServing(), 0);
    }
    for (std::size_t i = 0; i < lists.size(); ++i) {
      Words words = lists[i];
      words.insert(words.end(), {"--at", "2026-11-21T03:19:00Z"});
      EXPECT_EQ(Items(directory_.Json(words)), then[i]) << words.front();
    }
  }
  EXPECT_THAT(directory_.Run({"stale", "--at", "2026-11-21T03:19:00Z"}).out,
              AllOf(StartsWith("as it was at sequence 6, 2026-11-21T03:19:00.000000Z\n"),
                    HasSubstr("30 s ago")));
  EXPECT_THAT(directory_.Run({"queue", "q", "--at", "2"}).out,
              StartsWith("as it was at sequence 2, 2026-11-21T03:18:00.000000Z\n"));
  EXPECT_EQ(Word(directory_.Json({"queue", "q", "--at", "2"}), "limit"), "2");
  EXPECT_FALSE(directory_.Json({"policy", "--at", "6"}).contains("limit"));
  EXPECT_THAT(directory_.Run({"stale", "--at", "2026-11-21T03:18:00"}).error,
              HasSubstr("names no zone"));
}

TEST_F(CliPast, EverythingIsShownWithTheStaleIndexOfThatMomentWhileADaemonRuns) {
  directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  directory_.Json({"plan", "T1", "--queue", "q"});
  directory_.Json({"plan", "T2"});
  directory_.Json({"acquire", "T1", "--owner", "w1", "--ttl", "30s"});
  AdvanceClock(directory_, "60s");
  directory_.Json({"cancel", "T2", "--reason", "r"});
  const json::object before = directory_.Json({"at", "2026-11-21T03:18:29Z"});
  EXPECT_THAT(before.at("stale").as_array(), IsEmpty());
  const json::object after = directory_.Json({"at", "2026-11-21T03:18:30Z"});
  EXPECT_EQ(Word(after, "time"), "2026-11-21T03:18:30.000000Z");
  EXPECT_EQ(json::serialize(after.at("counts")), R"({"planned":1,"running":1})");
  const json::object stale = after.at("stale").as_array().at(0).as_object();
  EXPECT_EQ(Word(stale, "saga_id"), "T1");
  EXPECT_THAT(json::serialize(stale), HasSubstr("lease_expired"));
  EXPECT_THAT(json::serialize(after.at("queues")), HasSubstr(R"("queue":"q")"));
  EXPECT_EQ(after.at("sagas").as_array().size(), 2U);
  const json::object live = directory_.Json({"at", "2026-11-21T03:19:00Z", "--live"});
  EXPECT_EQ(live.at("sagas").as_array().size(), 1U);
  EXPECT_THAT(directory_.Run({"at", "2026-11-21T03:18:30Z"}).out,
              AllOf(HasSubstr("1 planned, 1 running"), HasSubstr("The stale index then:"),
                    HasSubstr("lease_expired"), HasSubstr("SLOTS USED")));
}

TEST_F(CliPast, ABackupIsLookedAtWhereItLies) {
  LiveOneLife();
  const std::string backups = directory_.root() / "backups";
  directory_.Json({"backup", backups});
  directory_.Json({"plan", "T2"});
  EXPECT_EQ(Word(directory_.Json({"at", "4", "--saga", "T1", "--record", backups}), "state"),
            "running");
  const CliResult beyond = directory_.Run({"at", "6", "--record", backups});
  EXPECT_EQ(beyond.exit_code, 1);
  EXPECT_EQ(beyond.error, "sagalog: at: the log ends at sequence 5\n");
  const CliResult later = directory_.Run({"at", "2999-01-01T00:00:00Z", "--record", backups});
  EXPECT_EQ(later.exit_code, 1);
  EXPECT_THAT(later.error,
              AllOf(StartsWith("sagalog: at: the record ends at 20"), HasSubstr("(event 5)")));
  EXPECT_THAT(directory_.Run({"diff", "3", "4", "--record", backups}).out,
              HasSubstr(": 1 event\n"));
}

TEST_F(CliPast, WrongMomentsAndSagasAreRefusedInOneLine) {
  LiveOneLife();
  struct Wrong {
    Words words;
    int exit_code;
    const char* says;
  };
  for (const Wrong& wrong : {
           Wrong{{"at", "noon"}, 2, "at: \"noon\" is neither a sequence nor a time"},
           Wrong{{"at", "2026-11-21T03:18:00"}, 2, "names no zone: end it with Z"},
           Wrong{{"at", "0"}, 1, "at: there is no event 0"},
           Wrong{{"at", "6"}, 1, "at: the log ends at sequence 5"},
           Wrong{{"at", "1999-01-01T00:00:00Z"}, 1, "at: the log begins at 20"},
           Wrong{{"at", "9999-01-01T00:00:00Z"}, 1, "what is to come is not known"},
           Wrong{{"at", "5", "--saga", "T9"},
                 1,
                 "at: there was no saga T9 then: nor is there one up to event 5"},
           Wrong{{"at", "1", "--saga", "T1"},
                 1,
                 "at: there was no saga T1 then: it was planned later, by event 2 at 20"},
           Wrong{{"at", "1", "--record", directory_.root() / "none"}, 1, "at: "},
           Wrong{{"diff", "2", "x"}, 2, "diff: \"x\" is neither"},
           Wrong{{"diff", "3", "2"}, 1, "is later than the second"},
           Wrong{{"diff", "2", "3", "--saga", "T9"}, 1, "there was no saga T9"},
       }) {
    SCOPED_TRACE(testing::PrintToString(wrong.words));
    const CliResult result = directory_.Run(wrong.words);
    EXPECT_EQ(result.exit_code, wrong.exit_code);
    EXPECT_THAT(result.error, HasSubstr(wrong.says));
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  }
}

TEST_F(CliPast, ADiffSaysWhatChangedInEachSaga) {
  LiveOneLife();
  directory_.Json({"plan", "T2"});
  const json::object diff = directory_.Json({"diff", "2", "6"});
  EXPECT_EQ(Word(diff, "events"), "4");
  EXPECT_THAT(Changes(diff, "T1"),
              AllOf(testing::Contains(R"(state "planned" "completed")"),
                    testing::Contains(R"(stage "" "pushed")"), testing::Contains("attempts 0 1")));
  EXPECT_THAT(Changes(diff, "T2"), testing::Contains(R"(state null "planned")"));
  EXPECT_THAT(Changes(directory_.Json({"diff", "3", "4"}), "T1"),
              testing::Contains(R"(stage "" "pushed")"));
  EXPECT_THAT(Changes(directory_.Json({"diff", "3", "4", "--saga", "T1"}), "T1"),
              testing::Contains(R"(stage "" "pushed")"));
  EXPECT_THAT(directory_.Json({"diff", "4", "4"}).at("sagas").as_array(), IsEmpty());
  const std::string text = directory_.Run({"diff", "2", "6"}).out;
  EXPECT_THAT(text, AllOf(HasSubstr("4 events"), HasSubstr("T1  planned → completed"),
                          HasSubstr("- → pushed"), HasSubstr("T2  not planned → planned"),
                          Not(HasSubstr("version"))));
  EXPECT_THAT(directory_.Run({"diff", "4", "4"}).out, HasSubstr("nothing changed"));
}

// Nothing happens to T1 but time; D's end shows in W, which has no event of its own; a policy makes
// T3 stale.
TEST_F(CliPast, ADiffShowsWhatTimeAndOthersChanged) {
  directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  directory_.Json({"plan", "T1"});
  directory_.Json({"acquire", "T1", "--owner", "w1", "--ttl", "30s"});
  directory_.Json({"plan", "T3", "--queue", "q"});
  directory_.Json({"acquire", "T3", "--owner", "w3", "--ttl", "1h"});
  directory_.Json({"plan", "D"});
  directory_.Json({"plan", "W", "--depends-on", "D"});
  AdvanceClock(directory_, "60s");
  directory_.Json({"queue", "q", "--policy", "max_running=1h"});
  AdvanceClock(directory_, "60s");
  directory_.Json({"cancel", "D", "--reason", "r"});
  AdvanceClock(directory_, "2h");
  directory_.Json({"plan", "later"});
  const json::object diff =
      directory_.Json({"diff", "2026-11-21T03:18:00Z", "2026-11-21T04:30:00Z"});
  EXPECT_THAT(json::serialize(diff.at("sagas")),
              AllOf(HasSubstr("lease_expired"), HasSubstr("dependency_dead"),
                    HasSubstr("max_running"), Not(HasSubstr("later"))));
  EXPECT_EQ(Changes(diff, "T1").size(), 1U);
  EXPECT_THAT(Changes(diff, "T1").front(), StartsWith("stale [] [{"));
  EXPECT_EQ(Changes(diff, "W").size(), 1U);
}

// The end of the log is lost, HEAD remembers it.
TEST_F(CliPast, ADamagedCopyIsShownUpToTheDamage) {
  directory_.Json({"plan", "T1"});
  const fs::path kept = directory_.root() / "log-before";
  fs::copy(directory_.data() / "log", kept, fs::copy_options::recursive);
  directory_.Json({"plan", "T2"});
  fs::remove_all(directory_.data() / "log");
  fs::copy(kept, directory_.data() / "log", fs::copy_options::recursive);
  const CliResult before = directory_.Run({"at", "2", "--saga", "T1"});
  EXPECT_EQ(before.exit_code, 0);
  EXPECT_THAT(before.out, HasSubstr("planned"));
  EXPECT_THAT(before.error, HasSubstr("what is shown ends at sequence 2"));
  const CliResult behind = directory_.Run({"at", "3"});
  EXPECT_EQ(behind.exit_code, 3);
  EXPECT_THAT(behind.error, HasSubstr("what can be read ends at sequence 2"));
  const CliResult replayed = directory_.Run({"replay"});
  EXPECT_EQ(replayed.exit_code, 3);
  EXPECT_THAT(replayed.out, HasSubstr("T1  planned"));
  EXPECT_THAT(replayed.error,
              AllOf(HasSubstr("events 3 to 3 are lost"), HasSubstr("ends at sequence 2")));
}

}  // namespace
}  // namespace sagalog
