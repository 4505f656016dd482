// What was appended lately is here for those who ask, as it was appended, and within its bounds.
#include "eventlog/recent_events.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/rocks_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Recent : public testing::Test {
 protected:
  void Add(const std::vector<std::string_view>& events) {
    recent_.Add(Sequence(last_ + 1), events);
    last_ += events.size();
  }

  // All of the appends that hold something from `from` up to `through`.
  std::vector<std::string> Found(std::uint64_t from, std::uint64_t through) {
    std::vector<std::string> found;
    for (const auto& append : recent_.Find(Sequence(from), Sequence(through))) {
      for (Sequence at = append->first(); at <= append->last(); at = at.Next()) {
        found.emplace_back(append->Bytes(at));
      }
    }
    return found;
  }

  RecentEvents recent_;
  std::uint64_t last_ = 0;
};

TEST_F(Recent, IsKeptFromWhenSomebodyAsks) {
  Add({"a", "b"});
  EXPECT_THAT(Found(1, 2), IsEmpty());
  Add({"c", "d and more"});
  Add({"e"});
  Add({"f"});
  EXPECT_THAT(Found(2, 9), IsEmpty());
  EXPECT_THAT(Found(3, 4), ElementsAre("c", "d and more"));
  EXPECT_THAT(Found(4, 5), ElementsAre("c", "d and more", "e"));
  EXPECT_THAT(Found(5, 99), ElementsAre("e", "f"));
  EXPECT_THAT(Found(7, 99), IsEmpty());
}

TEST_F(Recent, StandsWhereAFlatbufferMayBegin) {
  EXPECT_THAT(Found(1, 1), IsEmpty());
  Add({"1", "four", "", "eight by", "nine byte"});
  const auto appends = recent_.Find(Sequence(1), Sequence(5));
  ASSERT_EQ(appends.size(), 1U);
  for (std::uint64_t at = 1; at <= last_; ++at) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(appends[0]->Bytes(Sequence(at)).data()) % 8, 0U);
  }
  EXPECT_EQ(appends[0]->Bytes(Sequence(5)), "nine byte");
}

TEST_F(Recent, ForgetsTheOldestAndAllWhenNobodyAsks) {
  const std::string quarter(RecentEvents::kBytesMax / 4, 'x');
  EXPECT_THAT(Found(1, 1), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    Add({quarter});
  }
  EXPECT_EQ(Found(1, 3).size(), 3U);
  Add({quarter});
  EXPECT_THAT(Found(1, 4), IsEmpty());
  EXPECT_EQ(Found(2, 4).size(), 3U);
  for (int i = 0; i < 5; ++i) {
    Add({quarter});
  }
  EXPECT_THAT(Found(last_, last_), IsEmpty()) << "nobody had asked for long";
  Add({"asked again"});
  EXPECT_THAT(Found(last_, last_), ElementsAre("asked again"));
}

TEST_F(Recent, IsGoneWhenItIsCleared) {
  EXPECT_THAT(Found(1, 1), IsEmpty());
  Add({"a"});
  const auto held = recent_.Find(Sequence(1), Sequence(1));
  recent_.Clear();
  EXPECT_THAT(Found(1, 1), IsEmpty());
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0]->Bytes(Sequence(1)), "a") << "whoever has it keeps it";
}

// From the log, by somebody who follows it.
std::vector<std::string> Scanned(const EventLog& log, std::uint64_t from, std::uint64_t through) {
  std::vector<std::string> found;
  const Status scanned = log.Scan(Sequence(from), Sequence(through),
                                  [&](const events::Event& event, std::string_view bytes) {
                                    EXPECT_EQ(event.sequence(), from + found.size());
                                    found.emplace_back(bytes);
                                    return Status();
                                  });
  EXPECT_TRUE(scanned.ok()) << scanned.text();
  return found;
}

TEST(FollowedLog, GivesWhatWasAppendedWhereverOneBegins) {
  const ScratchDirectory directory;
  const auto log = *RocksLog::Open(directory.path(), {});
  SampleEvents samples;
  std::vector<std::string> all;
  for (std::size_t batch = 1; batch <= 6; ++batch) {
    const std::vector<std::string> events = samples.Batch(batch);
    ASSERT_TRUE(AppendAll(*log, events).ok());
    all.insert(all.end(), events.begin(), events.end());
    for (std::size_t from = 1; from <= all.size(); ++from) {
      const std::vector<std::string> tail(all.begin() + static_cast<std::ptrdiff_t>(from - 1),
                                          all.end());
      ASSERT_EQ(Scanned(*log, from, all.size() + 5), tail) << batch << " from " << from;
      ASSERT_EQ(Scanned(*log, from, from).size(), 1U);
    }
  }
}

TEST(FollowedLog, GivesWhatWasReplaced) {
  const ScratchDirectory directory;
  const auto log = *RocksLog::Open(directory.path(), {});
  SampleEvents samples;
  ASSERT_TRUE(AppendAll(*log, {samples.Next("a")}).ok());
  ASSERT_EQ(Scanned(*log, 1, 1).size(), 1U);
  SampleEvents others = samples;
  const std::string secret = samples.Next("a", "a secret");
  const std::string harmless = others.Next("a", "harmless");
  ASSERT_TRUE(AppendAll(*log, {secret}).ok());
  ASSERT_EQ(Scanned(*log, 2, 2), std::vector{secret});
  const std::string_view replacement = harmless;
  ASSERT_TRUE(log->Maintenance()->Replace({&replacement, 1}).ok());
  EXPECT_EQ(Scanned(*log, 2, 2), std::vector{harmless});
}

TEST(FollowedLog, GivesNothingWhenItIsClosed) {
  const ScratchDirectory directory;
  const auto log = *RocksLog::Open(directory.path(), {});
  SampleEvents samples;
  ASSERT_TRUE(AppendAll(*log, samples.Batch(3)).ok());
  ASSERT_EQ(Scanned(*log, 1, 3).size(), 3U);
  ASSERT_TRUE(AppendAll(*log, samples.Batch(3)).ok());
  ASSERT_EQ(Scanned(*log, 4, 6).size(), 3U);
  ASSERT_TRUE(log->Close().ok());
  const Status closed =
      log->Scan(Sequence(4), Sequence(6),
                [](const events::Event&, std::string_view) -> Status { return {}; });
  EXPECT_EQ(closed.code(), Code::kCancelled);
}

}  // namespace
}  // namespace sagalog
