#include "reactor/sequencer.h"

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "eventlog/memory_disk.h"
#include "eventlog/memory_log.h"
#include "schema/check.h"
#include "schema/event_encoder.h"
#include "tests/reactor/gated_log.h"

namespace sagalog {
namespace {

// Appends `events` events, or only looks.
class Step final : public QueuedOperation {
 public:
  explicit Step(std::size_t count = 1) : events(count) {}
  bool Undo(const Status& why) override {
    undone = why;
    return false;
  }
  void Completed() override {
    completed.store(true);
    completed.notify_all();
  }
  [[nodiscard]] bool WantsToBeAlone() const override { return alone; }

  std::size_t events;
  bool alone = false;
  std::function<void()> in_turn;
  Sequence sequence;
  Status undone;
  std::atomic<bool> completed{false};
};

// Turns that count. "Applied" is what a fold would have reached.
class Counting final : public TurnWork {
 public:
  explicit Counting(const EventLog& log) : log_(log), applied_(log.Last()) {}

  void BeginTurn(Batch&, std::optional<Duration>) override { ++turns; }
  bool RunInTurn(QueuedOperation& operation, Batch& batch) override {
    auto& step = static_cast<Step&>(operation);
    if (!batch.HasRoomFor(step.events, 0) && batch.CountEvents() > 0) {
      return false;
    }
    for (std::size_t i = 0; i < step.events; ++i) {
      events::EventT event;
      applied_ = applied_.Next();
      event.sequence = applied_.value();
      events::StoreOpenedT opened;
      opened.store_id = "S";
      event.body.Set(std::move(opened));
      batch.Add(encoder_.Encode(event));
    }
    step.sequence = applied_;
    if (step.in_turn) {
      step.in_turn();
    }
    return true;
  }
  void FoldAgain(const Status&) override {
    ++folds;
    applied_ = log_.Last();
  }
  [[nodiscard]] Sequence Applied() const override { return applied_; }
  [[nodiscard]] Status TurnHealth() const override { return {}; }

  std::atomic<int> turns{0};
  std::atomic<int> folds{0};

 private:
  const EventLog& log_;
  Sequence applied_;
  EventEncoder encoder_;
};

class SequencerOnMemory {
 public:
  MemoryDisk disk;
  GatedLog log{*MemoryLog::Open(disk)};
  Counting work{log};
  Sequencer sequencer{log, work, std::nullopt};

  // Runs `steps` while the gate is shut, and opens it once all of them are queued.
  void RunQueuedBehindOneWrite(std::vector<std::unique_ptr<Step>>& steps) {
    log.Shut();
    Step first;
    std::thread blocked([&] { EXPECT_TRUE(sequencer.Run(first).ok()); });
    log.AwaitWaiting();
    for (const auto& step : steps) {
      sequencer.Submit(*step);
    }
    log.Open();
    for (const auto& step : steps) {
      step->completed.wait(false);
    }
    blocked.join();
  }
};

std::vector<std::unique_ptr<Step>> Steps(std::size_t count, std::size_t events = 1) {
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 0; i < count; ++i) {
    steps.push_back(std::make_unique<Step>(events));
  }
  return steps;
}

TEST(Sequencer, AnIdleOneRunsOnTheCallersThread) {
  SequencerOnMemory on;
  Step step;
  std::thread::id ran_on;
  step.in_turn = [&] { ran_on = std::this_thread::get_id(); };
  ASSERT_TRUE(on.sequencer.Run(step).ok());
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(step.sequence, Sequence(1));
  EXPECT_EQ(on.log.Last(), Sequence(1));
}

TEST(Sequencer, WhatIsQueuedBehindAWriteIsWrittenTogether) {
  SequencerOnMemory on;
  auto steps = Steps(100);
  on.RunQueuedBehindOneWrite(steps);
  EXPECT_EQ(on.log.Last(), Sequence(101));
  const std::vector<std::size_t> appends = on.log.appends();
  EXPECT_EQ(appends.front(), 1U);
  EXPECT_LE(appends.size(), 4U);
  EXPECT_EQ(std::accumulate(appends.begin(), appends.end(), std::size_t{0}), 101U);
}

TEST(Sequencer, OperationsKeepTheirOrder) {
  SequencerOnMemory on;
  auto steps = Steps(50);
  on.RunQueuedBehindOneWrite(steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i]->sequence, Sequence(i + 2));
  }
}

TEST(Sequencer, ABatchStaysWithinItsLimit) {
  SequencerOnMemory on;
  auto steps = Steps(5, kBatchEventsMax / 2);
  on.RunQueuedBehindOneWrite(steps);
  EXPECT_EQ(on.log.Last(), Sequence(1 + 5 * kBatchEventsMax / 2));
  for (const std::size_t events : on.log.appends()) {
    EXPECT_LE(events, kBatchEventsMax);
  }
}

TEST(Sequencer, WhatOnlyLooksWaitsForWhatItSaw) {
  SequencerOnMemory on;
  on.log.Shut();
  Step writes;
  std::thread blocked([&] { EXPECT_TRUE(on.sequencer.Run(writes).ok()); });
  on.log.AwaitWaiting();
  Step looks(0);
  std::atomic<bool> looked{false};
  looks.in_turn = [&] {
    looked.store(true);
    looked.notify_all();
  };
  on.sequencer.Submit(looks);
  looked.wait(false);
  EXPECT_FALSE(looks.completed.load());
  on.log.Open();
  looks.completed.wait(false);
  EXPECT_EQ(looks.sequence, Sequence(1));
  EXPECT_GE(on.log.Last(), looks.sequence);
  blocked.join();
}

TEST(Sequencer, OneThatWantsToBeAloneRunsWhenNothingIsWritten) {
  SequencerOnMemory on;
  auto steps = Steps(9);
  Step& alone = *steps[4];
  alone.alone = true;
  alone.events = 0;
  Sequence durable;
  alone.in_turn = [&] { durable = on.log.Last(); };
  on.RunQueuedBehindOneWrite(steps);
  EXPECT_EQ(durable, alone.sequence);
  EXPECT_EQ(alone.sequence, Sequence(5));
}

TEST(Sequencer, AFullQueueRefusesAtOnce) {
  SequencerOnMemory on;
  on.log.Shut();
  // One is written, one batch is built and waits; then the queue fills.
  auto steps = Steps(kQueuedOperationsMax + 2 * kBatchEventsMax, 0);
  Step first;
  std::thread blocked([&] { EXPECT_TRUE(on.sequencer.Run(first).ok()); });
  on.log.AwaitWaiting();
  std::size_t refused = 0;
  for (const auto& step : steps) {
    on.sequencer.Submit(*step);
  }
  on.log.Open();
  for (const auto& step : steps) {
    step->completed.wait(false);
    refused += step->undone.code() == Code::kOverloaded ? 1U : 0U;
  }
  blocked.join();
  EXPECT_GT(refused, 0U);
  EXPECT_LE(refused, 2 * kBatchEventsMax);
}

TEST(Sequencer, AFailedWriteTakesAllThatCameAfterIt) {
  SequencerOnMemory on;
  on.disk.InjectAfter(1, MemoryDisk::Fault::kWriteFails);
  auto steps = Steps(3, kBatchEventsMax);
  on.RunQueuedBehindOneWrite(steps);  // one append each
  EXPECT_GE(on.work.folds.load(), 1);
  for (const auto& step : steps) {
    EXPECT_FALSE(step->undone.ok());
  }
  EXPECT_FALSE(on.sequencer.Failure().ok());
  EXPECT_EQ(on.log.Last(), Sequence(1));
  Step looks(0);
  ASSERT_TRUE(on.sequencer.Run(looks).ok());
  EXPECT_EQ(looks.sequence, Sequence(1)) << "folded to the durable end before anything is read";
}

TEST(Sequencer, AFailedWriteOfTheCallersOwnIsUndone) {
  SequencerOnMemory on;
  on.disk.InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  Step step;
  ASSERT_TRUE(on.sequencer.Run(step).ok());
  EXPECT_FALSE(step.undone.ok());
  Step looks(0);
  ASSERT_TRUE(on.sequencer.Run(looks).ok());
  EXPECT_EQ(looks.sequence, Sequence(0));
}

TEST(Sequencer, StoppingAnswersWhatIsQueuedAndRefusesTheRest) {
  SequencerOnMemory on;
  on.log.Shut();
  auto steps = Steps(10);
  Step first;
  std::thread blocked([&] { EXPECT_TRUE(on.sequencer.Run(first).ok()); });
  on.log.AwaitWaiting();
  for (const auto& step : steps) {
    on.sequencer.Submit(*step);
  }
  on.log.Open();
  on.sequencer.Stop();
  for (const auto& step : steps) {
    EXPECT_TRUE(step->completed.load());
    EXPECT_TRUE(step->undone.ok());
  }
  EXPECT_EQ(on.log.Last(), Sequence(11));
  Step late;
  EXPECT_EQ(on.sequencer.Run(late).code(), Code::kCancelled);
  Step submitted_late;
  on.sequencer.Submit(submitted_late);
  EXPECT_TRUE(submitted_late.completed.load());
  EXPECT_EQ(submitted_late.undone.code(), Code::kCancelled);
  blocked.join();
}

TEST(Sequencer, ManyCallersGetOneSequenceEach) {
  SequencerOnMemory on;
  constexpr int kCallers = 4;
  constexpr int kRounds = 2000;
  std::vector<std::vector<std::uint64_t>> seen(kCallers);
  std::vector<std::thread> callers;
  for (auto& sequences : seen) {
    callers.emplace_back([&on, &sequences] {
      for (int i = 0; i < kRounds; ++i) {
        Step step;
        ASSERT_TRUE(on.sequencer.Run(step).ok());
        ASSERT_GE(on.log.Last(), step.sequence);
        sequences.push_back(step.sequence.value());
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  std::vector<std::uint64_t> all;
  for (const auto& sequences : seen) {
    EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
    all.insert(all.end(), sequences.begin(), sequences.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> expected(kCallers * kRounds);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(all, expected);
}

}  // namespace
}  // namespace sagalog
