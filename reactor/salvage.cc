#include "reactor/salvage.h"

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/rocks_log.h"
#include "reactor/batch.h"
#include "reactor/store_making.h"

namespace sagalog {
namespace {

// Copies events from one log to another, in the order in which they come.
class Copying {
 public:
  explicit Copying(EventLog& to) : to_(to) {}

  Status Add(std::string_view bytes) {
    if (!batch_.HasRoomFor(1, bytes.size())) {
      RETURN_IF_ERROR(Flush());
    }
    batch_.Add(bytes);
    return {};
  }

  Status Flush() {
    RETURN_IF_ERROR(to_.Append(to_.Last(), batch_.Views()));
    batch_.Clear(to_.Last());
    return {};
  }

 private:
  EventLog& to_;
  Batch batch_;
};

struct Extent {
  // The last event before the damage.
  Sequence last;
  std::string damage;
};

// How far the log can be read. kInvalidArgument when that is to its end.
Result<Extent> FindExtent(const EventLog& log) {
  Extent extent;
  // One beyond the end: damage that lost the end is met there.
  const Status read = log.Scan(Sequence(1), log.Last().Next(),
                               [&](const events::Event& event, std::string_view /*bytes*/) {
                                 extent.last = Sequence(event.sequence());
                                 return Status();
                               });
  if (read.ok()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the log is whole up to its end at event {}: there is nothing to "
                              "salvage; sagalog backup copies it",
                              log.Last().value()));
  }
  if (read.code() != Code::kCorruption) {
    return read;
  }
  if (extent.last.IsNone()) {
    return Status(Code::kCorruption,
                  fmt::format("nothing stands before the damage: {}", read.text()));
  }
  extent.damage = read.text();
  return extent;
}

Status CopyEvents(const EventLog& from, Sequence last, EventLog& to) {
  Copying copying(to);
  RETURN_IF_ERROR(from.Scan(Sequence(1), last, [&](const events::Event&, std::string_view bytes) {
    return copying.Add(bytes);
  }));
  return copying.Flush();
}

// Not even a lock is to be taken in there.
Status CheckOutside(const std::filesystem::path& directory, const std::filesystem::path& damaged) {
  std::error_code error;
  const auto outer = std::filesystem::weakly_canonical(damaged, error);
  const auto inner = std::filesystem::weakly_canonical(directory, error);
  const bool inside =
      std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
  return inside ? Status(Code::kInvalidArgument,
                         fmt::format("{} is inside of the damaged directory, which stays as it is: "
                                     "choose one outside",
                                     directory.string()))
                : Status();
}

}  // namespace

Result<SalvageReport> SalvageStore(const SalvageOptions& options) {
  RETURN_IF_ERROR(CheckOutside(options.directory, options.damaged));
  RocksLogOptions reading;
  reading.mode = LogMode::kReadOnly;
  ASSIGN_OR_RETURN(const auto damaged, RocksLog::Open(options.damaged, reading));
  ASSIGN_OR_RETURN(const Extent extent, FindExtent(*damaged));
  const SystemClock system_clock;
  const Clock& clock = options.clock == nullptr ? system_clock : *options.clock;
  std::error_code error;
  const std::filesystem::path damaged_path = std::filesystem::absolute(options.damaged, error);
  auto made = MakeStore(options.directory, options.faults,
                        [&](const std::filesystem::path& folder) -> Result<RestoreReport> {
                          RETURN_IF_ERROR(NoteSalvage(folder, damaged_path));
                          RocksLogOptions writing;
                          writing.faults = options.faults;
                          ASSIGN_OR_RETURN(const auto log, RocksLog::Open(folder, writing));
                          RETURN_IF_ERROR(CopyEvents(*damaged, extent.last, *log));
                          ASSIGN_OR_RETURN(RestoreReport report,
                                           BeginLineage(*log, clock, options.accept_clock));
                          RETURN_IF_ERROR(log->Close());
                          return report;
                        });
  RETURN_IF_ERROR(made.status());
  return SalvageReport{*std::move(made), extent.damage};
}

}  // namespace sagalog
