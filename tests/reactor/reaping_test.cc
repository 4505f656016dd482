// The reaper's table, and when it looks again.
#include "reactor/reaping.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sagalog {
namespace {

using schema::OnStale;
using schema::RecoverDecision;
using schema::RefusalCode;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

StoreTime At(int second) { return TimeFromMicros(1'000'000'000'000) + seconds(second); }

// Running under a lease that is over at 30 s, by a policy that has the reaper act.
class Table : public ::testing::Test {
 protected:
  Table() {
    context_.policy.on_stale = OnStale::requeue;
    saga_.id = "T";
    saga_.state = State::running;
    saga_.version = SagaVersion(2);
    saga_.owner = OwnerIdentity(&owner_);
    saga_.acquired_at = At(0);
    saga_.expires_at = At(30);
    saga_.attempts = 1;
  }
  void OpenSection() {
    saga_.extras.Ensure().section = SectionRecord{InternedText("deploy"), At(0), minutes(1)};
  }
  [[nodiscard]] StaleSituation SituationAt(int second) const {
    return SituationOf(saga_, context_, At(second));
  }

  const schema::OwnerT owner_ = [] {
    schema::OwnerT owner;
    owner.owner = "W";
    return owner;
  }();
  Saga saga_;
  StalenessContext context_;
};

TEST_F(Table, ReportLeavesEverything) {
  for (std::size_t i = 0; i < kStaleSituations; ++i) {
    EXPECT_EQ(ChoiceFor(static_cast<StaleSituation>(i), OnStale::report).act, ReaperAct::kLeave);
  }
}

TEST_F(Table, SaysOfEveryCellWhatIsDoneOrWhyNot) {
  for (std::size_t i = 0; i < kStaleSituations; ++i) {
    for (const OnStale on_stale : schema::EnumValuesOnStale()) {
      const ReaperChoice choice = ChoiceFor(static_cast<StaleSituation>(i), on_stale);
      const bool explained = choice.code != RefusalCode::none || on_stale == OnStale::report;
      EXPECT_EQ(choice.act == ReaperAct::kRecover, !explained) << i;
    }
  }
}

TEST_F(Table, RequeueIsOnlyForWhatSomebodyHolds) {
  for (std::size_t i = 0; i < kStaleSituations; ++i) {
    const auto situation = static_cast<StaleSituation>(i);
    const ReaperChoice choice = ChoiceFor(situation, OnStale::requeue);
    const bool requeues =
        choice.act == ReaperAct::kRecover && choice.decision == RecoverDecision::requeue;
    EXPECT_EQ(requeues, situation == StaleSituation::kHeld) << i;
  }
}

TEST_F(Table, ALivingLeaseIsTooEarly) {
  EXPECT_EQ(SituationAt(29), StaleSituation::kTooEarly);
  EXPECT_EQ(SituationAt(30), StaleSituation::kHeld);
}

TEST_F(Table, AGraceIsTooEarlyWhateverElseHolds) {
  const StoreReturn back{At(40), Sequence(9)};
  context_.returns = std::span(&back, 1);
  context_.policy.max_running = seconds(35);
  EXPECT_EQ(SituationAt(45), StaleSituation::kTooEarly);
  EXPECT_EQ(ReapingOf(saga_, context_, At(45)).choice.code, RefusalCode::in_grace);
  EXPECT_EQ(SituationAt(70), StaleSituation::kHeld);
}

TEST_F(Table, ASectionIsInUseUntilItIsOverdueAndItsOwnerSilent) {
  OpenSection();
  EXPECT_EQ(SituationAt(59), StaleSituation::kTooEarly);
  EXPECT_EQ(SituationAt(60), StaleSituation::kSectionAbandoned);
  saga_.expires_at = At(90);
  EXPECT_EQ(SituationAt(60), StaleSituation::kSectionInUse);
  EXPECT_EQ(SituationAt(90), StaleSituation::kSectionAbandoned);
  saga_.extras->reported_dead_at = At(5);
  EXPECT_EQ(SituationAt(6), StaleSituation::kSectionAbandoned);
}

TEST_F(Table, ACancelComesBeforeTheSectionThatHeldItOff) {
  OpenSection();
  saga_.extras->cancel_requested_at = At(10);
  EXPECT_EQ(SituationAt(20), StaleSituation::kTooEarly);
  EXPECT_EQ(SituationAt(60), StaleSituation::kCancelPending);
  const Reaping reaping = ReapingOf(saga_, context_, At(60));
  EXPECT_EQ(reaping.recover.decision, RecoverDecision::cancel);
  EXPECT_EQ(reaping.recover.section_outcome, "unknown: W went silent in section deploy");
}

TEST_F(Table, FailSaysThatThereIsNothingToUndoOnlyOfWhatNeverRan) {
  context_.policy.on_stale = OnStale::fail;
  EXPECT_EQ(ReapingOf(saga_, context_, At(30)).recover.no_compensation_reason, "");
  saga_.attempts = 0;
  saga_.state = State::dispatched;
  EXPECT_EQ(ReapingOf(saga_, context_, At(30)).recover.no_compensation_reason,
            "no worker ever acquired it");
  saga_.compensations.push_back(CompensationRecord());
  EXPECT_EQ(ReapingOf(saga_, context_, At(30)).recover.no_compensation_reason, "");
}

TEST_F(Table, WhatIsLeftSaysWhy) {
  OpenSection();
  const Reaping reaping = ReapingOf(saga_, context_, At(60));
  EXPECT_EQ(reaping.choice.code, RefusalCode::section_open);
  EXPECT_THAT(reaping.detail, HasSubstr("somebody has to say what became of it"));
}

TEST_F(Table, TimeBringsBackOnlyWhatTimeMayChange) {
  OpenSection();
  EXPECT_EQ(LookAgainAt(saga_, context_, At(10), RefusalCode::section_open), At(30));
  EXPECT_EQ(LookAgainAt(saga_, context_, At(30), RefusalCode::section_open), At(60));
  EXPECT_EQ(LookAgainAt(saga_, context_, At(60), RefusalCode::section_open), std::nullopt);
  EXPECT_EQ(LookAgainAt(saga_, context_, At(10), RefusalCode::limit_reached), std::nullopt);
  EXPECT_EQ(LookAgainAt(saga_, context_, At(10), RefusalCode::compensation_missing), std::nullopt);
  saga_.extras->reported_alive_at = At(25);
  EXPECT_EQ(LookAgainAt(saga_, context_, At(61), RefusalCode::owner_alive), At(85));
}

// Everything that can be set of a saga which decides about time, in all combinations: between two
// moments that StalenessChangesAt names, the reasons stay the same.
TEST_F(Table, ReasonsChangeAtNoOtherMomentThanWasSaid) {
  const StoreReturn back{At(40), Sequence(9)};
  for (int bits = 0; bits < 64; ++bits) {
    Saga saga = saga_;
    StalenessContext context = context_;
    if ((bits & 1) != 0) {
      saga.extras.Ensure().section = SectionRecord{InternedText("s"), At(3), seconds(50)};
    }
    if ((bits & 2) != 0) {
      saga.extras.Ensure().exit = ExitRecord{0, At(7), Sequence(3)};
      context.policy.finalize_grace = seconds(60);
    }
    if ((bits & 4) != 0) context.returns = std::span(&back, 1);
    if ((bits & 8) != 0) context.policy.max_running = seconds(77);
    if ((bits & 16) != 0) context.policy.progress_timeout = seconds(44);
    if ((bits & 32) != 0) saga.extras.Ensure().reported_dead_at = At(2);
    for (int second = 2; second < 120; ++second) {
      const auto changes = StalenessChangesAt(saga, context, At(second));
      if (!changes || *changes > At(second + 1)) {
        EXPECT_EQ(StaleReasons(saga, context, At(second)),
                  StaleReasons(saga, context, At(second + 1)))
            << "bits " << bits << " second " << second;
      }
    }
  }
}

}  // namespace
}  // namespace sagalog
