#include "eventlog/log_readers.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
#include "eventlog/regular_file.h"

namespace sagalog {
namespace {

// Lines of kLogReadersMax readers are far from it.
constexpr std::uint64_t kReadersSizeMax = 1U << 20;
constexpr std::string_view kFirstLine = "sagalog readers, format 1";

std::string EndLine(std::string_view before) { return fmt::format("end {:08x}\n", Crc32c(before)); }

}  // namespace

std::unique_ptr<LogReaders> LogReaders::Load(std::filesystem::path file) {
  std::unique_ptr<LogReaders> readers(new LogReaders(std::move(file)));
  readers->damage_ = readers->Read();
  return readers;
}

Status LogReaders::Read() {
  std::error_code error;
  if (file_.empty() || !std::filesystem::exists(file_, error)) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::string bytes, ReadRegularFile(file_, kReadersSizeMax));
  const Status damaged(Code::kCorruption,
                       fmt::format("the file {} is damaged: remove it, and let the readers say "
                                   "again how far they have come",
                                   file_.string()));
  const std::size_t end = bytes.rfind("end ");
  if (end == std::string::npos || bytes.substr(end) != EndLine(bytes.substr(0, end))) {
    return damaged;
  }
  std::istringstream lines(bytes.substr(0, end));
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) {
    return {Code::kUnsupportedVersion,
            fmt::format("the file {} is of a newer program: update this one", file_.string())};
  }
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t position = 0;
    std::int64_t moved_at = 0;
    if (!(words >> name >> position >> moved_at) || position == 0) {
      return damaged;
    }
    readers_[name] = {name, Sequence(position), TimeFromMicros(moved_at)};
  }
  return {};
}

Status LogReaders::Exchange(ByName readers) {
  if (!file_.empty()) {
    std::string bytes(kFirstLine);
    bytes += '\n';
    for (const auto& [name, reader] : readers) {
      bytes += fmt::format("{} {} {}\n", name, reader.position.value(), ToMicros(reader.moved_at));
    }
    bytes += EndLine(bytes);
    std::filesystem::path written = file_;
    written += ".new";
    std::error_code error;
    std::filesystem::remove(written, error);
    RETURN_IF_ERROR(WriteFileDurably(written, bytes, nullptr));
    RETURN_IF_ERROR(RenameDurably(written, file_, nullptr));
  }
  readers_ = std::move(readers);
  return {};
}

Result<bool> LogReaders::Place(const LogReader& reader) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(damage_);
  const auto found = readers_.find(reader.name);
  if (found != readers_.end() && found->second.position == reader.position) {
    return false;
  }
  if (found == readers_.end() && readers_.size() >= kLogReadersMax) {
    return Status(Code::kOverloaded,
                  fmt::format("there are {} readers already, and no more are kept: remove one "
                              "that reads no longer",
                              readers_.size()));
  }
  ByName changed = readers_;
  changed[reader.name] = reader;
  RETURN_IF_ERROR(Exchange(std::move(changed)));
  return true;
}

Result<bool> LogReaders::Remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(damage_);
  ByName changed = readers_;
  const auto found = changed.find(name);
  if (found == changed.end()) {
    return false;
  }
  changed.erase(found);
  RETURN_IF_ERROR(Exchange(std::move(changed)));
  return true;
}

Result<std::vector<LogReader>> LogReaders::All() const {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(damage_);
  std::vector<LogReader> all;
  for (const auto& [name, reader] : readers_) {
    all.push_back(reader);
  }
  return all;
}

Result<std::optional<LogReader>> LogReaders::Slowest() const {
  ASSIGN_OR_RETURN(const std::vector<LogReader> all, All());
  const auto slowest = std::min_element(
      all.begin(), all.end(),
      [](const LogReader& a, const LogReader& b) { return a.position < b.position; });
  return slowest == all.end() ? std::nullopt : std::optional(*slowest);
}

}  // namespace sagalog
