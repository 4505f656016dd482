// Where a log's few events of the store itself stand that show in every saga: policies, and returns
// of the store. So a past state needs no pass over the log to find them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/projections.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// Kept in a small file, which may be deleted at any time: a pass over the log makes it anew. The
// projections count every type of event, so it is known without a look at the log whether there is
// a new one to be found. Thread-safe.
class StoreEventIndex {
 public:
  // `file` need not exist; empty = it is kept in memory alone. `may_write`: false = only read.
  StoreEventIndex(std::filesystem::path file, bool may_write)
      : file_(std::move(file)), may_write_(may_write) {}

  // How many of these events the statistics know.
  [[nodiscard]] static std::uint64_t CountIn(const Statistics& statistics);

  // Where they stand through `through`, ascending; `counted` of them are known there. Reads what
  // was written since the last call only when there is a new one.
  [[nodiscard]] Result<std::vector<Sequence>> Find(const EventLog& log, Sequence through,
                                                   std::uint64_t counted);

  // Writes the file, if anything is new in it.
  Status Save(const EventLog& log);

 private:
  // The file is saved when so many events were passed since: what would have to be read again.
  static constexpr std::uint64_t kSaveEvents = 1'000'000;

  void Load(const EventLog& log);
  Status CatchUp(const EventLog& log, Sequence through, std::uint64_t counted);
  Status ScanThrough(const EventLog& log, Sequence through);
  Status SaveExcluded(const EventLog& log);

  const std::filesystem::path file_;
  const bool may_write_;
  std::mutex mutex_;  // guards what follows
  bool loaded_ = false;
  Sequence through_;
  Sequence saved_through_;
  std::vector<Sequence> sequences_;
};

}  // namespace sagalog
