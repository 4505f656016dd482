// What this project began with: the failures of one orchestrator, row by row, each as a test.
#include <array>
#include <barrier>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr const char* kMine = R"({"token":$TOKEN})";

std::string By(std::string_view owner, std::string_view ttl = "60s") {
  return fmt::format(R"({{"owner":"{}","ttl":"{}"}})", owner, ttl);
}

std::string With(std::uint64_t token, std::string_view more = "") {
  return fmt::format(R"({{"token":{}{}}})", token, more);
}

std::string Observed(RulesStore& store, std::string_view saga, std::string_view decision,
                     std::string_view more = "") {
  return fmt::format(R"({{"observed":{},"decision":"{}","evidence":"the index"{}}})",
                     store.Saga(saga).version, decision, more);
}

// A saga that `owner` runs.
void Start(RulesStore& store, std::string_view saga, std::string_view owner = "w1",
           std::string_view ttl = "60s") {
  ASSERT_EQ(store.Run("plan", saga), "ok");
  ASSERT_EQ(store.Run("acquire", saga, By(owner, ttl)), "ok");
}

// Every write that a worker can send.
std::vector<std::pair<std::string, std::string>> WorkersWrites(std::uint64_t token) {
  return {{"heartbeat", With(token, R"(,"ttl":"900s")")},
          {"release", With(token)},
          {"advance_stage", With(token, R"(,"expected":"","next":"late")")},
          {"enter_section", With(token, R"(,"name":"late")")},
          {"leave_section", With(token, R"(,"outcome":"done")")},
          {"begin_effect", With(token, R"(,"effect":"late","fingerprint":"x")")},
          {"complete", With(token)},
          {"fail", With(token, R"(,"no_compensation_reason":"x")")},
          {"compensate", With(token)},
          {"register_compensation", With(token, R"(,"id":"l","kind":"k","target":"t")")}};
}

TEST(Seeds, OfTwoReadersOfAnExpiredLeaseOneAcquires) {
  RulesStore store;
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    Start(store, fmt::format("T{}", round), "gone", "1s");
  }
  store.Advance("2s");
  std::array<std::vector<std::string>, 2> answers;
  std::barrier together(2);
  const auto race = [&](std::size_t racer) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string saga = fmt::format("T{}", round);
      const auto seen = store.store().Find(saga);
      ASSERT_TRUE(seen.ok());
      ASSERT_FALSE(seen->stale.empty());
      commands::AcquireT acquire;
      acquire.owner = std::make_unique<schema::OwnerT>();
      acquire.owner->owner = fmt::format("w{}", racer);
      together.arrive_and_wait();  // both have seen that it is over
      const Reply reply = store.store().Acquire(saga, std::move(acquire)).Get();
      answers[racer].push_back(reply.ok() ? "ok"
                                          : schema::EnumNameRefusalCode(reply.refusal().code));
      together.arrive_and_wait();
    }
  };
  std::thread other([&] { race(1); });
  race(0);
  other.join();
  for (std::size_t round = 0; round < kRounds; ++round) {
    const bool first = answers[0][round] == "ok";
    EXPECT_EQ(answers[first ? 0 : 1][round], "ok");
    EXPECT_EQ(answers[first ? 1 : 0][round], "lease_held");
    EXPECT_EQ(store.Saga(fmt::format("T{}", round)).recoveries, 1U);
  }
}

struct End {
  const char* command;
  const char* arguments;
  const char* state;
  const char* reason;
};

// `compensate` ends by its last settlement: below.
constexpr End kEnds[] = {
    {"complete", R"({"token":$TOKEN,"result":"merged"})", "completed", ""},
    {"fail", R"({"token":$TOKEN,"reason":"tests are red","no_compensation_reason":"none"})",
     "failed", "tests are red"},
    {"quarantine", R"({"actor":"op","reason":"poison"})", "quarantined", "poison"},
    {"cancel", R"({"actor":"me","reason":"not wanted"})", "cancelled", "not wanted"},
};

void ExpectEnded(RulesStore& store, const std::string& state, const std::string& reason) {
  EXPECT_EQ(store.StateOf("T"), state);
  EXPECT_EQ(store.Saga("T").reason, reason);
  const std::string before = store.Sheet("T");
  auto writes = WorkersWrites(store.TokenOf("T"));
  writes.insert(writes.end(), {{"acquire", By("w2")},
                               {"dispatch", By("d")},
                               {"park", "{}"},
                               {"unpark", "{}"},
                               {"quarantine", R"({"actor":"op","reason":"other"})"},
                               {"cancel", R"({"actor":"me","reason":"other"})"},
                               {"advance_stage", R"({"actor":"me","expected":"","next":"x"})"},
                               {"force_release", R"({"actor":"op","reason":"x"})"},
                               {"recover", Observed(store, "T", "requeue")}});
  for (const auto& [command, arguments] : writes) {
    // What is so already changes nothing.
    const bool again = state == "cancelled" && std::string_view(command) == "cancel";
    EXPECT_EQ(store.Run(command, "T", arguments), again ? "ok:unchanged" : "terminal")
        << command << " when " << state;
  }
  EXPECT_EQ(store.Sheet("T"), before);
}

TEST(Seeds, EachEndKeepsItsStateAndReasonAndRejectsEveryLaterMutation) {
  for (const End& end : kEnds) {
    RulesStore store;
    Start(store, "T");
    ASSERT_EQ(store.Run(end.command, "T", end.arguments), "ok");
    ExpectEnded(store, end.state, end.reason);
    store.Crash();
    ExpectEnded(store, end.state, end.reason);
  }
}

TEST(Seeds, ACompensatedSagaRejectsEveryLaterMutation) {
  RulesStore store;
  Start(store, "T");
  ASSERT_EQ(store.Run("register_compensation", "T", R"({"id":"c","kind":"k","target":"t"})"), "ok");
  const std::uint64_t token = store.TokenOf("T");
  ASSERT_EQ(store.Run("compensate", "T", With(token, R"(,"reason":"no space")")), "ok");
  ASSERT_EQ(store.Run("claim_compensation", "T", R"({"id":"c","executor":"j"})"), "ok");
  ASSERT_EQ(store.Run("settle_compensation", "T", R"({"id":"c","token":$TOKEN,"outcome":"done"})"),
            "ok");
  EXPECT_EQ(store.StateOf("T"), "compensated");
  const std::string before = store.Sheet("T");
  for (const auto& [command, arguments] : WorkersWrites(token)) {
    EXPECT_EQ(store.Run(command, "T", arguments), "terminal") << command;
  }
  EXPECT_EQ(store.Sheet("T"), before);
}

TEST(Seeds, AHeartbeatThatMayNotLeavesTheStoredStateUntouched) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  EXPECT_EQ(store.Run("heartbeat", "T", With(7)), "stale_token");  // nobody holds a lease
  ASSERT_EQ(store.Run("acquire", "T", By("w1")), "ok");
  const std::uint64_t token = store.TokenOf("T");
  const std::string before = store.Sheet("T");
  EXPECT_EQ(store.Run("heartbeat", "T", With(token, R"(,"owner":"w2")")), "not_owner");
  EXPECT_EQ(store.Run("heartbeat", "T", With(token + 1)), "stale_token");
  EXPECT_EQ(store.Run("heartbeat", "T", With(token, R"(,"ttl":"60s")")), "ok:unchanged");
  EXPECT_EQ(store.Run("heartbeat", "T", With(token, R"(,"ttl":"1s")")), "ok:unchanged");
  EXPECT_EQ(store.Sheet("T"), before);
  store.Advance("60s");
  const std::string expired = store.Sheet("T");
  EXPECT_EQ(store.Run("heartbeat", "T", With(token)), "lease_expired");
  EXPECT_EQ(store.Sheet("T"), expired);
}

TEST(Seeds, AStaleWriteNeitherClearsALeaseNorReopensAnEnd) {
  RulesStore store;
  Start(store, "T", "w1", "10s");
  const std::uint64_t stale = store.TokenOf("T");
  store.Advance("11s");
  ASSERT_EQ(store.Run("acquire", "T", By("w2")), "ok");
  const std::uint64_t current = store.TokenOf("T");
  const std::string running = store.Sheet("T");
  for (const auto& [command, arguments] : WorkersWrites(stale)) {
    EXPECT_EQ(store.Run(command, "T", arguments), "stale_token") << command;
  }
  EXPECT_EQ(store.Sheet("T"), running);
  ASSERT_EQ(store.Run("complete", "T", With(current)), "ok");
  const std::string ended = store.Sheet("T");
  for (const auto& [command, arguments] : WorkersWrites(stale)) {
    EXPECT_EQ(store.Run(command, "T", arguments), "terminal") << command;
  }
  EXPECT_EQ(store.Sheet("T"), ended);
}

TEST(Seeds, ADuplicateCreationIsRefusedAndTheFirstIsKept) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"key":"acme/app#168","stage":"open","priority":3})"), "ok");
  const std::string first = store.Sheet("T");
  EXPECT_EQ(store.Run("plan", "T", R"({"stage":"other"})"), "already_exists");
  EXPECT_EQ(store.Run("plan", "U", R"({"key":"acme/app#168"})"), "already_exists");
  EXPECT_EQ(store.refusal().saga_id, "T");
  EXPECT_EQ(store.Sheet("T"), first);
  EXPECT_EQ(store.store().Find("U").status().code(), Code::kNotFound);
  store.Crash();
  EXPECT_EQ(store.Run("plan", "T", "{}"), "already_exists");
}

TEST(Seeds, TimesAreInUtcWhateverZoneTheCallerWrites) {
  RulesStore store;
  const char* zones[] = {"2030-06-01T12:00:00Z", "2030-06-01T14:00:00+02:00",
                         "2030-06-01T04:00:00-08:00", "2030-06-01T17:30:00+05:30"};
  for (int i = 0; const char* zone : zones) {
    const std::string saga = fmt::format("T{}", i++);
    ASSERT_EQ(store.Run("plan", saga, fmt::format(R"({{"not_before":"{}"}})", zone)), "ok");
    EXPECT_EQ(FormatTime(TimeFromMicros(store.Saga(saga).not_before)),
              "2030-06-01T12:00:00.000000Z");
    EXPECT_NE(store.Sheet(saga).find("2030-06-01T12:00:00.000000Z"), std::string::npos);
  }
  const std::string local = store.Run("plan", "N", R"({"not_before":"2030-06-01T12:00:00"})");
  EXPECT_TRUE(local.starts_with("unparsable: not_before")) << local;
}

TEST(Seeds, AFailedDispatchGoesBackOrFailsAndNothingStaysWithoutALiveLease) {
  RulesStore store;
  for (const char* saga : {"A", "B", "C"}) {
    ASSERT_EQ(store.Run("plan", saga), "ok");
    ASSERT_EQ(store.Run("dispatch", saga, By("d")), "ok");
  }
  ASSERT_EQ(store.Run("abort_dispatch", "A", R"({"dispatch_token":$TOKEN,"reason":"no tmux"})"),
            "ok");
  EXPECT_EQ(store.StateOf("A"), "planned");
  EXPECT_EQ(store.Saga("A").dispatch_failures, 1U);
  ASSERT_EQ(store.Run("abort_dispatch", "B",
                      R"({"dispatch_token":$TOKEN,"reason":"no image","then":"fail",
                          "no_compensation_reason":"nothing was made"})"),
            "ok");
  EXPECT_EQ(store.StateOf("B"), "failed");
  EXPECT_EQ(store.Saga("B").reason, "no image");
  // The dispatcher of C died: nobody says anything, and it is listed all the same.
  store.Advance("60s");
  EXPECT_EQ(store.StaleOf("C"), "dispatch_expired");
  ASSERT_EQ(store.Run("recover", "C", Observed(store, "C", "requeue")), "ok");
  for (const char* saga : {"A", "B", "C"}) {
    EXPECT_EQ(store.Saga(saga).expires_at, 0) << saga;
  }
}

TEST(Seeds, OfFiveActorsOneEntersTheTransitionAndTheOthersLearnWhoIsInside) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"stage":"ready"})"), "ok");
  int entered = 0;
  for (int actor = 0; actor < 5; ++actor) {
    const std::string answer = store.Run("acquire", "T", By(fmt::format("actor-{}", actor)));
    entered += answer == "ok" ? 1 : 0;
    if (answer != "ok") {
      EXPECT_EQ(answer, "lease_held");
      EXPECT_EQ(store.refusal().holder->owner, "actor-0");
    }
  }
  EXPECT_EQ(entered, 1);
  const std::uint64_t token = store.TokenOf("T");
  ASSERT_EQ(
      store.Run("enter_section", "T", With(token, R"(,"name":"merge","expected_stage":"ready")")),
      "ok");
  ASSERT_EQ(store.Run("advance_stage", "T", With(token, R"(,"expected":"ready","next":"merging")")),
            "ok");
  const std::string before = store.Sheet("T");
  const std::uint64_t last = store.LastSequence();
  for (int actor = 1; actor < 5; ++actor) {
    const std::string move =
        fmt::format(R"({{"actor":"actor-{}","expected":"ready","next":"merging"}})", actor);
    EXPECT_EQ(store.Run("advance_stage", "T", move), "lease_held");
    EXPECT_EQ(store.refusal().holder->owner, "actor-0");
  }
  EXPECT_EQ(store.Run("advance_stage", "T", With(token, R"(,"expected":"ready","next":"merging")")),
            "stage_conflict");
  EXPECT_EQ(store.refusal().actual_stage, "merging");
  EXPECT_EQ(store.Sheet("T"), before);
  EXPECT_EQ(store.LastSequence(), last);  // a lost compare-and-swap leaves nothing behind
}

std::string Identity(std::string_view boot, int pid = 7) {
  return fmt::format(R"({{"owner":"orch","host":"h","boot_id":"{}","pid":{},"pid_start":1}})", boot,
                     pid);
}

TEST(Seeds, ANewBootMakesEveryLeaseOfTheOldOneReclaimableAtOnce) {
  RulesStore store;
  const std::vector<std::string> sagas = {"A", "B", "C"};
  for (const std::string& saga : sagas) {
    ASSERT_EQ(store.Run("plan", saga), "ok");
    ASSERT_EQ(store.Run("acquire", saga,
                        fmt::format(R"({{"owner":{},"ttl":"86400s"}})", Identity("boot-1"))),
              "ok");
  }
  store.Crash("20s");
  for (const std::string& saga : sagas) {
    EXPECT_EQ(store.StaleOf(saga), "");
    ASSERT_EQ(store.Run("report_owner", saga,
                        fmt::format(R"({{"identity":{},"verdict":"alive","evidence":"boot id"}})",
                                    Identity("boot-2"))),
              "ok:dead");
    EXPECT_EQ(store.StaleOf(saga), "owner_dead");
    ASSERT_EQ(store.Run("recover", saga, Observed(store, saga, "requeue")), "ok");
    ASSERT_EQ(store.Run("acquire", saga, fmt::format(R"({{"owner":{}}})", Identity("boot-2"))),
              "ok");
  }
}

TEST(Seeds, AnOwnerBlockedInASectionIsNotReapedBeforeItsCeiling) {
  RulesStore store;
  Start(store, "T", "w1", "60s");
  ASSERT_EQ(store.Run("enter_section", "T", R"({"token":$TOKEN,"name":"build","max_age":"20m"})"),
            "ok");
  store.Advance("15m");  // without a heartbeat
  EXPECT_EQ(store.StaleOf("T"), "section_open");
  constexpr const char* kOutcome = R"(,"section_outcome":"unknown")";
  EXPECT_EQ(store.Run("recover", "T", Observed(store, "T", "requeue", kOutcome)), "section_open");
  EXPECT_EQ(store.Run("acquire", "T", By("w2")), "section_open");
  store.Advance("299s");
  EXPECT_EQ(store.Run("recover", "T", Observed(store, "T", "requeue", kOutcome)), "section_open");
  store.Advance("1s");
  EXPECT_EQ(store.StaleOf("T"), "section_overdue");
  EXPECT_EQ(store.Run("recover", "T", Observed(store, "T", "requeue", kOutcome)), "ok");
}

TEST(Seeds, AFinaliserInsideItsGraceIsNotReapedAndTheLoserHasEnqueuedNothing) {
  RulesStore store;
  Start(store, "T", "w1", "60s");
  const std::uint64_t finaliser = store.TokenOf("T");
  ASSERT_EQ(store.Run("record_exit", "T", R"({"token":$TOKEN,"exit_code":0})"), "ok");
  store.Advance("299s");  // the lease is over, the push goes on
  EXPECT_EQ(store.StaleOf("T"), "");
  EXPECT_EQ(store.Run("recover", "T", Observed(store, "T", "requeue")), "not_stale");
  EXPECT_EQ(store.Run("acquire", "T", By("w2")), "lease_held");
  store.Advance("1s");
  EXPECT_EQ(store.StaleOf("T"), "exited");
  const std::string first = Observed(store, "T", "requeue");
  ASSERT_EQ(store.Run("recover", "T", first), "ok");
  const std::uint64_t last = store.LastSequence();
  EXPECT_EQ(store.Run("recover", "T", first), "version_conflict");
  EXPECT_EQ(store.Run("complete", "T", With(finaliser)), "stale_token");
  EXPECT_EQ(store.LastSequence(), last);
  EXPECT_EQ(store.Saga("T").recoveries, 1U);
}

TEST(Seeds, StopDuringAMergeWaitsForItAndTheKeyCanBePlannedAgain) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"key":"pr-7"})"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", By("w1")), "ok");
  ASSERT_EQ(store.Run("enter_section", "T", R"({"token":$TOKEN,"name":"merge"})"), "ok");
  ASSERT_EQ(store.Run("cancel", "T", R"({"actor":"me","reason":"STOP"})"), "ok:deferred");
  EXPECT_EQ(store.StateOf("T"), "running");
  ASSERT_EQ(store.Run("leave_section", "T", R"({"token":$TOKEN,"outcome":"merged"})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "cancelled");
  ASSERT_EQ(store.Run("plan", "T2", R"({"key":"pr-7"})"), "ok");
  EXPECT_EQ(store.Saga("T2").generation, 2U);
}

TEST(Seeds, StopOfALeaseWithoutALiveActorIsNotDeferredForEver) {
  RulesStore store;
  Start(store, "A", "w1", "60s");
  EXPECT_EQ(store.Run("cancel", "A", R"({"actor":"me","reason":"STOP"})"), "ok");
  EXPECT_EQ(store.StateOf("A"), "cancelled");
  // In a section, the ceiling of the section bounds the waiting.
  Start(store, "B", "w1", "60s");
  ASSERT_EQ(store.Run("enter_section", "B", R"({"token":$TOKEN,"name":"merge","max_age":"90s"})"),
            "ok");
  ASSERT_EQ(store.Run("cancel", "B", R"({"actor":"me","reason":"STOP"})"), "ok:deferred");
  store.Advance("90s");
  ASSERT_EQ(
      store.Run("recover", "B", Observed(store, "B", "cancel", R"(,"section_outcome":"unknown")")),
      "ok");
  EXPECT_EQ(store.StateOf("B"), "cancelled");
}

TEST(Seeds, AtConcurrencyOneAZombieBlocksNobody) {
  RulesStore store;
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","limit":1})"), "ok");
  Start(store, "Z", "zombie", "60s");
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  EXPECT_EQ(store.Run("acquire", "T", By("w")), "limit_reached");
  store.Advance("60s");
  EXPECT_EQ(store.StaleOf("Z"), "lease_expired");
  EXPECT_EQ(store.Run("acquire", "T", By("w")), "ok");
}

TEST(Seeds, AfterAFailureInTheMiddleOfCleaningTheRestIsKnownAndOwed) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  for (const char* id : {"branch", "worktree", "container"}) {
    ASSERT_EQ(store.Run("register_compensation", "T",
                        fmt::format(R"({{"id":"{0}","kind":"rm","target":"{0}"}})", id)),
              "ok");
  }
  ASSERT_EQ(store.Run("acquire", "T", By("w1")), "ok");
  ASSERT_EQ(store.Run("compensate", "T", kMine), "ok");
  const auto states = [&] {
    std::string all;
    for (const auto& one : store.Saga("T").compensations) {
      all += fmt::format("{}:{} ", one->id, schema::EnumNameCompensationState(one->state));
    }
    return all;
  };
  const auto settle = [&](const std::string& id, const std::string& outcome) {
    EXPECT_EQ(
        store.Run("claim_compensation", "T", fmt::format(R"({{"id":"{}","executor":"j"}})", id)),
        "ok");
    EXPECT_EQ(store.Run("settle_compensation", "T",
                        fmt::format(R"({{"id":"{}","token":$TOKEN,"outcome":"{}","detail":"d"}})",
                                    id, outcome)),
              "ok");
  };
  settle("container", "done");
  settle("worktree", "failed");
  EXPECT_EQ(states(), "branch:owed worktree:failed container:done ");
  EXPECT_EQ(store.Run("mark_compensated", "T"), "compensation_owed");
  store.Crash();
  EXPECT_EQ(states(), "branch:owed worktree:failed container:done ");
  EXPECT_EQ(store.Run("mark_compensated", "T"), "compensation_owed");
  EXPECT_EQ(store.Run("claim_compensation", "T", R"({"id":"branch","executor":"j"})"),
            "compensation_order");
  settle("worktree", "done");
  EXPECT_EQ(store.StateOf("T"), "compensating");
  settle("branch", "done");
  EXPECT_EQ(store.StateOf("T"), "compensated");
}

}  // namespace
}  // namespace sagalog
