// Whether the audit tree of a data directory, and what was signed of it, is of its log.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "projections/audit_tree_check.h"
#include "reactor/audit_checkpoint.h"
#include "schema/events_generated.h"
#include "schema/status.h"

namespace sagalog {

// Watches a pass over the log. One thread at a time.
class AuditVerification {
 public:
  // As the directory is now; an empty path is none, and nothing is wrong with it.
  [[nodiscard]] static Result<AuditVerification> Open(const std::filesystem::path& data_directory);

  // Each event, from the first on.
  void Pass(const events::Event& event, std::string_view bytes) { tree_.Pass(event, bytes); }
  // After the last one: what is wrong first, in words; empty = nothing.
  [[nodiscard]] std::string FindWrong() const;

 private:
  // Whether the log has got on, by somebody else, to as many events.
  [[nodiscard]] bool HasGrownTo(std::uint64_t events) const;
  [[nodiscard]] std::string FindWrongWithSigned() const;

  std::filesystem::path directory_;
  AuditTreeCheck tree_;
  std::optional<Checkpoint> signed_;
  // Why the largest signed checkpoint is none.
  std::string unsigned_;
};

}  // namespace sagalog
