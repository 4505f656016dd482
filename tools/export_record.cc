#include "tools/export_record.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/read_back.h"
#include "eventlog/regular_file.h"
#include "projections/audit_tree.h"
#include "projections/merkle_tree.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/signed_note.h"
#include "schema/export_line.h"
#include "schema/verify.h"
#include "tools/export_log.h"
#include "tools/file_digest.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

Status Wrong(std::string text) { return {Code::kCorruption, std::move(text)}; }

Status CheckFile(const fs::path& directory, const ExportedFile& file) {
  const fs::path path = directory / file.name;
  const auto opened = RegularFile::Open(path);
  if (!opened.ok()) {
    return Wrong(fmt::format("what the manifest lists cannot be read: {}", opened.status().text()));
  }
  if (opened->size_bytes() != file.size_bytes) {
    return Wrong(fmt::format("{} has {} bytes, its manifest says {}", path.string(),
                             opened->size_bytes(), file.size_bytes));
  }
  ASSIGN_OR_RETURN(const std::string digest, DigestOf(path));
  return digest == file.sha256
             ? Status()
             : Wrong(fmt::format("{} is not the file of the manifest: its SHA-256 is {}, not {}",
                                 path.string(), digest, file.sha256));
}

// How the events of each saga follow each other, where those of others are left out.
class SagaChains {
 public:
  explicit SagaChains(Sequence from) : from_(from.value()) {}

  Status Pass(const events::Event& event) {
    const std::string_view saga = flatbuffers::GetStringView(event.saga_id());
    if (saga.empty()) {
      return {};
    }
    const auto [place, is_first] = links_.try_emplace(std::string(saga));
    Link& link = place->second;
    const bool begins_before = is_first && event.previous() != 0 && event.previous() < from_;
    const bool follows = event.version() == link.version + 1 && event.previous() == link.sequence &&
                         event.previous_transition() == link.transition;
    if (!begins_before && !follows) {
      return Wrong(fmt::format(
          "event {} is version {} of saga {}, behind event {}, and stands "
          "behind version {}, event {}: one is missing, or it was altered",
          event.sequence(), event.version(), saga, event.previous(), link.version, link.sequence));
    }
    const bool heartbeat = event.body_type() == events::Body::Heartbeated;
    link = {event.version(), event.sequence(),
            heartbeat ? event.previous_transition() : event.sequence()};
    return {};
  }

 private:
  struct Link {
    std::uint64_t version = 0;
    std::uint64_t sequence = 0;
    std::uint64_t transition = 0;
  };

  const std::uint64_t from_;
  std::map<std::string, Link, std::less<>> links_;
};

// Follows the lines of an export, and remembers what the manifest must say of them.
class LineCheck {
 public:
  LineCheck(const ExportManifest& manifest, const EventLog::Visitor& visit)
      : manifest_(manifest),
        visit_(visit),
        filtered_(!manifest.scope.saga.empty() || !manifest.scope.key.empty()),
        next_(manifest.scope.from),
        sagas_(manifest.scope.from),
        chain_(manifest.scope.from, manifest.through.value() -
                                        std::min(manifest.through, manifest.scope.from).value() +
                                        1) {}

  Status Pass(std::string_view line) {
    const auto sequence = PeekExportLine(line);
    if (!sequence || !DecodeExportLine(line, bytes_)) {
      return Wrong(fmt::format("line {} is no event", events_ + 1));
    }
    if (*sequence < next_ || (!filtered_ && *sequence != next_)) {
      return Wrong(fmt::format("line {} holds event {}, where {}{} must be", events_ + 1,
                               sequence->value(), next_.value(),
                               filtered_ ? " or a later one" : ""));
    }
    RETURN_IF_ERROR(VerifyReadBack(*sequence, bytes_));
    const events::Event& event = *events::GetEvent(bytes_.data());
    RETURN_IF_ERROR(CheckExportLine(line, event));
    if (filtered_) {
      RETURN_IF_ERROR(CheckFilter(event));
      RETURN_IF_ERROR(sagas_.Pass(event));
    } else {
      RETURN_IF_ERROR(chain_.Pass(event));
    }
    lineages_.Pass(event);
    last_leaf_ = LeafHash(event, bytes_);
    last_time_ = TimeFromMicros(event.time());
    first_time_ = events_ == 0 ? last_time_ : first_time_;
    ++events_;
    next_ = sequence->Next();
    return visit_ ? visit_(event, bytes_) : Status();
  }

  // When all lines have passed.
  Status Finish() const {
    if (events_ != manifest_.events) {
      return Wrong(
          fmt::format("it holds {} events, its manifest says {}", events_, manifest_.events));
    }
    if (filtered_ ? next_ > manifest_.through.Next() : next_ != manifest_.through.Next()) {
      return Wrong(fmt::format("its last event is {}, its manifest says that it ends with {}",
                               next_.value() - 1, manifest_.through.value()));
    }
    if (first_time_ != manifest_.first_time || last_time_ != manifest_.last_time) {
      return Wrong("the times of its first and last event are not those of its manifest");
    }
    if (HasLast() && ToBase64(last_leaf_) != manifest_.through_leaf) {
      return Wrong(fmt::format("the leaf of its last event is {}, its manifest says {}",
                               ToBase64(last_leaf_), manifest_.through_leaf));
    }
    return manifest_.scope.IsWhole() ? CheckHistory() : Status();
  }

  // Whether the last event of the range is in it.
  [[nodiscard]] bool HasLast() const { return events_ > 0 && next_ == manifest_.through.Next(); }

 private:
  // The first event names the store, and each restore the lineage that begins.
  Status CheckHistory() const {
    const std::string lineage = lineages_.At(manifest_.through.value());
    if (lineages_.store_id() != manifest_.store_id || lineage != manifest_.lineage) {
      return Wrong(fmt::format("its events are of store {}, lineage {}; its manifest says {}, {}",
                               lineages_.store_id(), lineage, manifest_.store_id,
                               manifest_.lineage));
    }
    return {};
  }

  Status CheckFilter(const events::Event& event) {
    if (const auto* noted = event.body_as_RefusalsNoted()) {
      return IsAboutWanted(*noted)
                 ? Status()
                 : Wrong(fmt::format("event {} is not what was asked for: it notes refused calls "
                                     "about other sagas",
                                     event.sequence()));
    }
    const std::string_view saga = flatbuffers::GetStringView(event.saga_id());
    const auto* planned = event.body_as_Planned();
    if (planned != nullptr && flatbuffers::GetStringView(planned->key()) == manifest_.scope.key) {
      of_key_.emplace(saga);
    }
    return IsWanted(saga)
               ? Status()
               : Wrong(fmt::format("event {} is not what was asked for: it is of saga {}",
                                   event.sequence(), saga));
  }

  bool IsWanted(std::string_view saga) const {
    const bool wanted = manifest_.scope.saga.empty() || saga == manifest_.scope.saga;
    // A saga that was planned before the range begins cannot be asked for its key.
    const bool of_key = manifest_.scope.key.empty() || manifest_.scope.from != Sequence(1) ||
                        of_key_.contains(std::string(saga));
    return wanted && of_key;
  }

  bool IsAboutWanted(const events::RefusalsNoted& noted) const {
    return noted.refusals() != nullptr &&
           std::any_of(noted.refusals()->begin(), noted.refusals()->end(),
                       [&](const events::NotedRefusal* refusal) {
                         return IsWanted(flatbuffers::GetStringView(refusal->saga_id()));
                       });
  }

  const ExportManifest& manifest_;
  const EventLog::Visitor& visit_;
  const bool filtered_;
  Sequence next_;
  SagaChains sagas_;
  ChainCheck chain_;
  Lineages lineages_;
  EventHash last_leaf_{};
  std::string bytes_;
  std::uint64_t events_ = 0;
  std::optional<StoreTime> first_time_;
  std::optional<StoreTime> last_time_;
  std::set<std::string> of_key_;
};

// What the manifest says of the checkpoint, and of the log that it was made of.
Status CheckHead(const fs::path& directory, const ExportManifest& manifest) {
  const std::string name = (directory / kExportManifestName).string();
  const fs::path path = directory / kExportCheckpointName;
  if (manifest.log_last < manifest.through) {
    return Wrong(fmt::format("{}: log_last is {}, before the last event of its range, {}", name,
                             manifest.log_last.value(), manifest.through.value()));
  }
  const bool listed = manifest.Find(kExportCheckpointName) != nullptr;
  std::error_code error;
  const bool there = fs::exists(fs::symlink_status(path, error));
  if (manifest.checkpoint_size.has_value() != listed || (there && !listed)) {
    return Wrong(
        fmt::format("{}: what it says of a checkpoint, what it lists and what is there do "
                    "not agree",
                    name));
  }
  if (!listed) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadRegularFile(path, kNoteSizeMax));
  const auto note = SignedNote::Parse(text);
  const auto checkpoint = note.ok() ? ParseCheckpointText(note->text) : note.status();
  if (!checkpoint.ok()) {
    return Wrong(fmt::format("{}: {}", path.string(), checkpoint.status().text()));
  }
  const bool whole = manifest.scope.IsWhole();
  const std::uint64_t size = checkpoint->head.size;
  const std::uint64_t full = (whole ? manifest.through : manifest.log_last).value();
  // Nobody signs a damaged log: then it is the one from before.
  const bool fits = manifest.damage.empty() ? size == full : !whole || size <= full;
  if (size != *manifest.checkpoint_size || !fits) {
    return Wrong(fmt::format("{}: it is about {} events, while {} says {} of {}", path.string(),
                             size, name, *manifest.checkpoint_size, full));
  }
  if (manifest.checkpoint_covers != manifest.CheckpointCovers()) {
    return Wrong(fmt::format("{}: its checkpoint covers \"{}\", and not \"{}\"", name,
                             manifest.CheckpointCovers(), manifest.checkpoint_covers));
  }
  const std::string store = fmt::format("sagalog/{}/", manifest.store_id);
  const bool of_store = whole && size == manifest.through.value()
                            ? checkpoint->origin == store + manifest.lineage
                            : checkpoint->origin.starts_with(store);
  return of_store ? Status()
                  : Wrong(fmt::format("{}: it is of {}, while {} says store {}, lineage {}",
                                      path.string(), checkpoint->origin, name, manifest.store_id,
                                      manifest.lineage));
}

// Each line, in an export that has lines to be read as events.
Status CheckLines(const fs::path& directory, const EventLog::Visitor& visit,
                  CheckedExport& checked) {
  ASSIGN_OR_RETURN(const auto log, ExportLog::Open(directory));
  LineCheck check(checked.manifest, visit);
  Status passed = log->ScanLines(0, [&](std::string_view line) { return check.Pass(line); });
  passed = passed.ok() ? check.Finish() : passed;
  checked.leaf_compared = check.HasLast();
  const std::string_view data = ExportDataName(checked.manifest.scope.format);
  return passed.code() == Code::kCorruption
             ? Wrong(fmt::format("{}: {}", (directory / data).string(), passed.text()))
             : passed;
}

}  // namespace

bool IsExport(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / kExportManifestName, error) ||
         fs::exists(path / kExportJournalName, error);
}

Result<CheckedExport> CheckExport(const fs::path& directory, const EventLog::Visitor& visit) {
  if (fs::exists(directory / kExportJournalName)) {
    return ExportLog::Open(directory).status();
  }
  CheckedExport checked;
  ASSIGN_OR_RETURN(checked.manifest, ExportManifest::Read(directory));
  const ExportManifest& manifest = checked.manifest;
  const std::string_view data = ExportDataName(manifest.scope.format);
  if (manifest.Find(data) == nullptr) {
    return Wrong(
        fmt::format("{}: it does not list {}", (directory / kExportManifestName).string(), data));
  }
  // What each line says is more exact than that the whole has changed.
  if (manifest.scope.format == ExportFormat::kNdjson) {
    RETURN_IF_ERROR(CheckLines(directory, visit, checked));
  }
  for (const ExportedFile& file : manifest.files) {
    RETURN_IF_ERROR(CheckFile(directory, file));
  }
  RETURN_IF_ERROR(CheckHead(directory, manifest));
  return checked;
}

}  // namespace sagalog::tools
