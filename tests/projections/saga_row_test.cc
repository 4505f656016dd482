#include "projections/saga_row.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "projections/saga_rows.h"
#include "projections/store_row.h"
#include "tests/projections/history.h"
#include "tests/projections/random_history.h"

namespace sagalog {
namespace {

// Rows of sagas with all there can be in them.
std::vector<std::string> SampleRows() {
  std::vector<std::string> rows;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    History history;
    RandomHistory random(history, seed);
    for (int step = 0; step < 250; ++step) {
      random.Step();
    }
    history.state().VisitPlannedAfter(Sequence(), [&](const Saga& saga) {
      EncodeSaga(saga, rows.emplace_back());
      return true;
    });
  }
  return rows;
}

TEST(SagaRow, ReadsWhatItWrote) {
  for (const std::string& row : SampleRows()) {
    const std::string with_rest = row + "rest";
    std::string_view bytes = with_rest;
    const auto saga = DecodeSaga(bytes);
    ASSERT_TRUE(saga.ok()) << saga.status().text();
    EXPECT_EQ(bytes, "rest");
    std::string again;
    EncodeSaga(*saga, again);
    EXPECT_EQ(again, row);
  }
}

TEST(SagaRow, CutAnywhereIsCorrupt) {
  for (const std::string& row : SampleRows()) {
    for (std::size_t size = 0; size < row.size(); ++size) {
      // On the heap and no longer than it says, so that a sanitizer sees a read beyond.
      const std::string cut = row.substr(0, size);
      std::string_view bytes = cut;
      EXPECT_EQ(DecodeSaga(bytes).status().code(), Code::kCorruption) << size;
    }
  }
}

TEST(SagaRow, ChangedAtRandomIsRefusedOrReadButNeverTrusted) {
  std::mt19937_64 random(1);
  const auto rows = SampleRows();
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string row = rows[random() % rows.size()];
    for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
      row[random() % row.size()] = static_cast<char>(random());
    }
    refused += DecodeLiveRow(row).ok() ? 0 : 1;
    refused += DecodeEndedRow(row).ok() ? 0 : 1;
    refused += DecodeKeyRow(row).ok() ? 0 : 1;
    refused += DecodeRequestRow(row).ok() ? 0 : 1;
    refused += DecodeStoreRow(row).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

TEST(StoreRow, OfAnotherLayoutIsToldFromDamage) {
  StoreFacts facts;
  facts.store_id = "uuid";
  std::string row = EncodeStoreRow(Sequence(5), facts, {}, {});
  const auto store = DecodeStoreRow(row);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(store->sequence, Sequence(5));
  EXPECT_EQ(store->facts.store_id, "uuid");
  EXPECT_EQ(DecodeStoreRow(row.substr(0, row.size() - 1)).status().code(), Code::kCorruption);
  EXPECT_EQ(DecodeStoreRow(row + "x").status().code(), Code::kCorruption);
  row[0] = 99;
  EXPECT_EQ(DecodeStoreRow(row).status().code(), Code::kUnsupportedVersion);
}

}  // namespace
}  // namespace sagalog
