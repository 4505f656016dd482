#include "reactor/audit_proof.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "eventlog/read_back.h"
#include "schema/base64.h"

namespace sagalog {
namespace {

constexpr std::string_view kEventTitle = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kGrowthTitle = "sagalog/consistency-proof@v1";

Status NoProof(std::string_view what) {
  return {Code::kInvalidArgument, fmt::format("this is no proof of an audit tree: {}", what)};
}

// The lines up to the first empty one, one by one; behind it is the checkpoint.
class ProofLines {
 public:
  explicit ProofLines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool AtEnd() const { return rest_.empty() || rest_.front() == '\n'; }
  std::string_view Next() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line;
  }
  // What stands behind "NAME "; nothing when the next line is another.
  std::optional<std::string_view> Next(std::string_view name) {
    if (!rest_.starts_with(name) || !rest_.substr(name.size()).starts_with(' ')) {
      return std::nullopt;
    }
    return Next().substr(name.size() + 1);
  }
  [[nodiscard]] std::string_view Checkpoint() const {
    return rest_.empty() ? rest_ : rest_.substr(1);
  }

 private:
  std::string_view rest_;
};

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

std::optional<EventHash> ParseHash(std::string_view text) {
  const auto bytes = DecodeBase64(text);
  if (!bytes || bytes->size() != kEventHashSize) {
    return std::nullopt;
  }
  EventHash hash{};
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

Result<MerkleProof> ParsePath(ProofLines& lines) {
  MerkleProof path;
  while (!lines.AtEnd()) {
    const auto hash = ParseHash(lines.Next());
    // A path is no longer than a number has bits.
    if (!hash || path.size() > 64) {
      return NoProof("a line of its path is no hash");
    }
    path.push_back(*hash);
  }
  return path;
}

std::string PathText(const MerkleProof& path) {
  std::string text;
  for (const EventHash& hash : path) {
    text += ToBase64(hash) + "\n";
  }
  return text;
}

Result<AuditProof> ParseEventProof(ProofLines lines) {
  const auto extra = lines.Next("extra");
  const auto bytes = extra ? DecodeBase64(*extra) : std::nullopt;
  const auto index_text = lines.Next("index");
  const auto index = index_text ? ParseNumber(*index_text) : std::nullopt;
  if (!bytes || !index) {
    return NoProof("the event in a line \"extra …\" and a line \"index …\" are expected");
  }
  EventProof proof{*index, std::string(bytes->begin(), bytes->end()), {}, {}};
  ASSIGN_OR_RETURN(proof.path, ParsePath(lines));
  proof.checkpoint = lines.Checkpoint();
  return AuditProof(std::move(proof));
}

Result<AuditProof> ParseGrowthProof(ProofLines lines) {
  const std::string_view from = lines.Next("from").value_or("");
  const std::size_t space = std::min(from.find(' '), from.size());
  const auto size = ParseNumber(from.substr(0, space));
  const auto root = ParseHash(from.substr(std::min(space + 1, from.size())));
  if (!size || !root) {
    return NoProof("a line \"from SIZE ROOT\" is expected");
  }
  GrowthProof proof{{*size, *root}, {}, {}};
  ASSIGN_OR_RETURN(proof.path, ParsePath(lines));
  proof.checkpoint = lines.Checkpoint();
  return AuditProof(std::move(proof));
}

Status Verify(const EventProof& proof, const TreeHead& head) {
  const Sequence sequence(proof.index + 1);
  RETURN_IF_ERROR(VerifyReadBack(sequence, proof.event));
  const EventHash leaf = LeafHash(*events::GetEvent(proof.event.data()), proof.event);
  if (!VerifyInclusion(leaf, proof.index, head, proof.path)) {
    return {Code::kCorruption,
            fmt::format("the proof does not hold: it does not lead from event {} to the root of "
                        "the {} events that were signed",
                        sequence.value(), head.size)};
  }
  return {};
}

Status Verify(const GrowthProof& proof, const TreeHead& head) {
  if (!VerifyConsistency(proof.from, head, proof.path)) {
    return {Code::kCorruption,
            fmt::format("the proof does not hold: it does not lead from {} events to the {} that "
                        "were signed",
                        proof.from.size, head.size)};
  }
  return {};
}

}  // namespace

bool IsOfHashOnly(const EventProof& proof) { return IsStub(*events::GetEvent(proof.event.data())); }

std::string ToText(const EventProof& proof) {
  std::string text = fmt::format("{}\nextra ", kEventTitle);
  AppendBase64(text,
               {reinterpret_cast<const std::uint8_t*>(proof.event.data()), proof.event.size()});
  return text +
         fmt::format("\nindex {}\n{}\n{}", proof.index, PathText(proof.path), proof.checkpoint);
}

std::string ToText(const GrowthProof& proof) {
  return fmt::format("{}\nfrom {} {}\n{}\n{}", kGrowthTitle, proof.from.size,
                     ToBase64(proof.from.root), PathText(proof.path), proof.checkpoint);
}

Result<AuditProof> ParseAuditProof(std::string_view text) {
  ProofLines lines(text.substr(0, kNoteSizeMax));
  const std::string_view title = lines.Next();
  if (title == kEventTitle) {
    return ParseEventProof(lines);
  }
  if (title == kGrowthTitle) {
    return ParseGrowthProof(lines);
  }
  return NoProof("it begins otherwise");
}

Result<EventProof> ProveEvent(const AuditTree& tree, const EventLog& log, const AuditKeys& keys,
                              Sequence sequence) {
  if (sequence.IsNone() || sequence.value() > tree.size()) {
    return Status(Code::kNotFound, fmt::format("there is no event {}: the log has events 1 to {}",
                                               sequence.value(), tree.size()));
  }
  EventProof proof;
  proof.index = sequence.value() - 1;
  ASSIGN_OR_RETURN(const StoredEvent event, log.Read(sequence));
  proof.event = event.bytes();
  ASSIGN_OR_RETURN(proof.path, ProveInclusion(tree, proof.index, tree.size()));
  ASSIGN_OR_RETURN(proof.checkpoint, keys.Sign(tree, tree.size()));
  return proof;
}

Result<GrowthProof> ProveGrowth(const AuditTree& tree, const AuditKeys& keys, std::uint64_t from) {
  if (from > tree.size()) {
    return Status(Code::kNotFound,
                  fmt::format("the log has {} events, fewer than {}", tree.size(), from));
  }
  GrowthProof proof;
  ASSIGN_OR_RETURN(proof.from, tree.HeadAt(from));
  ASSIGN_OR_RETURN(proof.path, ProveConsistency(tree, from, tree.size()));
  ASSIGN_OR_RETURN(proof.checkpoint, keys.Sign(tree, tree.size()));
  return proof;
}

Result<Checkpoint> VerifyProof(const AuditProof& proof, std::span<const VerifierKey> keys) {
  const std::string& note =
      std::visit([](const auto& any) -> const std::string& { return any.checkpoint; }, proof);
  ASSIGN_OR_RETURN(Checkpoint checkpoint, VerifyCheckpoint(note, keys));
  RETURN_IF_ERROR(std::visit([&](const auto& any) { return Verify(any, checkpoint.head); }, proof));
  return checkpoint;
}

}  // namespace sagalog
