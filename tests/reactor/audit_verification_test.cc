// verify and the audit tree: each way in which what is kept of it is not of the log.
#include "reactor/audit_verification.h"

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/data_directory.h"
#include "eventlog/memory_log.h"
#include "eventlog/rocks_log.h"
#include "projections/audit_tree.h"
#include "projections/hash_file.h"
#include "reactor/audit_keys.h"
#include "reactor/verification.h"
#include "schema/event_encoder.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'795'269'600'000'000;

// A directory with a log of 700 events, its tree (two whole groups), and a checkpoint of 600.
class AuditedDirectory : public testing::Test {
 protected:
  AuditedDirectory() : clock_(TimeFromMicros(kNow)) {
    DataDirectory::Open(data(), LogMode::kReadWrite).status().IgnoreBecause("the log sees");
    auto log = RocksLog::Open(data(), {});
    EXPECT_TRUE(log.ok()) << log.status().text();
    log_ = *std::move(log);
    events::StoreOpenedT opened;
    opened.store_id = "0123456789abcdef";
    Append(std::move(opened));
    for (int i = 1; i < 600; ++i) {
      Append(events::ClockSteppedT());
    }
    auto tree = AuditTree::Open(*log_, TreeFolder(), AuditTree::Mode::kKeep);
    EXPECT_TRUE(tree.ok());
    EXPECT_TRUE((*tree)->CatchUp(log_->Last()).ok());
    EXPECT_TRUE(AuditKeys(data()).Sign(**tree, 600).ok());
    for (int i = 600; i < 700; ++i) {
      Append(events::ClockSteppedT());
    }
    EXPECT_TRUE(log_->Close().ok());
  }

  [[nodiscard]] fs::path data() const { return scratch_.path() / "data"; }
  [[nodiscard]] fs::path TreeFolder() const {
    return data() / kProjectionsDirectoryName / kAuditTreeDirectoryName;
  }
  [[nodiscard]] fs::path Nodes() const { return AuditNodesPath(TreeFolder(), 0); }

  template <typename Body>
  void Append(Body body) {
    AppendTo(*log_, std::move(body));
  }
  template <typename Body>
  static void AppendTo(EventLog& log, Body body) {
    events::EventT event;
    event.sequence = log.Last().Next().value();
    event.time = kNow;
    event.wall_time = kNow;
    event.body.Set(std::move(body));
    EventEncoder encoder;
    const std::array<std::string_view, 1> one = {encoder.Encode(event)};
    ASSERT_TRUE(log.Append(log.Last(), one).ok());
  }

  // Puts other hashes into a file of the tree, each with its right checksum.
  void RewriteNodes(const std::function<void(std::vector<EventHash>&)>& change) {
    auto file = HashFile::Open(Nodes(), false);
    ASSERT_TRUE(file.ok());
    auto hashes = file->Read(0, file->size());
    ASSERT_TRUE(hashes.ok());
    change(*hashes);
    ASSERT_TRUE(file->Truncate(0).ok());
    for (const EventHash& hash : *hashes) {
      file->Append(hash);
    }
    ASSERT_TRUE(file->Flush().ok());
  }

  Verification Verify() {
    StoreOptions options;
    options.directory = data();
    options.clock = &clock_;
    options.read_only = true;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    auto found = VerifyAll(**store);
    EXPECT_TRUE(found.ok()) << found.status().text();
    return found.ok() ? *std::move(found) : Verification();
  }
  void ExpectNamed(const std::string& said) {
    const Verification found = Verify();
    EXPECT_EQ(found.invariant, "audit_tree_is_the_logs");
    EXPECT_THAT(found.report.broken, HasSubstr(said));
  }

  ScratchDirectory scratch_;
  ManualClock clock_;
  std::unique_ptr<RocksLog> log_;
};

TEST_F(AuditedDirectory, IsAsItShouldBe) { EXPECT_EQ(Verify().report.broken, ""); }

TEST_F(AuditedDirectory, WithoutATreeOrASignatureIsAsItShouldBe) {
  fs::remove_all(TreeFolder());
  EXPECT_EQ(Verify().report.broken, "");
  fs::remove_all(data() / kAuditDirectoryName);
  EXPECT_EQ(Verify().report.broken, "");
}

TEST_F(AuditedDirectory, AByteOfAHashThatWasChangedIsNamed) {
  FlipByte(Nodes(), 40);
  ExpectNamed("nodes-08 is damaged at hash 1");
}

TEST_F(AuditedDirectory, AHashOfOtherEventsIsNamed) {
  RewriteNodes([](std::vector<EventHash>& hashes) { hashes[1][5] ^= 1; });
  const Verification found = Verify();
  EXPECT_EQ(found.invariant, "audit_tree_is_the_logs");
  EXPECT_THAT(found.report.broken,
              AllOf(HasSubstr("hash 1 of nodes-08 is not that of the events 257 to 512"),
                    HasSubstr("it is made again")));
  // What is said helps.
  fs::remove_all(TreeFolder());
  EXPECT_EQ(Verify().report.broken, "");
}

TEST_F(AuditedDirectory, SwappedHashesAreNamed) {
  RewriteNodes([](std::vector<EventHash>& hashes) { std::swap(hashes[0], hashes[1]); });
  ExpectNamed("hash 0 of nodes-08 is not that of the events 1 to 256");
}

TEST_F(AuditedDirectory, ATreeOfMoreEventsThanThereAreIsNamed) {
  RewriteNodes([](std::vector<EventHash>& hashes) { hashes.push_back(hashes.back()); });
  ExpectNamed("it is of 768 events, and the log has 700");
}

TEST_F(AuditedDirectory, ATreeThatDoesNotSayWhoseItIsIsNamed) {
  fs::remove(TreeFolder() / "lineages");
  ExpectNamed("lineages is missing");
}

TEST_F(AuditedDirectory, ASignatureThatWasChangedIsNamed) {
  std::string note = ReadFile(data() / kAuditDirectoryName / "signed");
  note.replace(note.find("\n600\n"), 5, "\n599\n");
  WriteFile(data() / kAuditDirectoryName / "signed", note);
  ExpectNamed("signed: ");
}

// The log and its tree say the same; what was signed before says something else.
TEST_F(AuditedDirectory, AnotherHistoryThanWasSignedIsNamed) {
  fs::remove(data() / kAuditDirectoryName / "signed");
  MemoryDisk disk;
  const auto other = *MemoryLog::Open(disk);
  events::StoreOpenedT opened;
  opened.store_id = "0123456789abcdef";
  AppendTo(*other, std::move(opened));
  for (int i = 1; i < 600; ++i) {
    AppendTo(*other, events::HostSuspendedT());
  }
  const auto tree = *AuditTree::Open(*other, {}, AuditTree::Mode::kReadOnly);
  ASSERT_TRUE(tree->CatchUp(Sequence(600)).ok());
  ASSERT_TRUE(AuditKeys(data()).Sign(*tree, 600).ok());
  ExpectNamed("the first 600 events are not those that were signed");
}

}  // namespace
}  // namespace sagalog
