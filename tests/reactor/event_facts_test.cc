// What the events say beside their type: by whom, of whom, why. An operator reads it afterwards.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSectionOfW = R"(
    plan T
    acquire T {"owner":"w","ttl":"60s"}
    enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"})";

// The saga's newest event, or the one so many before it.
StoredEvent Newest(RulesStore& store, std::string_view saga, std::size_t back = 0) {
  const auto history = store.store().History(saga, false, back + 1);
  EXPECT_TRUE(history.ok());
  return history->front();
}

TEST(EventFacts, OnlyATakeoverSaysFromWhom) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           acquire T {"owner":"w"}
                           advance 1h
                           acquire T {"owner":"w"})"),
            "ok");
  const StoredEvent again = Newest(store, "T");
  ASSERT_NE(again->body_as_Leased(), nullptr);
  EXPECT_EQ(again->body_as_Leased()->how(), schema::LeaseHow::reacquired);
  EXPECT_EQ(again->body_as_Leased()->taken_from(), nullptr);
  ASSERT_EQ(Play(store,
                 "advance 1h\n"
                 R"(acquire T {"owner":"x"})"),
            "ok");
  const StoredEvent taken = Newest(store, "T");
  ASSERT_NE(taken->body_as_Leased(), nullptr);
  EXPECT_EQ(taken->body_as_Leased()->how(), schema::LeaseHow::taken_over);
  ASSERT_NE(taken->body_as_Leased()->taken_from(), nullptr);
  EXPECT_EQ(taken->body_as_Leased()->taken_from()->owner()->str(), "w");
}

TEST(EventFacts, ARecoverySaysWhoseLeaseItRevoked) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           acquire T {"owner":"w"}
                           advance 1h)"),
            "ok");
  ASSERT_EQ(store.Run("recover", "T",
                      R"({"observed":$VERSION,"decision":"requeue","evidence":"silent"})"),
            "ok");
  const StoredEvent of_held = Newest(store, "T");
  ASSERT_NE(of_held->body_as_Recovered(), nullptr);
  ASSERT_NE(of_held->body_as_Recovered()->owner(), nullptr);
  EXPECT_EQ(of_held->body_as_Recovered()->owner()->owner()->str(), "w");

  // Nobody holds what waits for something that has failed.
  ASSERT_EQ(Play(store, R"(plan D
                           plan W {"depends_on":["D"]}
                           cancel D)"),
            "ok");
  ASSERT_EQ(store.StaleOf("W"), "dependency_dead");
  ASSERT_EQ(store.Run("recover", "W",
                      R"({"observed":$VERSION,"decision":"cancel","evidence":"D is gone"})"),
            "ok");
  const StoredEvent of_nobody = Newest(store, "W", 1);
  ASSERT_NE(of_nobody->body_as_Recovered(), nullptr);
  EXPECT_EQ(of_nobody->body_as_Recovered()->owner(), nullptr);
}

TEST(EventFacts, AForcedReleaseSaysWhichSectionItBroke) {
  RulesStore store;
  ASSERT_EQ(Play(store, kSectionOfW), "ok");
  ASSERT_EQ(Play(store, R"(force_release T {"reason":"stuck"})"), "ok");
  const StoredEvent inside = Newest(store, "T");
  ASSERT_NE(inside->body_as_ForceReleased(), nullptr);
  ASSERT_NE(inside->body_as_ForceReleased()->section(), nullptr);
  EXPECT_EQ(inside->body_as_ForceReleased()->section()->str(), "push");
}

TEST(EventFacts, ASectionThatEndsASagaSaysWhyWithItsOutcomeAndACancelThatWaitedWithItself) {
  RulesStore store;
  ASSERT_EQ(Play(store, kSectionOfW), "ok");
  ASSERT_EQ(store.Run("leave_section", "T",
                      R"({"token":$TOKEN,"outcome":"merged as 4711","final":"completed"})"),
            "ok");
  EXPECT_EQ(store.Saga("T").reason, "merged as 4711");

  RulesStore other;
  ASSERT_EQ(Play(other, kSectionOfW), "ok");
  ASSERT_EQ(Play(other, "cancel T"), "ok:deferred");
  ASSERT_TRUE(other.Run("leave_section", "T", R"({"token":$TOKEN,"outcome":"not merged"})")
                  .starts_with("ok"));
  EXPECT_EQ(other.StateOf("T"), "cancelled");
  EXPECT_NE(other.Saga("T").reason, "not merged");
  EXPECT_THAT(other.Saga("T").reason, Not(::testing::IsEmpty()));
}

TEST(EventFacts, ARecoveryIsAskedWhatBecameOfASectionOnlyWhereThatWouldHelp) {
  RulesStore store;
  ASSERT_EQ(Play(store, kSectionOfW), "ok");
  constexpr const char* kRequeue = R"({"observed":$VERSION,"decision":"requeue"})";
  ASSERT_EQ(Play(store, "cancel T"), "ok:deferred");  // listed as stale, and inside for a while
  EXPECT_EQ(store.Run("recover", "T", kRequeue), "section_open");
  EXPECT_THAT(store.refusal().detail, Not(HasSubstr("section_outcome")));
  store.Advance("6s");
  EXPECT_EQ(store.Run("recover", "T", kRequeue), "section_open");
  EXPECT_THAT(store.refusal().detail, HasSubstr("say what became of it (section_outcome)"));
}

}  // namespace
}  // namespace sagalog
