// Sagas at any place of a log, in any order of asking.
#include "reactor/saga_folds.h"

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reactor/replay.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

// What can be compared of two folds.
std::string Words(const Saga& saga) {
  return fmt::format("{} {} {} {} {} {} {} {}", saga.id, saga.version.value(),
                     saga.sequence.value(), schema::EnumNameState(saga.state), saga.owner.view(),
                     ToMicros(saga.expires_at), saga.stage.view(), saga.requests.size());
}

class SagaFoldsTest : public testing::Test {
 protected:
  // Two sagas, one of them with a history longer than two snapshots.
  void SetUp() override {
    const std::uint64_t token = api_.Acquire("long");
    api_.Acquire("short");
    for (std::size_t beat = 0; beat < 2 * SagaFolds::kSnapshotEvents + 100; ++beat) {
      api_.clock().Advance(std::chrono::seconds(1));
      api_.Post("/v1/sagas/long:heartbeat", fmt::format(R"({{"token":{}}})", token));
    }
    api_.Post("/v1/sagas/short:cancel", R"({"reason":"r"})");
  }

  void Expect(SagaFolds& folds, Sequence sequence) {
    const Result<StoredEvent> event = api_.store().log().Read(sequence);
    ASSERT_TRUE(event.ok());
    const std::string saga_id = (*event)->saga_id() ? (*event)->saga_id()->str() : "";
    if (saga_id.empty()) {
      return;
    }
    const auto expected = FoldHistory(api_.store().log(), sequence);
    const auto at = folds.At(saga_id, sequence);
    ASSERT_TRUE(at.ok()) << at.status().text();
    EXPECT_EQ(Words(**at), Words(*expected));
    const auto after = folds.After(**event);
    ASSERT_TRUE(after.ok());
    EXPECT_EQ(Words(**after), Words(*expected));
  }

  ApiStore api_;
};

TEST_F(SagaFoldsTest, EveryPlaceIsTheFoldOfTheHistoryWhicheverWayItIsReached) {
  SagaFolds folds(api_.store().log());
  const std::uint64_t last = api_.store().log().Last().value();
  std::mt19937_64 random(1);
  for (int i = 0; i < 60; ++i) {
    Expect(folds, Sequence(random() % last + 1));
  }
  for (std::uint64_t back = 0; back < 20; ++back) {
    Expect(folds, Sequence(last - back));
  }
  for (std::uint64_t sequence = 1; sequence < 20; ++sequence) {
    Expect(folds, Sequence(sequence));
  }
}

TEST_F(SagaFoldsTest, AnEventIsFoldedOnceHoweverOftenItIsAskedFor) {
  SagaFolds folds(api_.store().log());
  const Result<StoredEvent> event = api_.store().log().Read(api_.store().log().Last());
  const Saga once = **folds.After(**event);
  EXPECT_EQ(Words(**folds.After(**event)), Words(once));
  EXPECT_TRUE((*folds.At("short", Sequence()))->id.empty());
}

}  // namespace
}  // namespace sagalog
