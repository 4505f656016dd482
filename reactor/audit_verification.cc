#include "reactor/audit_verification.h"

#include <utility>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "eventlog/head_file.h"
#include "projections/merkle_tree.h"
#include "reactor/audit_keys.h"

namespace sagalog {

Result<AuditVerification> AuditVerification::Open(const std::filesystem::path& data_directory) {
  AuditVerification audit;
  audit.directory_ = data_directory;
  if (data_directory.empty()) {
    return audit;
  }
  ASSIGN_OR_RETURN(audit.tree_, AuditTreeCheck::Open(data_directory / kProjectionsDirectoryName /
                                                     kAuditTreeDirectoryName));
  Result<std::optional<Checkpoint>> found = AuditKeys(data_directory).LargestSigned();
  if (!found.ok() && found.status().code() == Code::kIoError) {
    return found.status();
  }
  if (!found.ok()) {
    audit.unsigned_ = found.status().text();
  } else if (*found) {
    audit.signed_ = **std::move(found);
    audit.tree_.NoteRootAt(audit.signed_->head.size);
  }
  return audit;
}

bool AuditVerification::HasGrownTo(std::uint64_t events) const {
  const Result<Sequence> last = HeadFile::Read(directory_ / kHeadFileName);
  return last.ok() && last->value() >= events;
}

std::string AuditVerification::FindWrong() const {
  // Beside a daemon the tree may be of more events than were read.
  const bool is_behind = tree_.NeededEvents() > tree_.size() && HasGrownTo(tree_.NeededEvents());
  const std::string wrong = tree_.FindWrong(is_behind);
  if (!wrong.empty()) {
    return fmt::format(
        "the audit tree is not that of the log: {}. Once you know why, delete {}: "
        "it is made again",
        wrong, (directory_ / kProjectionsDirectoryName / kAuditTreeDirectoryName).string());
  }
  return FindWrongWithSigned();
}

std::string AuditVerification::FindWrongWithSigned() const {
  const std::string name = (directory_ / kAuditDirectoryName / "signed").string();
  if (!unsigned_.empty()) {
    return fmt::format("{}: {}", name, unsigned_);
  }
  if (!signed_) {
    return {};
  }
  const std::uint64_t size = signed_->head.size;
  // A checkpoint of another lineage is left behind by a restore.
  if (signed_->origin != tree_.lineages().OriginAt(size) || size == 0) {
    return {};
  }
  if (size > tree_.size()) {
    return HasGrownTo(size) ? std::string()
                            : fmt::format("{}: {} events were signed, and the log has {}", name,
                                          size, tree_.size());
  }
  const EventHash& root = *tree_.noted_root();
  return root == signed_->head.root
             ? std::string()
             : fmt::format(
                   "{}: the first {} events are not those that were signed: their root "
                   "is {}, the signed one {}",
                   name, size, ToBase64(root), ToBase64(signed_->head.root));
}

}  // namespace sagalog
