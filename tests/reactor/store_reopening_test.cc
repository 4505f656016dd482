#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/rocks_log.h"
#include "schema/json.h"
#include "tests/reactor/api_store.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

// All that is shown of a saga.
std::string Sheet(StoreOnDisk& store, std::string_view saga) {
  const auto found = store->Find(saga);
  EXPECT_TRUE(found.ok()) << found.status().text();
  return found.ok() ? ToJson(*found) : "";
}

Reply Register(StoreOnDisk& store, std::string_view saga, std::string_view id) {
  commands::RegisterCompensationT compensation;
  compensation.id = id;
  compensation.kind = "delete_branch";
  compensation.target = std::string("branch/") + std::string(id);
  return store->RegisterCompensation(saga, std::move(compensation)).Get();
}

std::uint64_t Claim(StoreOnDisk& store, std::string_view saga, std::string_view id) {
  commands::ClaimCompensationT claim;
  claim.id = id;
  claim.executor = "cleaner";
  const Reply reply = store->ClaimCompensation(saga, std::move(claim)).Get();
  EXPECT_EQ(Summary(reply), "ok");
  return reply.ok() ? reply.answer().token : 0;
}

void Fail(StoreOnDisk& store, std::string_view saga, std::uint64_t token) {
  commands::FailT fail;
  fail.token = token;
  fail.reason = "broken";
  EXPECT_EQ(Summary(store->Fail(saga, std::move(fail)).Get()), "ok");
}

TEST(StoreReopening, PreservesAllThatIsShown) {
  StoreOnDisk store;
  commands::PlanT plan;
  plan.key = "acme/app#1";
  plan.issue = "168";
  plan.payload = {1, 2, 3};
  plan.labels.push_back(std::make_unique<schema::LabelT>());
  plan.labels.back()->name = "team";
  plan.labels.back()->value = "red";
  EXPECT_EQ(Summary(store->Plan("S", std::move(plan)).Get()), "ok");
  const std::uint64_t token = store.Acquire("S");
  Register(store, "S", "a");
  Register(store, "S", "b");
  store.clock.Advance(seconds(20));
  store.Heartbeat("S", token);
  store.clock.Advance(seconds(5));
  const std::string before = Sheet(store, "S");
  EXPECT_THAT(before, HasSubstr("acme/app#1"));
  EXPECT_THAT(before, HasSubstr("\"issue\":\"168\""));
  store.Reopen();
  EXPECT_EQ(Sheet(store, "S"), before);
}

TEST(StoreReopening, PreservesExpiryAndHeartbeat) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  store.clock.Advance(seconds(50));
  store.Heartbeat("S", token);
  store.Reopen();
  store.clock.Advance(seconds(59));
  EXPECT_EQ(Summary(store.Complete("S", token)), "ok");
}

TEST(StoreReopening, ALeaseThatEndedMeanwhileIsInGraceThenStale) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  store.Kill();
  store.clock.Advance(seconds(100));
  store.Reopen();
  auto reason = [&] {
    const auto stale = store->Stale({});
    return stale.ok() && stale->items.size() == 1
               ? std::string(schema::EnumNameStaleReason(stale->items[0]->reasons[0]->reason))
               : "";
  };
  EXPECT_EQ(reason(), "in_grace");
  EXPECT_EQ(Summary(store.TryAcquire("S", "other")), "in_grace");
  store.clock.Advance(seconds(30));
  EXPECT_EQ(reason(), "lease_expired");
  EXPECT_EQ(Summary(store.Complete("S", token)), "lease_expired");
  EXPECT_EQ(Summary(store.TryAcquire("S", "other")), "ok");
}

TEST(StoreReopening, PreservesTheCompensationBacklog) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  Register(store, "S", "a");
  Register(store, "S", "b");
  Fail(store, "S", token);
  const std::uint64_t claim = Claim(store, "S", "b");
  store.Reopen();
  const auto backlog = store->Compensations({});
  ASSERT_TRUE(backlog.ok());
  ASSERT_EQ(backlog->items.size(), 2U);
  commands::SettleCompensationT settle;
  settle.id = "b";
  settle.token = claim;
  settle.outcome = schema::CompensationOutcome::done;
  EXPECT_EQ(Summary(store->SettleCompensation("S", std::move(settle)).Get()), "ok");
  EXPECT_EQ(store->Compensations({})->items.size(), 1U);
  EXPECT_TRUE(store->Compensations({})->items[0]->claimable);
}

TEST(StoreReopening, StoreIdAndFirstEventStay) {
  StoreOnDisk store;
  const std::string id = store->Describe().store_id;
  EXPECT_EQ(id.size(), 36U);
  store.Plan("S");
  store.Reopen();
  EXPECT_EQ(store->Describe().store_id, id);
  EXPECT_EQ(store.Events(), "store_opened planned store_opened");
}

TEST(StoreReopening, OneShotAfterOneShotIsNoAbsence) {
  StoreOnDisk store;
  store.options.mode = schema::OpenMode::one_shot;
  store.Reopen();
  EXPECT_EQ(store.Events(), "store_opened store_opened") << "after a session it is one";
  store.Plan("S");
  store.Reopen();
  store.Reopen();
  EXPECT_EQ(store.Events(), "store_opened store_opened planned");
  store.options.mode = schema::OpenMode::session;
  store.Reopen();
  EXPECT_EQ(store.Events(), "store_opened store_opened planned store_opened");
}

TEST(StoreReopening, OpeningForReadingAppendsNothing) {
  StoreOnDisk store;
  store.options.read_only = true;
  store.Reopen();
  EXPECT_EQ(store.Events(), "store_opened");
}

TEST(StoreReopening, TimeGoesOnFromTheLastEvent) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  store.Kill();
  store.clock.StepWall(-hours(24));
  store.Reopen();
  store.clock.Advance(seconds(59));
  EXPECT_EQ(Summary(store.Heartbeat("S", token)), "ok") << "no lease was moved";
}

TEST(StoreReopening, AWallClockFarAheadHasToBeAccepted) {
  StoreOnDisk store;
  store.Plan("S");
  store.Kill();
  store.clock.Advance(hours(8 * 24));
  const Status refused = store.Open();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.text(), HasSubstr("--accept-clock"));
  store.options.accept_clock = true;
  EXPECT_TRUE(store.Open().ok());
  EXPECT_EQ(store.StateOf("S"), "planned");
}

TEST(StoreTime, AStepOfTheWallClockIsAnEventAndMovesNoLease) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  store.clock.StepWall(-hours(1));
  store.clock.Advance(seconds(59));
  EXPECT_EQ(Summary(store.Heartbeat("S", token)), "ok");
  store.clock.StepWall(hours(1));
  EXPECT_EQ(store.StateOf("S"), "running");
  EXPECT_EQ(store.Events(), "store_opened planned leased clock_stepped heartbeated clock_stepped");
}

TEST(StoreTime, ASleepOfTheHostIsAnEventAndGivesGrace) {
  StoreOnDisk store;
  store.Plan("S");
  const std::uint64_t token = store.Acquire("S");
  store.clock.Suspend(seconds(100));
  EXPECT_EQ(Summary(store.TryAcquire("S", "other")), "in_grace");
  EXPECT_EQ(Summary(store.Heartbeat("S", token)), "lease_expired");
  EXPECT_EQ(Summary(store.TryAcquire("S")), "ok") << "the same incarnation";
  EXPECT_EQ(store.Events(), "store_opened planned leased host_suspended leased");
}

TEST(StoreTime, PassingTimeIsNoAbsence) {
  StoreOnDisk store;
  store.Plan("S");
  store.Acquire("S");
  store.clock.Advance(seconds(100));
  EXPECT_EQ(Summary(store.TryAcquire("S", "other")), "ok");
}

// The same on the real log, with its lock.
TEST(StoreReopening, ADirectoryHasOneWriterAndAnyReaders) {
  const TemporaryFolder folder;
  StoreOptions options;
  options.directory = folder.path() / "data";
  auto store = Store::Open(std::move(options));
  ASSERT_TRUE(store.ok()) << store.status().text();
  EXPECT_TRUE((*store)->Plan("S").Get().ok());

  StoreOptions second;
  second.directory = folder.path() / "data";
  EXPECT_EQ(Store::Open(std::move(second)).status().code(), Code::kLocked);

  StoreOptions reading;
  reading.directory = folder.path() / "data";
  reading.read_only = true;
  auto reader = Store::Open(std::move(reading));
  ASSERT_TRUE(reader.ok()) << reader.status().text();
  EXPECT_EQ((*reader)->Find("S")->state, schema::State::planned);

  EXPECT_TRUE((*store)->Close().ok());
  StoreOptions third;
  third.directory = folder.path() / "data";
  EXPECT_TRUE(Store::Open(std::move(third)).ok()) << "closing gives the directory back";
}

TEST(StoreReopening, RowsOfAnotherHistoryAreNotBelieved) {
  StoreOnDisk store;
  store.KeepRows();
  store.Plan("A");
  store.Kill();
  StoreOnDisk fork;
  fork.Kill();
  store.disk->CopyTo(*fork.disk);
  fork.clock.Advance(seconds(7));
  ASSERT_TRUE(fork.Open().ok());
  for (const char* saga : {"X", "Y", "Z"}) {
    fork.Plan(saga);
  }
  ASSERT_TRUE(store.Open().ok());
  store.Plan("B");
  ASSERT_TRUE(store->Checkpoint().ok());
  store.Kill();
  fork.Kill();
  fork.disk->CopyTo(*store.disk);
  ASSERT_TRUE(store.Open().ok());
  EXPECT_EQ(store->Find("B").status().code(), Code::kNotFound);
  EXPECT_EQ(Summary(store.Plan("X")), "already_exists");
  const auto report = store->Verify();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->broken, "");
}

TEST(StoreReopening, RowsWithoutTheirLogAreNoNewStore) {
  StoreOnDisk store;
  store.KeepRows();
  store.Plan("A");
  ASSERT_TRUE(store->Checkpoint().ok());
  store.Kill();
  MemoryDisk().CopyTo(*store.disk);
  const Status opened = store.Open();
  EXPECT_EQ(opened.code(), Code::kCorruption);
  EXPECT_THAT(opened.text(), HasSubstr("the log is gone"));
  std::filesystem::remove_all(store.rows());
  EXPECT_TRUE(store.Open().ok());
}

}  // namespace
}  // namespace sagalog
