#include "reactor/store_event_index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
#include "projections/event_mark.h"

namespace sagalog {
namespace {

// The file: this, the sequence it goes through, the mark of that event, each 8 bytes; the
// sequences; the CRC-32C of all that, in 8 bytes.
constexpr std::uint64_t kMagic = 0x3165726F74536753;  // "SgStore1"
constexpr std::size_t kHeaderNumbers = 3;

constexpr std::array kTypes = {events::Body::StoreOpened, events::Body::StoreRestored,
                               events::Body::HostSuspended, events::Body::QueueConfigured,
                               events::Body::PolicyChanged};

bool IsIndexed(events::Body type) {
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::string Bytes(const std::vector<std::uint64_t>& numbers) {
  std::string bytes(numbers.size() * sizeof(std::uint64_t), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

// The numbers of a whole file; none = it is not one.
std::vector<std::uint64_t> ReadNumbers(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::uint64_t> numbers(bytes.size() / sizeof(std::uint64_t));
  if (bytes.size() % sizeof(std::uint64_t) != 0 || numbers.size() <= kHeaderNumbers) {
    return {};
  }
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  const std::string_view content(bytes.data(), bytes.size() - sizeof(std::uint64_t));
  const bool whole = numbers.front() == kMagic && numbers.back() == Crc32c(content);
  numbers.pop_back();
  return whole ? numbers : std::vector<std::uint64_t>();
}

}  // namespace

std::uint64_t StoreEventIndex::CountIn(const Statistics& statistics) {
  std::uint64_t count = 0;
  for (const events::Body type : kTypes) {
    count += statistics.events_by_type[static_cast<std::size_t>(type)];
  }
  return count;
}

Result<std::vector<Sequence>> StoreEventIndex::Find(const EventLog& log, Sequence through,
                                                    std::uint64_t counted) {
  const std::lock_guard lock(mutex_);
  Load(log);
  RETURN_IF_ERROR(CatchUp(log, through, counted));
  if (through_.value() - saved_through_.value() >= kSaveEvents) {
    SaveExcluded(log).IgnoreBecause("it can be made anew");
  }
  return std::vector<Sequence>(sequences_.begin(),
                               std::upper_bound(sequences_.begin(), sequences_.end(), through));
}

Status StoreEventIndex::CatchUp(const EventLog& log, Sequence through, std::uint64_t counted) {
  if (through <= through_) {
    return {};
  }
  if (counted == sequences_.size()) {
    through_ = through;
    return {};
  }
  RETURN_IF_ERROR(ScanThrough(log, through));
  if (counted != sequences_.size()) {
    // The file was of another history.
    through_ = Sequence();
    sequences_.clear();
    return ScanThrough(log, through);
  }
  return {};
}

Status StoreEventIndex::ScanThrough(const EventLog& log, Sequence through) {
  std::vector<Sequence> found;
  RETURN_IF_ERROR(
      log.Scan(through_.Next(), through, [&](const events::Event& event, std::string_view) {
        if (IsIndexed(event.body_type())) {
          found.emplace_back(event.sequence());
        }
        return Status();
      }));
  sequences_.insert(sequences_.end(), found.begin(), found.end());
  through_ = through;
  return {};
}

// Believed only when the newest event that it knows is the log's.
void StoreEventIndex::Load(const EventLog& log) {
  if (std::exchange(loaded_, true) || file_.empty()) {
    return;
  }
  const std::vector<std::uint64_t> numbers = ReadNumbers(file_);
  if (numbers.empty()) {
    return;
  }
  const Sequence through(numbers[1]);
  const Result<StoredEvent> newest = log.Read(through);
  if (newest.ok() && EventMark(**newest) == numbers[2]) {
    through_ = through;
    saved_through_ = through;
    for (std::size_t i = kHeaderNumbers; i < numbers.size(); ++i) {
      sequences_.emplace_back(numbers[i]);
    }
  }
}

Status StoreEventIndex::Save(const EventLog& log) {
  const std::lock_guard lock(mutex_);
  return SaveExcluded(log);
}

Status StoreEventIndex::SaveExcluded(const EventLog& log) {
  if (file_.empty() || !may_write_ || through_ == saved_through_) {
    return {};
  }
  ASSIGN_OR_RETURN(const StoredEvent newest, log.Read(through_));
  std::vector<std::uint64_t> numbers = {kMagic, through_.value(), EventMark(*newest)};
  for (const Sequence sequence : sequences_) {
    numbers.push_back(sequence.value());
  }
  const std::string content = Bytes(numbers);
  numbers.push_back(Crc32c(content));
  std::filesystem::path fresh = file_;
  fresh += ".new";
  std::error_code error;
  std::filesystem::remove(fresh, error);
  RETURN_IF_ERROR(WriteFileDurably(fresh, Bytes(numbers), nullptr));
  RETURN_IF_ERROR(RenameDurably(fresh, file_, nullptr));
  saved_through_ = through_;
  return {};
}

}  // namespace sagalog
