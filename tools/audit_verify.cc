#include "tools/audit_verify.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "eventlog/backup_directory.h"
#include "eventlog/log_copy.h"
#include "eventlog/regular_file.h"
#include "reactor/audit_keys.h"
#include "reactor/audit_proof.h"
#include "schema/base64.h"
#include "tools/export_record.h"
#include "tools/file_digest.h"
#include "tools/record.h"

namespace sagalog::tools {
namespace fs = std::filesystem;
namespace {

Result<std::string> ReadText(const fs::path& path) {
  auto text = ReadRegularFile(path, kNoteSizeMax);
  return text.ok() ? text : Status(Code::kInvalidArgument, text.status().text());
}

Status InFile(const std::string& path, const Status& status) {
  return {status.code(), fmt::format("{}: {}", path, status.text())};
}

// Whom to believe, and up to where.
struct Trust {
  std::vector<VerifierKey> keys;
  std::vector<KeyRotation> rotations;
  // Keys that were left out.
  std::vector<std::string> notes;
};

// Whether the line is the key of somebody who signs in another way than a log does: of a witness,
// whose cosignatures are of another algorithm. It is whole: its hash is that of what stands there.
bool IsOtherKey(const std::string& line) {
  constexpr std::uint8_t kEd25519 = 1;
  constexpr std::size_t kHashDigits = 8;
  const std::size_t hash = line.find('+');
  const std::size_t body = hash == std::string::npos ? hash : line.find('+', hash + 1);
  const auto bytes = body == std::string::npos
                         ? std::nullopt
                         : DecodeBase64(std::string_view(line).substr(body + 1));
  if (!bytes || bytes->empty() || bytes->front() == kEd25519) {
    return false;
  }
  FileDigest digest;
  digest.Add(line.substr(0, hash) + "\n");
  digest.Add(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  return digest.Hex().substr(0, kHashDigits) == line.substr(hash + 1, body - hash - 1);
}

// A key as it stands, or a file with one a line.
Status AddKeys(const std::string& given, Trust& trust) {
  if (auto key = VerifierKey::Parse(given); key.ok()) {
    trust.keys.push_back(*std::move(key));
    return {};
  }
  std::error_code error;
  if (!fs::is_regular_file(given, error)) {
    return {Code::kInvalidArgument,
            fmt::format("--key {}: neither a verifier key nor a file of them", given)};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadText(given));
  const std::size_t before = trust.keys.size();
  std::size_t number = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
      line.pop_back();
    }
    if (line.empty() || line.front() == '#') {
      continue;
    }
    auto key = VerifierKey::Parse(line);
    if (key.ok()) {
      trust.keys.push_back(*std::move(key));
    } else if (IsOtherKey(line)) {
      trust.notes.push_back(
          fmt::format("{}: line {}, of {}, is the key of a witness or of another "
                      "algorithm: it was left out",
                      given, number, line.substr(0, line.find('+'))));
    } else {
      return InFile(fmt::format("{}: line {}", given, number), key.status());
    }
  }
  return trust.keys.size() > before
             ? Status()
             : Status(Code::kInvalidArgument,
                      fmt::format("--key {}: it holds no key that a log signs with", given));
}

// Who is believed believes the next one: the key that goes has to be among those given, and has to
// have signed its going.
Status AddRotation(const std::string& text, Trust& trust) {
  ASSIGN_OR_RETURN(KeyRotation rotation, ParseRotation(text));
  ASSIGN_OR_RETURN(const SignedNote note, SignedNote::Parse(text));
  if (rotation.from.name != rotation.checkpoint.origin ||
      rotation.to.name != rotation.checkpoint.origin) {
    return {Code::kCorruption, fmt::format("it says that it is of {}, and is about keys of another",
                                           rotation.checkpoint.origin)};
  }
  const auto known = std::find(trust.keys.begin(), trust.keys.end(), rotation.from);
  if (known == trust.keys.end()) {
    return {Code::kNotFound,
            fmt::format("it is about the key {}, which was not given", rotation.from.ToText())};
  }
  RETURN_IF_ERROR(VerifyNote(note, std::array{rotation.from}));
  trust.keys.push_back(rotation.to);
  trust.rotations.push_back(std::move(rotation));
  return {};
}

Status MissingKey() {
  return {Code::kNotFound,
          "no key to check the signature with: give the one that the store's sagalog audit key "
          "printed (--key)"};
}

Result<Trust> GivenKeys(const AuditVerification& wanted) {
  Trust trust;
  for (const std::string& given : wanted.keys) {
    RETURN_IF_ERROR(AddKeys(given, trust));
  }
  if (!wanted.rotations.empty() && trust.keys.empty()) {
    return MissingKey();
  }
  for (const std::string& path : wanted.rotations) {
    ASSIGN_OR_RETURN(const std::string text, ReadText(path));
    if (const Status added = AddRotation(text, trust); !added.ok()) {
      return InFile(path, added);
    }
  }
  return trust;
}

// What the directory itself says of its keys.
Result<Trust> OwnKeys(const fs::path& directory) {
  const AuditKeys own(directory);
  Trust trust;
  ASSIGN_OR_RETURN(trust.keys, own.Known());
  ASSIGN_OR_RETURN(const std::vector<std::string> notes, own.Rotations());
  for (const std::string& note : notes) {
    ASSIGN_OR_RETURN(KeyRotation rotation, ParseRotation(note));
    trust.rotations.push_back(std::move(rotation));
  }
  return trust;
}

// A checkpoint that was named, signed by a key that is believed.
struct KeptCheckpoint : Checkpoint {
  std::string path;
};

Result<std::vector<KeptCheckpoint>> TrustedCheckpoints(const std::vector<std::string>& paths,
                                                       const Trust& trust) {
  std::vector<KeptCheckpoint> checkpoints;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::string note, ReadText(path));
    auto checkpoint = VerifyCheckpoint(note, trust.keys);
    if (!checkpoint.ok()) {
      return InFile(path, checkpoint.status());
    }
    if (const Status retired = CheckNotRetired(note, trust.rotations); !retired.ok()) {
      return InFile(path, retired);
    }
    checkpoints.push_back({*std::move(checkpoint), path});
  }
  return checkpoints;
}

const std::string& NoteOf(const AuditProof& proof) {
  return std::visit([](const auto& any) -> const std::string& { return any.checkpoint; }, proof);
}

Status TwoHistories(const std::string& origin, std::uint64_t size, const std::string& one,
                    const EventHash& one_root, const std::string& other,
                    const EventHash& other_root) {
  return {Code::kCorruption,
          fmt::format("two histories were signed of {}: {} events have the root {} in {}, and {} "
                      "in {}",
                      origin, size, ToBase64(one_root), one, ToBase64(other_root), other)};
}

// Whether the one at `at` and those before it can all be true.
Status CheckAgainstOthers(const std::vector<KeptCheckpoint>& kept, std::size_t at) {
  const KeptCheckpoint& one = kept[at];
  for (std::size_t i = 0; i < at; ++i) {
    if (kept[i].origin == one.origin && kept[i].head.size == one.head.size &&
        kept[i].head.root != one.head.root) {
      return TwoHistories(one.origin, one.head.size, kept[i].path, kept[i].head.root, one.path,
                          one.head.root);
    }
  }
  return {};
}

Status CheckAmong(const std::vector<KeptCheckpoint>& kept) {
  for (std::size_t i = 0; i < kept.size(); ++i) {
    RETURN_IF_ERROR(CheckAgainstOthers(kept, i));
  }
  return {};
}

// A proof says of how many events which root they have: of those that its checkpoint signs, and of
// those that a proof of growth begins with. Nothing of any other number.
class ProofComparison {
 public:
  ProofComparison(const std::string& path, const Checkpoint& newer, const GrowthProof* growth)
      : path_(path), origin_(newer.origin) {
    heads_.push_back(newer.head);
    if (growth != nullptr) {
      heads_.push_back(growth->from);
    }
  }

  // Notes what it was held against. kInvalidArgument when it could be held against none.
  Status HoldAgainst(const std::vector<KeptCheckpoint>& kept, std::vector<std::string>& notes) {
    for (std::size_t i = 0; i < kept.size(); ++i) {
      RETURN_IF_ERROR(CheckAgainstOthers(kept, i));
      ASSIGN_OR_RETURN(const bool held, Holds(kept[i]));
      held_ = held_ || held;
      notes.push_back(held ? fmt::format("the first {} of them are those of {}", kept[i].head.size,
                                         kept[i].path)
                           : fmt::format("not held against {}, of {} events: that takes a proof "
                                         "that the log goes on from one to the other (audit prove "
                                         "--from)",
                                         kept[i].path, kept[i].head.size));
    }
    if (held_ || kept.empty()) {
      return {};
    }
    return {Code::kInvalidArgument,
            fmt::format("it cannot be told whether {} belongs to what was kept: it speaks of {}, "
                        "and {} of {}. A proof that the log goes on from there shows it: audit "
                        "prove --from {}",
                        path_, SizesInWords(), kept.front().path, kept.front().head.size,
                        kept.front().path)};
  }

 private:
  Result<bool> Holds(const KeptCheckpoint& kept) const {
    if (kept.origin != origin_) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{} is a checkpoint of {}, while {} is of {}", kept.path,
                                kept.origin, path_, origin_));
    }
    for (const TreeHead& head : heads_) {
      if (head.size != kept.head.size) {
        continue;
      }
      if (head.root != kept.head.root) {
        return TwoHistories(origin_, head.size, path_, head.root, kept.path, kept.head.root);
      }
      return true;
    }
    return false;
  }

  std::string SizesInWords() const {
    std::string text = fmt::format("{} events", heads_.front().size);
    return heads_.size() > 1 ? fmt::format("{} and {}", heads_.back().size, text) : text;
  }

  const std::string& path_;
  const std::string& origin_;
  std::vector<TreeHead> heads_;
  bool held_ = false;
};

Result<AuditVerdict> CheckProof(const AuditVerification& wanted) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(wanted.path));
  const auto proof = ParseAuditProof(text);
  if (!proof.ok()) {
    return InFile(wanted.path.string(), proof.status());
  }
  ASSIGN_OR_RETURN(const Trust trust, GivenKeys(wanted));
  if (trust.keys.empty()) {
    return MissingKey();
  }
  ASSIGN_OR_RETURN(const Checkpoint newer, VerifyProof(*proof, trust.keys));
  RETURN_IF_ERROR(CheckNotRetired(NoteOf(*proof), trust.rotations));
  ASSIGN_OR_RETURN(const auto checkpoints, TrustedCheckpoints(wanted.checkpoints, trust));
  AuditVerdict verdict;
  verdict.notes = trust.notes;
  verdict.record.checkpoint = newer;
  const auto* growth = std::get_if<GrowthProof>(&*proof);
  const std::string path = wanted.path.string();
  ProofComparison comparison(path, newer, growth);
  RETURN_IF_ERROR(comparison.HoldAgainst(checkpoints, verdict.notes));
  if (growth == nullptr) {
    const auto& event = std::get<EventProof>(*proof);
    verdict.proof = fmt::format(
        "{}event {} is among the {} events that were signed of {}{}",
        IsOfHashOnly(event) ? "the hash of " : "", event.index + 1, newer.head.size, newer.origin,
        IsOfHashOnly(event) ? "; nothing else that the proof says of the event is proven: it was "
                              "compacted or redacted"
                            : "");
    return verdict;
  }
  verdict.proof =
      fmt::format("the {} events that were signed of {} go on from {} with the root {}",
                  newer.head.size, newer.origin, growth->from.size, ToBase64(growth->from.root));
  return verdict;
}

// An export may end before the event that says what became of one in it.
Status Unvouched(std::uint64_t sequence, bool in_export) {
  return {
      in_export ? Code::kInvalidArgument : Code::kCorruption,
      fmt::format("of event {} only the hash is left, and no later event says why: what stands "
                  "there is not proven{}",
                  sequence,
                  in_export ? ". Where the export ends early, export more and verify that" : "")};
}

// A key that is unknown may have followed one that was given.
Status WithRotations(const AuditVerification& wanted, const Status& status) {
  const auto rotations = AuditKeys(wanted.path).Rotations();
  if (status.code() != Code::kNotFound || !rotations.ok() || rotations->empty()) {
    return status;
  }
  return {status.code(),
          fmt::format("{}. The key was changed {} here: give the note that says so "
                      "(--rotation {})",
                      status.text(),
                      rotations->size() == 1 ? "once" : fmt::format("{} times", rotations->size()),
                      (wanted.path / "audit" / "rotation-000001").string())};
}

// A backup is what its manifest says before it is anything else. Its last event; none of what is no
// backup.
Result<std::optional<Sequence>> CheckIfBackup(const fs::path& path) {
  const auto backup = BackupDirectory::Find(path);
  if (!backup.ok()) {
    return std::optional<Sequence>();
  }
  ASSIGN_OR_RETURN(const BackupManifest manifest, CheckBackup(*backup));
  return std::optional(manifest.last);
}

// What was compared in an export that is no record, and what nobody can compare there.
void SayWhatWasChecked(const CheckedExport& checked, std::vector<std::string>& notes) {
  const ExportManifest& manifest = checked.manifest;
  const bool filtered = !manifest.scope.saga.empty() || !manifest.scope.key.empty();
  const bool lines = manifest.scope.format == ExportFormat::kNdjson;
  std::string was = "checked: each file's size and SHA-256";
  std::string not_checked;
  if (lines) {
    was += filtered
               ? "; each line, its readable fields against its bytes, and that each event names "
                 "the one of its saga before it"
               : "; each line, its readable fields against its bytes, and that no event is "
                 "missing, by sequences and by chains of sagas";
    was += "; the number of events, their range and times";
    was += checked.leaf_compared ? "; the leaf of the last one" : "";
    not_checked = filtered ? "that no event is missing behind the last one of a saga" : "";
    not_checked += checked.leaf_compared ? "" : ", through_leaf, whose event is not in it";
  } else {
    not_checked = fmt::format(
        "what the events say, their number, range and times: of {} only the files are compared",
        ExportFormatName(manifest.scope.format));
  }
  was += manifest.checkpoint_size
             ? "; that the checkpoint is of this store, and of as many events as is said"
             : "";
  notes.push_back(was);
  not_checked += fmt::format("{}the lineage{}", not_checked.empty() ? "" : ", ",
                             manifest.checkpoint_size ? "" : ", the store and where the log ended");
  notes.push_back("not checked: " + not_checked);
  notes.emplace_back(
      "cannot be held against a checkpoint: that takes all events from the first one, as ndjson. "
      "Whoever can write the files could have made all of this right");
}

// An export whose events are not all that were signed, or do not carry what was.
Result<AuditVerdict> CheckPart(const AuditVerification& wanted, const CheckedExport& checked,
                               AuditVerdict verdict) {
  const ExportManifest& manifest = checked.manifest;
  ASSIGN_OR_RETURN(const Trust trust, GivenKeys(wanted));
  std::vector<std::string> paths = wanted.checkpoints;
  if (!paths.empty() && trust.keys.empty()) {
    return MissingKey();
  }
  if (manifest.checkpoint_size && !trust.keys.empty()) {
    paths.push_back((wanted.path / kExportCheckpointName).string());
  }
  ASSIGN_OR_RETURN(const auto checkpoints, TrustedCheckpoints(paths, trust));
  RETURN_IF_ERROR(CheckAmong(checkpoints));
  if (!wanted.checkpoints.empty()) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("{} cannot be held against {}: it holds {}, and that takes all events from the "
                    "first one, as ndjson. By itself it is what its manifest says: without "
                    "--checkpoint it is told what of it can be checked",
                    wanted.path.string(), wanted.checkpoints.front(), InWords(manifest.scope)));
  }
  verdict.notes.insert(verdict.notes.end(), trust.notes.begin(), trust.notes.end());
  verdict.part =
      fmt::format("{} {} up to event {} of store {}, as the manifest says", manifest.events,
                  InWords(manifest.scope), manifest.through.value(), manifest.store_id);
  verdict.part_events = manifest.events;
  SayWhatWasChecked(checked, verdict.notes);
  if (manifest.checkpoint_size) {
    verdict.notes.push_back(
        trust.keys.empty()
            ? "nor was the signature of its checkpoint: no key was given (--key)"
            : fmt::format("its checkpoint, of the first {} events of the log, is signed by a key "
                          "that was given",
                          *manifest.checkpoint_size));
  }
  return verdict;
}

Result<AuditVerdict> CheckRecord(const AuditVerification& wanted) {
  AuditVerdict verdict;
  std::vector<std::string> paths = wanted.checkpoints;
  std::error_code error;
  if (IsExport(wanted.path)) {
    ASSIGN_OR_RETURN(const CheckedExport checked, CheckExport(wanted.path, {}));
    const ExportManifest& manifest = checked.manifest;
    if (!manifest.damage.empty()) {
      verdict.notes.push_back(
          fmt::format("the log that it was made of is damaged: {}", manifest.damage));
    }
    if (!manifest.scope.IsWhole() || manifest.scope.format != ExportFormat::kNdjson) {
      return CheckPart(wanted, checked, std::move(verdict));
    }
    if (manifest.log_last > manifest.through) {
      verdict.notes.push_back(
          fmt::format("that the log went on to event {} is the manifest's word alone",
                      manifest.log_last.value()));
    }
  }
  if (fs::exists(wanted.path / kExportCheckpointName, error)) {
    paths.push_back((wanted.path / kExportCheckpointName).string());
  }
  ASSIGN_OR_RETURN(Trust trust, GivenKeys(wanted));
  verdict.notes.insert(verdict.notes.end(), trust.notes.begin(), trust.notes.end());
  if (trust.keys.empty()) {
    ASSIGN_OR_RETURN(trust, OwnKeys(wanted.path));
    verdict.own_keys = !trust.keys.empty();
  }
  if (trust.keys.empty() && !paths.empty()) {
    return MissingKey();
  }
  const auto kept = TrustedCheckpoints(paths, trust);
  if (!kept.ok()) {
    return WithRotations(wanted, kept.status());
  }
  std::vector<Checkpoint> checkpoints(kept->begin(), kept->end());
  for (const KeyRotation& rotation : trust.rotations) {
    checkpoints.push_back(rotation.checkpoint);  // both keys have signed what the log was then
  }
  ASSIGN_OR_RETURN(const std::optional<Sequence> backed_up, CheckIfBackup(wanted.path));
  ASSIGN_OR_RETURN(const Record record, OpenRecord(wanted.path));
  if (record.damage) {
    return record.log->Health();
  }
  if (backed_up && record.log->Last() != *backed_up) {
    return Status(Code::kCorruption,
                  fmt::format("the backup ends at event {}, its manifest says {}",
                              record.log->Last().value(), backed_up->value()));
  }
  ASSIGN_OR_RETURN(verdict.record, VerifyRecord(*record.log, checkpoints));
  if (verdict.record.first_unvouched) {
    return Unvouched(*verdict.record.first_unvouched, IsExport(wanted.path));
  }
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
