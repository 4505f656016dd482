// The smaller read models: keys, requests, targets, owners, labels, effects, children, counts.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/projections.h"
#include "tests/projections/history.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNull;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string IdOf(const Saga* saga) { return saga == nullptr ? "" : saga->id; }

std::map<std::string, std::vector<std::string>> OwnersOf(const Projections& state) {
  std::map<std::string, std::vector<std::string>> owners;
  state.VisitOwners([&](const InternedText& owner, std::span<const Saga* const> sagas) {
    owners[owner.str()] = Ids({sagas.begin(), sagas.end()});
  });
  return owners;
}

void Complete(History& history, std::string_view saga) {
  history.Acquire(saga);
  history.End(saga);
}

TEST(Keys, AreHeldUntilTheSagaIsTerminal) {
  History history;
  history.Plan("a", {.key = "repo#1"});
  EXPECT_EQ(IdOf(history.state().HolderOfKey("repo#1")), "a");
  EXPECT_THAT(history.state().NewestEndedOfKey("repo#1"), IsNull());
  Complete(history, "a");
  EXPECT_THAT(history.state().HolderOfKey("repo#1"), IsNull());
  EXPECT_EQ(IdOf(history.state().NewestEndedOfKey("repo#1")), "a");
  history.Plan("b", {.key = "repo#1", .generation = 2});
  EXPECT_EQ(IdOf(history.state().HolderOfKey("repo#1")), "b");
  EXPECT_EQ(IdOf(history.state().NewestEndedOfKey("repo#1")), "a");
  Complete(history, "b");
  EXPECT_EQ(IdOf(history.state().NewestEndedOfKey("repo#1")), "b");
}

TEST(Keys, NewestGenerationStaysNewestWhenAnOlderOneSettlesAfterIt) {
  History history;
  history.Plan("a", {.key = "k", .targets = {"t"}});
  history.Acquire("a");
  history.End("a", State::failed);
  history.Plan("b", {.key = "k", .generation = 2});
  Complete(history, "b");
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  EXPECT_THAT(history.state().Find("b"), IsNull());
  EXPECT_EQ((*history.rows().FindKey("k"))->saga_id, "b");
  history.ClaimCompensation("a", "c0");
  history.SettleCompensation("a", "c0");
  history.TakeCheckpoint();
  EXPECT_EQ((*history.rows().FindKey("k"))->saga_id, "b");
  EXPECT_EQ((*history.rows().FindKey("k"))->generation, 2U);
  EXPECT_THAT(*history.rows().Generations("k"), ElementsAre("a", "b"));
  EXPECT_EQ(history.DifferenceFromRebuild(), "");
}

TEST(Requests, OfPlansAreFoundInMemoryAndAfterwardsInTheRows) {
  History history;
  history.Plan("a", {.request = 77});
  EXPECT_EQ(IdOf(history.state().PlannedByRequest(77, ~std::uint64_t{77})), "a");
  EXPECT_THAT(history.state().PlannedByRequest(78, ~std::uint64_t{78}), IsNull());
  Complete(history, "a");
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  EXPECT_THAT(history.state().PlannedByRequest(77, ~std::uint64_t{77}), IsNull());
  const auto row = history.rows().FindPlanRequest(77, ~std::uint64_t{77});
  ASSERT_TRUE(row.ok() && *row);
  EXPECT_EQ((*row)->saga_id, "a");
  EXPECT_EQ((*row)->sequence, Sequence(1));
}

TEST(Requests, OfOtherCommandsAreNotUniqueInTheStore) {
  History history;
  history.Plan("a");
  history.Append("a", events::AnnotatedT{}, 55);
  EXPECT_THAT(history.state().PlannedByRequest(55, ~std::uint64_t{55}), IsNull());
  EXPECT_NE(history.Get("a").FindRequest(55, ~std::uint64_t{55}), nullptr);
  events::LeasedT claimed;
  claimed.owner = std::make_unique<schema::OwnerT>();
  claimed.owner->owner = "w";
  claimed.token = 3;
  claimed.claimed = true;
  history.Append("a", std::move(claimed), 56);
  EXPECT_EQ(IdOf(history.state().PlannedByRequest(56, ~std::uint64_t{56})), "a");
}

TEST(Targets, AreHeldByLiveSagasThatHaveNotSettledThem) {
  History history;
  history.Plan("a", {.targets = {"branch", "tree"}});
  history.Plan("s1", {.targets = {"cache"}, .shared = true});
  history.Plan("s2", {.targets = {"cache"}, .shared = true});
  const auto& state = history.state();
  EXPECT_EQ(IdOf(state.OtherHolderOfTarget(TargetHash("branch"), nullptr, true)), "a");
  EXPECT_THAT(state.OtherHolderOfTarget(TargetHash("branch"), state.Find("a"), true), IsNull());
  EXPECT_EQ(IdOf(state.OtherHolderOfTarget(TargetHash("cache"), state.Find("s1"), false)), "s2");
  events::CompensationRegisteredT registered;
  registered.compensation = std::make_unique<schema::CompensationT>();
  registered.compensation->id = "later";
  registered.compensation->kind = "clean";
  registered.compensation->target = "tag";
  history.Append("a", std::move(registered));
  EXPECT_EQ(IdOf(state.OtherHolderOfTarget(TargetHash("tag"), nullptr, true)), "a");
  history.Append("a", events::CompensatingT());
  history.ClaimCompensation("a", "c0");
  history.SettleCompensation("a", "c0");
  EXPECT_THAT(state.OtherHolderOfTarget(TargetHash("branch"), nullptr, true), IsNull());
  EXPECT_EQ(IdOf(state.OtherHolderOfTarget(TargetHash("tree"), nullptr, true)), "a");
  EXPECT_THAT(state.OtherHolderOfTarget(TargetHash("tree"), nullptr, false), IsNull())
      << "it does not work on it any more";
  history.End("a", State::quarantined);
  EXPECT_THAT(state.OtherHolderOfTarget(TargetHash("tree"), nullptr, true), IsNull());
}

TEST(Owners, HoldTheirSagasWhileTheyOwnThem) {
  History history;
  for (const char* id : {"a", "b", "c"}) {
    history.Plan(id);
  }
  history.Acquire("b", "one");
  history.Acquire("a", "one");
  history.Dispatch("c", "two");
  EXPECT_THAT(OwnersOf(history.state()),
              ElementsAre(Pair("one", ElementsAre("a", "b")), Pair("two", ElementsAre("c"))));
  history.Acquire("a", "two", 60, schema::LeaseHow::taken_over);
  history.Append("c", events::DispatchAbortedT());
  history.End("b");
  EXPECT_THAT(OwnersOf(history.state()), ElementsAre(Pair("two", ElementsAre("a"))));
}

TEST(Labels, AreFoundUntilTheSagaIsSettled) {
  History history;
  history.Plan("a", {.targets = {"t"}, .labels = {{"team", "x"}, {"env", "prod"}}});
  history.Plan("b", {.labels = {{"team", "x"}}});
  EXPECT_THAT(Ids(history.state().WithLabel("team", "x")), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Ids(history.state().WithLabel("env", "prod")), ElementsAre("a"));
  EXPECT_THAT(history.state().WithLabel("env", "test"), IsEmpty());
  history.Acquire("a");
  history.End("a", State::failed);
  Complete(history, "b");
  EXPECT_THAT(Ids(history.state().WithLabel("team", "x")), ElementsAre("a"));
  history.TakeCheckpoint();
  history.Reopen();
  EXPECT_THAT(Ids(history.state().WithLabel("team", "x")), ElementsAre("a"));
  EXPECT_THAT(Ids(history.state().WithLabel("env", "prod")), ElementsAre("a"));
}

TEST(Effects, KeepTheirSagaListedUntilTheyAreSettled) {
  History history;
  history.Plan("a");
  history.Acquire("a");
  events::EffectBegunT begun;
  begun.effect = "merge";
  begun.fingerprint = "f";
  history.Append("a", begun);
  history.End("a");
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  history.Reopen();
  EXPECT_THAT(Ids(history.state().WithEffectsInDoubt(10)), ElementsAre("a"));
  events::EffectSettledT settled;
  settled.effect = "merge";
  history.Append("a", settled);
  EXPECT_THAT(history.state().WithEffectsInDoubt(10), IsEmpty());
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  EXPECT_EQ(history.state().CountInMemory(), 0U);
  EXPECT_EQ(history.DifferenceFromRebuild(), "");
}

TEST(Children, AreKnownToTheirParent) {
  History history;
  history.Plan("p");
  history.Plan("c1", {.parent = "p"});
  history.Plan("c2", {.parent = "p"});
  history.TakeCheckpoint();
  history.Reopen();
  EXPECT_THAT(history.Get("p").extras->children, ElementsAre("c1", "c2"));
}

TEST(PlanningOrder, IsVisitedFromAnyPlaceOn) {
  History history;
  history.Plan("a");
  const Sequence after_a = history.log().Last();
  history.Plan("b");
  history.Plan("c");
  std::vector<std::string> visited;
  history.state().VisitPlannedAfter(after_a, [&](const Saga& saga) {
    visited.push_back(saga.id);
    return true;
  });
  EXPECT_THAT(visited, ElementsAre("b", "c"));
  visited.clear();
  history.state().VisitPlannedAfter(Sequence(), [&](const Saga& saga) {
    visited.push_back(saga.id);
    return false;
  });
  EXPECT_THAT(visited, ElementsAre("a"));
}

TEST(Statistics, CountEverySagaOnceInItsState) {
  History history;
  for (const char* id : {"a", "b", "c", "d"}) {
    history.Plan(id);
  }
  history.Acquire("a");
  Complete(history, "b");
  history.End("c", State::cancelled);
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  history.Append("b", events::AnnotatedT());
  const auto of = [&](State state) {
    return history.state().statistics().sagas_by_state[static_cast<std::size_t>(state)];
  };
  EXPECT_EQ(of(State::planned), 1U);
  EXPECT_EQ(of(State::running), 1U);
  EXPECT_EQ(of(State::completed), 1U);
  EXPECT_EQ(of(State::cancelled), 1U);
  EXPECT_EQ(of(State::dispatched), 0U);
}

TEST(StoreFacts, FollowTheEventsOfTheStore) {
  History history;
  EXPECT_EQ(history.state().facts().last_open, std::nullopt);
  events::StoreOpenedT opened;
  opened.store_id = "uuid";
  opened.mode = schema::OpenMode::one_shot;
  history.Append("", opened);
  events::StoreRestoredT restored;
  restored.token_offset = 1000;
  restored.lineage = "L2";
  history.SetTime(1001);
  history.Append("", restored);
  history.TakeCheckpoint();
  history.Reopen();
  const StoreFacts& facts = history.state().facts();
  EXPECT_EQ(facts.store_id, "uuid");
  EXPECT_EQ(facts.last_open, schema::OpenMode::one_shot);
  EXPECT_EQ(facts.token_offset, 1000U);
  EXPECT_EQ(facts.lineage, "L2");
  EXPECT_EQ(facts.last_time, At(1001));
  EXPECT_THAT(facts.returns, IsEmpty());
}

TEST(StoreFacts, KeepOnlyReturnsThatCanStillMatter) {
  History history;
  history.Plan("a");
  history.Acquire("a", "w", 1000);
  history.ComeBack();
  history.ComeBack();
  EXPECT_EQ(history.state().facts().returns.size(), 2U);
  history.Heartbeat("a", 2000);
  history.ComeBack();
  EXPECT_EQ(history.state().facts().returns.size(), 1U);
  history.End("a");
  history.ComeBack();
  EXPECT_THAT(history.state().facts().returns, IsEmpty());
}

TEST(QueueConfigurations, AreSparseAndSurviveReopening) {
  History history;
  events::QueueConfiguredT limit;
  limit.queue = "q";
  limit.limit = 3;
  history.Append("", std::move(limit));
  events::QueueConfiguredT freeze;
  freeze.queue = "q";
  freeze.frozen = true;
  history.Append("", std::move(freeze));
  history.TakeCheckpoint();
  history.Reopen();
  EXPECT_EQ(history.state().Queue("q").limit, 3);
  EXPECT_TRUE(history.state().Queue("q").frozen);
  events::QueueConfiguredT off;
  off.queue = "q";
  off.limit = kOff;
  history.Append("", std::move(off));
  EXPECT_EQ(history.state().Queue("q").limit, std::nullopt);
  EXPECT_FALSE(history.state().Queue("other").frozen);
}

}  // namespace
}  // namespace sagalog
