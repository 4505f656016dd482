// Effects of scope `key`: granted once over all generations of a key, and settled for all of them.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

// The first generation began to deploy and ended; the second runs.
constexpr const char* kTwoGenerations = R"(
    plan A {"key":"k"}
    acquire A {"owner":"w1"}
    begin_effect A {"token":$TOKEN,"effect":"deploy","fingerprint":"v1","scope":"key"}
    begin_effect A {"token":$TOKEN,"effect":"mail","fingerprint":"v1"}
    cancel A
    plan B {"key":"k"}
    acquire B {"owner":"w2"})";

std::string Begin(RulesStore& store, std::string_view saga) {
  return store.Run("begin_effect", saga,
                   R"({"token":$TOKEN,"effect":"deploy","fingerprint":"v1","scope":"key"})");
}

std::string Settle(RulesStore& store, std::string_view saga, std::string_view result = "r1") {
  return store.Run("settle_effect", saga,
                   fmt::format(R"({{"effect":"deploy","outcome":"done","result":"{}"}})", result));
}

// "SAGA:EFFECT" of all that is in doubt.
std::string InDoubt(RulesStore& store) {
  std::string rows;
  const auto page = store.store().EffectsInDoubt({});
  EXPECT_TRUE(page.ok());
  for (const auto& row : page->items) {
    rows += fmt::format("{}{}:{}", rows.empty() ? "" : " ", row->saga_id, row->effect->effect);
  }
  return rows;
}

std::string ResultOf(RulesStore& store, std::string_view saga) {
  for (const auto& effect : store.Saga(saga).effects) {
    if (effect->effect == "deploy") {
      return effect->settled ? effect->result : "in doubt";
    }
  }
  return "unknown";
}

// All that is in memory has been written, and what has ended has left.
void LeaveMemory(RulesStore& store) {
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    ASSERT_TRUE(store.store().Checkpoint().ok());
    store.Run("configure_queue", "", fmt::format(R"({{"queue":"q","limit":{}}})", checkpoint + 1));
  }
}

// How a store may have come to know what it knows.
enum class Past { kFolded, kCheckpointed, kReopened, kRebuilt };
constexpr Past kPasts[] = {Past::kFolded, Past::kCheckpointed, Past::kReopened, Past::kRebuilt};

void Live(RulesStore& store, Past past) {
  switch (past) {
    case Past::kFolded: break;
    case Past::kCheckpointed: LeaveMemory(store); break;
    case Past::kReopened: store.Crash(); break;
    case Past::kRebuilt: ASSERT_TRUE(store.store().Rebuild().ok()); break;
  }
}

TEST(EffectOfAKey, SettledOnTheEndedGenerationIsSettledInTheLiveOne) {
  for (const Past past : kPasts) {
    RulesStore store;
    ASSERT_EQ(Play(store, kTwoGenerations), "ok");
    EXPECT_EQ(Begin(store, "B"), "effect_begun");
    Live(store, past);
    EXPECT_EQ(InDoubt(store), "A:deploy A:mail");
    const std::uint64_t version = store.Saga("B").version;
    ASSERT_EQ(Settle(store, "A"), "ok");
    Live(store, past);
    EXPECT_EQ(Begin(store, "B"), "effect_settled");
    EXPECT_EQ(store.refusal().result, "r1");
    EXPECT_EQ(ResultOf(store, "B"), "r1");
    EXPECT_EQ(InDoubt(store), "A:mail") << "what is not the key's is the saga's own";
    EXPECT_EQ(store.Saga("B").version, version) << "it is no event of this saga";
    EXPECT_EQ(Settle(store, "B"), "ok:unchanged");
    EXPECT_EQ(Settle(store, "B", "other"), "effect_settled");
  }
}

TEST(EffectOfAKey, SettledInTheLiveGenerationIsNoLongerInDoubtInTheEndedOne) {
  for (const Past past : kPasts) {
    RulesStore store;
    ASSERT_EQ(Play(store, kTwoGenerations), "ok");
    Live(store, past);
    ASSERT_EQ(Settle(store, "B"), "ok");
    Live(store, past);
    EXPECT_EQ(InDoubt(store), "A:mail");
    EXPECT_EQ(ResultOf(store, "A"), "r1");
    EXPECT_EQ(Settle(store, "A"), "ok:unchanged");
    EXPECT_EQ(Settle(store, "A", "other"), "effect_settled");
  }
}

TEST(EffectOfAKey, IsSettledAlsoForAGenerationThatIsPlannedAfterOneThatEndedInBetween) {
  for (const Past past : kPasts) {
    RulesStore store;
    ASSERT_EQ(Play(store, kTwoGenerations), "ok");
    ASSERT_EQ(Play(store, "cancel B"), "ok");
    Live(store, past);
    ASSERT_EQ(Settle(store, "A"), "ok");
    Live(store, past);
    ASSERT_EQ(Play(store, R"(plan C {"key":"k"}
                             acquire C {"owner":"w3"})"),
              "ok");
    EXPECT_EQ(store.Saga("C").generation, 3U);
    EXPECT_EQ(Begin(store, "C"), "effect_settled");
    EXPECT_EQ(store.refusal().result, "r1");
    EXPECT_EQ(ResultOf(store, "B"), "r1");
  }
}

TEST(EffectOfAKey, IsNobodyElses) {
  RulesStore store;
  ASSERT_EQ(Play(store, kTwoGenerations), "ok");
  // The same name: of another key, of no key, and of the next generation alone.
  ASSERT_EQ(Play(store, R"(
      plan O {"key":"other"}
      acquire O {"owner":"w"}
      begin_effect O {"token":$TOKEN,"effect":"deploy","fingerprint":"v1","scope":"key"}
      plan N
      acquire N {"owner":"w"}
      begin_effect N {"token":$TOKEN,"effect":"deploy","fingerprint":"v1","scope":"key"}
      begin_effect B {"token":$TOKEN,"effect":"mail","fingerprint":"v1","scope":"key"})"),
            "ok");
  ASSERT_EQ(Settle(store, "A"), "ok");
  ASSERT_EQ(Play(store, R"(settle_effect A {"effect":"mail","outcome":"done"})"), "ok");
  EXPECT_EQ(InDoubt(store), "B:mail O:deploy N:deploy");
  ASSERT_EQ(Settle(store, "N"), "ok");
  EXPECT_EQ(InDoubt(store), "B:mail O:deploy");
}

TEST(EffectOfAKey, SettledOnTrialIsInDoubtAgainInAllGenerations) {
  RulesStore store;
  ASSERT_EQ(Play(store, kTwoGenerations), "ok");
  commands::SettleEffectT settle;
  settle.effect = "deploy";
  settle.outcome = "done";
  std::vector<commands::CommandT> batch(2);
  batch[0].saga_id = "A";
  batch[0].body.Set(std::move(settle));
  batch[1].saga_id = "nobody";
  batch[1].body.Set(commands::ParkT());
  EXPECT_TRUE(store.store().ExecuteBatch(std::move(batch), true, false).refusal.has_value());
  EXPECT_EQ(Begin(store, "B"), "effect_begun");
  EXPECT_EQ(InDoubt(store), "A:deploy A:mail");
  ASSERT_EQ(Settle(store, "B"), "ok");
  EXPECT_EQ(InDoubt(store), "A:mail");
}

TEST(Generation, IsCountedFromTheNewestAlsoWhenAnOlderOneStillOwesSomething) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(
      plan A {"key":"k","compensations":[{"id":"c","kind":"undo","target":"t"}]}
      cancel A
      plan B {"key":"k"}
      acquire B {"owner":"w"}
      complete B {"token":$TOKEN})"),
            "ok");
  LeaveMemory(store);
  // The first generation is listed anew; the second is on disk alone.
  ASSERT_EQ(Play(store, R"(claim_compensation A {"id":"c","executor":"j"})"), "ok");
  EXPECT_EQ(Play(store, R"(plan C {"key":"k"})"), "already_exists");
  EXPECT_EQ(store.refusal().saga_id, "B");
  ASSERT_EQ(Play(store, R"(plan C {"key":"k","rerun":"the data changed"})"), "ok");
  EXPECT_EQ(store.Saga("C").generation, 3U);
}

TEST(Effect, IsSettledWhoeverHasTheSagaMeanwhile) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T {"policy":{"requeue_backoff":"off"}}
                           acquire T {"owner":"w1"}
                           begin_effect T {"token":$TOKEN,"effect":"deploy","fingerprint":"v1"}
                           advance 1h
                           recover T {"observed":$VERSION,"decision":"requeue"}
                           dispatch T {"owner":"w2"})"),
            "ok");
  ASSERT_EQ(store.StateOf("T"), "dispatched");
  EXPECT_EQ(Settle(store, "T"), "ok");
  EXPECT_EQ(ResultOf(store, "T"), "r1");
}

TEST(Effect, IsSettledWhateverBecameOfTheSaga) {
  constexpr const char* kBegun = R"(
      plan T {"compensations":[{"id":"c","kind":"undo","target":"t"}]}
      acquire T {"owner":"w1"}
      begin_effect T {"token":$TOKEN,"effect":"deploy","fingerprint":"v1"}
      )";
  constexpr const char* kUndone = R"(
      claim_compensation T {"id":"c","executor":"j"}
      settle_compensation T {"id":"c","token":$TOKEN,"outcome":"done"})";
  const std::string compensate = "compensate T {\"token\":$TOKEN}";
  for (const auto& [ways, state] : {std::pair<std::string, std::string>{compensate, "compensating"},
                                    {compensate + kUndone, "compensated"},
                                    {"fail T {\"token\":$TOKEN}", "failed"},
                                    {"cancel T", "cancelled"},
                                    {"quarantine T", "quarantined"}}) {
    SCOPED_TRACE(state);
    RulesStore store;
    ASSERT_EQ(Play(store, kBegun + ways), "ok");
    ASSERT_EQ(store.StateOf("T"), state);
    EXPECT_EQ(Settle(store, "T"), "ok");
    EXPECT_EQ(ResultOf(store, "T"), "r1");
  }
}

}  // namespace
}  // namespace sagalog
