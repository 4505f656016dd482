// Random histories against the small model, with crashes, checkpoints and rebuilds in between.
#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"
#include "tests/simulation/saga_model.h"

namespace sagalog::simulation {
namespace {

constexpr std::size_t kSagas = 4;
constexpr int kSteps = 800;
constexpr std::array<const char*, 3> kOwners = {"w1", "w2", "w3"};
constexpr std::array<const char*, 3> kStages = {"", "build", "test"};

// One store and one model a saga, in step.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void Step() {
    switch (Pick(24)) {
      case 0: PassTime(Pick(40)); break;
      case 1: PassTime(1); break;
      case 2: Crash(); break;
      case 3: ASSERT_TRUE(store_.store().Checkpoint().ok()); break;
      case 4:
        if (Pick(10) == 0) {
          ASSERT_TRUE(store_.store().Rebuild().ok());
        }
        break;
      default: Command(Pick(kSagas)); break;
    }
  }

  void CheckAll() {
    for (std::size_t i = 0; i < kSagas; ++i) {
      if (models_[i].state() == "none") {
        continue;
      }
      const std::string id = IdOf(i);
      const auto saga = store_.Saga(id);
      ASSERT_EQ(schema::EnumNameState(saga.state), models_[i].state()) << id;
      ASSERT_EQ(saga.stage, models_[i].stage()) << id;
      ASSERT_EQ(saga.version, models_[i].version()) << id;
      ASSERT_EQ(saga.recoveries, models_[i].recoveries()) << id;
      ASSERT_EQ(store_.StaleOf(id), models_[i].Stale(now_)) << id;
    }
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  // A saga that has ended makes room for a new one.
  std::string IdOf(std::size_t i) const {
    return "s" + std::to_string(i) + "-" + std::to_string(lives_[i]);
  }

  void PassTime(std::size_t seconds) {
    store_.Advance(std::to_string(seconds) + "s");
    now_ += static_cast<std::int64_t>(seconds);
  }

  void Crash() {
    const std::size_t down = Pick(50);
    store_.Crash(std::to_string(down) + "s");
    now_ += static_cast<std::int64_t>(down);
    for (SagaModel& model : models_) {
      model.StoreReturned(now_);
    }
  }

  // The saga's token, or an older one.
  std::uint64_t SomeToken(std::size_t i) {
    return Pick(4) == 0 ? old_tokens_[i] : store_.TokenOf(IdOf(i));
  }

  void Expect(std::size_t i, const char* command, const std::string& arguments,
              const std::string& expected) {
    const std::uint64_t before = store_.TokenOf(IdOf(i));
    ASSERT_EQ(store_.Run(command, IdOf(i), arguments), expected)
        << command << " " << IdOf(i) << " " << arguments;
    if (store_.TokenOf(IdOf(i)) != before) {
      old_tokens_[i] = before;
      models_[i].Granted(store_.TokenOf(IdOf(i)));
    }
  }

  void Command(std::size_t i) {
    SagaModel& model = models_[i];
    const std::string owner = kOwners[Pick(kOwners.size())];
    const std::string as_owner = R"({"owner":")" + owner + "\"}";
    const std::uint64_t token = SomeToken(i);
    const std::string with_token = R"({"token":)" + std::to_string(token);
    switch (Pick(13)) {
      case 0: Expect(i, "plan", "{}", model.Plan()); break;
      case 1: Expect(i, "dispatch", as_owner, model.Dispatch(owner, now_)); break;
      case 2:
        Expect(i, "abort_dispatch", R"({"dispatch_token":)" + std::to_string(token) + "}",
               model.AbortDispatch(token));
        break;
      case 3:
      case 4: Expect(i, "acquire", as_owner, model.Acquire(owner, now_)); break;
      case 5: Expect(i, "heartbeat", with_token + "}", model.Heartbeat(token, now_)); break;
      case 6: Expect(i, "release", with_token + "}", model.Release(token, now_)); break;
      case 7: {
        const std::string expected = kStages[Pick(kStages.size())];
        const std::string next = kStages[Pick(kStages.size())];
        Expect(i, "advance_stage",
               with_token + R"(,"expected":")" + expected + R"(","next":")" + next + "\"}",
               model.Advance(token, expected, next, now_));
        break;
      }
      case 8: {
        const std::uint64_t observed = model.version() - (Pick(4) == 0 ? 1 : 0);
        Expect(i, "recover",
               R"({"decision":"requeue","observed":)" + std::to_string(observed) + "}",
               model.Requeue(observed, now_));
        break;
      }
      case 9: Expect(i, "park", "{}", model.Park()); break;
      case 10: Expect(i, "unpark", "{}", model.Unpark()); break;
      default: End(i, with_token, token); break;
    }
  }

  void End(std::size_t i, const std::string& with_token, std::uint64_t token) {
    SagaModel& model = models_[i];
    switch (Pick(6)) {
      case 0: Expect(i, "complete", with_token + "}", model.Complete(token, now_)); break;
      case 1:
        Expect(i, "fail", with_token + R"(,"no_compensation_reason":"r"})",
               model.Fail(token, now_));
        break;
      case 2: Expect(i, "cancel", "{}", model.Cancel()); break;
      default: break;
    }
    const bool ended =
        model.state() == "completed" || model.state() == "failed" || model.state() == "cancelled";
    if (ended && Pick(3) == 0) {
      CheckAll();
      ++lives_[i];
      model = SagaModel();
      old_tokens_[i] = kNeverGiven;
    }
  }

  static constexpr std::uint64_t kNeverGiven = 1ULL << 52;

  std::mt19937_64 random_;
  RulesStore store_;
  std::array<SagaModel, kSagas> models_;
  std::array<std::uint64_t, kSagas> lives_{};
  std::array<std::uint64_t, kSagas> old_tokens_{kNeverGiven, kNeverGiven, kNeverGiven, kNeverGiven};
  std::int64_t now_ = 0;
};

class RandomHistory : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomHistory, IsAnsweredAsTheModelSays) {
  History history(GetParam());
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    history.Step();
    if (step % 10 == 0) {
      history.CheckAll();
    }
    if (HasFatalFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace sagalog::simulation
