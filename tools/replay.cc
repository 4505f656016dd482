#include "tools/replay.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "tools/exit_code.h"
#include "tools/past_record.h"
#include "tools/replay_cursor.h"
#include "tools/replay_screen.h"
#include "tools/replay_text.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"

namespace sagalog::tools {
namespace {

// Lines are written when so much of them has gathered.
constexpr std::size_t kOutputBytes = 64UL << 10;

struct Range {
  Sequence first;
  Sequence last;
};

// What the texts of the command line mean.
struct Request {
  EventFilter filter;
  std::optional<PastMoment> from;
  std::optional<PastMoment> until;
};

Status Named(const char* flag, const Status& status) {
  return {status.code(), fmt::format("{}: {}", flag, status.text())};
}

Result<std::optional<PastMoment>> ReadMoment(const char* flag, const std::string& text) {
  if (text.empty()) {
    return std::optional<PastMoment>();
  }
  const auto moment = ParsePastMoment(text);
  if (!moment.ok()) {
    return Named(flag, moment.status());
  }
  return std::optional(*moment);
}

// --saga as a term of the filter.
std::string FilterText(const ReplayOptions& options) {
  if (options.saga.empty()) {
    return options.where;
  }
  const std::string term = fmt::format("saga=\"{}\"", options.saga);
  return options.where.empty() ? term : term + " " + options.where;
}

Result<Request> ReadRequest(const ReplayOptions& options) {
  Request request;
  if (options.saga.find_first_of("\"\\*") != std::string::npos) {
    return Status(Code::kInvalidArgument,
                  fmt::format("--saga: no saga is called {}", options.saga));
  }
  if (!options.where.empty()) {
    const auto filter = EventFilter::Parse(options.where);
    if (!filter.ok()) {
      return Named("--where", filter.status());
    }
  }
  if (const std::string text = FilterText(options); !text.empty()) {
    ASSIGN_OR_RETURN(request.filter, EventFilter::Parse(text));
  }
  ASSIGN_OR_RETURN(request.from, ReadMoment("--from", options.from));
  ASSIGN_OR_RETURN(request.until, ReadMoment("--until", options.until));
  if (options.speed && !(std::isfinite(*options.speed) && *options.speed > 0)) {
    return Status(Code::kInvalidArgument, "--speed: a number above 0 is needed");
  }
  return request;
}

// From the first event that is not before `from`, through the last that has happened by `until`.
Result<Range> RangeOf(const PastRecord& record, const Request& request) {
  Range range{Sequence(1), record.last};
  if (request.from) {
    const Sequence* sequence = std::get_if<Sequence>(&*request.from);
    const PastMoment before = sequence != nullptr
                                  ? *request.from
                                  : PastMoment(std::get<StoreTime>(*request.from) - Duration(1));
    const auto place = FindPlace(record.log(), record.last, before, record.now);
    if (!place.ok()) {
      return Named("--from", place.status());
    }
    range.first = sequence != nullptr ? place->through : place->through.Next();
  }
  if (request.until) {
    const auto place = FindPlace(record.log(), record.last, *request.until, record.now);
    if (!place.ok()) {
      return Named("--until", place.status());
    }
    range.last = place->through;
  }
  if (range.first > range.last) {
    return Status(Code::kInvalidArgument, "there is no event between --from and --until");
  }
  return range;
}

// Writes steps as they come, at their pace where one is asked for.
class StepPrinter {
 public:
  StepPrinter(const GlobalOptions& global, const ReplayOptions& options)
      : global_(global), speed_(options.speed) {}

  Status Print(const ReplayStep& step) {
    Wait(TimeFromMicros(step.event.time()));
    if (global_.json) {
      AppendStepJson(out_, step);
    } else {
      out_ += StepInWords(step, global_.color);
    }
    ++steps_;
    if (speed_ || out_.size() >= kOutputBytes) {
      Flush();
      if (const std::string failure = OutputFailure(); !failure.empty()) {
        return {Code::kCancelled, "whoever read this has gone"};
      }
    }
    return {};
  }

  void Flush() {
    WriteOutput(out_);
    out_.clear();
    FlushOutput();
  }

  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  // As long as it took between the two, whichever way.
  void Wait(StoreTime time) {
    if (speed_ && before_) {
      const double millis =
          std::abs(static_cast<double>((time - *before_).count())) / 1000 / *speed_;
      constexpr double kWaitMaxMillis = 3'600'000;
      poll(nullptr, 0, static_cast<int>(std::min(millis, kWaitMaxMillis)));
    }
    before_ = time;
  }

  const GlobalOptions& global_;
  const std::optional<double> speed_;
  std::optional<StoreTime> before_;
  std::string out_;
  std::uint64_t steps_ = 0;
};

Status PlayBackwards(ReplayCursor& cursor, const ReplayCursor::Visitor& visitor) {
  // Behind the last one, so that it is the first.
  RETURN_IF_ERROR(cursor.GoTo(cursor.last()));
  ASSIGN_OR_RETURN(bool found, cursor.IsMatch());
  while (true) {
    if (found) {
      RETURN_IF_ERROR(cursor.Look(visitor));
    }
    ASSIGN_OR_RETURN(found, cursor.Backward());
    if (!found) {
      return {};
    }
  }
}

Status PrintAll(const GlobalOptions& global, const ReplayOptions& options, ReplayCursor& cursor) {
  StepPrinter printer(global, options);
  const auto print = [&printer](const ReplayStep& step) { return printer.Print(step); };
  const Status played = options.backwards ? PlayBackwards(cursor, print) : cursor.Play(print);
  printer.Flush();
  if (!played.ok() && played.code() != Code::kCancelled) {
    return played;
  }
  if (printer.steps() == 0 && !options.saga.empty() && options.where.empty()) {
    return {Code::kNotFound, fmt::format("there is no event of saga {} there", options.saga)};
  }
  return {};
}

std::string DamageInWords(const PastRecord& record) {
  return record.record.damage ? fmt::format("{}; what can be read ends at sequence {}",
                                            record.record.damage->text, record.last.value())
                              : std::string();
}

Status ReplayRecord(const GlobalOptions& global, const ReplayOptions& options, Request request,
                    RawTerminal* terminal) {
  ASSIGN_OR_RETURN(const PastRecord record, OpenPastRecord(global, options.record));
  const std::string damage = DamageInWords(record);
  if (record.last.IsNone()) {
    return record.record.damage
               ? Status(Code::kCorruption, damage)
               : Status(Code::kInvalidArgument, "nothing has happened yet: the log is empty");
  }
  ASSIGN_OR_RETURN(const Range range, RangeOf(record, request));
  ReplayCursor cursor(record.log(), range.first, range.last, std::move(request.filter));
  if (terminal == nullptr) {
    RETURN_IF_ERROR(PrintAll(global, options, cursor));
  } else {
    const std::filesystem::path path = options.record.empty()
                                           ? DataDirectoryPath(global.data)
                                           : std::filesystem::path(options.record);
    ReplayScreen screen(*terminal, cursor, record.log(),
                        {"replay of " + path.string(), damage, FilterText(options),
                         options.speed.value_or(1), global.color});
    RETURN_IF_ERROR(screen.Run());
  }
  return damage.empty() ? Status() : Status(Code::kCorruption, damage);
}

}  // namespace

int RunReplay(const GlobalOptions& global, const ReplayOptions& options) {
  auto request = ReadRequest(options);
  if (!request.ok()) {
    PrintError(global, "replay: " + request.status().text());
    return kExitUsage;
  }
  const bool interactive = !options.plain && !options.backwards && !global.json &&
                           isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  Status replayed;
  {
    // Before the log's threads are there, and gone before anything is said about the end.
    std::optional<RawTerminal> terminal;
    if (interactive) {
      terminal.emplace();
    }
    replayed = ReplayRecord(global, options, *std::move(request), terminal ? &*terminal : nullptr);
  }
  return replayed.ok() ? kExitDone : Complain(global, "replay", replayed);
}

}  // namespace sagalog::tools
