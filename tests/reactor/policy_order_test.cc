// Policies: what is out of order is refused on the level where it is written, as merged.
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

struct Order {
  const char* shorter;
  const char* longer;
};

constexpr Order kOrders[] = {{"lease_ttl", "max_running"},
                             {"dispatch_ttl", "max_running"},
                             {"finalize_grace", "max_running"},
                             {"section_max_age", "max_running"},
                             {"lease_ttl", "progress_timeout"}};

// Every duration that is compared is one second, so that one of them alone is out of order.
constexpr const char* kShort =
    R"("lease_ttl":"1s","dispatch_ttl":"1s","finalize_grace":"1s","section_max_age":"1s")";

struct Level {
  const char* command;
  const char* saga;
  const char* before;
};

constexpr Level kLevels[] = {
    {"change_policy", "", ""}, {"configure_queue", "", R"("queue":"default",)"}, {"plan", "T", ""}};

std::string Write(RulesStore& store, const Level& level, std::string_view policy) {
  return store.Run(level.command, level.saga,
                   fmt::format(R"({{{}"policy":{{{}}}}})", level.before, policy));
}

TEST(Policy, OutOfOrderIsRefusedOnEveryLevelAndAtItsLimitTaken) {
  for (const Level& level : kLevels) {
    for (const auto& [shorter, longer] : kOrders) {
      SCOPED_TRACE(fmt::format("{}: {} <= {}", level.command, shorter, longer));
      RulesStore store;
      ASSERT_EQ(Write(store, kLevels[0], kShort), "ok");
      const std::uint64_t last = store.LastSequence();
      EXPECT_EQ(Write(store, level, fmt::format(R"("{}":"9.000001s","{}":"9s")", shorter, longer)),
                "invalid_argument");
      EXPECT_EQ(store.refusal().subject, "policy");
      EXPECT_NE(store.refusal().detail.find(shorter), std::string::npos);
      EXPECT_NE(store.refusal().detail.find(longer), std::string::npos);
      EXPECT_EQ(store.LastSequence(), last);
      EXPECT_EQ(Write(store, level, fmt::format(R"("{}":"9s","{}":"9s")", shorter, longer)), "ok");
    }
  }
}

TEST(Policy, IsComparedAsMergedWithTheLevelsAbove) {
  RulesStore store;
  ASSERT_EQ(Write(store, kLevels[0], kShort), "ok");
  ASSERT_EQ(Write(store, kLevels[1], R"("max_running":"9s")"), "ok");
  EXPECT_EQ(Write(store, kLevels[2], R"("lease_ttl":"10s")"), "invalid_argument");
  EXPECT_EQ(Write(store, kLevels[1], R"("lease_ttl":"10s")"), "invalid_argument");
  EXPECT_EQ(Write(store, kLevels[2], R"("lease_ttl":"10s","max_running":"off")"), "ok")
      << "what is switched off bounds nothing";
}

}  // namespace
}  // namespace sagalog
