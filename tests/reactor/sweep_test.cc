// Sweeps by hand, mass expiry, and the loop on which the reaper acts by itself.
#include <atomic>
#include <future>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/reaper_loop.h"
#include "reactor/reaper_pace.h"
#include "schema/json.h"
#include "tests/reactor/rules_store.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

// Sagas 0 … count - 1, all acquired until the same moment, 30 s from now.
void StartMany(RulesStore& store, int count, std::string_view policy = R"("on_stale":"requeue")") {
  for (int i = 0; i < count; ++i) {
    const std::string id = fmt::format("T{}", i);
    EXPECT_EQ(store.Run("plan", id, fmt::format(R"({{"policy":{{{}}}}})", policy)), "ok");
    EXPECT_EQ(store.Run("acquire", id, R"({"owner":"W","ttl":"30s"})"), "ok");
  }
}

int CountPlanned(RulesStore& store, int count) {
  int planned = 0;
  for (int i = 0; i < count; ++i) {
    planned += store.StateOf(fmt::format("T{}", i)) == "planned" ? 1 : 0;
  }
  return planned;
}

// How many sagas were recovered at each moment, as the log says.
std::map<std::int64_t, int> Recoveries(RulesStore& store) {
  std::map<std::int64_t, int> moments;
  const Status scanned = store.store().log().Scan(
      Sequence(1), store.store().log().Last(), [&](const events::Event& event, std::string_view) {
        moments[event.time()] += event.body_type() == events::Body::Recovered ? 1 : 0;
        return Status();
      });
  EXPECT_TRUE(scanned.ok()) << scanned.text();
  std::erase_if(moments, [](const auto& moment) { return moment.second == 0; });
  return moments;
}

TEST(Sweep, DryRunSaysWhatItWouldDoAndDoesNothing) {
  RulesStore store;
  StartMany(store, 2);
  EXPECT_EQ(store.Run("plan", "F", R"({"policy":{"on_stale":"fail"}})"), "ok");
  EXPECT_EQ(store.Run("acquire", "F", R"({"owner":"W","ttl":"30s"})"), "ok");
  store.Advance("30s");
  const std::uint64_t last = store.LastSequence();
  for (int i = 0; i < 2; ++i) {
    const auto report = store.store().Sweep({.dry_run = true});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(store.LastSequence(), last);
    ASSERT_EQ(report->items.size(), 3U);
    EXPECT_EQ(report->items[0]->saga_id, "T0");
    EXPECT_EQ(report->items[0]->outcome, answers::SweepOutcome::would_recover);
    EXPECT_EQ(report->items[0]->decision, schema::RecoverDecision::requeue);
    EXPECT_EQ(report->items[2]->outcome, answers::SweepOutcome::declined);
    EXPECT_EQ(report->items[2]->code, schema::RefusalCode::compensation_missing);
    EXPECT_THAT(store.store().DescribeReaper().declined, IsEmpty());
  }
}

TEST(Sweep, ActsOnceAndShowsAgainWhatItHasToLeave) {
  RulesStore store;
  StartMany(store, 2);
  EXPECT_EQ(store.Run("plan", "F", R"({"policy":{"on_stale":"fail"}})"), "ok");
  EXPECT_EQ(store.Run("acquire", "F", R"({"owner":"W","ttl":"30s"})"), "ok");
  store.Advance("30s");
  const auto first = store.store().Sweep();
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->items.size(), 3U);
  EXPECT_EQ(first->recovered[0]->count, 2U);
  EXPECT_EQ(first->declined[0]->code, schema::RefusalCode::compensation_missing);
  EXPECT_FALSE(first->more);
  const auto second = store.store().Sweep({.principal = "ann"});
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0]->saga_id, "F");
  EXPECT_EQ(store.Run("register_compensation", "F", R"({"id":"c","kind":"k","target":"t"})"), "ok");
  ASSERT_EQ(store.store().Sweep({.principal = "ann"})->recovered.size(), 1U);
  EXPECT_EQ(store.store().History("F", true, 1)->back()->principal()->str(), "ann");
}

TEST(Sweep, StopsAtItsLimitAndSaysSo) {
  RulesStore store;
  StartMany(store, 5);
  store.Advance("30s");
  auto report = store.store().Sweep({.limit = 3});
  EXPECT_EQ(report->items.size(), 3U);
  EXPECT_TRUE(report->more);
  report = store.store().Sweep({.limit = 3});
  EXPECT_EQ(report->items.size(), 2U);
  EXPECT_FALSE(report->more);
  EXPECT_THAT(store.store().Sweep()->items, IsEmpty());
}

TEST(Sweep, LooksAtMoreThanOneTurnTakes) {
  RulesStore store;
  StartMany(store, 600);
  store.Advance("30s");
  const auto report = store.store().Sweep({.limit = 10000});
  EXPECT_EQ(report->items.size(), 600U);
  EXPECT_EQ(CountPlanned(store, 600), 600);
}

TEST(Sweep, SaysWhenSomethingIsDueNext) {
  RulesStore store;
  StartMany(store, 1);
  EXPECT_EQ(FormatTime(TimeFromMicros(store.store().Sweep()->next)), "2026-01-01T00:00:30.000000Z");
}

TEST(Sweep, OfAStoreThatCannotWriteOnlyLooks) {
  StoreOnDisk store;
  commands::PlanT plan;
  plan.policy = std::make_unique<schema::PolicyT>();
  plan.policy->on_stale = schema::OnStale::requeue;
  ASSERT_TRUE(store->Plan("T", std::move(plan)).Get().ok());
  store.Acquire("T");
  store.Kill();
  store.options.read_only = true;
  ASSERT_TRUE(store.Open().ok());
  store.clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(store->Sweep().status().code(), Code::kReadOnly);
  EXPECT_EQ(store->Sweep({.dry_run = true})->items.size(), 1U);
}

TEST(MassExpiry, IsSpreadOut) {
  constexpr int kSagas = 350;
  RulesStore store(ReaperOptions{true, 7});
  StartMany(store, kSagas);
  store.Pass("30s");
  EXPECT_EQ(CountPlanned(store, kSagas), static_cast<int>(kReaperBurst));
  store.Pass("2s");
  EXPECT_EQ(CountPlanned(store, kSagas), kSagas);
  std::int64_t before = 0;
  for (const auto& [moment, count] : Recoveries(store)) {
    EXPECT_LE(count, static_cast<int>(kReaperBurst));
    EXPECT_TRUE(before == 0 || moment - before >= kReaperPause.count());
    EXPECT_TRUE(before == 0 || moment - before < 2 * kReaperPause.count());
    before = moment;
  }
  EXPECT_EQ(store.store().DescribeReaper().put_off, 3U);
}

TEST(MassExpiry, TakesTheSameCourseFromTheSameSeed) {
  const auto course = [](std::uint64_t seed) {
    RulesStore store(ReaperOptions{true, seed});
    StartMany(store, 250);
    store.Pass("1m");
    return Recoveries(store);
  };
  const auto first = course(7);
  EXPECT_EQ(first.size(), 3U);
  EXPECT_EQ(course(7), first);
  EXPECT_NE(course(8), first);
}

TEST(MassExpiry, OfSagasOneAfterTheOtherIsBoundedToo) {
  ReaperPace pace(1);
  StoreTime now = TimeFromMicros(1'000'000'000);
  std::size_t begun = 0;
  // One comes due each microsecond for a second.
  for (int i = 0; i < 1'000'000; ++i, now += Duration(1)) {
    if (pace.Permits(now) > 0) {
      pace.Spend(1);
      ++begun;
    } else {
      static_cast<void>(pace.Rest(now));
    }
  }
  EXPECT_THAT(begun, AllOf(Ge(500U), Le(1'300U)));
}

TEST(ReaperLoop, ActsWhenTheClockSaysSoAndWaitsForNothingElse) {
  RulesStore store;
  StartMany(store, 1);
  ReaperLoop loop(store.clock(), [&]() -> std::optional<Duration> {
    const auto report = store.store().Sweep();
    if (!report.ok() || report->next == 0) {
      return std::nullopt;
    }
    return TimeFromMicros(report->next) - TimeFromMicros(store.store().Describe().time);
  });
  const std::uint64_t last = store.LastSequence();
  // In steps, as time goes: the loop looks again after each.
  for (int i = 0; i < 30; ++i) {
    store.Advance("1s");
  }
  EXPECT_TRUE(store.store().log().WaitBeyond(Sequence(last), std::chrono::seconds(60)));
  loop.Stop();
  EXPECT_EQ(store.StateOf("T0"), "planned");
}

TEST(ReaperLoop, EndsWhileItWaits) {
  ManualClock clock(*ParseTime("2026-01-01T00:00:00Z"));
  std::promise<void> acted;
  std::atomic<int> times{0};
  ReaperLoop loop(clock, [&]() -> std::optional<Duration> {
    if (times++ == 0) {
      acted.set_value();
    }
    return std::nullopt;
  });
  acted.get_future().wait();
  loop.Stop();
  EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace sagalog
