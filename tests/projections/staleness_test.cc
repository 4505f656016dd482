#include "projections/staleness.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/history.h"

namespace sagalog {
namespace {

using schema::StaleReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class Staleness : public ::testing::Test {
 protected:
  Staleness() {
    saga_.id = "a";
    saga_.state = State::running;
    saga_.lease_sequence = Sequence(10);
    saga_.acquired_at = saga_.heartbeat_at = saga_.state_since = At(1000);
    saga_.expires_at = At(1060);
  }

  [[nodiscard]] StalenessContext Context() const { return {policy_, returns_}; }

  // The reasons at `now` and since when, in seconds; checks what must hold at any time.
  std::vector<std::pair<StaleReason, double>> Reasons(double now) {
    std::vector<std::pair<StaleReason, double>> reasons;
    const auto first = BecomesStaleAt(saga_, Context());
    for (const StaleSince& stale : StaleReasons(saga_, Context(), At(now))) {
      EXPECT_LE(stale.since, At(now));
      EXPECT_TRUE(first && *first <= At(now)) << "listed before the index would find it";
      reasons.emplace_back(stale.reason, static_cast<double>(ToMicros(stale.since)) / 1e6);
    }
    return reasons;
  }
  double StaleAt() {
    const auto moment = BecomesStaleAt(saga_, Context());
    return moment ? static_cast<double>(ToMicros(*moment)) / 1e6 : -1;
  }
  double SlotUntil() {
    const auto end = SlotEnd(saga_, Context());
    return end ? static_cast<double>(ToMicros(*end)) / 1e6 : -1;
  }
  void Return(double seconds, std::uint64_t sequence = 11) {
    returns_.push_back({At(seconds), Sequence(sequence)});
  }
  void OpenSection(double since, double max_age) {
    saga_.extras.Ensure().section = {InternedText("push"), At(since), Duration(Seconds(max_age))};
  }
  void Exit(double at) { saga_.extras.Ensure().exit = {1, At(at), Sequence(12)}; }

  Saga saga_;
  EffectivePolicy policy_;
  std::vector<StoreReturn> returns_;
};

TEST_F(Staleness, LeaseIsOverAtItsExpiry) {
  EXPECT_THAT(Reasons(1059.999999), IsEmpty());
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::lease_expired, 1060)));
  EXPECT_EQ(StaleAt(), 1060);
  EXPECT_EQ(SlotUntil(), 1060);
}

TEST_F(Staleness, DispatchExpires) {
  saga_.state = State::dispatched;
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::dispatch_expired, 1060)));
  Return(1055);
  EXPECT_THAT(Reasons(1070), ElementsAre(Pair(StaleReason::dispatch_expired, 1060)));
}

TEST_F(Staleness, PlannedSagaIsNot) {
  saga_.state = State::planned;
  EXPECT_EQ(StaleAt(), -1);
  EXPECT_EQ(SlotUntil(), -1);
  EXPECT_THAT(Reasons(9000), IsEmpty());
}

TEST_F(Staleness, ReturnGivesGraceToALeaseThatIsOver) {
  Return(1100);
  EXPECT_THAT(Reasons(1100), ElementsAre(Pair(StaleReason::in_grace, 1060)));
  EXPECT_THAT(Reasons(1129.999999), ElementsAre(Pair(StaleReason::in_grace, 1060)));
  EXPECT_THAT(Reasons(1130), ElementsAre(Pair(StaleReason::lease_expired, 1060)));
  EXPECT_EQ(SlotUntil(), 1130);
}

TEST_F(Staleness, ReturnGivesGraceToALeaseThatEndsSoonAfter) {
  Return(1031);
  EXPECT_FALSE(IsInGrace(saga_, Context(), At(1059)));
  EXPECT_TRUE(IsInGrace(saga_, Context(), At(1060)));
  EXPECT_FALSE(IsInGrace(saga_, Context(), At(1061)));
}

TEST_F(Staleness, ReturnGivesNoGraceToALeaseThatLastsLonger) {
  Return(1029);
  EXPECT_EQ(GraceEnd(saga_, Context()), std::nullopt);
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::lease_expired, 1060)));
}

TEST_F(Staleness, OnlyTheFirstReturnBetweenTwoHeartbeatsGivesGrace) {
  Return(1100, 11);
  Return(1200, 12);
  EXPECT_EQ(GraceEnd(saga_, Context()), At(1130));
  EXPECT_THAT(Reasons(1201), ElementsAre(Pair(StaleReason::lease_expired, 1060)));
  saga_.lease_sequence = Sequence(12);
  EXPECT_EQ(GraceEnd(saga_, Context()), At(1230));
}

TEST_F(Staleness, ReturnBeforeTheLeaseWasExtendedGivesNoGrace) {
  Return(1055, 9);
  EXPECT_EQ(GraceEnd(saga_, Context()), std::nullopt);
}

TEST_F(Staleness, GraceCanBeSwitchedOff) {
  policy_.reopen_grace = std::nullopt;
  Return(1100);
  EXPECT_THAT(Reasons(1101), ElementsAre(Pair(StaleReason::lease_expired, 1060)));
}

TEST_F(Staleness, DeadOwnerComesBeforeAllAndEndsTheGrace) {
  Return(1050);
  saga_.extras.Ensure().reported_dead_at = At(1020);
  EXPECT_THAT(Reasons(1020), ElementsAre(Pair(StaleReason::owner_dead, 1020)));
  EXPECT_THAT(Reasons(1070), ElementsAre(Pair(StaleReason::owner_dead, 1020)));
  EXPECT_FALSE(IsInGrace(saga_, Context(), At(1070)));
  EXPECT_EQ(StaleAt(), 1020);
}

TEST_F(Staleness, OpenSectionHoldsRecoveryOffUntilItIsOverdue) {
  OpenSection(1010, 100);
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::section_open, 1060)));
  EXPECT_THAT(Reasons(1110), ElementsAre(Pair(StaleReason::section_overdue, 1110)));
  EXPECT_EQ(SlotUntil(), 1110);
}

TEST_F(Staleness, SectionIsOverdueUnderALivingLeaseToo) {
  OpenSection(1010, 20);
  EXPECT_EQ(StaleAt(), 1030);
  EXPECT_THAT(Reasons(1030), ElementsAre(Pair(StaleReason::section_overdue, 1030)));
  EXPECT_EQ(SlotUntil(), 1060);
}

TEST_F(Staleness, MaxRunningMakesASectionOverdueToo) {
  policy_.max_running = Duration(Seconds(50));
  OpenSection(1010, 500);
  EXPECT_THAT(Reasons(1050), ElementsAre(Pair(StaleReason::section_overdue, 1050),
                                         Pair(StaleReason::max_running, 1050)));
}

TEST_F(Staleness, ExitedSagaIsSilentUntilItsFinaliserHadItsTime) {
  Exit(1050);
  EXPECT_EQ(StaleAt(), 1350);
  EXPECT_THAT(Reasons(1349.999999), IsEmpty());
  EXPECT_THAT(Reasons(1350), ElementsAre(Pair(StaleReason::exited, 1350)));
  policy_.finalize_grace = std::nullopt;
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::exited, 1060)));
}

TEST_F(Staleness, ExitUnderALeaseThatOutlivesTheFinaliserIsSilentUntilItIsOver) {
  saga_.expires_at = At(2000);
  Exit(1050);
  EXPECT_THAT(Reasons(1999), IsEmpty());
  EXPECT_THAT(Reasons(2000), ElementsAre(Pair(StaleReason::exited, 2000)));
}

TEST_F(Staleness, RunningTooLongIsCountedFromTheAcquisition) {
  policy_.max_running = Duration(Seconds(90));
  saga_.expires_at = At(5000);
  EXPECT_EQ(StaleAt(), 1090);
  EXPECT_THAT(Reasons(1090), ElementsAre(Pair(StaleReason::max_running, 1090)));
}

TEST_F(Staleness, ProgressIsCountedFromTheLastOfIt) {
  policy_.progress_timeout = Duration(Seconds(70));
  saga_.expires_at = At(5000);
  EXPECT_THAT(Reasons(1070), ElementsAre(Pair(StaleReason::no_progress, 1070)));
  saga_.extras.Ensure().progress_at = At(1040);
  EXPECT_THAT(Reasons(1109), IsEmpty());
  EXPECT_THAT(Reasons(1110), ElementsAre(Pair(StaleReason::no_progress, 1110)));
}

TEST_F(Staleness, PendingCancelIsListedBesideTheSilence) {
  saga_.extras.Ensure().cancel_requested_at = At(1030);
  EXPECT_THAT(Reasons(1060), ElementsAre(Pair(StaleReason::lease_expired, 1060),
                                         Pair(StaleReason::cancel_pending, 1030)));
  EXPECT_EQ(StaleAt(), 1030);
}

TEST_F(Staleness, PlannedSagaWithADeadDependencyIsStaleSinceItsFirst) {
  saga_.state = State::planned;
  saga_.extras.Ensure().depends_on = {
      {"x", DependencyRecord::Standing::kDead, At(1200)},
      {"y", DependencyRecord::Standing::kUnmet, {}},
      {"z", DependencyRecord::Standing::kDead, At(1100)},
  };
  EXPECT_THAT(Reasons(1300), ElementsAre(Pair(StaleReason::dependency_dead, 1100)));
}

TEST_F(Staleness, DispatchIsExhaustedAtItsLimitAndNotBefore) {
  saga_.state = State::planned;
  saga_.dispatch_failures = 2;
  EXPECT_EQ(StaleAt(), -1);
  saga_.dispatch_failures = 3;
  EXPECT_THAT(Reasons(1000), ElementsAre(Pair(StaleReason::dispatch_exhausted, 1000)));
  policy_.max_dispatch_failures = std::nullopt;
  EXPECT_EQ(StaleAt(), -1);
}

TEST_F(Staleness, OwedAndFailedCompensationsAreListedAfterTheEndToo) {
  saga_.state = State::failed;
  saga_.state_since = At(1010);
  saga_.compensation_status = CompensationStatus::owed;
  EXPECT_THAT(Reasons(1010), ElementsAre(Pair(StaleReason::compensation_owed, 1010)));
  saga_.compensation_status = CompensationStatus::failed;
  CompensationRecord& record = saga_.compensations.emplace_back();
  record.state = CompensationState::failed;
  record.claim.Ensure().failed_at = At(1020);
  EXPECT_THAT(Reasons(1020), ElementsAre(Pair(StaleReason::compensation_failed, 1020)));
  saga_.compensation_status = CompensationStatus::settled;
  EXPECT_EQ(StaleAt(), -1);
}

TEST_F(Staleness, ActionableIsAllThatDoesNotJustWait) {
  for (const StaleReason reason : schema::EnumValuesStaleReason()) {
    const bool waits = reason == StaleReason::in_grace || reason == StaleReason::section_open ||
                       reason == StaleReason::cancel_pending;
    EXPECT_NE(IsActionable(reason), waits) << schema::EnumNameStaleReason(reason);
  }
}

}  // namespace
}  // namespace sagalog
