// Events on their way into an export: read by one thread, rendered by several, written in order by
// one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog::tools {

// Some events after each other.
class ExportChunk {
 public:
  // Where they come from: the store and its lineage.
  std::string origin;
  // The last of them.
  Sequence through;
  // What the renderer makes of them.
  std::string text;

  void Add(std::string_view bytes);
  void Clear();

  [[nodiscard]] std::size_t events() const { return ends_.size(); }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }
  // The bytes of the event at `place`, aligned for reading.
  [[nodiscard]] std::string_view bytes(std::size_t place) const;
  [[nodiscard]] const events::Event& event(std::size_t place) const {
    return *events::GetEvent(bytes(place).data());
  }
  // What its buffers hold on to.
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity() + text.capacity(); }

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  std::string bytes_;
  std::vector<Span> ends_;
};

// Its memory is bounded, whatever the events are. Add, Flush and Finish belong to one thread.
class ExportPipeline {
 public:
  using Render = std::function<void(ExportChunk& chunk)>;
  using Sink = std::function<Status(const ExportChunk& chunk)>;

  // `render` is called by `renderers` threads at once, `sink` by one, in order.
  ExportPipeline(Render render, Sink sink, std::size_t renderers);
  ~ExportPipeline();
  ExportPipeline(const ExportPipeline&) = delete;
  ExportPipeline& operator=(const ExportPipeline&) = delete;

  // What the next events come from; those before are a chunk of their own.
  Status SetOrigin(std::string origin);
  // Waits while too much is under way. The first error of the sink, if it had one.
  Status Add(std::string_view bytes, Sequence sequence);
  // Waits until everything is written.
  Status Finish();

 private:
  struct Slot {
    std::unique_ptr<ExportChunk> chunk;
    bool taken = false;
    bool rendered = false;
  };

  Status Push();
  void RunRenderer();
  void RunWriter();

  const Render render_;
  const Sink sink_;
  std::unique_ptr<ExportChunk> filling_;
  std::string origin_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  std::deque<Slot> under_way_;
  std::size_t bytes_under_way_ = 0;
  std::vector<std::unique_ptr<ExportChunk>> spare_;
  Status failure_;
  bool ended_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace sagalog::tools
