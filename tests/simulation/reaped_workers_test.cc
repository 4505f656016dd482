// Many workers that die, a store that dies, and a reaper: whatever happens, every saga settles.
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog::simulation {
namespace {

constexpr std::size_t kSagas = 40;
constexpr std::size_t kWorkers = 8;
constexpr int kSteps = 600;
// What is left after the crashes needs this many rounds at most.
constexpr int kRoundsToSettle = 400;
constexpr std::array<const char*, 4> kPolicies = {
    R"("on_stale":"requeue","max_recoveries":"off","requeue_backoff":"5s")", R"("on_stale":"fail")",
    R"("on_stale":"compensate")", R"("on_stale":"quarantine","section_max_age":"1m")"};

// What the log says of one saga, event by event.
struct Told {
  std::uint64_t version = 0;
  bool held = false;
  std::int64_t expires_at = 0;
  std::string state = "planned";
};

class Workers {
 public:
  explicit Workers(std::uint64_t seed) : random_(seed), store_(ReaperOptions{true, seed}) {
    for (std::size_t i = 0; i < kSagas; ++i) {
      const std::string plan = fmt::format(
          R"({{"policy":{{{}}},"compensations":[{{"id":"c","kind":"k","target":"t{}"}}]}})",
          kPolicies[i % kPolicies.size()], i);
      EXPECT_EQ(store_.Run("plan", IdOf(i), plan), "ok");
    }
  }

  void Step() {
    switch (Pick(30)) {
      case 0: store_.Crash(fmt::format("{}s", Pick(100))); break;
      case 1:
      case 2: Forget(Pick(kWorkers)); break;
      case 3:
      case 4:
      case 5:
      case 6: store_.Pass(fmt::format("{}ms", Pick(20'000))); break;
      case 7: ASSERT_TRUE(store_.store().Checkpoint().ok()); break;
      case 8: store_.Run("cancel", IdOf(Pick(kSagas * 10) % (kSagas * 3))); break;
      default: Work(Pick(kWorkers)); break;
    }
  }

  // Nobody dies any more.
  void Settle() {
    for (int i = 0; i < kRoundsToSettle && CountOpen() > 0; ++i) {
      for (std::size_t worker = 0; worker < kWorkers; ++worker) {
        Finish(worker);
      }
      CleanUp();
      store_.Pass("5s");
    }
    ASSERT_EQ(CountOpen(), 0U);
  }

  // Reads everything that happened.
  void CheckLog() {
    std::map<std::string, Told> sagas;
    std::uint64_t next = 1;
    std::size_t reaped = 0;
    const auto check = [&](const events::Event& event, std::string_view) {
      EXPECT_EQ(event.sequence(), next++) << "a gap";
      if (event.saga_id() == nullptr || event.saga_id()->size() == 0) {
        return Status();
      }
      Told& told = sagas[event.saga_id()->str()];
      EXPECT_EQ(event.version(), ++told.version) << "a gap";
      reaped += CheckEvent(event, told) ? 1 : 0;
      return Status();
    };
    const Status scanned =
        store_.store().log().Scan(Sequence(1), store_.store().log().Last(), check);
    EXPECT_TRUE(scanned.ok()) << scanned.text();
    EXPECT_GT(reaped, 10U) << "the history is too peaceful";
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  static std::string IdOf(std::size_t i) { return fmt::format("s{}", i); }

  // Whether the reaper did it.
  static bool CheckEvent(const events::Event& event, Told& told) {
    const bool over = event.time() >= told.expires_at;
    switch (event.body_type()) {
      case events::Body::Leased:
        EXPECT_TRUE(!told.held || over) << "two live owners, at " << event.sequence();
        told.held = true;
        told.expires_at = event.body_as_Leased()->expires_at();
        return false;
      case events::Body::Heartbeated:
        EXPECT_TRUE(told.held && !over) << "a heartbeat of the past, at " << event.sequence();
        told.expires_at = event.body_as_Heartbeated()->expires_at();
        return false;
      case events::Body::Recovered:
        EXPECT_TRUE(told.held && over) << "reaped while its lease lived, at " << event.sequence();
        told.held = false;
        return event.actor() != nullptr && event.actor()->str() == "reaper";
      case events::Body::Released:
      case events::Body::Compensating: told.held = false; return false;
      case events::Body::Terminal:
        EXPECT_NE(told.state, "terminal") << "at " << event.sequence();
        told.held = false;
        told.state = "terminal";
        return false;
      default: return false;
    }
  }

  // The worker dies, or is cut off: what it held runs out.
  void Forget(std::size_t worker) { held_[worker].clear(); }

  std::string WithToken(const std::string& saga, const std::string& more = "") {
    return fmt::format(R"({{"token":{}{}}})", tokens_[saga], more);
  }

  void Claim(std::size_t worker) {
    const std::string claim =
        fmt::format(R"({{"queue":"default","owner":"w{}-{}","ttl":"15s"}})", worker, Pick(3));
    if (store_.Run("claim_next", "", claim) == "ok") {
      const std::string saga = store_.answer().saga->saga_id;
      tokens_[saga] = store_.answer().token;
      held_[worker].push_back(saga);
    }
  }

  void Work(std::size_t worker) {
    if (held_[worker].empty() || Pick(6) == 0) {
      Claim(worker);
      return;
    }
    const std::string saga = held_[worker][Pick(held_[worker].size())];
    switch (Pick(8)) {
      case 0: store_.Run("complete", saga, WithToken(saga)); break;
      case 1: store_.Run("release", saga, WithToken(saga)); break;
      case 2: store_.Run("enter_section", saga, WithToken(saga, R"(,"name":"s")")); break;
      case 3: store_.Run("leave_section", saga, WithToken(saga)); break;
      default: store_.Run("heartbeat", saga, WithToken(saga)); break;
    }
  }

  void Finish(std::size_t worker) {
    Claim(worker);
    for (const std::string& saga : held_[worker]) {
      store_.Run("leave_section", saga, WithToken(saga));
      store_.Run("complete", saga, WithToken(saga));
    }
    held_[worker].clear();
    // A section that was left open by a worker that died is for people, unless a quarantine or a
    // cancel ends it.
    const auto stale = store_.store().Stale({});
    for (const auto& row : stale->items) {
      if (row->reasons.front()->reason == schema::StaleReason::section_overdue) {
        store_.Run("recover", row->saga_id,
                   R"({"observed":$VERSION,"decision":"quarantine","section_outcome":"looked"})");
      }
    }
  }

  void CleanUp() {
    const auto page = store_.store().Compensations({});
    for (const auto& row : page->items) {
      if (store_.Run("claim_compensation", row->saga_id, R"({"id":"c","executor":"e"})") == "ok") {
        store_.Run(
            "settle_compensation", row->saga_id,
            fmt::format(R"({{"id":"c","token":{},"outcome":"done"}})", store_.answer().token));
      }
    }
  }

  std::size_t CountOpen() {
    std::size_t open = 0;
    for (std::size_t i = 0; i < kSagas; ++i) {
      const auto saga = store_.Saga(IdOf(i));
      const bool owes = saga.compensation_status == schema::CompensationStatus::owed ||
                        saga.compensation_status == schema::CompensationStatus::failed;
      open += saga.state < schema::State::completed || owes ? 1 : 0;
    }
    return open;
  }

  std::mt19937_64 random_;
  RulesStore store_;
  std::map<std::string, std::uint64_t> tokens_;
  std::array<std::vector<std::string>, kWorkers> held_;
};

class ReapedWorkers : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ReapedWorkers, SettleEverySaga) {
  Workers workers(GetParam());
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    workers.Step();
  }
  workers.Settle();
  workers.CheckLog();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReapedWorkers, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace sagalog::simulation
