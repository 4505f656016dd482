// What callers of a daemon see of one saga has an order that explains it.
#include "tests/native/linearizability.h"

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "reactor/client.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

TEST(Linearizability, TheCheckerTellsGoodFromBad) {
  const StageOperation swap{1, 4, true, "", "a", true, ""};
  EXPECT_TRUE(IsLinearizable({swap, {2, 3, false, "", "", false, "a"}}, ""));
  EXPECT_TRUE(IsLinearizable({swap, {2, 3, false, "", "", false, ""}}, ""));
  EXPECT_FALSE(IsLinearizable({swap, {5, 6, false, "", "", false, ""}}, ""));
  EXPECT_FALSE(IsLinearizable({swap, {5, 6, true, "", "b", true, ""}}, ""));
  const StageOperation sees_it{2, 3, false, "", "", false, "a"};
  EXPECT_FALSE(IsLinearizable({swap, sees_it, {5, 6, false, "", "", false, ""}}, ""));
}

// Callers with connections of their own, all at one saga's stage.
class StageCallers {
 public:
  StageCallers(const std::string& url, std::string saga) : url_(url), saga_(std::move(saga)) {}

  std::vector<StageOperation> Run(std::uint32_t seed) {
    std::vector<std::thread> threads;
    for (std::uint32_t caller = 0; caller < 6; ++caller) {
      threads.emplace_back([this, seed, caller] { Call(seed * 100 + caller); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return std::move(history_);
  }

 private:
  void Call(std::uint32_t seed) {
    std::mt19937 random(seed);
    auto client = Client::Connect({url_, "", std::chrono::seconds(60)});
    ASSERT_TRUE(client.ok()) << client.status().text();
    const auto stage = [&] { return std::string(1, static_cast<char>('a' + random() % 3)); };
    for (int i = 0; i < 10; ++i) {
      StageOperation one;
      one.asked = ++moment_;
      if (random() % 3 == 0) {
        const auto saga = (*client)->Find(saga_);
        one.answered = ++moment_;
        ASSERT_TRUE(saga.ok());
        one.seen = saga->stage;
      } else {
        one.swaps = true;
        one.expected = stage();
        one.next = stage();
        commands::AdvanceStageT advance;
        advance.expected = one.expected;
        advance.next = one.next;
        CallOptions options;
        options.actor = "caller";
        const auto reply = (*client)->AdvanceStage(saga_, std::move(advance), options).Get();
        one.answered = ++moment_;
        ASSERT_TRUE(reply.ok());
        one.swapped = reply->ok();
        if (!reply->ok()) {
          ASSERT_EQ(reply->refusal().code, schema::RefusalCode::stage_conflict);
          one.seen = reply->refusal().actual_stage;
        }
      }
      const std::lock_guard lock(mutex_);
      history_.push_back(std::move(one));
    }
  }

  const std::string url_;
  const std::string saga_;
  std::atomic<std::uint64_t> moment_{0};
  std::mutex mutex_;
  std::vector<StageOperation> history_;
};

TEST(Linearizability, CallersOfADaemonSeeOneOrder) {
  ApiStore api;
  const RunningServer server(api);
  for (std::uint32_t round = 0; round < 6; ++round) {
    const std::string saga = "S" + std::to_string(round);
    commands::PlanT plan;
    plan.stage = "a";
    ASSERT_TRUE(api.store().Plan(saga, std::move(plan)).Get().ok());
    StageCallers callers("unix:" + server.socket().string(), saga);
    const auto history = callers.Run(round);
    ASSERT_EQ(history.size(), 60U);
    EXPECT_TRUE(IsLinearizable(history, "a")) << "round " << round;
  }
}

}  // namespace
}  // namespace sagalog
