#include "projections/audit_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
#include "schema/check.h"
#include "schema/text_view.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kLineagesName = "lineages";
constexpr std::string_view kLineagesWords = "sagalog audit tree, format 1";
constexpr std::string_view kFirstLineage = "first";
// What is handed to the kernel at once: 16 MB of events or so.
constexpr std::uint64_t kEventsAtOnce = 65'536;

// The root of a power of two of nodes, which are used up.
EventHash RootOfAll(std::vector<EventHash> nodes) {
  while (nodes.size() > 1) {
    for (std::size_t i = 0; i < nodes.size() / 2; ++i) {
      nodes[i] = NodeHash(nodes[2 * i], nodes[2 * i + 1]);
    }
    nodes.resize(nodes.size() / 2);
  }
  return nodes.front();
}

}  // namespace

fs::path AuditNodesPath(const fs::path& directory, std::size_t file) {
  return directory / fmt::format("nodes-{:02}", kAuditGroupLevel * (file + 1));
}

bool Lineages::Pass(const events::Event& event) {
  if (const events::StoreOpened* opened = event.body_as_StoreOpened()) {
    const bool is_news = store_id_.empty();
    if (is_news) {
      store_id_ = View(opened->store_id());
    }
    return is_news;
  }
  const events::StoreRestored* restored = event.body_as_StoreRestored();
  if (restored == nullptr || (!begun_.empty() && event.sequence() <= begun_.back().first)) {
    return false;
  }
  begun_.emplace_back(event.sequence(), View(restored->lineage()));
  return true;
}

std::string Lineages::At(std::uint64_t size) const {
  std::string lineage(kFirstLineage);
  for (const auto& [sequence, name] : begun_) {
    if (sequence <= size) {
      lineage = name;
    }
  }
  return lineage;
}

std::string Lineages::OriginAt(std::uint64_t size) const {
  return fmt::format("sagalog/{}/{}", store_id_, At(size));
}

std::string Lineages::Encode() const {
  std::string text = fmt::format("{}\nstore {}\n", kLineagesWords, store_id_);
  for (const auto& [sequence, name] : begun_) {
    text += fmt::format("lineage {} {}\n", sequence, name);
  }
  return text + fmt::format("end {:08x}\n", Crc32c(text));
}

std::optional<Lineages> Lineages::Parse(std::string_view text) {
  const std::size_t end = text.rfind("end ");
  if (end == std::string_view::npos ||
      text.substr(end) != fmt::format("end {:08x}\n", Crc32c(text.substr(0, end)))) {
    return std::nullopt;
  }
  std::istringstream lines{std::string(text.substr(0, end))};
  std::string line;
  if (!std::getline(lines, line) || line != kLineagesWords) {
    return std::nullopt;
  }
  Lineages lineages;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string what;
    std::uint64_t sequence = 0;
    std::string name;
    words >> what;
    if (what == "store") {
      words >> lineages.store_id_;
    } else if (words >> sequence >> name) {
      lineages.begun_.emplace_back(sequence, name);
    }
  }
  return lineages;
}

std::optional<Lineages> Lineages::Read(const fs::path& directory) {
  std::ifstream file(directory / kLineagesName);
  return Parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

Lineages Lineages::Until(std::uint64_t size) const {
  Lineages until;
  until.store_id_ = store_id_;
  for (const auto& [sequence, name] : begun_) {
    if (sequence <= size) {
      until.begun_.emplace_back(sequence, name);
    }
  }
  return until;
}

Result<std::unique_ptr<AuditTree>> AuditTree::Open(const EventLog& log, const fs::path& directory,
                                                   Mode mode) {
  std::unique_ptr<AuditTree> tree(new AuditTree(log, directory, mode));
  tree->TakeDirectory();
  RETURN_IF_ERROR(tree->OpenFiles());
  const Result<bool> fits = tree->Fits();
  if (!fits.ok() && fits.status().code() != Code::kCorruption) {
    return fits.status();
  }
  if (!fits.ok() || !*fits) {
    RETURN_IF_ERROR(tree->Clear());
  }
  return tree;
}

AuditTree::~AuditTree() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

void AuditTree::TakeDirectory() {
  if (mode_ == Mode::kReadOnly) {
    return;
  }
  mode_ = Mode::kReadOnly;
  if (directory_.empty()) {
    return;
  }
  std::error_code error;
  fs::create_directories(directory_, error);
  lock_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ >= 0 && ::access(directory_.c_str(), W_OK) == 0 &&
      ::flock(lock_, LOCK_EX | LOCK_NB) == 0) {
    mode_ = Mode::kKeep;
  }
}

Status AuditTree::OpenFiles() {
  files_.clear();
  files_.resize(kFilesMax);
  if (directory_.empty()) {
    return {};
  }
  std::error_code error;
  for (std::size_t i = 0; i < kFilesMax; ++i) {
    const fs::path path = AuditNodesPath(directory_, i);
    // The higher ones have their first hash after 2^24 events and more.
    if (i == 0 || mode_ == Mode::kKeep || fs::exists(path, error)) {
      ASSIGN_OR_RETURN(files_[i], HashFile::Open(path, mode_ == Mode::kReadOnly));
    }
  }
  auto lineages = Lineages::Read(directory_);
  if (!lineages || groups() == 0) {
    return files_.front().Truncate(0);
  }
  lineages_ = *std::move(lineages);
  lineages_are_saved_ = true;
  return {};
}

Result<bool> AuditTree::Fits() const {
  if (groups() == 0) {
    return true;
  }
  if (size() > log_.Last().value()) {
    return false;
  }
  for (std::size_t i = 1; i < kFilesMax; ++i) {
    if (files_[i].size() < files_[i - 1].size() / kGroup) {
      return false;
    }
  }
  ASSIGN_OR_RETURN(const EventHash kept, files_.front().Read(groups() - 1));
  ASSIGN_OR_RETURN(std::vector<EventHash> leaves, LeavesOf(groups() - 1));
  return kept == RootOfAll(std::move(leaves));
}

Status AuditTree::Clear() {
  for (HashFile& file : files_) {
    RETURN_IF_ERROR(file.Truncate(0));
  }
  tail_.clear();
  leaves_.reset();
  lineages_ = {};
  lineages_are_saved_ = false;
  return {};
}

Status AuditTree::CatchUp(Sequence through) {
  while (size() < through.value()) {
    const std::uint64_t before = size();
    RETURN_IF_ERROR(Advance(through.value() - before));
    if (size() == before) {
      return {Code::kNotFound,
              fmt::format("the log ends at {}, before {}", size(), through.value())};
    }
  }
  return {};
}

Status AuditTree::Advance(std::uint64_t events_max) {
  const std::uint64_t from = size() + 1;
  const std::uint64_t count = std::min(events_max, kEventsAtOnce);
  const auto visit = [this](const events::Event& event, std::string_view bytes) {
    if (lineages_.Pass(event)) {
      lineages_are_saved_ = false;
    }
    tail_.push_back(LeafHash(event, bytes));
    return tail_.size() == kGroup ? CloseGroup() : Status();
  };
  const Status scanned = log_.Scan(Sequence(from), Sequence(from + count - 1), visit);
  // The highest first, so that whoever opens the files meanwhile finds all that the lowest needs.
  for (auto file = files_.rbegin(); mode_ == Mode::kKeep && file != files_.rend(); ++file) {
    RETURN_IF_ERROR(file->Flush());
  }
  return scanned;
}

Status AuditTree::CloseGroup() {
  if (!lineages_are_saved_ && mode_ == Mode::kKeep) {
    RETURN_IF_ERROR(SaveLineages());
  }
  files_.front().Append(RootOfAll(std::move(tail_)));
  tail_.clear();
  tail_.reserve(kGroup);
  for (std::size_t i = 0; i + 1 < kFilesMax && files_[i].size() % kGroup == 0; ++i) {
    ASSIGN_OR_RETURN(std::vector<EventHash> nodes,
                     files_[i].Read(files_[i].size() - kGroup, kGroup));
    // What a crash has left there beyond the level below.
    if (files_[i + 1].size() >= files_[i].size() / kGroup) {
      RETURN_IF_ERROR(files_[i + 1].Truncate(files_[i].size() / kGroup - 1));
    }
    files_[i + 1].Append(RootOfAll(std::move(nodes)));
  }
  return {};
}

// Before the nodes of the events that it was read from.
Status AuditTree::SaveLineages() {
  const fs::path unfinished = directory_ / "lineages.new";
  std::error_code error;
  fs::remove(unfinished, error);
  RETURN_IF_ERROR(WriteFileDurably(unfinished, lineages_.Encode(), nullptr));
  RETURN_IF_ERROR(RenameDurably(unfinished, directory_ / kLineagesName, nullptr));
  lineages_are_saved_ = true;
  return {};
}

Result<std::vector<EventHash>> AuditTree::LeavesOf(std::uint64_t group) const {
  if (group == groups()) {
    return tail_;
  }
  if (leaves_ && leaves_->first == group) {
    return leaves_->second;
  }
  std::vector<EventHash> leaves;
  leaves.reserve(kGroup);
  RETURN_IF_ERROR(log_.Scan(Sequence(group * kGroup + 1), Sequence((group + 1) * kGroup),
                            [&leaves](const events::Event& event, std::string_view bytes) {
                              leaves.push_back(LeafHash(event, bytes));
                              return Status();
                            }));
  if (leaves.size() != kGroup) {
    return Status(Code::kCorruption,
                  fmt::format("the log ends before event {}", (group + 1) * kGroup));
  }
  leaves_ = {group, leaves};
  return leaves;
}

Result<EventHash> AuditTree::Node(unsigned level, std::uint64_t index) const {
  CHECK(((index + 1) << level) <= size());
  if (level < kGroupLevel) {
    const std::uint64_t first = index << level;
    ASSIGN_OR_RETURN(const std::vector<EventHash> leaves, LeavesOf(first / kGroup));
    const auto begin = leaves.begin() + static_cast<std::ptrdiff_t>(first % kGroup);
    return RootOfAll({begin, begin + (std::ptrdiff_t{1} << level)});
  }
  const unsigned above = level % kGroupLevel;
  const HashFile& file = files_[level / kGroupLevel - 1];
  ASSIGN_OR_RETURN(std::vector<EventHash> nodes,
                   file.Read(index << above, std::size_t{1} << above));
  return RootOfAll(std::move(nodes));
}

Result<TreeHead> AuditTree::HeadAt(std::uint64_t size) const {
  CHECK(size <= this->size());
  ASSIGN_OR_RETURN(const EventHash root, RootOf(*this, size));
  return TreeHead{size, root};
}

}  // namespace sagalog
