#include "reactor/verify_record.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "eventlog/read_back.h"
#include "projections/merkle_tree.h"

namespace sagalog {
namespace {

// "STORE" and "LINEAGE" of an origin; empty when it is none of ours.
std::pair<std::string_view, std::string_view> SplitOrigin(std::string_view origin) {
  constexpr std::string_view kPrefix = "sagalog/";
  const std::size_t slash = origin.rfind('/');
  if (!origin.starts_with(kPrefix) || slash < kPrefix.size()) {
    return {};
  }
  return {origin.substr(kPrefix.size(), slash - kPrefix.size()), origin.substr(slash + 1)};
}

std::uint64_t SignedSize(std::span<const Checkpoint> checkpoints) {
  std::uint64_t size = 0;
  for (const Checkpoint& checkpoint : checkpoints) {
    size = std::max(size, checkpoint.head.size);
  }
  return size;
}

// One pass over a record.
class RecordPass {
 public:
  RecordPass(Sequence last, std::span<const Checkpoint> checkpoints)
      : chain_(Sequence(1), last.value()),
        checkpoints_(checkpoints.begin(), checkpoints.end()),
        next_(checkpoints_.begin()),
        stubs_(SignedSize(checkpoints)) {
    std::stable_sort(
        checkpoints_.begin(), checkpoints_.end(),
        [](const Checkpoint& a, const Checkpoint& b) { return a.head.size < b.head.size; });
    next_ = checkpoints_.begin();
  }

  // Two roots of one size are a proof against whoever signed them, whatever the record says.
  [[nodiscard]] Status CheckAmongThemselves() const {
    for (std::size_t i = 1; i < checkpoints_.size(); ++i) {
      const Checkpoint& one = checkpoints_[i - 1];
      const Checkpoint& other = checkpoints_[i];
      if (one.origin == other.origin && one.head.size == other.head.size &&
          one.head.root != other.head.root) {
        return {Code::kCorruption,
                fmt::format("two histories were signed: both checkpoints are of {} at {} events, "
                            "one has the root {}, the other {}",
                            one.origin, one.head.size, ToBase64(one.head.root),
                            ToBase64(other.head.root))};
      }
    }
    return {};
  }

  // A log of no events has one root, whoever signs another.
  [[nodiscard]] Status CheckEmpty() const {
    for (const Checkpoint& checkpoint : checkpoints_) {
      if (checkpoint.head.size == 0 && checkpoint.head.root != tree_.Root()) {
        return {Code::kCorruption,
                fmt::format("the checkpoint of 0 events is of no log: no events have the root {}, "
                            "the signed one is {}",
                            ToBase64(tree_.Root()), ToBase64(checkpoint.head.root))};
      }
    }
    return {};
  }

  Status Pass(const events::Event& event, std::string_view bytes) {
    const std::uint64_t expected = tree_.size() + 1;
    if (event.sequence() != expected) {
      return {Code::kCorruption,
              fmt::format("event {} stands where event {} belongs", event.sequence(), expected)};
    }
    RETURN_IF_ERROR(chain_.Pass(event));
    if (event.time() < time_) {
      return {Code::kCorruption,
              fmt::format("event {} is damaged: its time is before that of the event before it",
                          event.sequence())};
    }
    time_ = event.time();
    report_.lineages.Pass(event);
    report_.hashes_only += IsStub(event) ? 1 : 0;
    RETURN_IF_ERROR(stubs_.Pass(event, bytes));
    if (const auto* redacted = event.body_as_Redacted()) {
      Pass(event, *redacted);
    }
    tree_.Append(LeafHash(event, bytes));
    return Compare();
  }

  Result<RecordReport> Finish() {
    RETURN_IF_ERROR(Compare());  // of no events at all
    if (next_ != checkpoints_.end()) {
      RETURN_IF_ERROR(CheckOrigin(*next_));
      return Status(Code::kCorruption,
                    fmt::format("the record ends at event {}, and {} events were signed: its end "
                                "is missing",
                                tree_.size(), next_->head.size));
    }
    report_.head = {tree_.size(), tree_.Root()};
    report_.vouched_unsigned = stubs_.vouched_unsigned();
    report_.first_unvouched = stubs_.FirstUnvouched();
    if (!checkpoints_.empty()) {
      report_.checkpoint = checkpoints_.back();
    }
    return std::move(report_);
  }

 private:
  void Pass(const events::Event& event, const events::Redacted& redacted) {
    using flatbuffers::GetStringView;
    ++report_.redacted;
    if (report_.redactions.size() == kRedactionsNamedMax) {
      return;
    }
    const std::string_view actor = GetStringView(event.actor());
    report_.redactions.push_back(
        {Sequence(redacted.redacted_sequence()), Sequence(event.sequence()),
         TimeFromMicros(event.time()),
         std::string(actor.empty() ? GetStringView(event.principal()) : actor),
         std::string(GetStringView(redacted.reason()))});
  }

  // The checkpoints of as many events as there were.
  Status Compare() {
    for (; next_ != checkpoints_.end() && next_->head.size <= tree_.size(); ++next_) {
      if (next_->head.size == 0) {  // CheckEmpty has seen its root; now the store is known
        RETURN_IF_ERROR(CheckOrigin(*next_));
        continue;
      }
      RETURN_IF_ERROR(CheckOrigin(*next_));
      const EventHash root = tree_.Root();
      if (root != next_->head.root) {
        return {Code::kCorruption,
                fmt::format("the first {} events are not those that were signed: their root is "
                            "{}, the signed one {}",
                            tree_.size(), ToBase64(root), ToBase64(next_->head.root))};
      }
    }
    return {};
  }

  [[nodiscard]] Status CheckOrigin(const Checkpoint& checkpoint) const {
    const std::string origin = report_.lineages.OriginAt(checkpoint.head.size);
    if (origin == checkpoint.origin) {
      return {};
    }
    const auto [store, lineage] = SplitOrigin(checkpoint.origin);
    if (store != report_.lineages.store_id()) {
      return {Code::kInvalidArgument,
              fmt::format("the checkpoint is of another store: of {}, while this record is of {}",
                          checkpoint.origin, origin)};
    }
    return {Code::kInvalidArgument,
            fmt::format("the checkpoint is of another lineage of this store: of {}, while this "
                        "record's event {} would be of {}",
                        checkpoint.origin, checkpoint.head.size, origin)};
  }

  ChainCheck chain_;
  std::vector<Checkpoint> checkpoints_;  // the smallest first
  std::vector<Checkpoint>::const_iterator next_;
  StubCheck stubs_;
  MerkleTree tree_;
  std::int64_t time_ = std::numeric_limits<std::int64_t>::min();
  RecordReport report_;
};

}  // namespace

Result<RecordReport> VerifyRecord(const EventLog& log, std::span<const Checkpoint> checkpoints) {
  const Sequence last = log.Last();
  RecordPass pass(last, checkpoints);
  RETURN_IF_ERROR(pass.CheckAmongThemselves());
  RETURN_IF_ERROR(pass.CheckEmpty());
  const Status scanned =
      log.Scan(Sequence(1), last, [&pass](const events::Event& event, std::string_view bytes) {
        return pass.Pass(event, bytes);
      });
  RETURN_IF_ERROR(scanned);
  return pass.Finish();
}

}  // namespace sagalog
