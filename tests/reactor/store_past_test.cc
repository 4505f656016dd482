// Past states from a running store, and the file that says where to look.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/past_saga.h"
#include "schema/json.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

class StorePastTest : public testing::Test {
 protected:
  void Open() {
    StoreOptions options;
    options.directory = folder_.path() / "data";
    options.clock = &clock_;
    auto store = Store::Open(std::move(options));
    ASSERT_TRUE(store.ok()) << store.status().text();
    store_ = *std::move(store);
  }

  void Reopen() {
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    clock_.Advance(std::chrono::minutes(1));
    Open();
  }

  void SetLimitOfRunning(Duration most) {
    commands::ChangePolicyT change;
    change.policy = std::make_unique<schema::PolicyT>();
    change.policy->max_running = most.count();
    ASSERT_TRUE(store_->ChangePolicy(std::move(change)).Get().ok());
    clock_.Advance(std::chrono::minutes(20));
  }

  // A saga that runs under one policy after the other, and through two absences of the store.
  void Live() {
    Open();
    ASSERT_TRUE(store_->Plan("T1").Get().ok());
    commands::AcquireT acquire;
    acquire.owner = std::make_unique<schema::OwnerT>();
    acquire.owner->owner = "W";
    ASSERT_TRUE(store_->Acquire("T1", std::move(acquire)).Get().ok());
    SetLimitOfRunning(std::chrono::hours(1));
    Reopen();
    SetLimitOfRunning(std::chrono::hours(2));
    SetLimitOfRunning(std::chrono::hours(1));
    commands::AnnotateT note;
    note.text = "n";
    ASSERT_TRUE(store_->Annotate("T1", std::move(note)).Get().ok());
    Reopen();
  }

  // At each event, what is folded from the log alone.
  void ExpectThePastOfTheLog() {
    const std::uint64_t last = store_->log().Last().value();
    ASSERT_GE(last, 8U);
    const StoreTime now = TimeFromMicros(store_->Describe().time);
    std::size_t shown = 0;
    for (std::uint64_t sequence = 1; sequence <= last; ++sequence) {
      SCOPED_TRACE(sequence);
      const auto expected = FindPastSaga(store_->log(), "T1", Sequence(sequence), now);
      const auto found = store_->FindPast("T1", Sequence(sequence));
      ASSERT_EQ(found.status().code(), expected.status().code());
      if (expected.ok()) {
        EXPECT_EQ(ToJson(*found), ToJson(*expected));
        shown += expected->stale.size();
      }
    }
    EXPECT_GT(shown, 3U);
  }

  [[nodiscard]] fs::path file() const {
    return folder_.path() / "data" / "projections" / "store-events";
  }

  TemporaryFolder folder_;
  ManualClock clock_{*ParseTime("2026-11-21T03:18:00Z")};
  std::unique_ptr<Store> store_;
};

TEST_F(StorePastTest, EveryEventShowsWhatTheLogAloneShows) {
  Live();
  ExpectThePastOfTheLog();
}

TEST_F(StorePastTest, TheFileIsOnlyAHint) {
  Live();
  ASSERT_TRUE(store_->Close().ok());
  ASSERT_TRUE(fs::exists(file()));
  fs::remove(file());
  Reopen();
  ExpectThePastOfTheLog();
  ASSERT_TRUE(store_->Close().ok());
  ASSERT_TRUE(fs::exists(file()));
  std::ofstream(file(), std::ios::binary | std::ios::app) << "12345678";
  Reopen();
  ExpectThePastOfTheLog();
  ASSERT_TRUE(store_->Close().ok());
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << "short";
  Reopen();
  ExpectThePastOfTheLog();
}

TEST_F(StorePastTest, AFileOfAnotherLogIsNotBelieved) {
  Live();
  ASSERT_TRUE(store_->Close().ok());
  const fs::path kept = folder_.path() / "kept";
  fs::copy(file(), kept);
  store_.reset();
  fs::remove_all(folder_.path() / "data");
  clock_.Advance(std::chrono::minutes(7));
  Live();
  ASSERT_TRUE(store_->Close().ok());
  fs::copy(kept, file(), fs::copy_options::overwrite_existing);
  Reopen();
  ExpectThePastOfTheLog();
}

}  // namespace
}  // namespace sagalog
