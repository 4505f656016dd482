// Each invariant, broken once: verify names it.
#include "reactor/verification.h"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/data_directory.h"
#include "eventlog/rocks_log.h"
#include "projections/checkpoint.h"
#include "schema/event_encoder.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::int64_t kSecond = 1'000'000;

// A log that was never written by the rules, but by whoever appends to it.
class Verifying : public testing::Test {
 protected:
  Verifying() : clock_(*ParseTime("2026-11-21T14:00:00Z")) {
    DataDirectory::Open(data(), LogMode::kReadWrite).status().IgnoreBecause("the next line sees");
    auto log = RocksLog::Open(data(), {});
    EXPECT_TRUE(log.ok()) << log.status().text();
    log_ = *std::move(log);
    events::StoreOpenedT opened;
    opened.store_id = "0123456789abcdef";
    AppendToStore(std::move(opened));
  }

  [[nodiscard]] fs::path data() const { return scratch_.path() / "data"; }

  template <typename Body>
  void AppendToStore(Body body) {
    Append("", std::move(body));
  }

  // With the right chain, sequence and version; the time is `time_` unless said.
  template <typename Body>
  void Append(const std::string& saga, Body body) {
    events::EventT event;
    event.sequence = log_->Last().Next().value();
    event.saga_id = saga;
    event.time = time_;
    event.wall_time = time_;
    if (!saga.empty()) {
      Chain& chain = chains_[saga];
      event.version = ++chain.version;
      event.previous = chain.last;
      event.previous_transition = chain.transition;
      chain.last = event.sequence;
      if (!std::is_same_v<Body, events::HeartbeatedT>) {
        chain.transition = event.sequence;
      }
    }
    event.body.Set(std::move(body));
    EventEncoder encoder;
    const std::array<std::string_view, 1> one = {encoder.Encode(event)};
    ASSERT_TRUE(log_->Append(log_->Last(), one).ok());
  }

  void Plan(const std::string& saga, const std::string& key = {}, std::uint32_t generation = 1) {
    events::PlannedT planned;
    planned.queue = "default";
    planned.key = key;
    planned.generation = generation;
    planned.compensations.push_back(std::make_unique<schema::CompensationT>());
    planned.compensations.back()->id = "c";
    planned.compensations.back()->kind = "k";
    planned.compensations.back()->target = "t/" + saga;
    Append(saga, std::move(planned));
  }

  events::LeasedT Lease(const std::string& owner,
                        schema::LeaseHow how = schema::LeaseHow::first) const {
    events::LeasedT leased;
    leased.how = how;
    leased.owner = std::make_unique<schema::OwnerT>();
    leased.owner->owner = owner;
    leased.token = log_->Last().Next().value();
    leased.ttl = 60 * kSecond;
    leased.expires_at = time_ + leased.ttl;
    return leased;
  }
  // The saga runs under w.
  void Start(const std::string& saga) {
    Plan(saga);
    Append(saga, Lease("w"));
  }
  void End(const std::string& saga, schema::State state = schema::State::completed) {
    events::TerminalT terminal;
    terminal.state = state;
    Append(saga, std::move(terminal));
  }

  // The name of what is broken in the log as it is, and at which event; empty = nothing. The same
  // beside rows that somebody folded of it, whatever they are worth.
  std::string Broken() {
    const bool has_rows = fs::exists(data() / "projections" / "CURRENT");
    const bool folded = !has_rows && FoldIntoRows();
    EXPECT_TRUE(log_->Close().ok());
    log_.reset();
    const std::string broken = Ask();
    if (!folded) {
      return broken;
    }
    fs::remove_all(data() / "projections");
    const std::string without_rows = Ask();
    EXPECT_EQ(broken, without_rows);
    return without_rows;
  }

  // False when the log cannot be folded to its end.
  bool FoldIntoRows() {
    auto rows = CheckpointStore::Open(data() / "projections", CheckpointStore::Mode::kReadWrite);
    EXPECT_TRUE(rows.ok());
    Projections projections(**rows);
    const bool folded = Fold(*log_, log_->Last(), projections, rows->get()).ok() &&
                        Checkpointer(projections, **rows).TakeNow().ok();
    EXPECT_TRUE((*rows)->Close().ok());
    if (!folded) {
      fs::remove_all(data() / "projections");
    }
    return folded;
  }

  std::string Ask() {
    StoreOptions options;
    options.directory = data();
    options.clock = &clock_;
    options.read_only = true;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    const auto found = VerifyAll(**store);
    EXPECT_TRUE(found.ok()) << found.status().text();
    text_ = found.ok() ? found->report.broken : "";
    return found.ok() ? found->invariant : "";
  }

  // So many events that ended sagas have left memory.
  void LetTimePass() {
    constexpr std::size_t kAtOnce = 1000;
    for (int round = 0; round < 310; ++round) {
      std::vector<std::string> events;
      for (std::size_t i = 0; i < kAtOnce; ++i) {
        events::EventT event;
        event.sequence = log_->Last().value() + i + 1;
        event.time = time_;
        event.wall_time = time_;
        event.body.Set(events::ClockSteppedT());
        EventEncoder encoder;
        events.emplace_back(encoder.Encode(event));
      }
      ASSERT_TRUE(
          log_->Append(log_->Last(), std::vector<std::string_view>(events.begin(), events.end()))
              .ok());
    }
  }

  struct Chain {
    std::uint64_t version = 0;
    std::uint64_t last = 0;
    std::uint64_t transition = 0;
  };

  ScratchDirectory scratch_;
  ManualClock clock_;
  std::int64_t time_ = 1'795'269'600 * kSecond;
  std::unique_ptr<RocksLog> log_;
  std::map<std::string, Chain> chains_;
  std::string text_;
};

TEST_F(Verifying, FindsNothingInAWholeHistory) {
  Start("a");
  time_ += 10 * kSecond;
  events::HeartbeatedT beat;
  beat.expires_at = time_ + 60 * kSecond;
  Append("a", std::move(beat));
  End("a");
  Append("a", events::AnnotatedT());
  EXPECT_EQ(Broken(), "") << text_;
}

TEST_F(Verifying, TimeThatGoesBack) {
  Plan("a");
  time_ -= 1;
  Plan("b");
  EXPECT_EQ(Broken(), "time_never_decreases");
  EXPECT_THAT(text_, HasSubstr("event 3"));
}

TEST_F(Verifying, ASagaThatIsPlannedAgain) {
  Plan("a");
  End("a");
  chains_.clear();
  Plan("a");
  // While it is in memory the chain of its events says so too: the fold is asked second.
  EXPECT_EQ(Broken(), "saga_is_planned_once");
}

TEST_F(Verifying, ASagaThatIsPlannedAgainWhenItHasLongLeftMemory) {
  Plan("a");
  End("a");
  LetTimePass();
  chains_.clear();
  Plan("a");
  EXPECT_EQ(Broken(), "saga_is_planned_once") << text_;
}

TEST_F(Verifying, AGenerationThatIsPlannedAgainWhenItHasLongLeftMemory) {
  Plan("a", "acme/app#1");
  End("a");
  LetTimePass();
  Plan("b", "acme/app#1", 1);
  EXPECT_EQ(Broken(), "key_has_one_live_saga") << text_;
}

TEST_F(Verifying, AnEventThatNamesNoneBeforeIt) {
  Start("a");
  chains_["a"].last = 0;
  Append("a", events::ParkedT());
  EXPECT_EQ(Broken(), "log_is_whole");
  EXPECT_THAT(text_, HasSubstr("event 4"));
}

TEST_F(Verifying, AnEventAfterTheEnd) {
  Start("a");
  End("a");
  Append("a", events::ParkedT());
  EXPECT_EQ(Broken(), "terminal_is_final");
  EXPECT_THAT(text_, HasSubstr("event 5"));
}

TEST_F(Verifying, AnEventOfASagaThatNobodyPlanned) {
  Append("a", events::ParkedT());
  EXPECT_EQ(Broken(), "terminal_is_final");
}

TEST_F(Verifying, AKeyThatTwoLiveSagasHold) {
  Plan("a", "acme/app#1");
  Plan("b", "acme/app#1", 2);
  EXPECT_EQ(Broken(), "key_has_one_live_saga");
}

TEST_F(Verifying, AGenerationThatIsLeftOut) {
  Plan("a", "acme/app#1");
  End("a");
  Plan("b", "acme/app#1", 3);
  EXPECT_EQ(Broken(), "key_has_one_live_saga");
}

TEST_F(Verifying, ATokenThatIsGrantedAgain) {
  Plan("a");
  events::LeasedT leased = Lease("w");
  leased.token -= 1;
  Append("a", std::move(leased));
  EXPECT_EQ(Broken(), "tokens_grow");
}

TEST_F(Verifying, ATokenOffsetThatGoesBack) {
  events::StoreRestoredT restored;
  restored.lineage = "one";
  restored.token_offset = 1000;
  AppendToStore(restored);
  restored.token_offset = 999;
  AppendToStore(restored);
  EXPECT_EQ(Broken(), "tokens_grow");
}

TEST_F(Verifying, ALeaseOfWhatSomebodyHolds) {
  Start("a");
  Append("a", Lease("thief"));
  EXPECT_EQ(Broken(), "lease_has_one_owner");
}

TEST_F(Verifying, ATakeoverBeforeTheLeaseIsOver) {
  Start("a");
  time_ += 59 * kSecond;
  Append("a", Lease("thief", schema::LeaseHow::taken_over));
  EXPECT_EQ(Broken(), "lease_has_one_owner");
}

TEST_F(Verifying, ATakeoverThatCallsItselfTheSameOwner) {
  Start("a");
  time_ += 61 * kSecond;
  Append("a", Lease("thief", schema::LeaseHow::reacquired));
  EXPECT_EQ(Broken(), "lease_has_one_owner");
}

TEST_F(Verifying, AHeartbeatOfALeaseThatIsOver) {
  Start("a");
  time_ += 60 * kSecond;
  events::HeartbeatedT beat;
  beat.expires_at = time_ + 60 * kSecond;
  Append("a", std::move(beat));
  EXPECT_EQ(Broken(), "heartbeats_keep_a_live_lease");
}

TEST_F(Verifying, AStageFromTheWrongOne) {
  Start("a");
  events::StageAdvancedT advanced;
  advanced.previous_stage = "built";
  advanced.stage = "pushed";
  Append("a", std::move(advanced));
  EXPECT_EQ(Broken(), "stage_is_compared_and_swapped");
}

TEST_F(Verifying, TwoOpenSections) {
  Start("a");
  for (const char* name : {"push", "merge"}) {
    events::SectionEnteredT entered;
    entered.name = name;
    Append("a", std::move(entered));
  }
  EXPECT_EQ(Broken(), "one_section_is_open");
}

TEST_F(Verifying, ACompletionInsideOfASection) {
  Start("a");
  events::SectionEnteredT entered;
  entered.name = "push";
  Append("a", std::move(entered));
  End("a");
  EXPECT_EQ(Broken(), "one_section_is_open");
}

TEST_F(Verifying, AnEffectThatIsBegunAgain) {
  Start("a");
  for (int i = 0; i < 2; ++i) {
    events::EffectBegunT begun;
    begun.effect = "merge";
    begun.fingerprint = "f";
    Append("a", std::move(begun));
  }
  EXPECT_EQ(Broken(), "effects_are_granted_once");
}

TEST_F(Verifying, ACompensationThatIsSettledAgain) {
  Start("a");
  End("a", schema::State::failed);
  for (int i = 0; i < 2; ++i) {
    events::CompensationSettledT settled;
    settled.id = "c";
    Append("a", std::move(settled));
  }
  EXPECT_EQ(Broken(), "compensations_settle_once") << text_;
}

TEST_F(Verifying, ACompensationThatNobodyRegistered) {
  Start("a");
  End("a", schema::State::failed);
  events::CompensationSettledT settled;
  settled.id = "other";
  Append("a", std::move(settled));
  EXPECT_EQ(Broken(), "compensations_settle_once");
}

TEST_F(Verifying, AFailureThatLeavesNothingToUndo) {
  events::PlannedT planned;
  planned.generation = 1;
  planned.queue = "default";
  Append("a", std::move(planned));
  Append("a", Lease("w"));
  End("a", schema::State::failed);
  EXPECT_EQ(Broken(), "failures_leave_something_to_undo");
}

TEST_F(Verifying, ARedactedEventThatIsStillWhole) {
  Plan("a");
  events::RedactedT redacted;
  redacted.redacted_sequence = 2;
  redacted.hash = "no";
  AppendToStore(std::move(redacted));
  EXPECT_EQ(Broken(), "redacted_events_lost_their_texts");
  EXPECT_THAT(text_, HasSubstr("event 2"));
}

TEST_F(Verifying, AChainThatLeadsToAnotherSaga) {
  Plan("a");
  Plan("b");
  chains_["b"].last = 2;
  Append("b", events::ParkedT());
  EXPECT_EQ(Broken(), "log_is_whole");
  EXPECT_THAT(text_, HasSubstr("event 4"));
}

TEST_F(Verifying, AByteThatIsNotAsItWasWritten) {
  Plan("damage-me");
  Plan("b");
  ASSERT_TRUE(log_->Close().ok());
  for (const auto& [name, bytes] : Snapshot(data() / "log")) {
    if (const auto at = bytes.find("damage-me"); at != std::string::npos) {
      FlipByte(data() / "log" / name, at);
    }
  }
  EXPECT_EQ(Broken(), "log_is_whole");
}

// The rows of another history of the same length.
TEST_F(Verifying, RowsThatTheLogDoesNotFoldTo) {
  Plan("a");
  {
    auto rows = CheckpointStore::Open(data() / "projections", CheckpointStore::Mode::kReadWrite);
    ASSERT_TRUE(rows.ok());
    Projections projections(**rows);
    ASSERT_TRUE(Fold(*log_, Sequence(1), projections, nullptr).ok());
    // The same envelope, another plan.
    events::EventT event;
    event.sequence = 2;
    event.saga_id = "a";
    event.version = 1;
    event.time = time_;
    events::PlannedT planned;
    planned.generation = 1;
    planned.queue = "another";
    event.body.Set(std::move(planned));
    EventEncoder encoder;
    ASSERT_TRUE(projections.Apply(*events::GetEvent(encoder.Encode(event).data())).ok());
    Checkpointer checkpointer(projections, **rows);
    ASSERT_TRUE(checkpointer.TakeNow().ok());
    ASSERT_TRUE((*rows)->Close().ok());
  }
  EXPECT_EQ(Broken(), "projections_are_the_fold") << text_;
}

TEST(VerifyingOverHttp, NamesTheInvariantOnlyWhenOneIsBroken) {
  ApiStore api;
  api.Acquire("T1");
  EXPECT_FALSE(api.Post("/v1/admin/verify").contains("invariant"));
}

}  // namespace
}  // namespace sagalog
