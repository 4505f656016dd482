// Whether the audit tree that is kept is that of the log: what `sagalog verify` asks on its pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/audit_tree.h"
#include "projections/hash_file.h"
#include "projections/merkle_proof.h"
#include "projections/merkle_tree.h"
#include "schema/events_generated.h"
#include "schema/status.h"

namespace sagalog {

// Compares the tree's files, as they were when it was opened, with what the events hash to. Writes
// nothing, needs no memory that grows with the log, and may stand beside who keeps the tree. One
// thread at a time.
class AuditTreeCheck {
 public:
  // No folder is no tree: then nothing is wrong with it.
  [[nodiscard]] static Result<AuditTreeCheck> Open(const std::filesystem::path& directory);

  // The next event, from the first one on; its bytes as they are stored.
  void Pass(const events::Event& event, std::string_view bytes);

  // How many events there must be at least, so that all that is kept is of them.
  [[nodiscard]] std::uint64_t NeededEvents() const { return needed_; }
  // After the last event: the first thing that is wrong, in words; empty = nothing. `may_be_ahead`:
  // of more events than have passed is nothing wrong.
  [[nodiscard]] std::string FindWrong(bool may_be_ahead) const;

  // Remembers the root of the first `size` events, when they pass.
  void NoteRootAt(std::uint64_t size) { noted_size_ = size; }
  [[nodiscard]] const std::optional<EventHash>& noted_root() const { return noted_root_; }
  // How many events have passed.
  [[nodiscard]] std::uint64_t size() const { return passed_; }
  [[nodiscard]] const Lineages& lineages() const { return lineages_; }

 private:
  struct Level {
    std::string name;
    HashFile file;
    std::uint64_t kept = 0;    // hashes in the file when it was opened
    std::uint64_t passed = 0;  // hashes that the events gave
  };

  void Compare(std::size_t file, const EventHash& node);

  std::vector<Level> levels_;
  std::optional<Lineages> kept_lineages_;
  Lineages lineages_;
  std::uint64_t passed_ = 0;
  std::uint64_t needed_ = 0;  // NeededEvents
  MerkleTree tree_;           // of the events that are needed
  std::uint64_t noted_size_ = 0;
  std::optional<EventHash> noted_root_;
  std::string wrong_;
};

}  // namespace sagalog
