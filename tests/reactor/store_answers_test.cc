#include <atomic>
#include <coroutine>
#include <future>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using testing::ElementsAre;

// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached PlanAndAcquire(Store& store, std::string saga, std::promise<std::uint64_t>& token) {
  const Reply planned = co_await store.Plan(saga);
  EXPECT_EQ(Summary(planned), "ok");
  const Reply acquired = co_await store.Acquire(saga, AcquireBy("W"));
  EXPECT_EQ(Summary(acquired), "ok");
  token.set_value(acquired.answer().token);
}

TEST(StoreAnswers, ABlockingCallIsAnswered) {
  StoreOnDisk store;
  const Reply planned = store.Plan("S");
  EXPECT_EQ(Summary(planned), "ok");
  EXPECT_EQ(planned.answer().sequence, 2U);
  EXPECT_EQ(Summary(store.Plan("S")), "already_exists");
}

TEST(StoreAnswers, AnAwaitedCallIsAnswered) {
  StoreOnDisk store;
  std::promise<std::uint64_t> token;
  PlanAndAcquire(*store, "S", token);
  EXPECT_EQ(token.get_future().get(), 3U);
  EXPECT_EQ(store.StateOf("S"), "running");
}

TEST(StoreAnswers, ACallbackIsCalled) {
  StoreOnDisk store;
  std::promise<std::string> answer;
  store->Plan("S").Then([&](Reply reply) { answer.set_value(Summary(reply)); });
  EXPECT_EQ(answer.get_future().get(), "ok");
  std::promise<std::string> refusal;
  store->Plan("not a saga id").Then([&](Reply reply) { refusal.set_value(Summary(reply)); });
  EXPECT_EQ(refusal.get_future().get(), "invalid_argument");
}

TEST(StoreAnswers, TheAnswerShowsTheSagaWhenAskedFor) {
  StoreOnDisk store;
  CallOptions call;
  EXPECT_EQ(store->Plan("S", {}, call).Get().answer().saga, nullptr);
  call.with_saga = true;
  const Reply acquired = store->Acquire("S", AcquireBy("W"), call).Get();
  ASSERT_NE(acquired.answer().saga, nullptr);
  EXPECT_EQ(acquired.answer().saga->state, schema::State::running);
  EXPECT_EQ(acquired.answer().saga->owner->owner, "W");
  EXPECT_EQ(acquired.answer().saga->token, acquired.answer().token);
  EXPECT_EQ(acquired.answer().saga->sequence, acquired.answer().sequence);
}

TEST(StoreAnswers, WhatComesDuringAWriteIsWrittenTogether) {
  StoreOnDisk store;
  store.log().Shut();
  std::thread first([&] { EXPECT_EQ(Summary(store.Plan("first")), "ok"); });
  store.log().AwaitWaiting();
  constexpr int kCalls = 200;
  std::atomic<int> answered{0};
  for (int i = 0; i < kCalls; ++i) {
    store->Plan("S" + std::to_string(i)).Then([&](Reply reply) {
      EXPECT_TRUE(reply.ok());
      ++answered;
      answered.notify_one();
    });
  }
  store.log().Open();
  for (int seen = answered; seen < kCalls; seen = answered) {
    answered.wait(seen);
  }
  first.join();
  const std::vector<std::size_t> appends = store.log().appends();
  EXPECT_EQ(std::accumulate(appends.begin(), appends.end(), std::size_t{0}), kCalls + 2U);
  EXPECT_LE(appends.size(), 5U);
}

// A write is under way; `look` sees what it writes and must not be answered before it is done.
template <typename Look>
void ExpectToWait(StoreOnDisk& store, const Look& look) {
  std::atomic<bool> written{false};
  store.log().Shut();
  std::thread writer([&] { EXPECT_EQ(Summary(store.Plan("S")), "ok"); });
  store.log().AwaitWaiting();
  std::thread looker([&] {
    look();
    EXPECT_TRUE(written.load());
  });
  // Not asleep: gives the looker every chance to be answered too early.
  for (int i = 0; i < 1000; ++i) {
    std::this_thread::yield();
  }
  written = true;
  store.log().Open();
  looker.join();
  writer.join();
}

TEST(StoreAnswers, ARefusalWaitsForWhatItWasDecidedOn) {
  StoreOnDisk store;
  ExpectToWait(store, [&] { EXPECT_EQ(Summary(store.Plan("S")), "already_exists"); });
}

TEST(StoreAnswers, AReadWaitsForWhatItSaw) {
  StoreOnDisk store;
  ExpectToWait(store, [&] { EXPECT_EQ(store.StateOf("S"), "planned"); });
}

TEST(StoreAnswers, AnUnchangedAnswerWaitsToo) {
  StoreOnDisk store;
  store.Plan("P");
  std::atomic<bool> written{false};
  store.log().Shut();
  std::thread writer([&] { EXPECT_EQ(Summary(store->Park("P", {}).Get()), "ok"); });
  store.log().AwaitWaiting();
  std::thread again([&] {
    EXPECT_EQ(Summary(store->Park("P", {}).Get()), "ok:unchanged");
    EXPECT_TRUE(written.load());
  });
  for (int i = 0; i < 1000; ++i) {
    std::this_thread::yield();
  }
  written = true;
  store.log().Open();
  again.join();
  writer.join();
}

TEST(StoreAnswers, WhatIsWrongInItselfIsRefusedBeforeTheQueue) {
  StoreOnDisk store;
  store.log().Shut();
  std::thread writer([&] { EXPECT_EQ(Summary(store.Plan("S")), "ok"); });
  store.log().AwaitWaiting();
  EXPECT_EQ(Summary(store.Plan("not a saga id")), "invalid_argument");
  store.log().Open();
  writer.join();
}

TEST(StoreAnswers, CommandsAndRefusalsAreCounted) {
  StoreOnDisk store;
  store.Plan("S");
  store.Plan("S");
  store.Heartbeat("S", 99);
  store.Heartbeat("none", 99);
  const answers::StatusT status = store->Describe();
  EXPECT_EQ(status.commands, 4U);
  std::vector<std::string> refusals;
  for (const auto& count : status.refusals) {
    refusals.push_back(std::string(schema::EnumNameRefusalCode(count->code)) + " " +
                       std::to_string(count->count));
  }
  EXPECT_THAT(refusals, ElementsAre("not_found 1", "stale_token 1", "already_exists 1"));
}

TEST(StoreAnswers, ClosingAnswersWhatIsUnderWayAndRefusesTheRest) {
  StoreOnDisk store;
  std::promise<std::string> answer;
  store.log().Shut();
  std::thread writer([&] { EXPECT_EQ(Summary(store.Plan("S")), "ok"); });
  store.log().AwaitWaiting();
  store->Plan("T").Then([&](Reply reply) { answer.set_value(Summary(reply)); });
  store.log().Open();
  EXPECT_TRUE(store->Close().ok());
  EXPECT_EQ(answer.get_future().get(), "ok");
  writer.join();
  EXPECT_EQ(Summary(store.Plan("U")), "read_only");
  EXPECT_FALSE(store->Find("S").ok());
  EXPECT_TRUE(store->Close().ok());
}

}  // namespace
}  // namespace sagalog
