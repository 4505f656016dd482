// Each command once, opening the directory itself and through a daemon: both answer alike.
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace json = boost::json;

Words SplitWords(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

enum class Way { kOwnOpening, kDaemon };

class EveryCommand : public ::testing::TestWithParam<Way> {
 protected:
  EveryCommand() {
    if (GetParam() == Way::kDaemon) {
      directory_.Serve();
    }
  }

  json::object Do(Words words) { return directory_.Json(std::move(words)); }
  // The saga after the command.
  std::string State(Words words) {
    return Word(Do(std::move(words)).at("saga").as_object(), "state");
  }
  std::string Say(Words words) {
    const CliResult result = directory_.Run(std::move(words));
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.out;
  }
  json::object Saga(const std::string& id) { return Do({"show", id}); }
  std::string Acquire(const std::string& id, const std::string& owner = "w1") {
    return directory_.Token({"acquire", id, "--owner", owner, "--ttl", "60s"});
  }
  // The saga ids of a page.
  std::vector<std::string> Ids(Words words) {
    std::vector<std::string> ids;
    const json::object page = Do(std::move(words));
    for (const json::value& item : page.at("items").as_array()) {
      ids.push_back(Word(item.as_object(), "saga_id"));
    }
    return ids;
  }

  CliDirectory directory_;
};

TEST_P(EveryCommand, PlanCarriesEveryFact) {
  Do({"plan", "P"});
  Do({"plan", "D"});
  const std::string payload(300, '\x80');
  Words plan = SplitWords(
      "plan T1 --key acme/app#168 --queue build --priority -5 --not-before 1h --issue i "
      "--repository r --branch b --worktree w --stage s --label team=core=x --label size= "
      "--payload-file - --parent P --depends-on D --actor ann --expected-version none "
      "--compensation id=wt,kind=remove-worktree,target=/srv/wt,when=always,shared,param.branch=b "
      "--policy lease_ttl=2m --policy max_recoveries=7 --policy max_running=off "
      "--request-id 00112233445566778899aabbccddeeff "
      "--traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  plan.insert(plan.end(), {"--compensation-json", R"([{"id":"x","kind":"k","target":"a,b"}])"});
  const CliResult planned = directory_.Run(plan, {}, payload);
  ASSERT_EQ(planned.exit_code, 0) << planned.error;
  EXPECT_THAT(planned.out, StartsWith("T1  planned"));
  const json::object saga = Saga("T1");
  EXPECT_EQ(Word(saga, "key"), "acme/app#168");
  EXPECT_EQ(Word(saga, "queue"), "build");
  EXPECT_EQ(Word(saga, "priority"), "-5");
  EXPECT_EQ(Word(saga, "stage"), "s");
  EXPECT_EQ(Word(saga, "issue") + Word(saga, "repository") + Word(saga, "branch"), "irb");
  EXPECT_EQ(Word(saga, "worktree"), "w");
  EXPECT_EQ(Word(saga, "labels"), R"({"team":"core=x","size":""})");
  EXPECT_EQ(Word(saga, "payload").size(), 400U);
  EXPECT_EQ(Word(saga, "parent"), "P");
  EXPECT_EQ(Word(saga, "depends_on"), R"(["D"])");
  EXPECT_NE(Word(saga, "not_before"), "");
  const json::array& compensations = saga.at("compensations").as_array();
  ASSERT_EQ(compensations.size(), 2U);
  EXPECT_EQ(Word(compensations[0].as_object(), "params"), R"({"branch":"b"})");
  EXPECT_EQ(Word(compensations[0].as_object(), "when"), "always");
  EXPECT_EQ(Word(compensations[1].as_object(), "target"), "a,b");
  const json::object policy = saga.at("policy").as_object();
  EXPECT_EQ(Word(policy, "max_recoveries"), "7");
  EXPECT_EQ(Word(policy, "max_running"), "off");
}

TEST_P(EveryCommand, ACancelThatWaitedIsShownWithItsReason) {
  for (const std::string saga : {"T1", "T2"}) {
    Do({"plan", saga});
    const std::string token = directory_.Token({"acquire", saga, "--owner", "w1", "--ttl", "1h"});
    Do({"section", "enter", saga, "--token", token, "--name", "merge"});
    Do({"cancel", saga, "--reason", "issue closed"});
    Do({"effect", "begin", saga, "--token", token, "--effect", "push", "--fingerprint", "f"});
    if (saga == "T1") {
      Do({"section", "leave", saga, "--token", token, "--outcome", "not merged"});
    } else {
      Do({"force-release", saga, "--reason", "it hangs"});
    }
    EXPECT_EQ(Word(Saga(saga), "state"), "cancelled");
    EXPECT_EQ(Word(Saga(saga), "reason"), "issue closed");
  }
}

TEST_P(EveryCommand, ASagaRunsFromItsPlanToItsEnd) {
  EXPECT_EQ(State({"plan", "T1", "--stage", "build"}), "planned");
  EXPECT_EQ(State({"dispatch", "T1", "--owner", "fleet", "--ttl", "60s"}), "dispatched");
  const std::string first = Word(Saga("T1"), "token");
  EXPECT_EQ(State({"abort-dispatch", "T1", "--dispatch-token", first, "--reason", "no machine",
                   "--then", "requeue"}),
            "planned");
  const std::string dispatch = directory_.Token({"dispatch", "T1", "--owner", "fleet"});
  const std::string token = directory_.Token(
      {"acquire", "T1", "--owner", "w1", "--host", "h", "--boot-id", "b", "--pid-namespace", "n",
       "--pid", "7", "--pid-start", "8", "--ttl", "60s", "--dispatch-token", dispatch});
  EXPECT_EQ(Word(Saga("T1"), "owner"),
            R"({"owner":"w1","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":8})");
  EXPECT_EQ(State({"heartbeat", "T1", "--token", token, "--ttl", "90s", "--progress", "half"}),
            "running");
  EXPECT_EQ(State({"stage", "T1", "--token", token, "--expected", "build", "--next", "test"}),
            "running");
  EXPECT_EQ(Word(Saga("T1"), "stage"), "test");
  EXPECT_EQ(State({"annotate", "T1", "a note"}), "running");
  EXPECT_EQ(State({"exit", "T1", "--token", token, "--exit-code", "0"}), "running");
  EXPECT_EQ(State({"complete", "T1", "--token", token, "--result", "merged"}), "completed");
  EXPECT_EQ(Word(Saga("T1"), "result"), "merged");
  const std::string history = Say({"history", "T1"});
  EXPECT_THAT(history, AllOf(HasSubstr("dispatch_aborted"), HasSubstr("a note"),
                             HasSubstr("exit code 0"), HasSubstr("merged")));
}

TEST_P(EveryCommand, ALeaseIsReleasedAndClaimedFromItsQueue) {
  Do({"plan", "T1", "--queue", "build"});
  const std::string token = Acquire("T1");
  EXPECT_EQ(State({"release", "T1", "--token", token, "--reason", "shutdown"}), "planned");
  const json::object claimed = Do({"claim", "build", "--owner", "w2", "--as", "dispatch"});
  EXPECT_EQ(Word(claimed.at("saga").as_object(), "saga_id"), "T1");
  EXPECT_EQ(Word(claimed.at("saga").as_object(), "state"), "dispatched");
}

TEST_P(EveryCommand, PlannersParkCancelAndQuarantine) {
  Do({"plan", "A"});
  Do({"plan", "B", "--parent", "A"});
  Do({"plan", "C"});
  Do({"park", "A", "--reason", "waits"});
  EXPECT_EQ(Word(Saga("A"), "parked"), "true");
  EXPECT_THAT(Say({"park", "A", "--reason", "waits"}), HasSubstr("unchanged"));
  Do({"unpark", "A"});
  EXPECT_EQ(Word(Saga("A"), "parked"), "false");
  EXPECT_EQ(State({"cancel", "A", "--reason", "closed", "--cascade"}), "cancelled");
  EXPECT_EQ(Word(Saga("B"), "state"), "cancelled");
  EXPECT_EQ(State({"quarantine", "C", "--reason", "odd"}), "quarantined");
}

TEST_P(EveryCommand, CompensationsAreRegisteredClaimedAndSettled) {
  Do({"plan", "T1"});
  const std::string token = Acquire("T1");
  EXPECT_THAT(Say({"compensation", "ls"}), HasSubstr("nothing is owed"));
  Do({"compensation", "register", "T1", "--id", "wt", "--kind", "remove-worktree", "--target",
      "/srv/wt", "--param", "a=b", "--when", "always", "--shared", "--token", token});
  EXPECT_EQ(State({"fail", "T1", "--token", token, "--reason", "red"}), "failed");
  EXPECT_THAT(Say({"compensation", "ls"}), AllOf(HasSubstr("remove-worktree"), HasSubstr("owed")));
  const std::string claim = directory_.Token(
      {"compensation", "claim", "T1", "--id", "wt", "--executor", "janitor", "--ttl", "60s"});
  Do({"compensation", "settle", "T1", "--id", "wt", "--token", claim, "--outcome", "done",
      "--detail", "gone"});
  EXPECT_EQ(Word(Saga("T1"), "compensation_status"), "settled");
}

TEST_P(EveryCommand, ACompensatingSagaEndsWhenNothingIsOwed) {
  Do({"plan", "T1", "--compensation", "id=wt,kind=k,target=t"});
  const std::string token = Acquire("T1");
  EXPECT_EQ(State({"compensate", "T1", "--token", token, "--reason", "wrong branch"}),
            "compensating");
  const CliResult early = directory_.Run({"mark-compensated", "T1", "--reason", "done"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_THAT(early.error, StartsWith("refused: compensation_owed"));
  Do({"compensation", "settle", "T1", "--id", "wt", "--outcome", "waived", "--actor", "ann",
      "--detail", "never made"});
  EXPECT_EQ(State({"mark-compensated", "T1", "--reason", "done"}), "compensated");
}

TEST_P(EveryCommand, AStaleSagaIsListedAndRecovered) {
  Do({"plan", "T1", "--compensation", "id=wt,kind=k,target=t"});
  Do({"acquire", "T1", "--owner", "w1", "--ttl", "1us"});
  EXPECT_THAT(Ids({"stale"}), ElementsAre("T1"));
  EXPECT_THAT(Say({"stale"}), AllOf(HasSubstr("lease_expired"), HasSubstr(" ago ")));
  const std::string version = Word(Saga("T1"), "version");
  EXPECT_EQ(State({"recover", "T1", "--observed", version, "--decision", "requeue", "--evidence",
                   "gone", "--no-count"}),
            "planned");
  EXPECT_EQ(Word(Saga("T1"), "recoveries"), "0");
  EXPECT_THAT(Say({"stale"}), HasSubstr("nothing is stale"));
}

TEST_P(EveryCommand, SectionsAndEffectsGuardIrreversibleWork) {
  Do({"plan", "T1"});
  const std::string token = Acquire("T1");
  Do({"section", "enter", "T1", "--token", token, "--name", "merge", "--max-age", "10m"});
  EXPECT_THAT(Say({"show", "T1"}), HasSubstr("merge, for "));
  Do({"effect", "begin", "T1", "--token", token, "--effect", "push", "--fingerprint", "f"});
  EXPECT_THAT(Say({"show", "T1"}), HasSubstr("in doubt"));
  Do({"effect", "settle", "T1", "--effect", "push", "--outcome", "done", "--result", "r"});
  EXPECT_EQ(State({"section", "leave", "T1", "--token", token, "--outcome", "merged", "--final",
                   "completed"}),
            "completed");
}

TEST_P(EveryCommand, EffectsInDoubtAndSectionsAreListed) {
  Do({"plan", "T1"});
  const std::string token = Acquire("T1");
  EXPECT_EQ(Say({"effect", "ls"}), "no effect is in doubt\n");
  EXPECT_EQ(Say({"sections"}), "nobody is inside a section\n");
  Do({"section", "enter", "T1", "--token", token, "--name", "merge"});
  Do({"effect", "begin", "T1", "--token", token, "--effect", "push", "--fingerprint", "f"});
  EXPECT_THAT(Say({"effect", "ls"}), AllOf(HasSubstr("T1"), HasSubstr("push")));
  EXPECT_THAT(Say({"sections"}), AllOf(HasSubstr("T1"), HasSubstr("merge"), HasSubstr("w1")));
  EXPECT_THAT(Ids({"sections"}), ElementsAre("T1"));
}

TEST_P(EveryCommand, RefusalsAreShownInTheHistory) {
  Do({"plan", "T1"});
  Acquire("T1");
  EXPECT_EQ(directory_.Run({"acquire", "T1", "--owner", "w2", "--actor", "ann"}).exit_code, 1);
  EXPECT_THAT(Say({"history", "T1"}), Not(HasSubstr("lease_held")));
  EXPECT_THAT(Say({"history", "T1", "--refusals"}),
              AllOf(HasSubstr("refused"), HasSubstr("lease_held"), HasSubstr("ann")));
}

TEST_P(EveryCommand, OperatorsReportOwnersAndBreakLeases) {
  Do({"plan", "T1"});
  Do({"acquire", "T1", "--owner", "w1", "--host", "h", "--boot-id", "one", "--ttl", "60s"});
  const json::object report = Do({"report-owner", "T1", "--owner", "w1", "--host", "h", "--boot-id",
                                  "two", "--verdict", "alive", "--evidence", "probe"});
  EXPECT_EQ(Word(report, "outcome"), "dead");
  EXPECT_EQ(State({"force-release", "T1", "--reason", "host is gone", "--actor", "ann"}),
            "planned");
}

TEST_P(EveryCommand, QueuesAndThePolicyAreShownAndSet) {
  Do({"plan", "T1", "--queue", "a b"});
  EXPECT_THAT(Say({"queue", "a b"}), AllOf(HasSubstr("a b"), HasSubstr("off")));
  EXPECT_THAT(Say({"queue", "a b", "--limit", "2", "--freeze", "--policy", "lease_ttl=2m"}),
              AllOf(ContainsRegex("limit +2\n"), ContainsRegex("frozen +yes"),
                    ContainsRegex("lease_ttl +2m \\(queue\\)"),
                    ContainsRegex("max_recoveries +3 \\(default\\)")));
  EXPECT_EQ(directory_.Run({"claim", "a b", "--owner", "w"}).exit_code, 1);
  Do({"queue", "a b", "--limit", "off", "--unfreeze"});
  EXPECT_EQ(Word(Do({"queue", "a b"}), "frozen"), "false");
  EXPECT_THAT(Say({"policy", "--policy", "max_recoveries=5", "--limit", "32"}),
              AllOf(ContainsRegex("limit +32\n"), ContainsRegex("max_recoveries +5 \\(store\\)"),
                    ContainsRegex("on_stale +report \\(default\\)")));
  EXPECT_THAT(Say({"queue", "a b"}), ContainsRegex("max_recoveries +5 \\(store\\)"));
  EXPECT_THAT(Say({"queue"}), AllOf(ContainsRegex("QUEUE +PLANNED +SLOTS USED +LIMIT +FROZEN"),
                                    ContainsRegex("a b +1 +0 +off +no")));
  EXPECT_EQ(Do({"queue"}).at("items").as_array().size(), 1U);
}

TEST_P(EveryCommand, ListsFilterAndPage) {
  for (const char* id : {"A", "B", "C"}) {
    Do({"plan", id, "--queue", id, "--label", std::string("l=") + id, "--key",
        std::string("k/") + id, "--stage", id});
  }
  Acquire("B", "w b");
  EXPECT_THAT(Ids({"ls"}), ElementsAre("A", "B", "C"));
  EXPECT_THAT(Ids({"ls", "--state", "planned"}), ElementsAre("A", "C"));
  EXPECT_THAT(Ids({"ls", "--owner", "w b"}), ElementsAre("B"));
  EXPECT_THAT(Ids({"ls", "--queue", "C"}), ElementsAre("C"));
  EXPECT_THAT(Ids({"ls", "--key", "k/A"}), ElementsAre("A"));
  EXPECT_THAT(Ids({"ls", "--label", "l=B"}), ElementsAre("B"));
  EXPECT_THAT(Ids({"ls", "--stage", "C"}), ElementsAre("C"));
  EXPECT_THAT(Ids({"ls", "--limit", "2"}), ElementsAre("A", "B"));
  EXPECT_THAT(Ids({"ls", "--limit", "2", "--all"}), ElementsAre("A", "B", "C"));
  const CliResult page = directory_.Run({"ls", "--limit", "2"});
  EXPECT_THAT(page.out, AllOf(HasSubstr("w b"), Not(HasSubstr("k/C"))));
  EXPECT_THAT(page.error, HasSubstr("there are more: --all"));
}

TEST_P(EveryCommand, HistoryLeavesHeartbeatsOutWhenAsked) {
  Do({"plan", "T1"});
  const std::string token = Acquire("T1");
  Do({"heartbeat", "T1", "--token", token, "--ttl", "120s"});
  EXPECT_THAT(Say({"history", "T1"}), HasSubstr("heartbeated"));
  EXPECT_THAT(Say({"history", "T1", "--transitions"}),
              AllOf(HasSubstr("leased"), Not(HasSubstr("heartbeated"))));
  EXPECT_EQ(Do({"history", "T1", "--limit", "1"}).at("items").as_array().size(), 1U);
}

TEST_P(EveryCommand, TheStoreTellsHowItIs) {
  Do({"plan", "T1"});
  EXPECT_THAT(Say({"status"}), AllOf(HasSubstr("open"), HasSubstr("planned 1")));
  EXPECT_THAT(Say({"verify"}), StartsWith("ok: "));
  EXPECT_EQ(Word(Do({"verify"}), "ok"), "true");
  EXPECT_THAT(Say({"rebuild"}), StartsWith("rebuilt"));
  Do({"rebuild"});
  EXPECT_THAT(Say({"doctor"}), HasSubstr("each as it was written"));
  EXPECT_EQ(Word(Do({"doctor"}), "healthy"), "true");
  EXPECT_EQ(Word(Saga("T1"), "state"), "planned");
}

TEST_P(EveryCommand, AfterACommandOneLineSaysWhatPeopleNeed) {
  Do({"plan", "T1"});
  const std::string line = Say({"acquire", "T1", "--owner", "w1", "--ttl", "30s"});
  EXPECT_THAT(line, ::testing::MatchesRegex(
                        "T1  running  token [0-9]+  expires in [0-9a-z ]+ \\(20[-0-9T:]+Z\\)\n"));
}

TEST_P(EveryCommand, AWorkersCommandFindsItsTokenInTheEnvironment) {
  Do({"plan", "T1"});
  const std::string token = Acquire("T1");
  const Environment environment = {{"SAGALOG_TOKEN", token}};
  EXPECT_EQ(directory_.Run({"stage", "T1", "--next", "test"}, environment).exit_code, 0);
  EXPECT_EQ(directory_.Run({"complete", "T1"}, environment).exit_code, 0);
  EXPECT_EQ(Word(Saga("T1"), "state"), "completed");
}

TEST_P(EveryCommand, TheSameRequestIdGetsTheSameAnswerAgain) {
  const Words plan = {"plan", "T1", "--request-id", "00112233445566778899aabbccddeeff"};
  EXPECT_EQ(Word(Do(plan), "replayed"), "false");
  EXPECT_EQ(Word(Do(plan), "replayed"), "true");
}

INSTANTIATE_TEST_SUITE_P(Ways, EveryCommand, ::testing::Values(Way::kOwnOpening, Way::kDaemon),
                         [](const auto& way) {
                           return way.param == Way::kDaemon ? "ThroughADaemon" : "OpeningItself";
                         });

}  // namespace
}  // namespace sagalog
