// Old heartbeats become stubs, and nobody can tell.
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "eventlog/log_maintenance.h"
#include "projections/merkle_tree.h"
#include "reactor/reader_places.h"
#include "schema/event_stub.h"
#include "schema/json.h"
#include "tests/reactor/rules_store.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

// Everything that is older than nothing: all that is there.
CompactOptions Everything() {
  CompactOptions options;
  options.older_than = Duration(0);
  return options;
}

class Compacting : public testing::Test {
 protected:
  std::uint64_t Compact() {
    const auto report = store_.store().Compact(Everything());
    EXPECT_TRUE(report.ok()) << report.status().text();
    return report.ok() ? report->stubs : 0;
  }

  // The sequences of all stubs, and of all other heartbeats, separated by blanks.
  std::string Stubs() { return Heartbeats(true); }
  std::string WholeHeartbeats() { return Heartbeats(false); }

  std::string Broken() {
    const auto report = store_.store().Verify();
    EXPECT_TRUE(report.ok()) << report.status().text();
    return report.ok() ? report->broken : "";
  }

  // The saga "a" runs, and has beaten so often. Sequences: 1 store_opened, 2 planned, 3 leased, 4
  // and so on heartbeats.
  void Start(int heartbeats) {
    ASSERT_EQ(store_.Run("plan", "a"), "ok");
    ASSERT_EQ(store_.Run("acquire", "a", R"({"owner":"w"})"), "ok");
    for (int i = 0; i < heartbeats; ++i) {
      Beat();
    }
  }

  // 10 s later.
  void Beat(std::string_view arguments = {}) {
    store_.Advance("10s");
    const std::string more = arguments.empty() ? "" : "," + std::string(arguments);
    ASSERT_EQ(store_.Run("heartbeat", "a", R"({"token":$TOKEN)" + more + "}"), "ok");
  }

  std::string Heartbeats(bool stubs) {
    std::string sequences;
    const EventLog& log = store_.store().log();
    EXPECT_TRUE(
        log.Scan(Sequence(1), log.Last(),
                 [&](const events::Event& event, std::string_view) {
                   if (event.body_type() == events::Body::Heartbeated && IsStub(event) == stubs) {
                     sequences +=
                         fmt::format("{}{}", sequences.empty() ? "" : " ", event.sequence());
                   }
                   return Status();
                 })
            .ok());
    return sequences;
  }

  std::string Root() {
    MerkleTree tree;
    const EventLog& log = store_.store().log();
    EXPECT_TRUE(log.Scan(Sequence(1), log.Last(),
                         [&](const events::Event& event, std::string_view bytes) {
                           if (event.body_type() != events::Body::Compacted) {
                             tree.Append(LeafHash(event, bytes));
                           }
                           return Status();
                         })
                    .ok());
    return ToBase64(tree.Root());
  }

  RulesStore store_;
};

TEST_F(Compacting, LeavesTheNewestHeartbeatOfALiveLease) {
  Start(3);
  const std::string before = store_.Sheet("a");
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(Stubs(), "4 5");
  EXPECT_EQ(WholeHeartbeats(), "6");
  EXPECT_EQ(store_.Sheet("a"), before);
  EXPECT_EQ(store_.LastSequence(), 7U) << "one compacted event";
  EXPECT_EQ(Broken(), "");
}

TEST_F(Compacting, StaysBelowEveryReader) {
  Start(6);
  ASSERT_TRUE(MoveReader(store_.store(), "fast", Sequence(9)).ok());
  ASSERT_TRUE(MoveReader(store_.store(), "slow", Sequence(6)).ok());
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(Stubs(), "4 5") << "6 is what the slow one reads next";
  ASSERT_TRUE(MoveReader(store_.store(), "slow", Sequence(8)).ok());
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(Stubs(), "4 5 6 7");
  ASSERT_TRUE(MoveReader(store_.store(), "slow", Sequence(1)).ok());
  EXPECT_EQ(Compact(), 0U);
}

TEST_F(Compacting, LeavesNoneOfALeaseThatIsOver) {
  Start(2);
  ASSERT_EQ(store_.Run("complete", "a", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(WholeHeartbeats(), "");
  EXPECT_EQ(Broken(), "");
}

TEST_F(Compacting, AppendsNothingTheSecondTime) {
  Start(2);
  EXPECT_EQ(Compact(), 1U);
  const std::uint64_t last = store_.LastSequence();
  EXPECT_EQ(Compact(), 0U);
  EXPECT_EQ(store_.LastSequence(), last);
}

TEST_F(Compacting, TakesOnlyWhatIsOldEnough) {
  Start(5);
  CompactOptions options;
  options.older_than = std::chrono::seconds(25);
  auto report = store_.store().Compact(options);
  ASSERT_TRUE(report.ok()) << report.status().text();
  EXPECT_EQ(report->stubs, 2U);
  EXPECT_EQ(report->through, Sequence(5));
  EXPECT_EQ(Stubs(), "4 5");
  options = Everything();
  options.through = Sequence(6);
  report = store_.store().Compact(options);
  ASSERT_TRUE(report.ok()) << report.status().text();
  EXPECT_EQ(Stubs(), "4 5 6");
}

TEST_F(Compacting, RecordsWhatItDid) {
  Start(2);
  CompactOptions options = Everything();
  options.actor = "nightly";
  options.principal = "uid 7";
  ASSERT_TRUE(store_.store().Compact(options).ok());
  const auto event = store_.store().log().Read(Sequence(6));
  ASSERT_TRUE(event.ok());
  const events::Compacted* compacted = (**event).body_as_Compacted();
  ASSERT_NE(compacted, nullptr);
  EXPECT_EQ(compacted->through(), 5U);
  EXPECT_EQ(compacted->stubs(), 1U);
  EXPECT_EQ(compacted->older_than(), (**event).time() + 1);
  EXPECT_EQ((**event).actor()->string_view(), "nightly");
  EXPECT_EQ((**event).principal()->string_view(), "uid 7");
}

TEST_F(Compacting, KeepsTheMerkleTreeAsItWas) {
  Start(0);
  for (int i = 0; i < 4; ++i) {
    Beat(R"("actor":"w","progress":"half")");
  }
  const std::string before = Root();
  EXPECT_EQ(Compact(), 3U);
  EXPECT_EQ(Root(), before);
}

TEST_F(Compacting, KeepsRequestsThatStillCount) {
  Start(0);
  const std::string request = R"("request_id":"0123456789abcdef0123456789abcdef")";
  Beat(request);
  Beat();
  Beat();
  EXPECT_EQ(Compact(), 1U);
  EXPECT_EQ(WholeHeartbeats(), "4 6");
  ASSERT_EQ(store_.Run("heartbeat", "a", R"({"token":$TOKEN,)" + request + "}"), "ok:replayed");
  EXPECT_EQ(store_.answer().sequence, 4U);
  // A new lease, and nobody may ask for it again.
  ASSERT_EQ(store_.Run("release", "a", R"({"token":$TOKEN})"), "ok");
  ASSERT_EQ(store_.Run("acquire", "a", R"({"owner":"w"})"), "ok");
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(WholeHeartbeats(), "");
  EXPECT_EQ(Broken(), "");
}

TEST_F(Compacting, KeepsTheProgressThatIsShown) {
  Start(0);
  Beat(R"("progress":"one")");
  Beat(R"("progress":"two")");
  Beat();
  Beat();
  EXPECT_EQ(Compact(), 2U);
  EXPECT_EQ(WholeHeartbeats(), "5 7") << "what is shown, and the newest";
  EXPECT_EQ(store_.Saga("a").progress, "two");
  EXPECT_EQ(Broken(), "");
  store_.Crash();
  EXPECT_EQ(store_.Saga("a").progress, "two");
  ASSERT_EQ(store_.Run("complete", "a", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(Compact(), 1U);
  EXPECT_EQ(store_.Saga("a").progress, "two");
}

TEST_F(Compacting, KeepsTheProgressThatAnAnswerShowed) {
  Start(0);
  Beat(R"("progress":"one")");
  const std::string advance = R"({"token":$TOKEN,"expected":"","next":"build",)"
                              R"("request_id":"0123456789abcdef0123456789abcdef"})";
  ASSERT_EQ(store_.Run("advance_stage", "a", advance), "ok");
  const std::string answered = store_.answer().saga->progress;
  Beat(R"("progress":"two")");
  Beat(R"("progress":"three")");
  EXPECT_EQ(Compact(), 1U);
  ASSERT_EQ(store_.Run("advance_stage", "a", advance), "ok:replayed");
  EXPECT_EQ(store_.answer().saga->progress, answered);
  EXPECT_EQ(answered, "one");
}

// A stub says that there was progress: or the row of the saga would differ after a rebuild.
TEST_F(Compacting, LeavesRowsAsTheyAreByteForByte) {
  Start(0);
  Beat(R"("progress":"one")");
  Beat(R"("progress":"two")");
  ASSERT_EQ(store_.Run("release", "a", R"({"token":$TOKEN})"), "ok");
  ASSERT_TRUE(store_.store().Checkpoint().ok());
  EXPECT_EQ(Compact(), 1U);
  EXPECT_EQ(Broken(), "") << "the rows of before against a fold of stubs";
  ASSERT_TRUE(store_.store().Rebuild().ok());
  EXPECT_EQ(Broken(), "");
}

TEST_F(Compacting, IsRefusedByAStoreThatTakesNoEvents) {
  Start(2);
  store_.disk().InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  ASSERT_EQ(store_.Run("annotate", "a", R"({"text":"lost"})"), "read_only");
  const auto report = store_.store().Compact(Everything());
  EXPECT_EQ(report.status().code(), Code::kReadOnly);
  EXPECT_EQ(Stubs(), "");
}

TEST_F(Compacting, RefusesANegativeAge) {
  CompactOptions options;
  options.older_than = Duration(-1);
  EXPECT_EQ(store_.store().Compact(options).status().code(), Code::kInvalidArgument);
}

// The appending of `compacted` fails, as if the process had died there: all stubs are there, each
// as good as the event it was, and nothing says so.
TEST_F(Compacting, InterruptedBeforeItsEventLeavesAWholeStore) {
  Start(2);
  const std::string before = store_.Sheet("a");
  store_.disk().InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  EXPECT_FALSE(store_.store().Compact(Everything()).ok());
  store_.Crash();
  EXPECT_EQ(Stubs(), "4");
  EXPECT_EQ(store_.Sheet("a"), before);
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(Compact(), 0U);
}

// Histories of everything, each compacted many times and compared with itself.
class CompactedHistory : public testing::TestWithParam<std::uint64_t> {
 protected:
  std::uint64_t Pick(std::uint64_t count) { return random_() % count; }

  // Every third command is a request that could come again.
  void Run(std::string_view command, const std::string& saga, std::string arguments) {
    if (Pick(3) == 0) {
      arguments.insert(arguments.size() - 1,
                       fmt::format(R"({}"request_id":"{:016x}{:016x}")",
                                   arguments.size() > 2 ? "," : "", random_(), random_()));
    }
    store_.Run(command, saga, arguments);
  }

  void Step(const std::string& saga) {
    store_.Advance("4s");
    switch (Pick(12)) {
      case 0: Run("plan", saga, "{}"); break;
      case 1: Run("acquire", saga, R"({"owner":"w"})"); break;
      case 2: Run("release", saga, R"({"token":$TOKEN})"); break;
      case 3: Run("annotate", saga, R"({"text":"note"})"); break;
      case 4:
        if (Pick(4) == 0) {
          Run("complete", saga, R"({"token":$TOKEN})");
        }
        break;
      case 5:
      case 6:
      case 7:
        Run("heartbeat", saga, fmt::format(R"({{"token":$TOKEN,"progress":"{}"}})", Pick(1000)));
        break;
      default: Run("heartbeat", saga, R"({"token":$TOKEN})"); break;
    }
  }

  std::string ShowAll() {
    std::string shown;
    for (int i = 0; i < 9; ++i) {
      const auto saga = store_.store().Find("s" + std::to_string(i));
      shown += saga.ok() ? ToJson(*saga) + "\n" : "none\n";
    }
    return shown;
  }

  // How many stubs; of a part of the log, chosen by chance, by a bound or by a reader.
  std::uint64_t Compact() {
    CompactOptions options = Everything();
    const Sequence bound(1 + Pick(store_.LastSequence()));
    if (Pick(2) == 0) {
      options.through = bound;
    } else {
      EXPECT_TRUE(MoveReader(store_.store(), "mirror", bound).ok());
    }
    const auto report = store_.store().Compact(options);
    EXPECT_TRUE(report.ok()) << report.status().text();
    EXPECT_TRUE(ForgetReader(store_.store(), "mirror").ok());
    return report.ok() ? report->stubs : 0;
  }

  // Of the Merkle tree over the first `size` events.
  std::string Root(std::uint64_t size) {
    MerkleTree tree;
    EXPECT_TRUE(store_.store()
                    .log()
                    .Scan(Sequence(1), Sequence(size),
                          [&](const events::Event& event, std::string_view bytes) {
                            tree.Append(LeafHash(event, bytes));
                            return Status();
                          })
                    .ok());
    return ToBase64(tree.Root());
  }

  std::mt19937_64 random_{GetParam()};
  RulesStore store_;
};

TEST_P(CompactedHistory, IsFoldedAndShownAsBefore) {
  std::uint64_t stubs = 0;
  for (std::uint64_t step = 0; step < 600; ++step) {
    Step("s" + std::to_string(Pick(3) + step / 200 * 3));
    if (step % 40 != 39) {
      continue;
    }
    SCOPED_TRACE("step " + std::to_string(step));
    const std::string before = ShowAll();
    const std::uint64_t size = store_.LastSequence();
    const std::string root = Root(size);
    stubs += Compact();
    ASSERT_EQ(ShowAll(), before);
    ASSERT_EQ(Root(size), root);
    const auto verified = store_.store().Verify();
    ASSERT_TRUE(verified.ok()) << verified.status().text();
    ASSERT_EQ(verified->broken, "");
    if (Pick(2) == 0) {
      store_.Crash();
    } else if (Pick(2) == 0) {
      ASSERT_TRUE(store_.store().Checkpoint().ok());
    }
  }
  EXPECT_GT(stubs, 10U) << "the history must have had something to compact";
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompactedHistory, testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace sagalog
