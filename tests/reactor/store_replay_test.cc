#include <gtest/gtest.h>

#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using std::chrono::seconds;

struct Answered {
  std::string summary;
  std::uint64_t sequence = 0;
  std::uint64_t token = 0;
  std::string state;

  friend bool operator==(const Answered&, const Answered&) = default;
};

Answered Noted(const Reply& reply) {
  if (!reply.ok()) {
    return {Summary(reply), 0, 0, ""};
  }
  const answers::AnswerT& answer = reply.answer();
  return {answers::EnumNameOutcome(answer.outcome), answer.sequence, answer.token,
          answer.saga ? schema::EnumNameState(answer.saga->state) : ""};
}

CallOptions Shown(std::uint64_t request) {
  CallOptions call = Requested(request);
  call.with_saga = true;
  return call;
}

void ExpectReplay(const Reply& again, const Answered& first) {
  EXPECT_EQ(Summary(again), "ok:replayed");
  EXPECT_EQ(Noted(again), first);
}

// What has ended leaves memory at the second checkpoint after its end.
void LeaveMemory(StoreOnDisk& store) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Summary(store.Plan("filler" + std::to_string(i))), "ok");
    ASSERT_TRUE(store->Checkpoint().ok());
  }
}

TEST(StoreReplay, TheSameRequestGetsTheSameAnswer) {
  StoreOnDisk store;
  const Answered planned = Noted(store->Plan("S", {}, Shown(1)).Get());
  const Answered acquired = Noted(store->Acquire("S", AcquireBy("W"), Shown(2)).Get());
  EXPECT_EQ(acquired.state, "running");
  const std::string events = store.Events();
  ExpectReplay(store->Plan("S", {}, Shown(1)).Get(), planned);
  ExpectReplay(store->Acquire("S", AcquireBy("W"), Shown(2)).Get(), acquired);
  EXPECT_EQ(store.Events(), events);
}

TEST(StoreReplay, ARedeliveredPlanFindsTheFirst) {
  StoreOnDisk store;
  static_cast<void>(store->Plan("S", {}, Requested(1)).Get());
  const Reply again = store->Plan("another-id", {}, Shown(1)).Get();
  ASSERT_EQ(Summary(again), "ok:replayed");
  EXPECT_EQ(again.answer().saga->saga_id, "S");
}

TEST(StoreReplay, OtherContentIsAConflict) {
  StoreOnDisk store;
  static_cast<void>(store->Plan("S", {}, Requested(1)).Get());
  commands::PlanT other;
  other.priority = 5;
  EXPECT_EQ(Summary(store->Plan("S", std::move(other), Requested(1)).Get()), "request_conflict");
}

TEST(StoreReplay, TheAnswerOfSeveralEventsIsThatOfTheirLast) {
  StoreOnDisk store;
  store.Plan("S");
  commands::CancelT cancel;
  cancel.reason = "no longer wanted";
  const Answered first = Noted(store->Cancel("S", cancel, Shown(1)).Get());
  EXPECT_EQ(first.summary, "ok");
  EXPECT_EQ(first.state, "cancelled");
  EXPECT_EQ(store.Events(), "store_opened planned cancel_requested terminal");
  EXPECT_EQ(first.sequence, 4U);
  store.Plan("T");
  ExpectReplay(store->Cancel("S", cancel, Shown(1)).Get(), first);
}

TEST(StoreReplay, ADeferredCancelStaysDeferredInItsReplay) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  commands::EnterSectionT enter;
  enter.token = token;
  enter.name = "merge";
  ASSERT_EQ(Summary(store->EnterSection("S", std::move(enter)).Get()), "ok");
  const Answered first = Noted(store->Cancel("S", {}, Shown(1)).Get());
  EXPECT_EQ(first.summary, "deferred");
  commands::LeaveSectionT leave;
  leave.token = token;
  leave.outcome = "merged";
  ASSERT_EQ(Summary(store->LeaveSection("S", std::move(leave)).Get()), "ok");
  EXPECT_EQ(store.StateOf("S"), "cancelled");
  ExpectReplay(store->Cancel("S", {}, Shown(1)).Get(), first);
}

TEST(StoreReplay, TheSagaIsShownAsItWasThen) {
  StoreOnDisk store;
  store.Plan("S");
  const Answered acquired = Noted(store->Acquire("S", AcquireBy("W"), Shown(1)).Get());
  store.clock.Advance(seconds(10));
  store.Heartbeat("S", acquired.token);
  store.Complete("S", acquired.token);
  const Reply again = store->Acquire("S", AcquireBy("W"), Shown(1)).Get();
  ExpectReplay(again, acquired);
  EXPECT_EQ(again.answer().saga->version, 2U);
  EXPECT_EQ(again.answer().saga->ended_at, 0);
}

TEST(StoreReplay, ChildrenOfLaterTimesAreNotShown) {
  StoreOnDisk store;
  static_cast<void>(store->Plan("P", {}, Requested(1)).Get());
  commands::PlanT child;
  child.parent = "P";
  ASSERT_EQ(Summary(store->Plan("C", std::move(child)).Get()), "ok");
  commands::AnnotateT note;
  note.text = "one child";
  const Reply noted = store->Annotate("P", note, Shown(2)).Get();
  EXPECT_EQ(noted.answer().saga->children.size(), 1U);
  EXPECT_EQ(store->Plan("P", {}, Shown(1)).Get().answer().saga->children.size(), 0U);
  EXPECT_EQ(store->Annotate("P", note, Shown(2)).Get().answer().saga->children.size(), 1U);
}

TEST(StoreReplay, SurvivesReopening) {
  StoreOnDisk store;
  const Answered planned = Noted(store->Plan("S", {}, Shown(1)).Get());
  const Answered acquired = Noted(store->Acquire("S", AcquireBy("W"), Shown(2)).Get());
  store.Reopen();
  ExpectReplay(store->Plan("S", {}, Shown(1)).Get(), planned);
  ExpectReplay(store->Acquire("S", AcquireBy("W"), Shown(2)).Get(), acquired);
}

TEST(StoreReplay, SurvivesTheSagasLeavingOfMemory) {
  StoreOnDisk store;
  store.KeepRows();
  const Answered planned = Noted(store->Plan("S", {}, Requested(1)).Get());
  const Answered acquired = Noted(store->Acquire("S", AcquireBy("W"), Requested(2)).Get());
  const Answered completed = [&] {
    commands::CompleteT complete;
    complete.token = acquired.token;
    return Noted(store->Complete("S", std::move(complete), Requested(3)).Get());
  }();
  LeaveMemory(store);
  for (int opening = 0; opening < 2; ++opening) {
    ExpectReplay(store->Plan("elsewhere", {}, Requested(1)).Get(), planned);
    ExpectReplay(store->Acquire("S", AcquireBy("W"), Requested(2)).Get(), acquired);
    commands::CompleteT complete;
    complete.token = acquired.token;
    ExpectReplay(store->Complete("S", std::move(complete), Requested(3)).Get(), completed);
    EXPECT_EQ(store.StateOf("S"), "completed");
    store.Reopen();
  }
}

TEST(StoreReplay, WhatLeftMemoryStillTakesWhatATerminalSagaTakes) {
  StoreOnDisk store;
  store.KeepRows();
  store.Plan("S", "key");
  store.Complete("S", store.Acquire("S"));
  LeaveMemory(store);
  const std::uint64_t version = store->Find("S")->version;
  commands::AnnotateT note;
  note.text = "looked at again";
  EXPECT_EQ(Summary(store->Annotate("S", std::move(note)).Get()), "ok");
  EXPECT_EQ(store->Find("S")->version, version + 1);
  EXPECT_EQ(Summary(store.Plan("S")), "already_exists");
  EXPECT_EQ(Summary(store.Plan("again", "key")), "already_exists") << "completed: needs a rerun";
  commands::PlanT rerun;
  rerun.key = "key";
  rerun.rerun = "the target was reset";
  EXPECT_EQ(Summary(store->Plan("again", std::move(rerun)).Get()), "ok");
  EXPECT_EQ(store->Find("again")->generation, 2U);
  EXPECT_EQ(Summary(store.TryAcquire("S")), "terminal");
}

TEST(StoreReplay, AnAwaitedCommandLooksUpWhatLeftMemory) {
  StoreOnDisk store;
  store.KeepRows();
  store.Plan("S");
  store.Complete("S", store.Acquire("S"));
  LeaveMemory(store);
  std::atomic<bool> done{false};
  std::string summary;
  store->Acquire("S", AcquireBy("W")).Then([&](Reply reply) {
    summary = Summary(reply);
    done = true;
    done.notify_one();
  });
  done.wait(false);
  EXPECT_EQ(summary, "terminal");
}

Reply Limit(StoreOnDisk& store, std::int64_t limit, std::uint64_t request) {
  commands::ConfigureQueueT queue;
  queue.queue = "q";
  queue.limit = limit;
  return store->ConfigureQueue(std::move(queue), Requested(request)).Get();
}

Reply LimitAll(StoreOnDisk& store, std::int64_t limit, std::uint64_t request) {
  commands::ChangePolicyT policy;
  policy.limit = limit;
  return store->ChangePolicy(std::move(policy), Requested(request)).Get();
}

TEST(StoreReplay, WhatConcernsNoSagaIsAnsweredOnceToo) {
  StoreOnDisk store;
  store.KeepRows();
  const Reply first = Limit(store, 4, 1);
  EXPECT_EQ(Summary(first), "ok");
  EXPECT_EQ(Summary(Limit(store, 8, 2)), "ok");
  EXPECT_EQ(Summary(LimitAll(store, 9, 3)), "ok");
  const std::string events = store.Events();
  for (const bool from_rows : {false, true}) {
    const Reply again = Limit(store, 4, 1);
    EXPECT_EQ(Summary(again), "ok:replayed");
    EXPECT_EQ(again.answer().sequence, first.answer().sequence);
    EXPECT_EQ(Summary(LimitAll(store, 9, 3)), "ok:replayed");
    EXPECT_EQ(Summary(Limit(store, 5, 1)), "request_conflict");
    EXPECT_EQ(Summary(LimitAll(store, 4, 3)), "request_conflict");
    if (!from_rows) {
      EXPECT_EQ(store.Events(), events);
      ASSERT_TRUE(store->Checkpoint().ok());
      store.Reopen();
    }
  }
}

TEST(StoreReplay, ACascadeThatChangesOnlyWhatIsBelowIsNobodysRequest) {
  StoreOnDisk store;
  store.Plan("P");
  commands::PlanT child;
  child.parent = "P";
  EXPECT_EQ(Summary(store->Plan("C", std::move(child)).Get()), "ok");
  commands::CancelT cancel;
  cancel.reason = "no longer wanted";
  EXPECT_EQ(Summary(store->Cancel("P", cancel).Get()), "ok");
  cancel.cascade = true;
  EXPECT_EQ(Summary(store->Cancel("P", cancel, Requested(1)).Get()), "ok");
  EXPECT_EQ(store.StateOf("C"), "cancelled");
  commands::AnnotateT note;
  note.text = "a request of its own";
  EXPECT_EQ(Summary(store->Annotate("C", std::move(note), Requested(1)).Get()), "ok");
}

}  // namespace
}  // namespace sagalog
