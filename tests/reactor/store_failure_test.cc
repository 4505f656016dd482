#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/memory_log.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using testing::HasSubstr;

TEST(StoreFailure, AFailedWriteTurnsTheStoreReadOnly) {
  StoreOnDisk store;
  store.Plan("S");
  store.disk->InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  const Reply failed = store.TryAcquire("S");
  EXPECT_EQ(Summary(failed), "read_only");
  EXPECT_EQ(store->Health().code(), Code::kReadOnly);
  EXPECT_EQ(store->Describe().health, "read_only");
  EXPECT_EQ(Summary(store.Plan("T")), "read_only");
}

TEST(StoreFailure, TheStateGoesBackToWhatIsDurable) {
  StoreOnDisk store;
  store.Plan("S");
  store.disk->InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  store.TryAcquire("S");
  EXPECT_EQ(store.StateOf("S"), "planned");
  EXPECT_EQ(store->Describe().last_sequence, 2U);
  EXPECT_EQ(store->Find("S")->version, 1U);
}

TEST(StoreFailure, AllThatWaitForTheFailedWriteAreRefused) {
  StoreOnDisk store;
  store.Plan("S");
  store.log().Shut();
  store.disk->InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  std::thread writer([&] { EXPECT_EQ(Summary(store.TryAcquire("S")), "read_only"); });
  store.log().AwaitWaiting();
  std::atomic<int> refused{0};
  for (int i = 0; i < 20; ++i) {
    // Decided on a state that never becomes durable: an event, and a refusal.
    const std::string saga = i % 2 == 0 ? "T" + std::to_string(i) : "S";
    store->Plan(saga).Then([&](Reply reply) {
      EXPECT_EQ(Summary(reply), "read_only");
      ++refused;
      refused.notify_one();
    });
  }
  std::thread reader([&] { EXPECT_EQ(store.StateOf("S"), "planned"); });
  store.log().Open();
  for (int seen = refused; seen < 20; seen = refused) {
    refused.wait(seen);
  }
  writer.join();
  reader.join();
  EXPECT_FALSE(store->Find("T0").ok());
}

TEST(StoreFailure, AnUnknownOutcomeSaysSo) {
  StoreOnDisk store;
  store.Plan("S");
  store.disk->InjectAfter(0, MemoryDisk::Fault::kAnswerLost);
  const Reply reply = store.TryAcquire("S");
  ASSERT_EQ(Summary(reply), "read_only");
  EXPECT_THAT(reply.refusal().detail, HasSubstr("may or may not have happened"));
  EXPECT_EQ(store.StateOf("S"), "planned") << "only what was acknowledged is shown";
  store.Reopen();
  EXPECT_EQ(store.StateOf("S"), "running") << "it had happened";
}

TEST(StoreFailure, ReplaysAreAnsweredByAReadOnlyStore) {
  StoreOnDisk store;
  const Reply first = store->Plan("S", {}, Requested(7)).Get();
  store.disk->InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  store.TryAcquire("S");
  const Reply again = store->Plan("S", {}, Requested(7)).Get();
  ASSERT_EQ(Summary(again), "ok:replayed");
  EXPECT_EQ(again.answer().sequence, first.answer().sequence);
}

TEST(StoreFailure, KilledAndReopenedItHasAllThatWasAnswered) {
  StoreOnDisk store;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(Summary(store.Plan("S" + std::to_string(i))), "ok");
  }
  store.Kill();
  store.disk->LosePower();
  store.Reopen();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(store.StateOf("S" + std::to_string(i)), "planned");
  }
}

TEST(StoreFailure, FailsAtEveryAppendAndLosesNothingAnswered) {
  using Fault = MemoryDisk::Fault;
  for (const Fault fault :
       {Fault::kWriteFails, Fault::kTornWrite, Fault::kSyncFails, Fault::kAnswerLost}) {
    for (std::uint64_t step = 0;; ++step) {
      StoreOnDisk store;
      store.disk->InjectAfter(step, fault);
      std::vector<std::string> answered;
      for (int i = 0; i < 5; ++i) {
        const std::string saga = "S" + std::to_string(i);
        if (store.Plan(saga).ok()) {
          answered.push_back(saga);
        }
      }
      const bool reached_the_end = !store.disk->fault_fired();
      store.Kill();
      store.disk->LosePower();
      store.Reopen();
      for (const std::string& saga : answered) {
        EXPECT_EQ(store.StateOf(saga), "planned") << "step " << step;
      }
      if (reached_the_end) {
        break;
      }
      EXPECT_EQ(Summary(store.Plan("after")), "ok") << "step " << step;
    }
  }
}

TEST(StoreFailure, ADamagedLogIsReadUpToTheDamage) {
  StoreOnDisk store;
  store.Plan("S");
  store.Plan("T");
  store.Kill();
  store.disk->FlipByte(Sequence(3), 20);
  store.options.read_only = true;
  store.Reopen();
  EXPECT_EQ(store->Health().code(), Code::kCorruption);
  EXPECT_THAT(store->Health().text(), HasSubstr("3"));
  EXPECT_EQ(store->Describe().health, "corrupt");
  EXPECT_EQ(store.StateOf("S"), "planned");
  EXPECT_FALSE(store->Find("T").ok());
  EXPECT_EQ(Summary(store.Plan("U")), "read_only");
}

TEST(StoreFailure, AReadOnlyStoreAppendsNothing) {
  StoreOnDisk store;
  store.Plan("S");
  store.Kill();
  store.options.read_only = true;
  store.Reopen();
  EXPECT_TRUE(store->Health().ok());
  EXPECT_EQ(Summary(store.Plan("T")), "read_only");
  EXPECT_EQ(store->Checkpoint().code(), Code::kReadOnly);
  EXPECT_EQ(store->Rebuild().code(), Code::kReadOnly);
  EXPECT_EQ(store.Events(), "store_opened planned");
}

TEST(StoreFailure, DamageThatAReadFindsEndsTheWriting) {
  StoreOnDisk store;
  store.Plan("S");
  store.Plan("T");
  store.disk->FlipByte(Sequence(2), 40);
  EXPECT_TRUE(store->Health().ok());
  EXPECT_EQ(store->History("S", false, 10).status().code(), Code::kCorruption);
  EXPECT_EQ(store->Health().code(), Code::kCorruption);
  const Sequence last = store->log().Last();
  EXPECT_EQ(Summary(store.Plan("U")), "read_only");
  EXPECT_EQ(store->log().Last(), last);
}

}  // namespace
}  // namespace sagalog
