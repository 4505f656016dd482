// sagalog incidents: scenario files played, and files that are none.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace json = boost::json;

constexpr const char* kPlan = R"({"do": "plan", "saga": "T", "expect": "ok"})";

class CliIncidents : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = directory_.root() / "scenarios.json";
    std::ofstream(path) << text;
    return path;
  }
  // A file of one scenario with these steps.
  std::string WriteSteps(const std::string& steps) {
    return Write(R"([{"id": "S1", "title": "A scenario", "steps": [)" + steps + "]}]");
  }
  CliResult Run(Words words) {
    words.insert(words.begin(), "incidents");
    return directory_.Run(std::move(words));
  }
  // Refused with `says` in one line, and nothing played.
  void ExpectRefused(const std::string& path, const std::string& says) {
    SCOPED_TRACE(says);
    for (const char* command : {"run", "ls"}) {
      const CliResult result = Run({command, path});
      EXPECT_EQ(result.exit_code, 2);
      EXPECT_THAT(result.out, IsEmpty());
      EXPECT_THAT(result.error, HasSubstr(says));
      EXPECT_EQ(result.error.find('\n'), result.error.size() - 1);
    }
  }

  CliDirectory directory_;
};

TEST_F(CliIncidents, AScenarioThatHoldsExitsWithZeroAndLeavesNothing) {
  const std::string path =
      WriteSteps(std::string(kPlan) + R"(, {"do": "acquire", "saga": "T", "owner": "w1", "as": "f1",
      "expect": "ok"}, {"do": "reopen", "how": "crash", "expect": "ok"},
      {"do": "complete", "saga": "T", "token": "f0", "expect": "stale_token"})");
  for (const Words& way : std::vector<Words>{{}, {"--rebuild"}, {"--disk"}}) {
    Words words = {"run", path};
    words.insert(words.end(), way.begin(), way.end());
    const CliResult result = Run(words);
    EXPECT_EQ(result.exit_code, 0) << result.out;
    EXPECT_THAT(result.out, AllOf(HasSubstr("S1  A scenario"), HasSubstr("acquire T owner=w1"),
                                  HasSubstr("stale_token"), HasSubstr("it holds")));
    EXPECT_THAT(result.out, Not(HasSubstr("\x1b[")));
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.data()));
}

TEST_F(CliIncidents, AnAnswerThatIsAnotherExitsWithOneAndSaysWhich) {
  const std::string path = WriteSteps(
      std::string(kPlan) + R"(, {"do": "acquire", "saga": "T", "owner": "w1", "expect": "ok"},
      {"do": "acquire", "saga": "T", "owner": "w2", "expect": "ok"},
      {"do": "cancel", "saga": "T", "actor": "me", "expect": "ok"})");
  const CliResult result = Run({"run", path});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("step 3 does not hold: expected ok, got lease_held"),
                                HasSubstr("w1 holds it"), HasSubstr("0 of 1 hold; not S1"),
                                Not(HasSubstr("cancel T"))));
}

TEST_F(CliIncidents, AStateThatIsAnotherIsShown) {
  const std::string path =
      WriteSteps(std::string(kPlan) + R"json(, {"do": "check", "saga": "T", "state": "running",
      "stale": ["exited"], "recoveries": 0, "slots_used": 3,
      "events_in_order": ["planned", "leased(first)"], "expect": "ok"})json");
  const CliResult result = Run({"run", path});
  EXPECT_EQ(result.exit_code, 1);
  for (const char* difference :
       {"slots_used is 0, not 3", R"(state is "planned", not "running")",
        R"(stale is [], not ["exited"])", "\"leased(first)\" is not among the events"}) {
    EXPECT_THAT(result.out, HasSubstr(difference));
  }
  EXPECT_THAT(result.out, Not(HasSubstr("recoveries is")));
}

// What each word of `expect` accepts, and what it does not.
TEST_F(CliIncidents, OkIsNothingElse) {
  const std::string parked = std::string(kPlan) +
                             R"(, {"do": "park", "saga": "T", "expect": "ok"},
                             {"do": "park", "saga": "T", "expect": )";
  EXPECT_EQ(Run({"run", WriteSteps(parked + R"("ok:unchanged"})")}).exit_code, 0);
  EXPECT_EQ(Run({"run", WriteSteps(parked + R"("ok"})")}).exit_code, 1);
  const std::string replayed = R"({"do": "plan", "saga": "T", "request": "r", "expect": "ok"},
                                  {"do": "plan", "saga": "U", "request": "r", "expect": )";
  EXPECT_EQ(Run({"run", WriteSteps(replayed + R"("ok:unchanged"})")}).exit_code, 0);
  EXPECT_EQ(Run({"run", WriteSteps(replayed + R"("ok"})")}).exit_code, 1);
  const std::string in_section = std::string(kPlan) + R"(,
      {"do": "acquire", "saga": "T", "owner": "w", "as": "f", "expect": "ok"},
      {"do": "enter_section", "saga": "T", "token": "f", "name": "push", "expect": "ok"},
      {"do": "cancel", "saga": "T", "actor": "me", "expect": )";
  EXPECT_EQ(Run({"run", WriteSteps(in_section + R"("ok:deferred"})")}).exit_code, 0);
  EXPECT_EQ(Run({"run", WriteSteps(in_section + R"("ok"})")}).exit_code, 1);
  const std::string beaten = in_section + R"("ok:deferred"}, {"do": "advance_clock", "by": "9s",
      "expect": "ok"}, {"do": "heartbeat", "saga": "T", "token": "f", "expect": )";
  EXPECT_EQ(Run({"run", WriteSteps(beaten + R"("ok:cancel_pending"})")}).exit_code, 0);
  EXPECT_EQ(Run({"run", WriteSteps(beaten + R"("ok"})")}).exit_code, 1);
}

TEST_F(CliIncidents, ASagaThatWasNotListedMustNotBeRecovered) {
  const std::string path =
      WriteSteps(std::string(kPlan) + R"(, {"do": "plan", "saga": "U", "expect": "ok"},
      {"do": "acquire", "saga": "T", "owner": "w", "ttl": "30s", "expect": "ok"},
      {"do": "acquire", "saga": "U", "owner": "w", "ttl": "30s", "expect": "ok"},
      {"do": "observe_stale", "as": "o1", "expect": "ok"},
      {"do": "advance_clock", "by": "31s", "expect": "ok"},
      {"do": "recover", "saga": "T", "observed": "o1", "decision": "requeue", "expect": "ok"})");
  const CliResult result = Run({"run", path});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("o1 did not list T"));
}

// Backups and restores, stalls and batches: one file that needs everything a disk can do.
TEST_F(CliIncidents, AStoreIsBackedUpStalledAndRestoredOnBothDisks) {
  const std::string path = WriteSteps(R"json(
      {"do": "batch", "atomic": true, "expect": "ok", "commands": [
        {"do": "plan", "saga": "T", "expect": "ok"},
        {"do": "acquire", "saga": "T", "owner": "w", "ttl": "30s", "as": "f1", "expect": "ok"}]},
      {"do": "backup", "as": "b1", "expect": "ok"},
      {"do": "stall_store", "for": "40s", "expect": "ok"},
      {"do": "check", "saga": "T", "stale": ["in_grace"],
       "store_events": ["store_opened", "host_suspended"], "expect": "ok"},
      {"do": "acquire", "saga": "T", "owner": "w2", "times": 3, "expect": "in_grace"},
      {"do": "sweep", "dry_run": true, "expect": "ok"},
      {"do": "compact", "older_than": "1h", "expect": "ok"},
      {"do": "complete", "saga": "T", "token": "f1", "expect": "lease_expired"},
      {"do": "check", "saga": "T", "stubs": 0, "refusals": ["acquire(in_grace)",
       "acquire(in_grace)", "acquire(in_grace)", "complete(lease_expired)"], "expect": "ok"},
      {"do": "reopen", "how": "restore", "from": "b1", "expect": "ok"},
      {"do": "check", "saga": "T", "refusals": [], "store_events": ["store_opened",
       "store_restored", "store_opened"], "expect": "ok"})json");
  for (const Words& way : std::vector<Words>{{}, {"--disk"}}) {
    Words words = {"run", path};
    words.insert(words.end(), way.begin(), way.end());
    const CliResult result = Run(words);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.error;
  }
}

TEST_F(CliIncidents, AnAnswerOfABatchThatIsAnotherIsNamed) {
  const std::string batch = R"({"do": "batch", "expect": )";
  const auto run = [&](const std::string& rest) {
    const CliResult result = Run({"run", WriteSteps(batch + rest)});
    EXPECT_EQ(result.exit_code, 1) << result.out;
    return result.out;
  };
  EXPECT_THAT(run(R"("ok", "commands": [{"do": "plan", "saga": "T", "expect": "ok"},
                                        {"do": "park", "saga": "U", "expect": "ok"}]})"),
              HasSubstr("commands[1]: expected ok, got not_found"));
  EXPECT_THAT(run(R"("not_found", "atomic": true, "index": 0, "commands": [
                  {"do": "plan", "saga": "T"}, {"do": "park", "saga": "U"}]})"),
              HasSubstr("not_found, commands[1]"));
  EXPECT_THAT(run(R"("terminal", "atomic": true, "commands": [{"do": "park", "saga": "U"}]})"),
              HasSubstr("expected terminal, got not_found: commands[0]"));
}

TEST_F(CliIncidents, WhatAReportProvedIsSaidExactly) {
  const std::string path = WriteSteps(std::string(kPlan) + R"(,
      {"do": "acquire", "saga": "T", "owner": "w", "host": "h", "boot_id": "b", "expect": "ok"},
      {"do": "report_owners", "host": "h", "boot_id": "c", "alive": true, "reports": {},
       "expect": "ok"})");
  const CliResult result = Run({"run", path});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr(R"(the reports are {"T":"dead"})"));
}

TEST_F(CliIncidents, TheLastOfManyCallsMustBeAnsweredLikeTheFirst) {
  const std::string steps = std::string(kPlan) + R"(, {"do": "park", "saga": "T", "times": 9,
      "expect": )";
  EXPECT_THAT(Run({"run", WriteSteps(steps + R"("ok"})")}).out,
              HasSubstr("expected ok, got ok:unchanged"));
  EXPECT_THAT(Run({"run", WriteSteps(steps + R"("ok"})")}).out, HasSubstr("call 2 of 9"));
}

// A wall clock that runs far ahead opens nothing, and nothing is asked of what is not open.
TEST_F(CliIncidents, AStoreThatDoesNotOpenIsAnAnswerToo) {
  const std::string reopen = R"({"do": "reopen", "how": "clean", "down_for": "8d", "expect": )";
  const CliResult refused = Run({"run", WriteSteps(reopen + R"("ok"})")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, HasSubstr("got invalid_argument: the wall clock says"));
  EXPECT_EQ(Run({"run", WriteSteps(reopen + R"("ok", "accept_clock": true})")}).exit_code, 0);
  ExpectRefused(WriteSteps(reopen + R"("invalid_argument"}, )" + kPlan),
                "step 2: do: plan while no store is open");
}

TEST_F(CliIncidents, JsonIsOneDocument) {
  const std::string path = Write(R"([
      {"id": "A", "title": "a", "steps": [{"do": "plan", "saga": "T", "expect": "ok"}]},
      {"id": "B", "title": "b", "class": "c", "steps": [{"do": "unpark", "saga": "T",
       "expect": "ok"}]}])");
  const CliResult run = Run({"run", path, "--json"});
  EXPECT_EQ(run.exit_code, 1);
  const json::object document = json::parse(run.out).as_object();
  EXPECT_EQ(document.at("played"), 2);
  EXPECT_EQ(document.at("hold"), 1);
  EXPECT_EQ(document.at("failed"), json::array{"B"});
  const json::object& step = document.at("scenarios").at(1).at("steps").at(0).as_object();
  EXPECT_EQ(step.at("answer"), "not_found");
  EXPECT_EQ(step.at("expect"), "ok");
  EXPECT_EQ(step.at("holds"), false);
  const json::object listed = json::parse(Run({"ls", path, "--json"}).out).as_object();
  EXPECT_EQ(listed.at("items").at(1).at("class"), "c");
  const CliResult only = Run({"run", path, "--only", "A", "--json"});
  EXPECT_EQ(only.exit_code, 0);
  EXPECT_EQ(json::parse(only.out).at("played"), 1);
  EXPECT_EQ(Run({"run", path, "--only", "C"}).exit_code, 2);
}

TEST_F(CliIncidents, AFileThatIsNoneIsRefused) {
  ExpectRefused(directory_.root() / "absent.json", "no such file");
  ExpectRefused(directory_.root(), "not a file");
  ExpectRefused(Write(""), "it is empty");
  ExpectRefused(Write(" \n"), "it is empty");
  ExpectRefused(Write("[\n{\"id\": }]"), "line 2: no JSON");
  ExpectRefused(Write("7"), "not a list of at least one scenario");
  ExpectRefused(Write("[]"), "not a list of at least one scenario");
  ExpectRefused(Write("[7]"), "scenario 1: not an object");
  ExpectRefused(Write(std::string(9UL << 20, ' ')), "split it");
}

TEST_F(CliIncidents, AScenarioWithAnUnknownOrMistypedWordIsRefused) {
  const std::string steps = std::string(R"("steps": [)") + kPlan + "]";
  ExpectRefused(Write(R"([{"title": "t", )" + steps + "}]"), "scenario 1: id: it is missing");
  ExpectRefused(Write(R"([{"id": "A", )" + steps + "}]"), "A: title: it is missing");
  ExpectRefused(Write(R"([{"id": "A", "title": "t"}])"), "A: steps");
  ExpectRefused(Write(R"([{"id": "A", "title": "t", "steps": []}])"), "A: steps");
  ExpectRefused(Write(R"([{"id": "A", "title": "t", "colour": "red", )" + steps + "}]"),
                "A: colour: a scenario has no such word");
  ExpectRefused(Write(R"([{"id": "A", "id": "B", "title": "t", )" + steps + "}]"),
                "given more than once");
  ExpectRefused(
      Write(R"([{"id": "A", "title": "t", "settings": {"queue_limit": "1"}, )" + steps + "}]"),
      "A: queue_limit: not a whole number");
  ExpectRefused(Write(R"([{"id": "A", "title": "t", "settings": {"limit": 1}, )" + steps + "}]"),
                "A: limit: settings has no such word");
  const std::string one = R"({"id": "A", "title": "t", )" + steps + "}";
  ExpectRefused(Write("[" + one + "," + one + "]"), "another scenario before has this id");
}

struct WrongStep {
  const char* step;
  const char* says;
};

// Each stands behind a plan, so it is step 2.
constexpr WrongStep kWrongSteps[] = {
    {R"(7)", "step 2: not an object"},
    {R"({"expect": "ok"})", "step 2: do: it is missing"},
    {R"({"do": 7, "expect": "ok"})", "step 2: do: not a text"},
    {R"({"do": "explode", "saga": "T", "expect": "ok"})", "step 2: do: there is no \"explode\""},
    {R"({"do": "unpark", "saga": "T"})", "step 2: expect: it is missing"},
    {R"({"do": "unpark", "saga": "T", "expect": "fine"})", "never answers \"fine\""},
    {R"({"do": "unpark", "saga": "T", "expect": "ok:fine"})", "never answers \"ok:fine\""},
    {R"({"do": "unpark", "saga": "T", "expect": "lost"})", "lost goes with ack torn"},
    {R"({"do": "check", "saga": "T", "state": "planned", "expect": "terminal"})", "never answers"},
    {R"({"do": "unpark", "expect": "ok"})", "saga: it is missing"},
    {R"({"do": "unpark", "saga": 7, "expect": "ok"})", "saga: not a text"},
    {R"({"do": "unpark", "saga": "T", "colour": "red", "expect": "ok"})", "colour"},
    {R"({"do": "unpark", "saga": "T", "as": "f", "expect": "ok"})", "unpark grants no token"},
    {R"({"do": "unpark", "saga": "T", "ack": "late", "expect": "ok"})", "ack"},
    {R"({"do": "acquire", "saga": "T", "owner": "w", "pid": "7", "expect": "ok"})", "pid"},
    {R"({"do": "acquire", "saga": "T", "owner": "w", "ttl": "30", "expect": "ok"})", "ttl"},
    {R"({"do": "acquire", "saga": "T", "pid": 7, "expect": "ok"})", "no owner beside it"},
    {R"({"do": "complete", "saga": "T", "token": 3, "expect": "ok"})", "token: not a text"},
    {R"({"do": "claim_next", "owner": "w", "as": "dispatch", "expect": "ok"})", "claim_as"},
    {R"({"do": "report_owner", "saga": "T", "pid": 1, "expect": "ok"})", "alive: it is missing"},
    {R"({"do": "recover", "saga": "T", "decision": "requeue", "expect": "ok"})", "observed"},
    {R"({"do": "recover", "saga": "T", "observed": "o9", "decision": "requeue", "expect": "ok"})",
     "no observe_stale before is named \"o9\""},
    {R"({"do": "recover", "saga": "T", "observed": "o9", "decision": "hope", "expect": "ok"})",
     "o9"},
    {R"({"do": "advance_clock", "expect": "ok"})", "by: it is missing"},
    {R"({"do": "advance_clock", "by": 30, "expect": "ok"})", "by: not a text"},
    {R"({"do": "advance_clock", "by": "-30s", "expect": "ok"})", "time does not run backwards"},
    {R"({"do": "advance_clock", "by": "30s", "saga": "T", "expect": "ok"})", "no such word"},
    {R"({"do": "reopen", "how": "gently", "expect": "ok"})", "\"gently\" is none of: clean"},
    {R"({"do": "reopen", "how": "restore", "from": "b1", "expect": "ok"})", "no backup before"},
    {R"({"do": "reopen", "how": "restore", "expect": "ok"})", "from: it is missing"},
    {R"({"do": "check", "saga": "T", "expect": "ok"})", "it says nothing"},
    {R"({"do": "check", "state": "planned", "expect": "ok"})", "of which saga?"},
    {R"({"do": "check", "saga": "T", "state": "done", "expect": "ok"})", "\"done\" is none of"},
    {R"({"do": "check", "saga": "T", "stale": "exited", "expect": "ok"})", "not a list of texts"},
    {R"({"do": "check", "saga": "T", "stale": ["old"], "expect": "ok"})", "no reason \"old\""},
    {R"({"do": "check", "saga": "T", "events_in_order": ["born"], "expect": "ok"})", "no event"},
    {R"json({"do": "check", "saga": "T", "events_in_order": ["leased(x)"], "expect": "ok"})json",
     "no event"},
    {R"({"do": "check", "saga": "T", "colour": "red", "expect": "ok"})", "no such word"},
    {R"({"do": "park", "saga": "T", "ack": "torn", "expect": "lost"}, {"do": "unpark",
       "saga": "T", "expect": "ok"})",
     "step 3: do: unpark while no store is open"},
    {R"({"do": "stall_store", "for": 5, "expect": "ok"})", "for: not a text"},
    {R"({"do": "stall_store", "for": "-5s", "expect": "ok"})", "time does not run backwards"},
    {R"({"do": "backup", "expect": "ok"})", "as: it is missing"},
    {R"({"do": "backup", "as": "b", "expect": "terminal"})", "backup never answers"},
    {R"({"do": "compact", "older_than": 3, "expect": "ok"})", "older_than: not a text"},
    {R"({"do": "sweep", "dry_run": "yes", "expect": "ok"})", "neither true nor false"},
    {R"({"do": "reopen", "how": "clean", "accept_clock": 1, "expect": "ok"})",
     "accept_clock: neither true nor false"},
    {R"({"do": "backup", "as": "b", "expect": "ok"}, {"do": "reopen", "how": "restore",
       "from": "b", "expect": "corrupt"})",
     "a backup comes back"},
    {R"({"do": "park", "saga": "T", "times": "3", "expect": "ok"})", "times: not a whole number"},
    {R"({"do": "park", "saga": "T", "times": 0, "expect": "ok"})", "times: from 1 to 10000"},
    {R"({"do": "park", "saga": "T", "times": 10001, "expect": "ok"})", "times: from 1 to 10000"},
    {R"({"do": "park", "saga": "T", "times": 2, "ack": "torn", "expect": "lost"})",
     "ack: it goes with one call"},
    {R"({"do": "report_owners", "saga": "T", "host": "h", "alive": true, "expect": "ok"})",
     "report_owners is not about one saga"},
    {R"({"do": "report_owners", "host": "h", "expect": "ok"})", "alive: it is missing"},
    {R"({"do": "report_owners", "host": "h", "alive": true, "reports": ["T"], "expect": "ok"})",
     "reports: not an object"},
    {R"({"do": "report_owners", "host": "h", "alive": true, "reports": {"T": "ill"},
       "expect": "ok"})",
     "\"ill\" is none of: alive dead unknown"},
    {R"({"do": "park", "saga": "T", "reports": {}, "expect": "ok"})", "park does not take it"},
    {R"({"do": "check", "saga": "T", "refusals": ["park"], "expect": "ok"})",
     "no refusal \"park\""},
    {R"json({"do": "check", "saga": "T", "refusals": ["park(ok)"], "expect": "ok"})json",
     "no refusal"},
    {R"({"do": "check", "refusals": [], "expect": "ok"})", "of which saga?"},
    {R"({"do": "check", "saga": "T", "stubs": -1, "expect": "ok"})", "stubs: not a whole number"},
    {R"({"do": "check", "store_events": ["born"], "expect": "ok"})", "no event \"born\""},
    {R"json({"do": "check", "store_events": ["refusals_noted(3)"], "expect": "ok"})json",
     "no event"},
    {R"({"do": "batch", "expect": "ok"})", "commands: it is missing"},
    {R"({"do": "batch", "commands": [], "expect": "ok"})", "commands: not a list of at least one"},
    {R"({"do": "batch", "commands": [7], "expect": "ok"})", "commands: not a list of at least one"},
    {R"({"do": "batch", "commands": [{"saga": "T"}], "expect": "ok"})",
     "commands[0]: do: it is missing"},
    {R"({"do": "batch", "commands": [{"do": "check", "saga": "T"}], "expect": "ok"})",
     "commands[0]: do: \"check\" is no command of the store"},
    {R"({"do": "batch", "commands": [{"do": "park", "saga": "T"}], "expect": "ok"})",
     "commands[0]: expect: it is missing"},
    {R"({"do": "batch", "commands": [{"do": "park", "saga": "T", "expect": "ok"},
       {"do": "park", "saga": "T", "colour": 1, "expect": "ok"}], "expect": "ok"})",
     "commands[1]: colour"},
    {R"({"do": "batch", "commands": [{"do": "park", "saga": "T", "times": 2, "expect": "ok"}],
       "expect": "ok"})",
     "commands[0]: times"},
    {R"({"do": "batch", "commands": [{"do": "park", "saga": "T"}], "expect": "terminal"})",
     "\"terminal\" stands for an atomic batch"},
    {R"({"do": "batch", "atomic": "yes", "commands": [{"do": "park", "saga": "T"}],
       "expect": "terminal"})",
     "atomic: neither true nor false"},
    {R"({"do": "batch", "atomic": true, "commands": [{"do": "park", "saga": "T", "expect": "ok"}],
       "expect": "terminal"})",
     "commands[0]: expect: the batch is not done"},
    {R"({"do": "batch", "atomic": true, "index": 0, "commands": [{"do": "park", "saga": "T",
       "expect": "ok"}], "expect": "ok"})",
     "index: it is the command"},
    {R"({"do": "batch", "ack": "torn", "commands": [{"do": "park", "saga": "T"}],
       "expect": "lost"})",
     "\"lost\" stands for an atomic batch"},
    {R"({"do": "batch", "atomic": true, "commands": [{"do": "park", "saga": "T"}],
       "expect": "fine"})",
     "batch never answers"},
};

TEST_F(CliIncidents, AStepWithAnUnknownOrMistypedWordIsRefused) {
  for (const WrongStep& wrong : kWrongSteps) {
    ExpectRefused(WriteSteps(std::string(kPlan) + ", " + wrong.step), wrong.says);
  }
}

TEST_F(CliIncidents, TenThousandStepsArePlayed) {
  std::string steps = kPlan;
  for (int i = 0; i < 9'998; ++i) {
    steps += R"(, {"do": "annotate", "saga": "T", "text": )" + std::to_string(i) +
             R"(, "expect": "ok"})";
  }
  steps += R"(, {"do": "check", "saga": "T", "event_count": 9999, "expect": "ok"})";
  const CliResult result = Run({"run", WriteSteps(steps), "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(json::parse(result.out).at("scenarios").at(0).at("steps").as_array().size(), 10'000U);
}

}  // namespace
}  // namespace sagalog
