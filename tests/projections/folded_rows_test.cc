// Rows are compared without being kept: all that are right are found right, and no other.
#include "projections/folded_rows.h"

#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "projections/checked_fold.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/projections/history.h"
#include "tests/projections/random_history.h"

namespace sagalog {
namespace {

constexpr std::array kFamilies = {"default", "live",        "ended",   "by_plan",
                                  "keys",    "generations", "requests"};

// Folds as verify does.
Status FoldInto(FoldedRows& rows, const EventLog& log, Sequence through, Projections& folded) {
  return FoldChecked(log, through, folded, nullptr,
                     {{}, [&rows](Projections& after) { return rows.TakeEnded(after); }, {}});
}

// Folds the first `through` events beside `stored`; whether they are what is stored.
bool AreStored(const EventLog& log, Sequence through, const CheckpointStore& stored) {
  FoldedRows rows(stored);
  Projections folded(rows);
  if (!FoldInto(rows, log, through, folded).ok()) {
    return false;
  }
  const auto found = rows.AreStored(folded);
  return found.ok() && *found;
}

TEST(FoldedRows, AreStoredWhateverHappened) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    History history;
    RandomHistory random(history, seed);
    std::mt19937_64 chance(seed);
    for (int step = 0; step < 500; ++step) {
      random.Step();
      if (chance() % 60 == 0) {
        history.TakeCheckpoint();
      }
    }
    history.TakeCheckpoint();
    ASSERT_TRUE(AreStored(history.log(), history.log().Last(), history.rows())) << "seed " << seed;
  }
}

TEST(FoldedRows, FindEndedSagasForWhatFollowsTheCheckpoint) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    History history;
    RandomHistory random(history, seed);
    for (int step = 0; step < 400; ++step) {
      random.Step();
    }
    history.TakeCheckpoint();
    const Sequence checkpoint = history.log().Last();
    for (int step = 0; step < 200; ++step) {
      random.Step();
    }
    FoldedRows rows(history.rows());
    Projections folded(rows);
    ASSERT_TRUE(FoldInto(rows, history.log(), checkpoint, folded).ok());
    const auto are_stored = rows.AreStored(folded);
    ASSERT_TRUE(are_stored.ok() && *are_stored) << "seed " << seed;
    const Status tail = Fold(history.log(), history.log().Last(), folded, nullptr);
    EXPECT_TRUE(tail.ok()) << "seed " << seed << ": " << tail.text();
  }
}

TEST(FoldedRows, LetGoOfASagaWithItsLastEventAlone) {
  History history;
  for (const char* saga : {"ended", "noted", "live"}) {
    history.Plan(saga);
    history.Acquire(saga);
  }
  history.End("ended");
  history.End("noted");
  const Sequence ended = history.log().Last();
  history.Append("noted", events::AnnotatedT());
  history.TakeCheckpoint();
  FoldedRows rows(history.rows());
  Projections folded(rows);
  ASSERT_TRUE(FoldInto(rows, history.log(), ended, folded).ok());
  EXPECT_EQ(folded.Find("ended"), nullptr);
  EXPECT_EQ(folded.Find("noted"), nullptr);
  ASSERT_NE(folded.Find("live"), nullptr);
  const auto noted = rows.FindSaga("noted");
  ASSERT_TRUE(noted.ok() && *noted);
  EXPECT_EQ((*noted)->sequence, ended);
  ASSERT_TRUE(FoldInto(rows, history.log(), history.log().Last(), folded).ok());
  EXPECT_EQ(folded.Find("noted"), nullptr);
  const auto are_stored = rows.AreStored(folded);
  EXPECT_TRUE(are_stored.ok() && *are_stored);
  // Only now what is stored may be asked.
  const auto found = rows.FindSaga("ended");
  EXPECT_TRUE(found.ok() && *found);
}

// Rows in a directory, which somebody changes by hand.
class ChangedRows : public testing::Test {
 protected:
  ChangedRows() {
    for (int i = 0; i < 8; ++i) {
      const std::string saga = "s" + std::to_string(i);
      history_.Plan(saga, {.key = "k" + std::to_string(i % 2),
                           .generation = static_cast<std::uint32_t>(i / 2 + 1),
                           .request = static_cast<std::uint64_t>(i + 1)});
      history_.Acquire(saga);
      if (i < 6) {
        history_.End(saga);
      }
    }
    EXPECT_TRUE(Fold(history_.log(), history_.log().Last(), *folded_, rows_.get()).ok());
    EXPECT_TRUE(Checkpointer(*folded_, *rows_).TakeNow().ok());
    folded_.reset();
    EXPECT_TRUE(rows_->Close().ok());
  }

  [[nodiscard]] std::filesystem::path Path() const { return scratch_.path() / "rows"; }

  bool StillAreStored() {
    const auto stored = CheckpointStore::Open(Path(), CheckpointStore::Mode::kReadOnly);
    return stored.ok() && AreStored(history_.log(), history_.log().Last(), **stored);
  }

  // With the first row of the family, after which it is written back as `change` left it.
  template <typename Change>
  void OnRows(std::size_t family, const Change& change) {
    rocksdb::Options options;
    options.disable_auto_compactions = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const char* name : kFamilies) {
      descriptors.emplace_back(name, options);
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, Path().string(), descriptors, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    change(*database, handles[family]);
    ASSERT_TRUE(database->Flush({}, handles[family]).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      ASSERT_TRUE(database->DestroyColumnFamilyHandle(handle).ok());
    }
    ASSERT_TRUE(database->Close().ok());
  }

  ScratchDirectory scratch_;
  History history_;
  std::unique_ptr<CheckpointStore> rows_ =
      *CheckpointStore::Open(Path(), CheckpointStore::Mode::kReadWrite);
  std::unique_ptr<Projections> folded_ = std::make_unique<Projections>(*rows_);
};

TEST_F(ChangedRows, AreStoredAsLongAsNobodyChangesThem) { EXPECT_TRUE(StillAreStored()); }

class ChangedRowsOf : public ChangedRows, public testing::WithParamInterface<std::size_t> {};

TEST_P(ChangedRowsOf, ARowMoreIsSeen) {
  OnRows(GetParam(), [](rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family) {
    EXPECT_TRUE(database.Put({}, family, "more", "of it").ok());
  });
  // Of the store as a whole only one row is read.
  EXPECT_EQ(StillAreStored(), GetParam() == 0);
}

TEST_P(ChangedRowsOf, AnotherByteOfARowIsSeen) {
  std::size_t rows = 0;
  OnRows(GetParam(), [&](rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family) {
    const std::unique_ptr<rocksdb::Iterator> row(database.NewIterator({}, family));
    for (row->SeekToFirst(); row->Valid(); row->Next()) {
      std::string value = row->value().ToString();
      value.back() = static_cast<char>(value.back() ^ 1);
      if (++rows == 1) {
        EXPECT_TRUE(database.Put({}, family, row->key(), value).ok());
      }
    }
  });
  // What was merged is not seen without the program that merges.
  if (GetParam() != static_cast<std::size_t>(RowFamily::kKeys)) {
    EXPECT_GT(rows, 0U);
  }
  EXPECT_EQ(StillAreStored(), rows == 0);
}

TEST_P(ChangedRowsOf, AMissingRowIsSeen) {
  std::string first;
  OnRows(GetParam(), [&](rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family) {
    if (GetParam() == static_cast<std::size_t>(RowFamily::kKeys)) {
      first = "k0";
    } else {
      const std::unique_ptr<rocksdb::Iterator> row(database.NewIterator({}, family));
      row->SeekToFirst();
      ASSERT_TRUE(row->Valid());
      first = row->key().ToString();
    }
    EXPECT_TRUE(database.Delete({}, family, first).ok());
  });
  EXPECT_FALSE(StillAreStored()) << first;
}

INSTANTIATE_TEST_SUITE_P(EachFamily, ChangedRowsOf, testing::Range<std::size_t>(0, kRowFamilies),
                         [](const auto& one) { return std::string(kFamilies[one.param]); });

}  // namespace
}  // namespace sagalog
