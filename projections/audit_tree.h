// The audit tree: the Merkle tree over the bytes of all events, behind the log. docs/audit.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/hash_file.h"
#include "projections/merkle_proof.h"
#include "schema/status.h"

namespace sagalog {

// Where the tree is below the projections of a data directory.
inline constexpr std::string_view kAuditTreeDirectoryName = "audit";

// The files of the tree: the one at i keeps the nodes of level kAuditGroupLevel * (i + 1).
inline constexpr unsigned kAuditGroupLevel = 8;
// 2^56 events are enough.
inline constexpr std::size_t kAuditFilesMax = 7;
[[nodiscard]] std::filesystem::path AuditNodesPath(const std::filesystem::path& directory,
                                                   std::size_t file);

// Whose log it is, and since when: a restore begins a lineage.
class Lineages {
 public:
  // Looks at the next event, or again at one; whether it says something new.
  bool Pass(const events::Event& event);
  // The lineage of the log's event `size`, "first" before any restore.
  [[nodiscard]] std::string At(std::uint64_t size) const;
  // Empty when the log has not said.
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  // "sagalog/STORE/LINEAGE": what a checkpoint of the first `size` events is of.
  [[nodiscard]] std::string OriginAt(std::uint64_t size) const;

  // As lines of text, with a checksum.
  [[nodiscard]] std::string Encode() const;
  [[nodiscard]] static std::optional<Lineages> Parse(std::string_view text);
  // What the tree in `directory` says of itself; none = nothing, or it is damaged.
  [[nodiscard]] static std::optional<Lineages> Read(const std::filesystem::path& directory);
  // What is said of the first `size` events.
  [[nodiscard]] Lineages Until(std::uint64_t size) const;

  friend bool operator==(const Lineages&, const Lineages&) = default;

 private:
  std::string store_id_;
  // Each by the event that began it.
  std::vector<std::pair<std::uint64_t, std::string>> begun_;
};

// Keeps one hash for 256 events, one for 256 of those, and so on; what is below is hashed again
// from the log when somebody asks. So it takes little room, and no memory that grows with the log.
// May be deleted at any time. One thread at a time.
class AuditTree final : public MerkleNodes {
 public:
  enum class Mode {
    // In the directory, which is created; read-only when it cannot be, or while another keeps it.
    kKeep,
    // Takes what is in the directory; what is missing stays in memory.
    kReadOnly,
  };

  // The tree of `log`, which is borrowed. What was kept of another log, or is damaged, is thrown
  // away. An empty directory is none: all stays in memory.
  [[nodiscard]] static Result<std::unique_ptr<AuditTree>> Open(
      const EventLog& log, const std::filesystem::path& directory, Mode mode);

  AuditTree(const AuditTree&) = delete;
  AuditTree& operator=(const AuditTree&) = delete;
  ~AuditTree() override;

  // How many events it holds.
  [[nodiscard]] std::uint64_t size() const { return groups() * kGroup + tail_.size(); }
  // Takes at most `events_max` more events of the log.
  Status Advance(std::uint64_t events_max);
  // Takes all events up to `through`.
  Status CatchUp(Sequence through);
  // Throws everything away, to begin anew.
  Status Clear();

  // Of the first `size` events, which it holds.
  [[nodiscard]] Result<TreeHead> HeadAt(std::uint64_t size) const;
  // What an event counts as, from its place counted from 0.
  [[nodiscard]] Result<EventHash> Leaf(std::uint64_t index) const { return Node(0, index); }
  [[nodiscard]] Result<EventHash> Node(unsigned level, std::uint64_t index) const override;
  [[nodiscard]] const Lineages& lineages() const { return lineages_; }

 private:
  static constexpr unsigned kGroupLevel = kAuditGroupLevel;
  static constexpr std::uint64_t kGroup = 1U << kGroupLevel;
  static constexpr std::size_t kFilesMax = kAuditFilesMax;

  AuditTree(const EventLog& log, std::filesystem::path directory, Mode mode)
      : log_(log), directory_(std::move(directory)), mode_(mode) {}

  [[nodiscard]] std::uint64_t groups() const { return files_.front().size(); }
  // Makes it read-only unless it has the directory for itself.
  void TakeDirectory();
  Status OpenFiles();
  // Whether what was kept is of this log.
  [[nodiscard]] Result<bool> Fits() const;
  Status CloseGroup();
  Status SaveLineages();
  [[nodiscard]] Result<std::vector<EventHash>> LeavesOf(std::uint64_t group) const;

  const EventLog& log_;
  const std::filesystem::path directory_;
  Mode mode_;
  int lock_ = -1;  // the directory, locked
  std::vector<HashFile> files_;
  std::vector<EventHash> tail_;  // the leaves behind the last whole group
  Lineages lineages_;
  bool lineages_are_saved_ = false;
  // The leaves that were read last, of a whole group.
  mutable std::optional<std::pair<std::uint64_t, std::vector<EventHash>>> leaves_;
};

}  // namespace sagalog
