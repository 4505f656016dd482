// What the reaper does with stale sagas, by their policy, and what it leaves.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Reaping : public RulesStore, public ::testing::Test {
 protected:
  using RulesStore::Run;

  Reaping() : RulesStore(ReaperOptions{true, 7}) {}

  void Expect(std::string_view answer, std::string_view command, std::string_view saga,
              std::string_view arguments = "{}") {
    EXPECT_EQ(Run(command, saga, arguments), answer) << command << " " << saga << refusal().detail;
  }
  void StorePolicy(std::string_view policy) {
    Expect("ok", "change_policy", "", fmt::format(R"({{"policy":{{{}}}}})", policy));
  }
  // Planned with a policy of its own, and acquired for 30 s.
  void Start(std::string_view saga, std::string_view policy, std::string_view more = "") {
    Expect("ok", "plan", saga, fmt::format(R"({{"policy":{{{}}}{}}})", policy, more));
    Expect("ok", "acquire", saga, R"({"owner":"W","ttl":"30s"})");
  }
  // With something to undo.
  void StartUndoable(std::string_view saga, std::string_view policy) {
    Start(saga, policy,
          fmt::format(R"(,"compensations":[{{"id":"c","kind":"k","target":"t-{}"}}])", saga));
  }
  // The saga's events from `first` on: types, with the decision or the state in brackets.
  std::string EventsOf(std::string_view saga, std::size_t first = 0) {
    std::string types;
    const auto history = store().History(saga, true, 1000);
    for (std::size_t i = first; i < history->size(); ++i) {
      events::EventT event;
      (*history)[i]->UnPackTo(&event);
      std::string type(EventTypeName(event.body.type));
      if (const auto* recovered = event.body.AsRecovered()) {
        type += fmt::format("({})", schema::EnumNameRecoverDecision(recovered->decision));
      } else if (const auto* terminal = event.body.AsTerminal()) {
        type += fmt::format("({})", schema::EnumNameState(terminal->state));
      }
      types += (types.empty() ? "" : " ") + type;
    }
    return types;
  }
  events::EventT LastEvent(std::string_view saga) {
    events::EventT event;
    store().History(saga, true, 1)->back()->UnPackTo(&event);
    return event;
  }
  // "recovered: requeue 1; declined: limit_reached 2": the counters of the status.
  std::string Counters() {
    const answers::ReaperT reaper = store().DescribeReaper();
    std::string text = "recovered:";
    for (const auto& row : reaper.recovered) {
      text += fmt::format(" {} {}", schema::EnumNameRecoverDecision(row->decision), row->count);
    }
    text += "; declined:";
    for (const auto& row : reaper.declined) {
      text += fmt::format(" {} {}", schema::EnumNameRefusalCode(row->code), row->count);
    }
    return text;
  }
};

TEST_F(Reaping, ReportIsNothing) {
  Start("T", R"("on_stale":"report")");
  Pass("1h");
  EXPECT_EQ(StateOf("T"), "running");
  EXPECT_EQ(StaleOf("T"), "lease_expired");
  EXPECT_EQ(Counters(), "recovered:; declined:");
}

TEST_F(Reaping, RequeuesAtTheMomentTheLeaseIsOverAndSaysWhy) {
  Start("T", R"("on_stale":"requeue")");
  Pass("29.999999s");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("10m");
  const events::EventT event = LastEvent("T");
  EXPECT_EQ(FormatTime(TimeFromMicros(event.time)), "2026-01-01T00:00:30.000000Z");
  EXPECT_EQ(event.actor, "reaper");
  const events::RecoveredT& recovered = *event.body.AsRecovered();
  EXPECT_EQ(recovered.observed, 2U);
  EXPECT_EQ(recovered.evidence,
            "lease_expired since 2026-01-01T00:00:30.000000Z; on_stale is requeue");
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_EQ(Run("complete", "T", R"({"token":$TOKEN})"), "stale_token");
  EXPECT_EQ(Counters(), "recovered: requeue 1; declined:");
}

TEST_F(Reaping, AHeartbeatKeepsItAway) {
  Start("T", R"("on_stale":"quarantine")");
  for (int i = 0; i < 20; ++i) {
    Pass("29s");
    Expect("ok", "heartbeat", "T", R"({"token":$TOKEN})");
  }
  EXPECT_EQ(StateOf("T"), "running");
  Pass("30s");
  EXPECT_EQ(StateOf("T"), "quarantined");
}

TEST_F(Reaping, EachPolicyDecidesForItsSaga) {
  StartUndoable("requeued", R"("on_stale":"requeue")");
  StartUndoable("undone", R"("on_stale":"compensate")");
  StartUndoable("failed", R"("on_stale":"fail")");
  StartUndoable("set-aside", R"("on_stale":"quarantine")");
  Pass("30s");
  EXPECT_EQ(EventsOf("requeued", 2), "recovered(requeue)");
  EXPECT_EQ(EventsOf("undone", 2), "recovered(compensate) compensating");
  EXPECT_EQ(EventsOf("failed", 2), "recovered(fail) terminal(failed)");
  EXPECT_EQ(EventsOf("set-aside", 2), "recovered(quarantine) terminal(quarantined)");
  EXPECT_EQ(Counters(), "recovered: requeue 1 fail 1 compensate 1 quarantine 1; declined:");
}

TEST_F(Reaping, WhatCannotBeDoneToOneDoesNotStopTheOthers) {
  Start("first", R"("on_stale":"fail")");
  Start("second", R"("on_stale":"requeue","max_recoveries":0)");
  StartUndoable("third", R"("on_stale":"fail")");
  Pass("30s");
  EXPECT_EQ(StateOf("first"), "running");
  EXPECT_EQ(StateOf("second"), "running");
  EXPECT_EQ(StateOf("third"), "failed");
  EXPECT_EQ(Counters(), "recovered: fail 1; declined: limit_reached 1 compensation_missing 1");
}

TEST_F(Reaping, LooksAgainWhenSomethingHappenedToWhatItLeft) {
  Start("T", R"("on_stale":"compensate")");
  Pass("1h");
  Pass("1h");
  EXPECT_EQ(StateOf("T"), "running");
  EXPECT_EQ(StaleOf("T"), "lease_expired");
  EXPECT_EQ(Counters(), "recovered:; declined: compensation_missing 1");
  Expect("ok", "register_compensation", "T", R"({"id":"c","kind":"k","target":"t"})");
  Pass("0s");
  EXPECT_EQ(StateOf("T"), "compensating");
}

TEST_F(Reaping, PastTheLimitItStaysStaleForPeople) {
  Start("T", R"("on_stale":"requeue","max_recoveries":2)");
  for (int i = 0; i < 2; ++i) {
    Pass("30s");
    EXPECT_EQ(StateOf("T"), "planned");
    Expect("ok", "acquire", "T", R"({"owner":"W","ttl":"30s"})");
  }
  Pass("1d");
  EXPECT_EQ(StateOf("T"), "running");
  EXPECT_EQ(StaleOf("T"), "lease_expired");
  EXPECT_EQ(Saga("T").recoveries, 2U);
  EXPECT_EQ(Counters(), "recovered: requeue 2; declined: limit_reached 1");
  // The same owner may still come back, as ever.
  Expect("ok", "acquire", "T", R"({"owner":"W","ttl":"30s"})");
}

TEST_F(Reaping, ALimitThatIsSwitchedOffIsNone) {
  Start("T", R"("on_stale":"requeue","max_recoveries":"off")");
  for (int i = 0; i < 10; ++i) {
    Pass("30s");
    Expect("ok", "acquire", "T", R"({"owner":"W","ttl":"30s"})");
  }
  EXPECT_EQ(Saga("T").recoveries, 10U);
}

TEST_F(Reaping, WaitsForTheEndOfTheGrace) {
  Start("T", R"("on_stale":"requeue")");
  Crash("2m");
  Pass("29s");
  EXPECT_EQ(StaleOf("T"), "in_grace");
  Pass("1s");
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_EQ(FormatTime(TimeFromMicros(LastEvent("T").time)), "2026-01-01T00:02:30.000000Z");
  EXPECT_EQ(Counters(), "recovered: requeue 1; declined: in_grace 1");
}

TEST_F(Reaping, WithoutAGraceItDoesNotWait) {
  Start("T", R"("on_stale":"requeue","reopen_grace":"off")");
  Crash("2m");
  Pass("0s");
  EXPECT_EQ(StateOf("T"), "planned");
}

TEST_F(Reaping, ActsAtOnceWhenTheOwnerIsDead) {
  Expect("ok", "plan", "T", R"({"policy":{"on_stale":"requeue"}})");
  Expect("ok", "acquire", "T",
         R"({"owner":{"owner":"W","host":"h","boot_id":"b1","pid":7},"ttl":"1h"})");
  Pass("1m");
  Expect("ok:alive", "report_owner", "T",
         R"({"identity":{"owner":"W","host":"h","boot_id":"b1","pid":7},"verdict":"alive"})");
  Pass("3539s");
  Expect("ok:alive", "report_owner", "T",
         R"({"identity":{"owner":"W","host":"h","boot_id":"b1","pid":7},"verdict":"alive"})");
  Pass("1s");
  EXPECT_EQ(StaleOf("T"), "lease_expired");
  Pass("58s");
  EXPECT_EQ(StateOf("T"), "running");
  EXPECT_EQ(Counters(), "recovered:; declined: owner_alive 1");
  Expect("ok:dead", "report_owner", "T",
         R"({"identity":{"owner":"W","host":"h","boot_id":"b2"},"verdict":"alive"})");
  Pass("0s");
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_THAT(LastEvent("T").body.AsRecovered()->evidence, HasSubstr("owner_dead since"));
}

TEST_F(Reaping, ForgetsAReportAfterAMinute) {
  Expect("ok", "plan", "T", R"({"policy":{"on_stale":"requeue"}})");
  Expect("ok", "acquire", "T", R"({"owner":{"owner":"W","host":"h","boot_id":"b"},"ttl":"30s"})");
  Pass("20s");
  Expect("ok:alive", "report_owner", "T",
         R"({"identity":{"owner":"W","host":"h","boot_id":"b"},"verdict":"alive"})");
  Pass("59.999999s");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("0.000001s");
  EXPECT_EQ(StateOf("T"), "planned");
}

TEST_F(Reaping, LeavesAnOverdueSectionToPeople) {
  Start("T", R"("on_stale":"requeue")");
  Expect("ok", "enter_section", "T", R"({"token":$TOKEN,"name":"deploy"})");
  Pass("599s");
  EXPECT_EQ(StaleOf("T"), "section_open");
  Pass("1h");
  EXPECT_EQ(StateOf("T"), "running");
  EXPECT_EQ(StaleOf("T"), "section_overdue");
  EXPECT_EQ(Counters(), "recovered:; declined: section_open 2");
}

TEST_F(Reaping, QuarantinesAnAbandonedSectionWithoutAClaimAboutIt) {
  Start("T", R"("on_stale":"quarantine")");
  Expect("ok", "enter_section", "T", R"({"token":$TOKEN,"name":"deploy","max_age":"1m"})");
  Pass("59s");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("1s");
  EXPECT_EQ(EventsOf("T", 3), "recovered(quarantine) terminal(quarantined)");
}

TEST_F(Reaping, LetsALivingOwnerBeInItsSection) {
  Start("T", R"("on_stale":"quarantine")");
  Expect("ok", "enter_section", "T", R"({"token":$TOKEN,"name":"deploy","max_age":"1m"})");
  for (int i = 0; i < 10; ++i) {
    Pass("20s");
    Expect("ok", "heartbeat", "T", R"({"token":$TOKEN})");
  }
  EXPECT_EQ(StaleOf("T"), "section_overdue");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("30s");
  EXPECT_EQ(StateOf("T"), "quarantined");
}

TEST_F(Reaping, CarriesOutACancelThatNobodyElseWill) {
  Start("T", R"("on_stale":"requeue")");
  Expect("ok", "enter_section", "T", R"({"token":$TOKEN,"name":"deploy","max_age":"1m"})");
  Expect("ok:deferred", "cancel", "T", R"({"reason":"not wanted"})");
  Pass("59s");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("1s");
  EXPECT_EQ(EventsOf("T", 4), "recovered(cancel) terminal(cancelled)");
}

TEST_F(Reaping, RequeuesExpiredDispatchesUntilTheyAreExhausted) {
  Expect("ok", "plan", "T", R"({"policy":{"on_stale":"requeue"}})");
  for (int i = 1; i <= 3; ++i) {
    Expect("ok", "dispatch", "T", R"({"owner":"D"})");
    Pass("60s");
    EXPECT_EQ(StateOf("T"), "planned");
    EXPECT_EQ(Saga("T").dispatch_failures, static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(Saga("T").recoveries, 0U);
  EXPECT_EQ(StaleOf("T"), "dispatch_exhausted");
  Pass("1h");
  EXPECT_EQ(Counters(), "recovered: requeue 3; declined: wrong_state 1");
}

TEST_F(Reaping, ExhaustedDispatchesFailWhereThePolicySaysSo) {
  Expect("ok", "plan", "T", R"({"policy":{"on_stale":"fail","max_dispatch_failures":1}})");
  Expect("ok", "dispatch", "T", R"({"owner":"D"})");
  Expect("ok", "abort_dispatch", "T", R"({"dispatch_token":$TOKEN})");
  Pass("0s");
  EXPECT_EQ(StateOf("T"), "failed");
  EXPECT_EQ(LastEvent("T").body.AsTerminal()->no_compensation_reason, "no worker ever acquired it");
}

TEST_F(Reaping, DispatchFailuresWithoutALimitAreNone) {
  Expect("ok", "plan", "T", R"({"policy":{"on_stale":"requeue","max_dispatch_failures":"off"}})");
  for (int i = 0; i < 6; ++i) {
    Expect("ok", "dispatch", "T", R"({"owner":"D"})");
    Pass("60s");
  }
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_EQ(StaleOf("T"), "");
}

TEST_F(Reaping, GivesAFinaliserItsGrace) {
  Start("T", R"("on_stale":"requeue")");
  Start("hurried", R"("on_stale":"requeue","finalize_grace":"off")");
  Expect("ok", "record_exit", "T", R"({"token":$TOKEN,"exit_code":0})");
  Expect("ok", "record_exit", "hurried", R"({"token":$TOKEN,"exit_code":0})");
  Pass("30s");
  EXPECT_EQ(StateOf("hurried"), "planned");
  Pass("269s");
  EXPECT_EQ(StateOf("T"), "running");
  Pass("1s");
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_THAT(LastEvent("T").body.AsRecovered()->evidence, HasSubstr("exited since"));
}

TEST_F(Reaping, TakesALivingLeaseOnlyWhereAPolicyBoundsTheWork) {
  Start("unbounded", R"("on_stale":"requeue")");
  Start("slow", R"("on_stale":"requeue","max_running":"10m")");
  Start("stuck", R"("on_stale":"requeue","progress_timeout":"5m")");
  const auto beat = [this](std::string_view saga) {
    return Run("heartbeat", saga, R"({"token":$TOKEN,"ttl":"30s"})");
  };
  std::string seen;
  for (int i = 1; i <= 40; ++i) {
    Pass("20s");
    for (const char* saga : {"unbounded", "slow", "stuck"}) {
      if (beat(saga) == "stale_token") {
        seen += fmt::format("{}@{} ", saga, i * 20);
        Run("cancel", saga);
      }
    }
  }
  EXPECT_THAT(seen, StartsWith("stuck@300 "));
  EXPECT_THAT(seen, HasSubstr("slow@600 "));
  EXPECT_THAT(seen, Not(HasSubstr("unbounded")));
}

TEST_F(Reaping, ProgressKeepsItAway) {
  Start("T", R"("on_stale":"requeue","progress_timeout":"1m")");
  for (int i = 0; i < 10; ++i) {
    Pass("25s");
    Expect("ok", "heartbeat", "T", R"({"token":$TOKEN,"progress":"more"})");
  }
  EXPECT_EQ(StateOf("T"), "running");
}

TEST_F(Reaping, ARecoveredSagaWaitsAsItsBackoffSays) {
  Start("T", R"("on_stale":"requeue","requeue_backoff":"2m")");
  Start("U", R"("on_stale":"requeue","requeue_backoff":"off")");
  Pass("30s");
  EXPECT_EQ(Run("acquire", "T", R"({"owner":"W2"})"), "not_before");
  Expect("ok", "acquire", "U", R"({"owner":"W2"})");
  Pass("2m");
  Expect("ok", "acquire", "T", R"({"owner":"W2"})");
}

TEST_F(Reaping, ADeadDependencyEndsWhatWaitsForItUnlessThatIsParked) {
  Expect("ok", "plan", "first");
  const std::string waits = R"({"depends_on":["first"],"policy":{"on_stale":"fail"}})";
  Expect("ok", "plan", "second", waits);
  Expect("ok", "plan", "parked", waits);
  Expect("ok", "park", "parked");
  Expect("ok", "plan", "requeued", R"({"depends_on":["first"],"policy":{"on_stale":"requeue"}})");
  Expect("ok", "cancel", "first");
  Pass("0s");
  EXPECT_EQ(StateOf("second"), "failed");
  EXPECT_EQ(StateOf("parked"), "planned");
  EXPECT_EQ(StaleOf("requeued"), "dependency_dead");
  EXPECT_EQ(Counters(), "recovered: fail 1; declined: parked 1 wrong_state 1");
  Expect("ok", "unpark", "parked");
  Pass("0s");
  EXPECT_EQ(StateOf("parked"), "failed");
}

TEST_F(Reaping, PoliciesOfStoreAndQueueCountAndActAsSoonAsTheyAreChanged) {
  Expect("ok", "plan", "T");
  Expect("ok", "plan", "Q", R"({"queue":"q"})");
  for (const char* saga : {"T", "Q"}) {
    Expect("ok", "acquire", saga, R"({"owner":"W","ttl":"30s"})");
  }
  Pass("1m");
  EXPECT_EQ(StateOf("T"), "running");
  StorePolicy(R"("on_stale":"requeue")");
  Expect("ok", "configure_queue", "", R"({"queue":"q","policy":{"on_stale":"quarantine"}})");
  Crash();
  Pass("30s");
  EXPECT_EQ(StateOf("T"), "planned");
  EXPECT_EQ(StateOf("Q"), "quarantined");
  Expect("ok", "acquire", "T", R"({"owner":"W","ttl":"30s"})");
  StorePolicy(R"("on_stale":"report")");
  Pass("1h");
  EXPECT_EQ(StateOf("T"), "running");
}

}  // namespace
}  // namespace sagalog
