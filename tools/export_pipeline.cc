#include "tools/export_pipeline.h"

#include <algorithm>
#include <utility>

namespace sagalog::tools {
namespace {

// Large enough that handing a chunk over costs nothing beside rendering it, small enough that it is
// rendered and written while it lies in the cache.
constexpr std::size_t kChunkBytes = 128U << 10;
constexpr std::size_t kChunksMax = 12;
// As many bytes of events; their text is about three times that.
constexpr std::size_t kBytesMax = 8U << 20;
// A spare chunk that once held large events gives their memory back.
constexpr std::size_t kSpareBytesMax = 2U << 20;
constexpr std::size_t kAlignment = 16;

}  // namespace

void ExportChunk::Add(std::string_view bytes) {
  bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
  const std::size_t begin = bytes_.size();
  bytes_.append(bytes);
  ends_.push_back({begin, bytes_.size()});
}

void ExportChunk::Clear() {
  bytes_.clear();
  text.clear();
  ends_.clear();
}

std::string_view ExportChunk::bytes(std::size_t place) const {
  const Span& span = ends_[place];
  return std::string_view(bytes_).substr(span.begin, span.end - span.begin);
}

ExportPipeline::ExportPipeline(Render render, Sink sink, std::size_t renderers)
    : render_(std::move(render)),
      sink_(std::move(sink)),
      filling_(std::make_unique<ExportChunk>()) {
  threads_.reserve(renderers + 1);
  for (std::size_t i = 0; i < renderers; ++i) {
    threads_.emplace_back([this] { RunRenderer(); });
  }
  threads_.emplace_back([this] { RunWriter(); });
}

ExportPipeline::~ExportPipeline() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (failure_.ok() && !under_way_.empty()) {
      failure_ = Status(Code::kCancelled, "the export was given up");
    }
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

Status ExportPipeline::SetOrigin(std::string origin) {
  if (filling_->events() > 0) {
    RETURN_IF_ERROR(Push());
  }
  origin_ = std::move(origin);
  filling_->origin = origin_;
  return {};
}

Status ExportPipeline::Add(std::string_view bytes, Sequence sequence) {
  filling_->Add(bytes);
  filling_->through = sequence;
  return filling_->size_bytes() >= kChunkBytes ? Push() : Status();
}

Status ExportPipeline::Push() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return !failure_.ok() || under_way_.empty() ||
           (under_way_.size() < kChunksMax && bytes_under_way_ < kBytesMax);
  });
  RETURN_IF_ERROR(failure_);
  bytes_under_way_ += filling_->size_bytes();
  under_way_.push_back({std::move(filling_)});
  if (spare_.empty()) {
    filling_ = std::make_unique<ExportChunk>();
  } else {
    filling_ = std::move(spare_.back());
    spare_.pop_back();
  }
  filling_->origin = origin_;
  lock.unlock();
  changed_.notify_all();
  return {};
}

Status ExportPipeline::Finish() {
  RETURN_IF_ERROR(Push());
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !failure_.ok() || under_way_.empty(); });
  return failure_;
}

void ExportPipeline::RunRenderer() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto next = std::find_if(under_way_.begin(), under_way_.end(),
                                   [](const Slot& slot) { return !slot.taken; });
    if (ended_ || !failure_.ok()) {
      return;
    }
    if (next == under_way_.end()) {
      changed_.wait(lock);
      continue;
    }
    // Its place may move; the chunk does not.
    next->taken = true;
    ExportChunk* const chunk = next->chunk.get();
    lock.unlock();
    render_(*chunk);
    lock.lock();
    for (Slot& slot : under_way_) {
      slot.rendered = slot.rendered || slot.chunk.get() == chunk;
    }
    changed_.notify_all();
  }
}

void ExportPipeline::RunWriter() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] {
      return ended_ || !failure_.ok() || (!under_way_.empty() && under_way_.front().rendered);
    });
    if (ended_ || !failure_.ok()) {
      return;
    }
    ExportChunk* const chunk = under_way_.front().chunk.get();
    lock.unlock();
    const Status written = sink_(*chunk);
    lock.lock();
    if (!written.ok()) {
      failure_ = written;
    }
    std::unique_ptr<ExportChunk> done = std::move(under_way_.front().chunk);
    under_way_.pop_front();
    bytes_under_way_ -= done->size_bytes();
    done->Clear();
    if (done->capacity() <= kSpareBytesMax) {
      spare_.push_back(std::move(done));
    }
    changed_.notify_all();
  }
}

}  // namespace sagalog::tools
