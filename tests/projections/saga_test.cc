// The fold of one saga's events.
#include "projections/saga.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/history.h"

namespace sagalog {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

schema::OwnerT Incarnation(std::string boot_id) {
  schema::OwnerT owner;
  owner.owner = "w";
  owner.host = "h";
  owner.boot_id = std::move(boot_id);
  owner.pid_namespace = "ns";
  owner.pid = 41;
  owner.pid_start = 42;
  return owner;
}

class SagaFold : public ::testing::Test {
 protected:
  const Saga& Now() { return *history_.state().Find("a"); }
  void Recover(schema::RecoverDecision decision, bool counts = true, double not_before = 0) {
    events::RecoveredT body;
    body.decision = decision;
    body.counts = counts;
    body.not_before = Seconds(not_before);
    history_.Append("a", std::move(body));
  }
  void Report(schema::Verdict verdict) {
    events::OwnerReportedT body;
    body.verdict = verdict;
    history_.Append("a", std::move(body));
  }

  History history_;
};

bool HasSameFields(const schema::OwnerT& a, const schema::OwnerT& b) {
  const auto fields = [](const schema::OwnerT& owner) {
    return std::tie(owner.owner, owner.host, owner.boot_id, owner.pid_namespace, owner.pid,
                    owner.pid_start);
  };
  return fields(a) == fields(b);
}

TEST(OwnerIdentity, IsEqualWhenAllFieldsAre) {
  const schema::OwnerT one = Incarnation("boot1");
  schema::OwnerT other = Incarnation("boot2");
  EXPECT_FALSE(OwnerIdentity(&one) == OwnerIdentity(&other));
  other.boot_id = "boot1";
  EXPECT_TRUE(OwnerIdentity(&one) == OwnerIdentity(&other));
  EXPECT_EQ(OwnerName(OwnerIdentity(&one)), "w");
  EXPECT_TRUE(HasSameFields(OwnerFromIdentity(OwnerIdentity(&one)), one));
  schema::OwnerT name_only;
  name_only.owner = "w";
  EXPECT_FALSE(OwnerIdentity(&one) == OwnerIdentity(&name_only));
  EXPECT_TRUE(HasSameFields(OwnerFromIdentity(OwnerIdentity(&name_only)), name_only));
}

TEST_F(SagaFold, PlannedSagaHasItsFacts) {
  history_.Plan("a", {.key = "k",
                      .generation = 3,
                      .queue = "q",
                      .priority = -4,
                      .not_before = 2000,
                      .targets = {"x", "y"},
                      .shared = true,
                      .request = 5});
  EXPECT_EQ(Now().key, "k");
  EXPECT_EQ(Now().generation, 3U);
  EXPECT_EQ(Now().queue.view(), "q");
  EXPECT_EQ(Now().priority, -4);
  EXPECT_EQ(Now().extras->not_before, At(2000));
  ASSERT_THAT(Now().compensations, SizeIs(2));
  EXPECT_EQ(Now().compensations[1].target_hash, TargetHash("y"));
  EXPECT_EQ(Now().compensations[1].position, 1);
  EXPECT_TRUE(Now().compensations[1].shared);
  EXPECT_EQ(Now().state, State::planned);
  EXPECT_EQ(Now().compensation_status, CompensationStatus::none);
  EXPECT_EQ(Now().version, SagaVersion(1));
  ASSERT_THAT(Now().requests, SizeIs(1));
  EXPECT_TRUE(Now().requests[0].store_wide);
}

TEST_F(SagaFold, LeaseIsGrantedExtendedAndGivenUp) {
  history_.Plan("a");
  const Token token = history_.Acquire("a", "w", 60);
  EXPECT_EQ(Now().state, State::running);
  EXPECT_EQ(Now().token, token);
  EXPECT_EQ(Now().attempts, 1U);
  EXPECT_FALSE(Now().let_go);
  EXPECT_EQ(Now().heartbeat_at, At(1000));
  history_.SetTime(1010);
  history_.Heartbeat("a", 60);
  EXPECT_EQ(Now().expires_at, At(1070));
  EXPECT_EQ(Now().heartbeat_at, At(1010));
  history_.Heartbeat("a", 1);
  EXPECT_EQ(Now().expires_at, At(1070)) << "an expiry never moves backwards";
  EXPECT_EQ(Now().previous_transition, Sequence(2));
  history_.Append("a", events::ReleasedT());
  EXPECT_EQ(Now().state, State::planned);
  EXPECT_TRUE(Now().let_go);
  EXPECT_EQ(Now().recoveries, 0U);
  EXPECT_EQ(Now().owner.view(), "w");
}

TEST_F(SagaFold, TakeoversAndCountedRequeuesAreRecoveries) {
  history_.Plan("a");
  history_.Acquire("a");
  history_.Acquire("a", "w", 60, schema::LeaseHow::reacquired);
  EXPECT_EQ(Now().recoveries, 0U);
  history_.Acquire("a", "v", 60, schema::LeaseHow::taken_over);
  EXPECT_EQ(Now().recoveries, 1U);
  Recover(schema::RecoverDecision::requeue, true, 3000);
  EXPECT_EQ(Now().recoveries, 2U);
  EXPECT_EQ(Now().state, State::planned);
  EXPECT_EQ(Now().extras->not_before, At(3000));
  history_.Acquire("a");
  Recover(schema::RecoverDecision::requeue, false);
  EXPECT_EQ(Now().recoveries, 2U);
  EXPECT_EQ(Now().attempts, 4U);
}

TEST_F(SagaFold, DispatchFailuresAreCountedInARow) {
  history_.Plan("a");
  history_.Dispatch("a");
  history_.Append("a", events::DispatchAbortedT());
  history_.Dispatch("a");
  Recover(schema::RecoverDecision::requeue);
  EXPECT_EQ(Now().dispatch_failures, 2U);
  EXPECT_EQ(Now().recoveries, 0U);
  const Token dispatched = history_.Dispatch("a");
  history_.Acquire("a");
  EXPECT_EQ(Now().dispatch_failures, 0U);
  EXPECT_EQ(Now().extras->spent_dispatch_token, dispatched);
}

TEST_F(SagaFold, NextAttemptKnowsNothingOfTheOneBefore) {
  history_.Plan("a");
  history_.Acquire("a");
  history_.Heartbeat("a", 60, "half");
  history_.Append("a", events::ExitRecordedT());
  Report(schema::Verdict::alive);
  Report(schema::Verdict::dead);
  EXPECT_TRUE(Now().IsOwnerDead());
  history_.Acquire("a", "v", 60, schema::LeaseHow::taken_over);
  EXPECT_FALSE(Now().IsOwnerDead());
  EXPECT_EQ(Now().Exit(), nullptr);
  EXPECT_FALSE(Now().extras->progress_at);
  EXPECT_FALSE(Now().extras->reported_alive_at);
  ASSERT_THAT(Now().extras->dead_owners, SizeIs(1)) << "dead stays dead";
  EXPECT_EQ(Now().extras->dead_owners[0].view(), "w");
}

TEST_F(SagaFold, CompletionDropsWhatIsUndoneUnlessCompleted) {
  history_.Plan("a", {.targets = {"x", "y"}});
  history_.Acquire("a");
  history_.End("a", State::completed);
  EXPECT_EQ(Now().compensations[0].state, CompensationState::dropped);
  EXPECT_EQ(Now().compensation_status, CompensationStatus::none);
  EXPECT_TRUE(Now().IsSettled());
}

TEST_F(SagaFold, FailureOwesItsCompensationsUntilAllAreSettled) {
  history_.Plan("a", {.targets = {"x", "y"}});
  history_.Acquire("a");
  EXPECT_EQ(Now().compensation_status, CompensationStatus::none);
  history_.End("a", State::failed);
  EXPECT_EQ(Now().compensation_status, CompensationStatus::owed);
  history_.ClaimCompensation("a", "c1");
  EXPECT_EQ(Now().compensations[1].attempts, 1);
  history_.SettleCompensation("a", "c1", schema::CompensationOutcome::failed);
  EXPECT_EQ(Now().compensation_status, CompensationStatus::failed);
  history_.ClaimCompensation("a", "c1");
  EXPECT_EQ(Now().compensation_status, CompensationStatus::owed);
  history_.SettleCompensation("a", "c1");
  history_.SettleCompensation("a", "c0", schema::CompensationOutcome::waived);
  EXPECT_EQ(Now().compensation_status, CompensationStatus::settled);
  EXPECT_EQ(Now().state, State::failed);
  EXPECT_TRUE(Now().IsSettled());
}

TEST_F(SagaFold, HeartbeatRequestsCountOnlyWhileTheLeaseLives) {
  history_.Plan("a");
  history_.Acquire("a");
  events::HeartbeatedT heartbeat;
  heartbeat.expires_at = Seconds(1100);
  history_.Append("a", heartbeat, 6);
  history_.Append("a", events::AnnotatedT(), 7);
  EXPECT_NE(Now().FindRequest(6, ~std::uint64_t{6}), nullptr);
  history_.Append("a", events::ReleasedT(), 8);
  EXPECT_EQ(Now().FindRequest(6, ~std::uint64_t{6}), nullptr);
  EXPECT_NE(Now().FindRequest(7, ~std::uint64_t{7}), nullptr);
  EXPECT_NE(Now().FindRequest(8, ~std::uint64_t{8}), nullptr);
}

TEST_F(SagaFold, StageKnowsTheEventThatSetIt) {
  history_.Plan("a");
  EXPECT_TRUE(Now().stage.empty());
  EXPECT_EQ(Now().stage_sequence, Sequence());
  events::StageAdvancedT advanced;
  advanced.stage = "review";
  history_.Append("a", advanced);
  EXPECT_EQ(Now().stage.view(), "review");
  EXPECT_EQ(Now().stage_sequence, Sequence(2));
}

TEST_F(SagaFold, EndClosesSectionCancelAndPark) {
  history_.Plan("a");
  history_.Acquire("a");
  events::SectionEnteredT entered;
  entered.name = "merge";
  history_.Append("a", std::move(entered));
  history_.Append("a", events::CancelRequestedT());
  EXPECT_TRUE(Now().IsCancelPending());
  history_.End("a", State::cancelled);
  EXPECT_FALSE(Now().IsCancelPending());
  EXPECT_EQ(Now().Section(), nullptr);
  EXPECT_EQ(Now().reason_sequence, Now().sequence);
  EXPECT_THAT(Now().compensations, IsEmpty());
}

}  // namespace
}  // namespace sagalog
