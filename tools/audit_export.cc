#include "tools/audit_export.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "projections/merkle_tree.h"
#include "tools/export_directory.h"
#include "tools/export_pipeline.h"
#include "tools/export_writer.h"

namespace sagalog::tools {
namespace {

constexpr std::uint64_t kProgressEvents = 16'384;
constexpr std::size_t kRenderersMax = 4;

Status Refused(std::string text) { return {Code::kInvalidArgument, std::move(text)}; }

// Where the events of a time begin: the first event at `time` or later; behind the last when there
// is none. Event times never decrease.
Result<Sequence> FirstAt(const EventLog& log, Sequence last, StoreTime time) {
  std::uint64_t low = 1;
  std::uint64_t high = last.value() + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    ASSIGN_OR_RETURN(const StoredEvent event, log.Read(Sequence(middle)));
    if (TimeFromMicros(event->time()) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Sequence(low);
}

std::optional<std::uint64_t> AsNumber(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

Status NoMoment(std::string_view flag, const std::string& text) {
  return Refused(
      fmt::format("{}: \"{}\" is neither a sequence nor a time with its zone, like "
                  "2026-11-21T03:18:00Z",
                  flag, text));
}

struct Range {
  Sequence from = Sequence(1);
  Sequence to;
  // It ends at the damage, and not where it was to end.
  bool cut_short = false;
};

// What can be read of a record.
class Extent {
 public:
  explicit Extent(const Record& record) : log_(*record.log), last_(log_.Last()) {
    if (record.damage) {
      damage_ = record.damage->text;
      last_ = std::min(last_, Sequence(record.damage->first_damaged.value() - 1));
    }
  }

  Result<Range> Read(const ExportRequest& request) const {
    if (last_.IsNone()) {
      return damage_.empty() ? Refused("the log is empty: there is nothing to export")
                             : Status(Code::kCorruption, damage_);
    }
    Range range;
    ASSIGN_OR_RETURN(range.from, From(request.from));
    RETURN_IF_ERROR(To(request.to, range));
    if (range.from > range.to) {
      return Refused(fmt::format("the range is empty: it begins at {} and ends at {}",
                                 range.from.value(), range.to.value()));
    }
    return range;
  }

  [[nodiscard]] Sequence last() const { return last_; }
  [[nodiscard]] const std::string& damage() const { return damage_; }

 private:
  Result<Sequence> From(const std::string& text) const {
    if (text.empty()) {
      return Sequence(1);
    }
    if (const auto number = AsNumber(text)) {
      return Numbered("--from", *number);
    }
    const auto time = ParseTime(text);
    if (!time.ok()) {
      return NoMoment("--from", text);
    }
    ASSIGN_OR_RETURN(const Sequence first, FirstAt(log_, last_, *time));
    if (first <= last_) {
      return first;
    }
    return damage_.empty()
               ? Refused(fmt::format("--from: the log ends before {}", FormatTime(*time)))
               : Behind(fmt::format("--from: what happened at {} or later", FormatTime(*time)));
  }

  Status To(const std::string& text, Range& range) const {
    if (text.empty()) {
      range.to = last_;
      range.cut_short = !damage_.empty();
      return {};
    }
    if (const auto number = AsNumber(text)) {
      ASSIGN_OR_RETURN(range.to, Numbered("--to", *number));
      return {};
    }
    const auto time = ParseTime(text);
    if (!time.ok()) {
      return NoMoment("--to", text);
    }
    ASSIGN_OR_RETURN(const Sequence behind, FirstAt(log_, last_, *time + Duration(1)));
    if (behind == Sequence(1)) {
      return Refused(fmt::format("--to: the log begins after {}", FormatTime(*time)));
    }
    range.to = Sequence(behind.value() - 1);
    // What is damaged may have happened by then.
    range.cut_short = !damage_.empty() && range.to == last_;
    return {};
  }

  Result<Sequence> Numbered(std::string_view flag, std::uint64_t number) const {
    if (number != 0 && number <= last_.value()) {
      return Sequence(number);
    }
    return number == 0 || damage_.empty()
               ? Refused(fmt::format("{}: there is no event {}: the log holds 1 to {}", flag,
                                     number, last_.value()))
               : Behind(fmt::format("{}: event {}", flag, number));
  }

  Status Behind(std::string_view what) const {
    return {Code::kCorruption, fmt::format("{} cannot be read: {}. What stands before can be "
                                           "exported: --to {}",
                                           what, damage_, last_.value())};
  }

  const EventLog& log_;
  Sequence last_;
  std::string damage_;
};

// Decides which events are wanted, and learns what the manifest says of them.
class Selection {
 public:
  explicit Selection(const ExportScope& scope) : scope_(scope) {}

  // `earlier` was exported before.
  void GoOn(const ExportManifest& earlier) {
    seen_ = true;
    store_id_ = earlier.store_id;
    lineage_ = earlier.lineage;
  }

  // Where the log must be read from: what is not exported says which sagas have the key, and of
  // which lineage the first event is.
  [[nodiscard]] Sequence ReadingFrom(Sequence next) const {
    return seen_ && scope_.key.empty() ? next : Sequence(1);
  }

  // True when the store, or its lineage, is another one from this event on.
  bool Learn(const events::Event& event) {
    using flatbuffers::GetStringView;
    if (const auto* opened = event.body_as_StoreOpened(); opened && store_id_.empty()) {
      store_id_ = GetStringView(opened->store_id());
      return true;
    }
    if (const auto* restored = event.body_as_StoreRestored()) {
      lineage_ = GetStringView(restored->lineage());
      return true;
    }
    return false;
  }

  bool Wants(const events::Event& event) {
    if (scope_.saga.empty() && scope_.key.empty()) {
      return event.sequence() >= scope_.from.value();
    }
    if (const auto* noted = event.body_as_RefusalsNoted()) {
      return event.sequence() >= scope_.from.value() && IsAboutWanted(*noted);
    }
    const std::string_view saga = flatbuffers::GetStringView(event.saga_id());
    if (!scope_.saga.empty() && saga != scope_.saga) {
      return false;
    }
    if (!scope_.key.empty()) {
      const auto* planned = event.body_as_Planned();
      if (planned && flatbuffers::GetStringView(planned->key()) == scope_.key) {
        of_key_.emplace(saga);
      }
      if (!of_key_.contains(saga)) {
        return false;
      }
    }
    seen_ = true;
    return event.sequence() >= scope_.from.value();
  }

  // Whether one of the refused calls was about a saga that is wanted.
  [[nodiscard]] bool IsAboutWanted(const events::RefusalsNoted& noted) const {
    if (noted.refusals() == nullptr) {
      return false;
    }
    return std::any_of(noted.refusals()->begin(), noted.refusals()->end(),
                       [&](const events::NotedRefusal* refusal) {
                         const auto saga = flatbuffers::GetStringView(refusal->saga_id());
                         return (scope_.saga.empty() || saga == scope_.saga) &&
                                (scope_.key.empty() || of_key_.contains(saga));
                       });
  }

  [[nodiscard]] std::string Origin() const {
    return fmt::format("sagalog/{}/{}", store_id_, lineage_);
  }
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  [[nodiscard]] const std::string& lineage() const { return lineage_; }

  // kNotFound unless the saga, or one with the key, was there; kCorruption when it may be lost.
  Status CheckFound(Sequence last, const std::string& damage) const {
    if (seen_ || (scope_.saga.empty() && scope_.key.empty())) {
      return {};
    }
    const std::string text =
        scope_.key.empty()
            ? fmt::format("--saga: there is no saga {} up to event {}", scope_.saga, last.value())
            : fmt::format("--key: no saga {}had the key {} up to event {}",
                          scope_.saga.empty() ? "" : scope_.saga + " that ", scope_.key,
                          last.value());
    return damage.empty() ? Status(Code::kNotFound, text)
                          : Status(Code::kCorruption,
                                   fmt::format("{}, and more cannot be read: {}", text, damage));
  }

 private:
  const ExportScope& scope_;
  bool seen_ = false;
  std::string store_id_;
  std::string lineage_ = "first";
  std::set<std::string, std::less<>> of_key_;
};

// One run: what the threads of the pipeline work on.
class Exporting {
 public:
  Exporting(const Record& record, const ExportRequest& request, ExportDirectory& directory,
            const Extent& extent, const Range& range, const ExportScope& scope)
      : log_(*record.log),
        request_(request),
        directory_(directory),
        extent_(extent),
        range_(range),
        scope_(scope),
        selection_(scope_),
        writer_(scope.format == ExportFormat::kSqlite ? MakeSqliteWriter()
                                                      : MakeTextWriter(scope.format)) {
    done_.scope = scope;
    done_.through = Sequence(scope.from.value() - 1);
  }

  Result<ExportReport> Run() {
    ExportReport report;
    report.damage = extent_.damage();
    report.cut_short = range_.cut_short;
    report.continued = directory_.earlier().has_value();
    const bool finished = report.continued && !directory_.interrupted();
    if (report.continued) {
      RETURN_IF_ERROR(TakeUp());
    }
    const std::uint64_t before = done_.events;
    if (finished && done_.through == range_.to) {
      report.manifest = done_;
      report.unchanged = true;
      return report;
    }
    RETURN_IF_ERROR(directory_.Begin(done_));
    RETURN_IF_ERROR(writer_->Open(directory_.data(), done_, directory_.TakeDigest()));
    if (done_.through >= scope_.from) {
      selection_.GoOn(done_);
    }
    RETURN_IF_ERROR(Read());
    if (Status found = selection_.CheckFound(range_.to, range_.cut_short ? extent_.damage() : "");
        !found.ok()) {
      writer_.reset();
      directory_.Abandon();
      return found;
    }
    RETURN_IF_ERROR(Publish());
    report.manifest = done_;
    report.added = done_.events - before;
    return report;
  }

 private:
  // Whether the directory's export is the beginning of this one.
  Status TakeUp() {
    done_ = *directory_.earlier();
    if (done_.through > range_.to) {
      return Refused(fmt::format("{} holds events up to {} already: the range ends at {}",
                                 request_.out.string(), done_.through.value(), range_.to.value()));
    }
    return CheckSameHistory();
  }

  // By the last event that was exported, and the first, which names the store.
  Status CheckSameHistory() {
    ASSIGN_OR_RETURN(const StoredEvent first, log_.Read(Sequence(1)));
    const auto* opened = first->body_as_StoreOpened();
    const std::string_view store =
        opened == nullptr ? std::string_view() : flatbuffers::GetStringView(opened->store_id());
    if (!done_.store_id.empty() && store != done_.store_id) {
      return Refused(
          fmt::format("{} holds an export of another store, {}: export into another "
                      "directory",
                      request_.out.string(), done_.store_id));
    }
    if (done_.through_leaf.empty()) {
      return {};
    }
    ASSIGN_OR_RETURN(const StoredEvent last, log_.Read(done_.through));
    if (ToBase64(LeafHash(*last, last.bytes())) == done_.through_leaf) {
      return {};
    }
    return Refused(
        fmt::format("{} holds another event {} than this log: the store was restored "
                    "since from an earlier backup. Export into another directory",
                    request_.out.string(), done_.through.value()));
  }

  Status Read() {
    const Sequence next = done_.through.Next();
    const Sequence reading = selection_.ReadingFrom(next);
    const std::size_t renderers =
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kRenderersMax);
    ExportPipeline pipeline([this](ExportChunk& chunk) { writer_->Render(chunk); },
                            [this](const ExportChunk& chunk) { return Write(chunk); }, renderers);
    RETURN_IF_ERROR(pipeline.SetOrigin(selection_.Origin()));
    const Status scanned = log_.Scan(
        reading, range_.to, [&](const events::Event& event, std::string_view bytes) -> Status {
          const Sequence sequence(event.sequence());
          if (request_.progress && (sequence.value() - reading.value()) % kProgressEvents == 0) {
            request_.progress(sequence, reading, range_.to);
          }
          if (selection_.Learn(event)) {
            RETURN_IF_ERROR(pipeline.SetOrigin(selection_.Origin()));
          }
          return selection_.Wants(event) && sequence >= next ? pipeline.Add(bytes, sequence)
                                                             : Status();
        });
    RETURN_IF_ERROR(scanned);
    return pipeline.Finish();
  }

  // On the pipeline's thread.
  Status Write(const ExportChunk& chunk) {
    if (chunk.events() == 0) {
      return {};
    }
    RETURN_IF_ERROR(writer_->Write(chunk));
    done_.events += chunk.events();
    noted_events_ += chunk.events();
    const std::size_t last = chunk.events() - 1;
    if (!done_.first_time) {
      done_.first_time = TimeFromMicros(chunk.event(0).time());
    }
    done_.last_time = TimeFromMicros(chunk.event(last).time());
    done_.through = chunk.through;
    done_.through_leaf = ToBase64(LeafHash(chunk.event(last), chunk.bytes(last)));
    std::tie(done_.store_id, done_.lineage) = SplitOrigin(chunk.origin);
    if (noted_events_ < std::max(request_.note_events, NoteEventsOfSize())) {
      return {};
    }
    noted_events_ = 0;
    RETURN_IF_ERROR(writer_->Note(done_));
    return directory_.Note(done_);
  }

  // What is read again for each note grows with the file.
  std::uint64_t NoteEventsOfSize() const {
    return scope_.format == ExportFormat::kSqlite ? done_.events / 3 : 0;
  }

  // The store and the lineage that Selection::Origin made a text of.
  static std::pair<std::string, std::string> SplitOrigin(std::string_view origin) {
    origin.remove_prefix(origin.find('/') + 1);
    const std::size_t slash = origin.find('/');
    return {std::string(origin.substr(0, slash)), std::string(origin.substr(slash + 1))};
  }

  Status Publish() {
    done_.store_id = selection_.store_id();
    done_.lineage = selection_.lineage();
    done_.through = range_.to;
    done_.log_last = extent_.last();
    done_.damage = extent_.damage();
    ASSIGN_OR_RETURN(const StoredEvent last, log_.Read(range_.to));
    done_.through_leaf = ToBase64(LeafHash(*last, last.bytes()));
    ASSIGN_OR_RETURN(const std::string checkpoint, MakeCheckpoint());
    RETURN_IF_ERROR(writer_->Finish(done_));
    return directory_.Publish(done_, checkpoint);
  }

  // What is signed says that a log is whole: a damaged one is not signed, and what was signed
  // before of what is exported stays.
  Result<std::string> MakeCheckpoint() {
    std::string checkpoint;
    if (!extent_.damage().empty()) {
      checkpoint = done_.checkpoint_size ? directory_.EarlierCheckpoint() : "";
      if (checkpoint.empty()) {
        done_.checkpoint_size.reset();
      }
      return checkpoint;
    }
    done_.checkpoint_size.reset();
    if (request_.sign) {
      const Sequence size = scope_.IsWhole() ? range_.to : extent_.last();
      ASSIGN_OR_RETURN(checkpoint, request_.sign(size.value()));
      if (!checkpoint.empty()) {
        done_.checkpoint_size = size.value();
      }
    }
    return checkpoint;
  }

  const EventLog& log_;
  const ExportRequest& request_;
  ExportDirectory& directory_;
  const Extent& extent_;
  const Range range_;
  const ExportScope scope_;
  Selection selection_;
  std::unique_ptr<ExportWriter> writer_;
  // How far it got. While the pipeline runs, its last thread's.
  ExportManifest done_;
  std::uint64_t noted_events_ = 0;
};

}  // namespace

Result<ExportReport> ExportRecord(const Record& record, const ExportRequest& request) {
  const Extent extent(record);
  ASSIGN_OR_RETURN(const Range range, extent.Read(request));
  const ExportScope scope{request.format, range.from, request.saga, request.key};
  ASSIGN_OR_RETURN(ExportDirectory directory, ExportDirectory::Open(request.out, scope));
  return Exporting(record, request, directory, extent, range, scope).Run();
}

}  // namespace sagalog::tools
