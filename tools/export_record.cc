#include "tools/export_record.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/read_back.h"
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
  std::error_code error;
  const std::uint64_t size_bytes = fs::file_size(path, error);
  if (error) {
    return Wrong(fmt::format("{}, which the manifest lists, cannot be read: {}", path.string(),
                             error.message()));
  }
  if (size_bytes != file.size_bytes) {
    return Wrong(fmt::format("{} has {} bytes, its manifest says {}", path.string(), size_bytes,
                             file.size_bytes));
  }
  ASSIGN_OR_RETURN(const std::string digest, DigestOf(path));
  return digest == file.sha256
             ? Status()
             : Wrong(fmt::format("{} is not the file of the manifest: its SHA-256 is {}, not {}",
                                 path.string(), digest, file.sha256));
}

// Follows the lines of an export, and remembers what the manifest must say of them.
class LineCheck {
 public:
  LineCheck(const ExportManifest& manifest, const EventLog::Visitor& visit)
      : manifest_(manifest),
        visit_(visit),
        filtered_(!manifest.scope.saga.empty() || !manifest.scope.key.empty()),
        next_(manifest.scope.from),
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
    } else {
      RETURN_IF_ERROR(chain_.Pass(event));
    }
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
    return {};
  }

 private:
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
  ChainCheck chain_;
  std::string bytes_;
  std::uint64_t events_ = 0;
  std::optional<StoreTime> first_time_;
  std::optional<StoreTime> last_time_;
  std::set<std::string> of_key_;
};

}  // namespace

bool IsExport(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / kExportManifestName, error) ||
         fs::exists(path / kExportJournalName, error);
}

Result<ExportManifest> CheckExport(const fs::path& directory, const EventLog::Visitor& visit) {
  if (fs::exists(directory / kExportJournalName)) {
    return ExportLog::Open(directory).status();
  }
  ASSIGN_OR_RETURN(const ExportManifest manifest, ExportManifest::Read(directory));
  const std::string_view data = ExportDataName(manifest.scope.format);
  if (manifest.Find(data) == nullptr) {
    return Wrong(
        fmt::format("{}: it does not list {}", (directory / kExportManifestName).string(), data));
  }
  // What each line says is more exact than that the whole has changed.
  if (manifest.scope.format == ExportFormat::kNdjson) {
    ASSIGN_OR_RETURN(const auto log, ExportLog::Open(directory));
    LineCheck check(manifest, visit);
    Status passed = log->ScanLines(0, [&](std::string_view line) { return check.Pass(line); });
    passed = passed.ok() ? check.Finish() : passed;
    if (passed.code() == Code::kCorruption) {
      return Wrong(fmt::format("{}: {}", (directory / data).string(), passed.text()));
    }
    RETURN_IF_ERROR(passed);
  }
  for (const ExportedFile& file : manifest.files) {
    RETURN_IF_ERROR(CheckFile(directory, file));
  }
  if (manifest.checkpoint_size && manifest.Find(kExportCheckpointName) == nullptr) {
    return Wrong(fmt::format("{}: it does not list {}", (directory / kExportManifestName).string(),
                             kExportCheckpointName));
  }
  return manifest;
}

}  // namespace sagalog::tools
