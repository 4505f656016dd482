#include "projections/audit_tree_check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sagalog {
namespace {

// How many events stand under one hash of a file.
std::uint64_t EventsUnder(std::size_t file) { return 1ULL << (kAuditGroupLevel * (file + 1)); }

}  // namespace

Result<AuditTreeCheck> AuditTreeCheck::Open(const std::filesystem::path& directory) {
  AuditTreeCheck check;
  check.levels_.resize(kAuditFilesMax);
  // The lowest first: what is added meanwhile is written from the highest on, so that what the
  // lowest holds now the others hold too.
  for (std::size_t i = 0; i < kAuditFilesMax; ++i) {
    Level& level = check.levels_[i];
    const std::filesystem::path path = AuditNodesPath(directory, i);
    level.name = path.filename().string();
    ASSIGN_OR_RETURN(level.file, HashFile::Open(path, true));
    level.kept = level.file.size();
    check.needed_ = std::max(check.needed_, level.kept * EventsUnder(i));
  }
  check.kept_lineages_ = Lineages::Read(directory);
  return check;
}

void AuditTreeCheck::Pass(const events::Event& event, std::string_view bytes) {
  ++passed_;
  lineages_.Pass(event);
  if (passed_ > std::max(needed_, noted_size_)) {
    return;
  }
  tree_.Append(LeafHash(event, bytes), [this](unsigned level, const EventHash& node) {
    if (level % kAuditGroupLevel == 0) {
      Compare(level / kAuditGroupLevel - 1, node);
    }
  });
  if (tree_.size() == noted_size_) {
    noted_root_ = tree_.Root();
  }
}

void AuditTreeCheck::Compare(std::size_t file, const EventHash& node) {
  if (file >= levels_.size()) {
    return;
  }
  Level& level = levels_[file];
  const std::uint64_t index = level.passed++;
  if (index >= level.kept || !wrong_.empty()) {
    return;
  }
  const Result<EventHash> kept = level.file.Read(index);
  if (!kept.ok()) {
    wrong_ = kept.status().text();
  } else if (*kept != node) {
    const std::uint64_t events = EventsUnder(file);
    wrong_ = fmt::format("hash {} of {} is not that of the events {} to {}", index, level.name,
                         index * events + 1, (index + 1) * events);
  }
}

std::string AuditTreeCheck::FindWrong(bool may_be_ahead) const {
  if (!wrong_.empty() || levels_.empty()) {
    return wrong_;
  }
  for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
    if (levels_[i + 1].kept < levels_[i].kept * EventsUnder(i) / EventsUnder(i + 1)) {
      return fmt::format("{} holds {} hashes, fewer than {} needs", levels_[i + 1].name,
                         levels_[i + 1].kept, levels_[i].name);
    }
  }
  if (needed_ > passed_ && !may_be_ahead) {
    return fmt::format("it is of {} events, and the log has {}", needed_, passed_);
  }
  const std::uint64_t events = std::min(needed_, passed_);
  if (events == 0) {
    return {};
  }
  if (!kept_lineages_) {
    return "its file lineages is missing or damaged";
  }
  // It may know more than these events, when it was written later.
  return kept_lineages_->Until(events) == lineages_.Until(events)
             ? std::string()
             : "its file lineages does not say what the log says";
}

}  // namespace sagalog
