#include "reactor/audit_checkpoint.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "reactor/audit_keys.h"
#include "schema/base64.h"

namespace sagalog {
namespace {

// The next line, which is taken from `text`; nothing when it has no end.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) {
    return std::nullopt;
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || fmt::to_string(size) != text) {
    return std::nullopt;
  }
  return size;
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.head.size,
                     ToBase64(checkpoint.head.root));
}

Result<Checkpoint> ParseCheckpointText(std::string_view text) {
  const Status wrong(Code::kInvalidArgument,
                     "this is no checkpoint: an origin, a size and a root are expected, a line "
                     "each");
  const auto origin = TakeLine(text);
  const auto size_text = TakeLine(text);
  const auto root_text = TakeLine(text);
  if (!origin || origin->empty() || !size_text || !root_text) {
    return wrong;
  }
  const auto size = ParseSize(*size_text);
  const auto root = DecodeBase64(*root_text);
  if (!size || !root || root->size() != kEventHashSize) {
    return wrong;
  }
  Checkpoint checkpoint{std::string(*origin), {*size, {}}};
  std::copy(root->begin(), root->end(), checkpoint.head.root.begin());
  return checkpoint;
}

// A key's name is the origin that it signs for: a key of another log says nothing of this one.
Result<Checkpoint> VerifyCheckpoint(std::string_view note, std::span<const VerifierKey> keys) {
  ASSIGN_OR_RETURN(const SignedNote parsed, SignedNote::Parse(note));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpointText(parsed.text));
  std::vector<VerifierKey> own;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(own),
               [&](const VerifierKey& key) { return key.name == checkpoint.origin; });
  const Status verified = VerifyNote(parsed, own);
  if (verified.code() == Code::kNotFound && VerifyNote(parsed, keys).ok()) {
    return Status(Code::kCorruption,
                  fmt::format("it says that it is of {}, and was signed with the key of {}",
                              checkpoint.origin, parsed.signatures.front().name));
  }
  RETURN_IF_ERROR(verified);
  return checkpoint;
}

Result<std::unique_ptr<AuditTree>> OpenAuditTree(const std::filesystem::path& data_directory,
                                                 const EventLog& log, Sequence size) {
  ASSIGN_OR_RETURN(
      auto tree,
      AuditTree::Open(log, data_directory / kProjectionsDirectoryName / kAuditTreeDirectoryName,
                      AuditTree::Mode::kKeep));
  RETURN_IF_ERROR(tree->CatchUp(size));
  return tree;
}

Result<std::string> SignedCheckpointAt(const std::filesystem::path& data_directory,
                                       const EventLog& log, Sequence size) {
  ASSIGN_OR_RETURN(const auto tree, OpenAuditTree(data_directory, log, size));
  return AuditKeys(data_directory).Sign(*tree, size.value());
}

}  // namespace sagalog
