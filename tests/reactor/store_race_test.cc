// Threads against one store. Worth running under the thread sanitizer.
#include <array>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using std::chrono::seconds;

TEST(StoreRace, OfTwoThatWantALeaseExactlyOneGetsIt) {
  StoreOnDisk store;
  constexpr int kRounds = 2000;
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_EQ(Summary(store.Plan("S" + std::to_string(i))), "ok");
  }
  std::array<std::vector<std::uint64_t>, 2> tokens;
  std::barrier together(2);
  auto race = [&](int racer) {
    const std::string owner = "W" + std::to_string(racer);
    for (int i = 0; i < kRounds; ++i) {
      together.arrive_and_wait();
      const Reply reply = store.TryAcquire("S" + std::to_string(i), owner);
      if (!reply.ok()) {
        EXPECT_EQ(Summary(reply), "lease_held");
        EXPECT_EQ(reply.refusal().holder->owner, "W" + std::to_string(1 - racer));
      }
      tokens[static_cast<std::size_t>(racer)].push_back(reply.ok() ? reply.answer().token : 0);
    }
  };
  std::thread other([&] { race(1); });
  race(0);
  other.join();
  for (std::size_t i = 0; i < kRounds; ++i) {
    EXPECT_NE(tokens[0][i] == 0, tokens[1][i] == 0) << "round " << i;
  }
}

TEST(StoreRace, AHeartbeatAndARecoveryNeverBothWin) {
  StoreOnDisk store;
  constexpr int kRounds = 1000;
  std::barrier together(2);
  std::string saga;
  std::uint64_t token = 0;
  std::uint64_t version = 0;
  bool recovered = false;
  bool extended = false;
  auto prepare = [&](int round) {
    saga = "S" + std::to_string(round);
    store.Plan(saga);
    commands::AcquireT acquire = AcquireBy("W");
    acquire.owner->host = "build-7";
    acquire.owner->boot_id = "first boot";
    commands::ReportOwnerT report;
    report.identity = std::make_unique<schema::OwnerT>(*acquire.owner);
    report.identity->boot_id = "second boot";
    token = store->Acquire(saga, std::move(acquire)).Get().answer().token;
    report.verdict = schema::Verdict::dead;
    // Stale, though its lease is not over: both may come now.
    EXPECT_EQ(Summary(store->ReportOwner(saga, std::move(report)).Get()), "ok:dead");
    version = store->Find(saga)->version;
  };
  std::thread heart([&] {
    for (int i = 0; i < kRounds; ++i) {
      together.arrive_and_wait();
      commands::HeartbeatT heartbeat;
      heartbeat.token = token;
      heartbeat.ttl = Duration(seconds(120)).count();
      extended = store->Heartbeat(saga, std::move(heartbeat)).Get().ok();
      together.arrive_and_wait();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    prepare(i);
    together.arrive_and_wait();
    commands::RecoverT recover;
    recover.observed = version;
    recover.decision = schema::RecoverDecision::requeue;
    recover.evidence = "probe";
    recovered = store->Recover(saga, std::move(recover)).Get().ok();
    together.arrive_and_wait();
    EXPECT_NE(recovered, extended) << saga;
    EXPECT_EQ(store.StateOf(saga), recovered ? "planned" : "running");
  }
  heart.join();
}

TEST(StoreRace, CommandsReadsAndCheckpointsGoTogether) {
  StoreOnDisk store;
  store.KeepRows();
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      EXPECT_TRUE(store->List({}).ok());
      EXPECT_TRUE(store->Stale({}).ok());
      EXPECT_EQ(store->Describe().health, "open");
    }
  });
  std::thread keeper([&] {
    while (!stop) {
      EXPECT_TRUE(store->Checkpoint().ok());
    }
  });
  std::atomic<int> answered{0};
  constexpr int kSagas = 300;
  for (int i = 0; i < kSagas; ++i) {
    const std::string saga = "S" + std::to_string(i);
    store->Plan(saga).Then([&, saga](Reply planned) {
      EXPECT_TRUE(planned.ok());
      store->Acquire(saga, AcquireBy("W")).Then([&, saga](Reply acquired) {
        EXPECT_EQ(Summary(acquired), "ok");
        commands::CompleteT complete;
        complete.token = acquired.answer().token;
        store->Complete(saga, std::move(complete)).Then([&](Reply completed) {
          EXPECT_EQ(Summary(completed), "ok");
          ++answered;
          answered.notify_one();
        });
      });
    });
  }
  for (int seen = answered; seen < kSagas; seen = answered) {
    answered.wait(seen);
  }
  stop = true;
  reader.join();
  keeper.join();
  const auto report = store->Verify();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->broken, "");
}

TEST(StoreRace, AFailedWriteAmongManyCallersKeepsTheStoreTrue) {
  StoreOnDisk store;
  store.KeepRows();
  store.disk->InjectAfter(100, MemoryDisk::Fault::kWriteFails);
  constexpr std::size_t kCallers = 3;
  std::array<std::vector<std::string>, kCallers> planned;
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 200; ++i) {
        const std::string saga = "S" + std::to_string(caller) + "." + std::to_string(i);
        const Reply reply = store.Plan(saga);
        if (!reply.ok()) {
          EXPECT_EQ(Summary(reply), "read_only");
          return;
        }
        planned[caller].push_back(saga);
        EXPECT_TRUE(store->Checkpoint().ok() || !store->Health().ok());
      }
    });
  }
  std::size_t answered = 0;
  for (std::size_t caller = 0; caller < kCallers; ++caller) {
    callers[caller].join();
  }
  for (const auto& sagas : planned) {
    answered += sagas.size();
    for (const std::string& saga : sagas) {
      EXPECT_EQ(store.StateOf(saga), "planned");
    }
  }
  EXPECT_EQ(store->Describe().last_sequence, store.log().Last().value());
  EXPECT_GE(store.log().Last().value(), answered);
}

}  // namespace
}  // namespace sagalog
