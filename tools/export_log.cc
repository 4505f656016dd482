#include "tools/export_log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/read_back.h"
#include "eventlog/regular_file.h"
#include "schema/export_line.h"
#include "schema/verify.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

// What a search looks at first: some lines.
constexpr std::uint64_t kWindowBytes = 4096;
constexpr std::size_t kScanBytes = 1U << 20;
// A guess by proportion is nearly always right; every so many is the middle, whatever the lines'
// lengths are.
constexpr int kProbesOfAKind = 3;

Status Failed(const fs::path& path, int error) {
  return {Code::kIoError, fmt::format("cannot read {}: {}", path.string(), std::strerror(error))};
}

// Where in [low, high) `wanted` must be, when the sequences there go from `first` to `last`.
std::uint64_t Guess(std::uint64_t low, std::uint64_t high, Sequence wanted, Sequence first,
                    Sequence last, int probe) {
  const std::uint64_t size = high - low;
  if (probe % kProbesOfAKind == kProbesOfAKind - 1 || first >= last || wanted < first) {
    return low + size / 2;
  }
  const double share = static_cast<double>(wanted.value() - first.value()) /
                       static_cast<double>(last.value() - first.value());
  return low + std::min(static_cast<std::uint64_t>(share * static_cast<double>(size)), size - 1);
}

Status CheckFinished(const fs::path& directory) {
  std::error_code error;
  if (!fs::exists(directory / kExportJournalName, error)) {
    return {};
  }
  return {Code::kInvalidArgument,
          fmt::format("the export in {} is not finished: run sagalog audit export again with what "
                      "it was begun with, and it goes on",
                      directory.string())};
}

}  // namespace

Result<std::unique_ptr<ExportLog>> ExportLog::Open(const fs::path& directory) {
  RETURN_IF_ERROR(CheckFinished(directory));
  ASSIGN_OR_RETURN(ExportManifest manifest, ExportManifest::Read(directory));
  if (manifest.scope.format != ExportFormat::kNdjson) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} holds an export as {}: only one as ndjson carries what is needed "
                              "to read it as a log",
                              directory.string(), ExportFormatName(manifest.scope.format)));
  }
  const std::string_view name = ExportDataName(manifest.scope.format);
  const ExportedFile* listed = manifest.Find(name);
  if (listed == nullptr) {
    return Status(Code::kCorruption, fmt::format("{}: it does not list {}",
                                                 (directory / kExportManifestName).string(), name));
  }
  const fs::path path = directory / name;
  auto file = RegularFile::Open(path);
  if (file.status().code() == Code::kNotFound) {
    return Status(Code::kCorruption,
                  fmt::format("{}, which the manifest lists, is missing", path.string()));
  }
  RETURN_IF_ERROR(file.status());
  const std::uint64_t size_bytes = file->size_bytes();
  const std::uint64_t listed_bytes = listed->size_bytes;
  std::unique_ptr<ExportLog> log(
      new ExportLog(path, file->Release(), std::move(manifest), size_bytes));
  if (size_bytes != listed_bytes) {
    return Status(Code::kCorruption, fmt::format("{} has {} bytes, its manifest says {}",
                                                 path.string(), size_bytes, listed_bytes));
  }
  return log;
}

ExportLog::~ExportLog() { ::close(file_); }

Status ExportLog::Append(Sequence /*expected_last*/, std::span<const std::string_view> /*events*/) {
  return {Code::kReadOnly, "an export is only read"};
}

bool ExportLog::WaitBeyond(Sequence seen, std::chrono::milliseconds /*patience*/) const {
  return Last() > seen;
}

Status ExportLog::DamagedAt(std::uint64_t offset) const {
  return {Code::kCorruption,
          fmt::format("{}: the line at byte {} is no event", path_.string(), offset)};
}

Status ExportLog::ReadAt(std::uint64_t offset, std::size_t size, std::string& out) const {
  out.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file_, out.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failed(path_, errno);
    }
    if (got == 0) {
      return {Code::kCorruption, fmt::format("{} ends at byte {}", path_.string(), offset + done)};
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<ExportLog::Place> ExportLog::LineAround(std::uint64_t offset, std::uint64_t floor) const {
  std::string window;
  for (std::uint64_t reach = kWindowBytes;; reach *= 2) {
    const std::uint64_t first = offset - std::min(offset - floor, reach);
    const std::uint64_t last = std::min(size_bytes_, offset + reach);
    RETURN_IF_ERROR(ReadAt(first, last - first, window));
    const std::size_t within = offset - first;
    const std::size_t before = within == 0 ? std::string::npos : window.rfind('\n', within - 1);
    const std::size_t after = window.find('\n', within);
    if ((before != std::string::npos || first == floor) && after != std::string::npos) {
      const std::size_t begin = before == std::string::npos ? 0 : before + 1;
      const auto sequence = PeekExportLine(std::string_view(window).substr(begin));
      if (!sequence) {
        return DamagedAt(first + begin);
      }
      return Place{first + begin, first + after + 1, *sequence};
    }
    if (reach > kExportLineMax || (first == floor && last == size_bytes_)) {
      return DamagedAt(first);
    }
  }
}

Result<std::uint64_t> ExportLog::FindLine(Sequence sequence) const {
  std::uint64_t low = 0;
  std::uint64_t high = size_bytes_;
  Sequence low_sequence = manifest_.scope.from;
  Sequence high_sequence = manifest_.through.Next();
  for (int probe = 0; low < high; ++probe) {
    const std::uint64_t at = Guess(low, high, sequence, low_sequence, high_sequence, probe);
    ASSIGN_OR_RETURN(const Place place, LineAround(at, low));
    if (place.sequence == sequence) {
      return place.begin;
    }
    if (place.sequence < sequence) {
      low = place.end;
      low_sequence = place.sequence.Next();
    } else {
      high = place.begin;
      high_sequence = place.sequence;
    }
  }
  return low;
}

Status ExportLog::ScanLines(std::uint64_t offset, const LineVisitor& visitor) const {
  std::string buffer;
  std::string block;
  while (offset < size_bytes_ || !buffer.empty()) {
    const std::size_t part = std::min<std::uint64_t>(kScanBytes, size_bytes_ - offset);
    const std::uint64_t line_offset = offset - buffer.size();
    if (part == 0 || buffer.size() > kExportLineMax) {
      return DamagedAt(line_offset);
    }
    RETURN_IF_ERROR(ReadAt(offset, part, block));
    buffer += block;
    offset += part;
    std::size_t begin = 0;
    for (std::size_t end = buffer.find('\n', buffer.size() - part); end != std::string::npos;
         end = buffer.find('\n', begin)) {
      RETURN_IF_ERROR(visitor(std::string_view(buffer).substr(begin, end - begin)));
      begin = end + 1;
    }
    buffer.erase(0, begin);
  }
  return {};
}

Result<StoredEvent> ExportLog::Read(Sequence sequence) const {
  if (sequence.IsNone() || sequence < manifest_.scope.from || sequence > Last()) {
    return Status(Code::kNotFound,
                  fmt::format("there is no event {}: the export holds {} to {}", sequence.value(),
                              manifest_.scope.from.value(), Last().value()));
  }
  ASSIGN_OR_RETURN(const std::uint64_t begin, FindLine(sequence));
  std::optional<Place> place;
  if (begin < size_bytes_) {
    ASSIGN_OR_RETURN(place, LineAround(begin, begin));
  }
  if (!place || place->sequence != sequence) {
    const bool filtered = !manifest_.scope.saga.empty() || !manifest_.scope.key.empty();
    return Status(filtered ? Code::kNotFound : Code::kCorruption,
                  fmt::format("event {} is {} {}", sequence.value(),
                              filtered ? "not in the export" : "missing in", path_.string()));
  }
  std::string line;
  RETURN_IF_ERROR(ReadAt(place->begin, place->end - place->begin - 1, line));
  std::string bytes;
  if (!DecodeExportLine(line, bytes)) {
    return DamagedAt(place->begin);
  }
  RETURN_IF_ERROR(VerifyReadBack(sequence, bytes));
  return StoredEvent(std::move(bytes));
}

Status ExportLog::Scan(Sequence from, Sequence through, const Visitor& visitor) const {
  const Sequence first = std::max({from, Sequence(1), manifest_.scope.from});
  const Sequence end = std::min(through, Last());
  if (first > end) {
    return {};
  }
  const bool filtered = !manifest_.scope.saga.empty() || !manifest_.scope.key.empty();
  ChainCheck chain(first, end.value() - first.value() + 1);
  Sequence next = first;
  std::string bytes;
  bool ended = false;
  ASSIGN_OR_RETURN(const std::uint64_t begin, FindLine(first));
  const Status scanned = ScanLines(begin, [&](std::string_view line) -> Status {
    if (!filtered && next > end) {
      ended = true;
      return {Code::kCancelled, "all that was asked for"};
    }
    const auto sequence = PeekExportLine(line);
    if (!sequence || !DecodeExportLine(line, bytes)) {
      return {Code::kCorruption, fmt::format("{}: the line where event {} should be is no event",
                                             path_.string(), next.value())};
    }
    if (filtered && *sequence > end) {
      ended = true;
      return {Code::kCancelled, "all that was asked for"};
    }
    if (filtered && *sequence < next) {
      return {Code::kCorruption, fmt::format("{}: event {} stands behind a later one",
                                             path_.string(), sequence->value())};
    }
    next = filtered ? *sequence : next;
    RETURN_IF_ERROR(VerifyReadBack(next, bytes));
    const events::Event& event = *events::GetEvent(bytes.data());
    if (!filtered) {
      RETURN_IF_ERROR(chain.Pass(event));
    }
    next = next.Next();
    return visitor(event, bytes);
  });
  if (scanned.ok() && !filtered && next <= end) {
    return {Code::kCorruption,
            fmt::format("event {} is missing in {}", next.value(), path_.string())};
  }
  return ended ? Status() : scanned;
}

}  // namespace sagalog::tools
