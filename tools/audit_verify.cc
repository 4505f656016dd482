#include "tools/audit_verify.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "reactor/audit_keys.h"
#include "reactor/audit_proof.h"
#include "tools/export_record.h"
#include "tools/record.h"

namespace sagalog::tools {
namespace fs = std::filesystem;
namespace {

Result<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file.is_open()) {
    text.resize(kNoteSizeMax + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad() || text.size() > kNoteSizeMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{}: no such file, or none that can be read", path.string()));
  }
  return text;
}

Status InFile(const std::string& path, const Status& status) {
  return {status.code(), fmt::format("{}: {}", path, status.text())};
}

// A key as it stands, or a file with one a line.
Status AddKeys(const std::string& given, std::vector<VerifierKey>& keys) {
  if (auto key = VerifierKey::Parse(given); key.ok()) {
    keys.push_back(*std::move(key));
    return {};
  }
  std::error_code error;
  if (!fs::is_regular_file(given, error)) {
    return {Code::kInvalidArgument,
            fmt::format("--key {}: neither a verifier key nor a file of them", given)};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadText(given));
  const std::size_t before = keys.size();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    auto key = VerifierKey::Parse(line);
    if (!key.ok()) {
      return InFile(given, key.status());
    }
    keys.push_back(*std::move(key));
  }
  return keys.size() > before
             ? Status()
             : Status(Code::kInvalidArgument, fmt::format("--key {}: it holds no key", given));
}

// Who is believed believes the next one.
Status AddRotation(const std::string& path, std::vector<VerifierKey>& keys) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  const auto rotation = ParseRotation(text);
  if (!rotation.ok()) {
    return InFile(path, rotation.status());
  }
  ASSIGN_OR_RETURN(const SignedNote note, SignedNote::Parse(text));
  if (const Status believed = VerifyNote(note, keys); !believed.ok()) {
    return InFile(path, believed);
  }
  keys.push_back(rotation->to);
  return {};
}

Status MissingKey() {
  return {Code::kNotFound,
          "no key to check the signature with: give the one that the store's sagalog audit key "
          "printed (--key)"};
}

Result<std::vector<VerifierKey>> GivenKeys(const AuditVerification& wanted) {
  std::vector<VerifierKey> keys;
  for (const std::string& given : wanted.keys) {
    RETURN_IF_ERROR(AddKeys(given, keys));
  }
  if (!wanted.rotations.empty() && keys.empty()) {
    return MissingKey();
  }
  for (const std::string& path : wanted.rotations) {
    RETURN_IF_ERROR(AddRotation(path, keys));
  }
  return keys;
}

// The checkpoints that were named, signed by one of `keys`.
Result<std::vector<Checkpoint>> TrustedCheckpoints(const std::vector<std::string>& paths,
                                                   const std::vector<VerifierKey>& keys) {
  std::vector<Checkpoint> checkpoints;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::string note, ReadText(path));
    auto checkpoint = VerifyCheckpoint(note, keys);
    if (!checkpoint.ok()) {
      return InFile(path, checkpoint.status());
    }
    checkpoints.push_back(*std::move(checkpoint));
  }
  return checkpoints;
}

Result<AuditVerdict> CheckProof(const AuditVerification& wanted) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(wanted.path));
  const auto proof = ParseAuditProof(text);
  if (!proof.ok()) {
    return InFile(wanted.path.string(), proof.status());
  }
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> keys, GivenKeys(wanted));
  if (keys.empty()) {
    return MissingKey();
  }
  ASSIGN_OR_RETURN(const Checkpoint newer, VerifyProof(*proof, keys));
  ASSIGN_OR_RETURN(const auto checkpoints, TrustedCheckpoints(wanted.checkpoints, keys));
  AuditVerdict verdict;
  verdict.record.checkpoint = newer;
  const auto* growth = std::get_if<GrowthProof>(&*proof);
  if (growth == nullptr) {
    verdict.proof =
        fmt::format("event {} is among the {} events that were signed of {}",
                    std::get<EventProof>(*proof).index + 1, newer.head.size, newer.origin);
    return verdict;
  }
  for (const Checkpoint& older : checkpoints) {
    if (older.origin != newer.origin || older.head != growth->from) {
      return Status(Code::kCorruption,
                    fmt::format("the proof does not begin at the checkpoint of {} events that was "
                                "given: it begins at {} events with the root {}",
                                older.head.size, growth->from.size, ToBase64(growth->from.root)));
    }
  }
  verdict.proof =
      fmt::format("the {} events that were signed of {} go on from {} with the root {}",
                  newer.head.size, newer.origin, growth->from.size, ToBase64(growth->from.root));
  return verdict;
}

Result<AuditVerdict> CheckRecord(const AuditVerification& wanted) {
  AuditVerdict verdict;
  std::vector<std::string> paths = wanted.checkpoints;
  std::error_code error;
  if (IsExport(wanted.path)) {
    RETURN_IF_ERROR(CheckExport(wanted.path, {}).status());
  }
  if (fs::exists(wanted.path / kExportCheckpointName, error)) {
    paths.push_back((wanted.path / kExportCheckpointName).string());
  }
  ASSIGN_OR_RETURN(std::vector<VerifierKey> keys, GivenKeys(wanted));
  if (keys.empty()) {
    ASSIGN_OR_RETURN(keys, AuditKeys(wanted.path).Known());
    verdict.own_keys = !keys.empty();
  }
  if (keys.empty() && !paths.empty()) {
    return MissingKey();
  }
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> checkpoints, TrustedCheckpoints(paths, keys));
  ASSIGN_OR_RETURN(const Record record, OpenRecord(wanted.path));
  if (record.damage) {
    return record.log->Health();
  }
  ASSIGN_OR_RETURN(verdict.record, VerifyRecord(*record.log, checkpoints));
  return verdict;
}

}  // namespace

Result<AuditVerdict> Verify(const AuditVerification& wanted) {
  std::error_code error;
  return fs::is_regular_file(wanted.path, error) ? CheckProof(wanted) : CheckRecord(wanted);
}

Result<Checkpoint> ReadCheckpoint(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  const auto note = SignedNote::Parse(text);
  if (!note.ok()) {
    return InFile(path, note.status());
  }
  auto checkpoint = ParseCheckpointText(note->text);
  return checkpoint.ok() ? checkpoint : InFile(path, checkpoint.status());
}

}  // namespace sagalog::tools
