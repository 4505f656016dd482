#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "projections/checked_fold.h"

namespace sagalog {
namespace {

// Verified events, one behind the other, each where a flatbuffer may begin.
class EventBatch {
 public:
  // Enough to make handing over cheap, little enough to stay in the processor's cache.
  static constexpr std::size_t kBytes = 256UL << 10;

  EventBatch() { words_.reserve(kBytes / sizeof(std::uint64_t)); }

  void Add(std::string_view bytes) {
    starts_.push_back(words_.size());
    words_.resize(words_.size() +
                  (bytes.size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    std::memcpy(&words_[starts_.back()], bytes.data(), bytes.size());
  }
  [[nodiscard]] bool IsFull() const { return words_.size() * sizeof(std::uint64_t) >= kBytes; }
  [[nodiscard]] std::size_t size() const { return starts_.size(); }
  [[nodiscard]] const events::Event& operator[](std::size_t i) const {
    return *events::GetEvent(&words_[starts_[i]]);
  }
  void Clear() {
    words_.clear();
    starts_.clear();
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::size_t> starts_;
};

// Between the thread that reads and the one that folds. At most kBatchesMax batches wait: then the
// reader does.
class Pipe {
 public:
  // False when the folding side has given up.
  bool Put(EventBatch& batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return full_.size() < kBatchesMax || closed_; });
    if (closed_) {
      return false;
    }
    full_.push_back(std::move(batch));
    if (empty_.empty()) {
      batch = EventBatch();
    } else {
      batch = std::move(empty_.back());
      empty_.pop_back();
    }
    changed_.notify_all();
    return true;
  }

  // The reader has come to its end.
  void End(Status status) {
    const std::lock_guard lock(mutex_);
    end_ = std::move(status);
    changed_.notify_all();
  }

  // The next batch, in exchange for one that was folded; none at the end.
  std::optional<EventBatch> Take(std::optional<EventBatch> folded) {
    std::unique_lock lock(mutex_);
    if (folded) {
      folded->Clear();
      empty_.push_back(*std::move(folded));
    }
    changed_.wait(lock, [&] { return !full_.empty() || end_; });
    if (full_.empty()) {
      return std::nullopt;
    }
    EventBatch batch = std::move(full_.front());
    full_.pop_front();
    changed_.notify_all();
    return batch;
  }

  // The folding side gives up.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // How the reader ended. Only after Take gave none.
  [[nodiscard]] Status EndStatus() { return *end_; }

 private:
  static constexpr std::size_t kBatchesMax = 8;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<EventBatch> full_;
  std::vector<EventBatch> empty_;
  std::optional<Status> end_;
  bool closed_ = false;
};

using Seen = std::function<void(const events::Event& event, std::string_view bytes)>;

void ReadInto(Pipe& pipe, const EventLog& log, Sequence from, Sequence through, const Seen& seen) {
  EventBatch batch;
  Status status = log.Scan(from, through, [&](const events::Event& event, std::string_view bytes) {
    if (seen) {
      seen(event, bytes);
    }
    batch.Add(bytes);
    return batch.IsFull() && !pipe.Put(batch) ? Status(Code::kCancelled, "folding gave up")
                                              : Status();
  });
  if (batch.size() > 0) {
    pipe.Put(batch);
  }
  pipe.End(std::move(status));
}

// Checkpoints of a fold: committed on a thread of their own while the next events are folded.
class FoldCheckpoints {
 public:
  FoldCheckpoints(Projections& projections, CheckpointStore& store, std::uint64_t every)
      : checkpointer_(projections, store), every_(every) {}
  ~FoldCheckpoints() {
    if (committing_.joinable()) {
      committing_.join();
    }
  }

  Status AfterEvent() {
    if (++events_since_ < every_) {
      return {};
    }
    events_since_ = 0;
    RETURN_IF_ERROR(Settle());
    checkpointer_.Begin();
    while (!checkpointer_.Serialize(kSagasAtOnce)) {
    }
    committing_ = std::thread([this] { committed_ = checkpointer_.Commit(); });
    return {};
  }

  // Waits for the checkpoint under way.
  Status Settle() {
    if (committing_.joinable()) {
      committing_.join();
      RETURN_IF_ERROR(committed_);
      checkpointer_.Finish();
    }
    return {};
  }

 private:
  static constexpr std::size_t kSagasAtOnce = 1U << 20;

  Checkpointer checkpointer_;
  const std::uint64_t every_;
  std::uint64_t events_since_ = 0;
  std::thread committing_;
  Status committed_;
};

Status FoldFrom(Pipe& pipe, Projections& projections, FoldCheckpoints* checkpoints,
                const FoldWatch& watch) {
  std::optional<EventBatch> batch;
  while ((batch = pipe.Take(std::move(batch)))) {
    for (std::size_t i = 0; i < batch->size(); ++i) {
      if (watch.check) {
        RETURN_IF_ERROR(watch.check(projections, (*batch)[i]));
      }
      RETURN_IF_ERROR(projections.Apply((*batch)[i]));
      if (watch.folded) {
        RETURN_IF_ERROR(watch.folded(projections));
      }
      if (checkpoints != nullptr) {
        RETURN_IF_ERROR(checkpoints->AfterEvent());
      }
    }
  }
  if (checkpoints != nullptr) {
    RETURN_IF_ERROR(checkpoints->Settle());
  }
  return pipe.EndStatus();
}

struct FoldPlan {
  CheckpointStore* store = nullptr;
  std::uint64_t checkpoint_every = 0;
  FoldWatch watch;
};

Status Fold(const EventLog& log, Sequence through, Projections& projections, const FoldPlan& plan) {
  const Sequence from = projections.Applied().Next();
  if (from > through) {
    return {};
  }
  std::optional<FoldCheckpoints> checkpoints;
  if (plan.store != nullptr) {
    checkpoints.emplace(projections, *plan.store, plan.checkpoint_every);
  }
  Pipe pipe;
  std::thread reader([&] { ReadInto(pipe, log, from, through, plan.watch.seen); });
  const Status folded =
      FoldFrom(pipe, projections, checkpoints ? &*checkpoints : nullptr, plan.watch);
  pipe.Close();
  reader.join();
  return folded;
}

}  // namespace

Status Fold(const EventLog& log, Sequence through, Projections& projections, CheckpointStore* store,
            std::uint64_t checkpoint_every) {
  return Fold(log, through, projections, FoldPlan{store, checkpoint_every, {}});
}

Status FoldChecked(const EventLog& log, Sequence through, Projections& projections,
                   CheckpointStore* store, const FoldWatch& watch) {
  // The ended sagas of two checkpoints are in memory.
  constexpr std::uint64_t kCheckpointEvery = 100'000;
  return Fold(log, through, projections, FoldPlan{store, kCheckpointEvery, watch});
}

}  // namespace sagalog
