#include "reactor/audit_keys.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "eventlog/directory_owner.h"
#include "eventlog/durable_file.h"
#include "eventlog/head_file.h"
#include "eventlog/regular_file.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kKeyName = "key";
constexpr std::string_view kPublicName = "public";
constexpr std::string_view kSignedName = "signed";
constexpr std::string_view kRotationPrefix = "rotation-";
constexpr std::string_view kRotationWords = " key rotation";

Status Failed(std::string_view what, const fs::path& path, int error) {
  return {Code::kIoError,
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error))};
}

// Alone in the folder, which is created, for as long as it lives.
class FolderLock {
 public:
  static Result<FolderLock> Take(const fs::path& directory) {
    RETURN_IF_ERROR(CheckSameOwner(directory.parent_path()));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return Failed("create", directory, errno);
    }
    FolderLock lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock.descriptor_ < 0) {
      return Failed("open", directory, errno);
    }
    while (::flock(lock.descriptor_, LOCK_EX) != 0) {
      if (errno != EINTR) {
        return Failed("lock", directory, errno);
      }
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Nothing when it is not there.
Result<std::optional<std::string>> ReadWhole(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return std::optional<std::string>();
  }
  ASSIGN_OR_RETURN(std::string text, ReadRegularFile(path, kNoteSizeMax));
  return std::optional(std::move(text));
}

// Whole or not at all.
Status Replace(const fs::path& path, std::string_view text) {
  const fs::path unfinished = path.string() + ".unfinished";
  std::error_code error;
  fs::remove(unfinished, error);
  RETURN_IF_ERROR(WriteFileDurably(unfinished, text, nullptr));
  return RenameDurably(unfinished, path, nullptr);
}

std::vector<fs::path> RotationFiles(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kRotationPrefix) && !name.ends_with(".unfinished")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string RotationText(const KeyRotation& rotation) {
  return fmt::format("{}{}\nfrom {}\nto {}\nsize {}\nroot {}\nreason {}\n",
                     rotation.checkpoint.origin, kRotationWords, rotation.from.ToText(),
                     rotation.to.ToText(), rotation.checkpoint.head.size,
                     ToBase64(rotation.checkpoint.head.root), rotation.reason);
}

// What stands behind "NAME " on the next line.
Result<std::string> Field(std::istringstream& lines, std::string_view name) {
  std::string line;
  if (!std::getline(lines, line) || !line.starts_with(name) || line.size() <= name.size() ||
      line[name.size()] != ' ') {
    return Status(Code::kInvalidArgument,
                  fmt::format("this is no key rotation: the line \"{} …\" is missing", name));
  }
  return line.substr(name.size() + 1);
}

}  // namespace

Result<KeyRotation> ParseRotation(std::string_view note) {
  ASSIGN_OR_RETURN(const SignedNote parsed, SignedNote::Parse(note));
  std::istringstream lines(parsed.text);
  std::string title;
  std::getline(lines, title);
  if (!title.ends_with(kRotationWords)) {
    return Status(Code::kInvalidArgument, "this is no key rotation");
  }
  const std::string origin = title.substr(0, title.size() - kRotationWords.size());
  ASSIGN_OR_RETURN(const std::string from, Field(lines, "from"));
  ASSIGN_OR_RETURN(const std::string to, Field(lines, "to"));
  ASSIGN_OR_RETURN(const std::string size, Field(lines, "size"));
  ASSIGN_OR_RETURN(const std::string root, Field(lines, "root"));
  KeyRotation rotation;
  ASSIGN_OR_RETURN(rotation.reason, Field(lines, "reason"));
  ASSIGN_OR_RETURN(rotation.from, VerifierKey::Parse(from));
  ASSIGN_OR_RETURN(rotation.to, VerifierKey::Parse(to));
  ASSIGN_OR_RETURN(rotation.checkpoint,
                   ParseCheckpointText(fmt::format("{}\n{}\n{}\n", origin, size, root)));
  RETURN_IF_ERROR(VerifyNote(parsed, std::array{rotation.to}));
  return rotation;
}

Status CheckNotRetired(std::string_view note, std::span<const KeyRotation> rotations) {
  ASSIGN_OR_RETURN(const SignedNote parsed, SignedNote::Parse(note));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpointText(parsed.text));
  std::uint64_t retired_at = 0;
  for (const NoteSignature& signature : parsed.signatures) {
    const auto retired =
        std::find_if(rotations.begin(), rotations.end(), [&](const KeyRotation& rotation) {
          return rotation.from.name == signature.name && rotation.from.Id() == signature.id &&
                 rotation.checkpoint.head.size < checkpoint.head.size;
        });
    if (retired == rotations.end()) {
      return {};
    }
    retired_at = retired->checkpoint.head.size;
  }
  return {Code::kCorruption,
          fmt::format("the checkpoint of {} events is signed with a key that was rotated away when "
                      "there were {}: whoever has that key signs nothing any more",
                      checkpoint.head.size, retired_at)};
}

AuditKeys::AuditKeys(const fs::path& data_directory)
    : directory_(data_directory / kAuditDirectoryName) {}

Result<std::vector<VerifierKey>> AuditKeys::Known() const {
  std::error_code error;
  if (!fs::exists(directory_, error)) {
    return std::vector<VerifierKey>();
  }
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  return ReadKnown();
}

Result<std::vector<VerifierKey>> AuditKeys::ReadKnown() const {
  ASSIGN_OR_RETURN(const auto text, ReadWhole(directory_ / kPublicName));
  std::vector<VerifierKey> keys;
  std::istringstream lines(text.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    ASSIGN_OR_RETURN(VerifierKey key, VerifierKey::Parse(line));
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<std::optional<SignerKey>> AuditKeys::ReadSigner() const {
  const fs::path path = directory_ / kKeyName;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    return Status(Code::kInvalidArgument,
                  fmt::format("others than its owner may read {}: chmod 600 it, and think about "
                              "sagalog audit key rotate",
                              path.string()));
  }
  ASSIGN_OR_RETURN(const auto text, ReadWhole(path));
  if (!text) {
    return std::optional<SignerKey>();
  }
  const auto key = SignerKey::Parse(std::string_view(*text).substr(0, text->find('\n')));
  if (!key.ok()) {
    return Status(Code::kCorruption, fmt::format("{}: {}", path.string(), key.status().text()));
  }
  return std::optional(*key);
}

// The private half first: when only that is there, the public one follows from it.
Status AuditKeys::Install(const SignerKey& key) const {
  RETURN_IF_ERROR(Replace(directory_ / kKeyName, key.ToText() + "\n"));
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> known, ReadKnown());
  std::string text;
  for (const VerifierKey& other : known) {
    text += other == key.verifier() ? "" : other.ToText() + "\n";
  }
  return Replace(directory_ / kPublicName, text + key.verifier().ToText() + "\n");
}

Result<SignerKey> AuditKeys::SignerFor(std::string_view origin) const {
  ASSIGN_OR_RETURN(std::optional<SignerKey> key, ReadSigner());
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> known, ReadKnown());
  if (key && key->verifier().name == origin) {
    if (known.empty() || known.back() != key->verifier()) {
      RETURN_IF_ERROR(Install(*key));
    }
    return *std::move(key);
  }
  if (!key && !known.empty() && known.back().name == origin) {
    return Status(Code::kNotFound,
                  fmt::format("the private key is missing: {} is gone. Put it back, or, if it is "
                              "lost, begin with another one: sagalog audit key rotate --lost",
                              (directory_ / kKeyName).string()));
  }
  const SignerKey made = SignerKey::Generate(origin);
  RETURN_IF_ERROR(Install(made));
  return made;
}

Result<VerifierKey> AuditKeys::Current(std::string_view origin) const {
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  ASSIGN_OR_RETURN(const SignerKey key, SignerFor(origin));
  return key.verifier();
}

Status AuditKeys::CheckHistory(const AuditTree& tree, std::string_view origin,
                               std::uint64_t& signed_size) const {
  ASSIGN_OR_RETURN(const auto text, ReadWhole(directory_ / kSignedName));
  if (!text) {
    return {};
  }
  ASSIGN_OR_RETURN(const SignedNote note, SignedNote::Parse(*text));
  ASSIGN_OR_RETURN(const Checkpoint before, ParseCheckpointText(note.text));
  if (before.origin != origin) {
    return {};
  }
  signed_size = before.head.size;
  if (before.head.size > tree.size()) {
    // Somebody else may have signed more since this tree was read: HEAD says whether there is more.
    const Result<Sequence> last = HeadFile::Read(directory_.parent_path() / kHeadFileName);
    if (last.ok() && last->value() >= before.head.size) {
      return {};
    }
    return {Code::kCorruption,
            fmt::format("this log ends at event {}, and {} events were signed before: its end is "
                        "gone. Nothing is signed",
                        tree.size(), before.head.size)};
  }
  ASSIGN_OR_RETURN(const TreeHead now, tree.HeadAt(before.head.size));
  if (now != before.head) {
    return {Code::kCorruption,
            fmt::format("this log is not the one whose first {} events were signed before: its "
                        "root is {}, the signed one {}. Nothing is signed",
                        before.head.size, ToBase64(now.root), ToBase64(before.head.root))};
  }
  return {};
}

Result<std::string> AuditKeys::Sign(const AuditTree& tree, std::uint64_t size) const {
  const std::string origin = tree.lineages().OriginAt(size);
  if (tree.lineages().store_id().empty()) {
    return Status(Code::kInvalidArgument, "the log does not say whose it is: nothing to sign");
  }
  if (origin != tree.lineages().OriginAt(tree.size())) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the first {} events are of a lineage that was left by a restore: "
                              "only the present one is signed",
                              size));
  }
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  ASSIGN_OR_RETURN(const SignerKey key, SignerFor(origin));
  std::uint64_t signed_size = 0;
  RETURN_IF_ERROR(CheckHistory(tree, origin, signed_size));
  ASSIGN_OR_RETURN(const TreeHead head, tree.HeadAt(size));
  const std::string note = SignNote(CheckpointText({origin, head}), std::array{&key});
  if (size > signed_size) {
    RETURN_IF_ERROR(Replace(directory_ / kSignedName, note));
  }
  return note;
}

Result<std::string> AuditKeys::Rotate(const AuditTree& tree, std::string_view reason,
                                      bool lost) const {
  KeyRotation rotation;
  rotation.reason = reason;
  rotation.checkpoint.origin = tree.lineages().OriginAt(tree.size());
  ASSIGN_OR_RETURN(rotation.checkpoint.head, tree.HeadAt(tree.size()));
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  std::uint64_t signed_size = 0;
  RETURN_IF_ERROR(CheckHistory(tree, rotation.checkpoint.origin, signed_size));
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> known, ReadKnown());
  if (lost && known.empty()) {
    return Status(Code::kInvalidArgument, "there was no key yet, so none is lost");
  }
  if (lost) {
    // One that is there, but damaged, is as good as lost.
    const auto present = ReadSigner();
    if (present.ok() && *present && (*present)->verifier().name == rotation.checkpoint.origin) {
      return Status(Code::kInvalidArgument,
                    fmt::format("the key is not lost: {} is there. Without --lost it signs the "
                                "note too, and whoever trusts it trusts the next one",
                                (directory_ / kKeyName).string()));
    }
  }
  std::optional<SignerKey> old_key;
  if (!lost) {
    ASSIGN_OR_RETURN(old_key, SignerFor(rotation.checkpoint.origin));
  }
  const SignerKey new_key = SignerKey::Generate(rotation.checkpoint.origin);
  rotation.from = old_key ? old_key->verifier() : known.back();
  rotation.to = new_key.verifier();
  std::vector<const SignerKey*> signers = {&new_key};
  if (old_key) {
    signers.insert(signers.begin(), &*old_key);
  }
  std::string note = SignNote(RotationText(rotation), signers);
  const std::size_t number = RotationFiles(directory_).size() + 1;
  RETURN_IF_ERROR(Replace(directory_ / fmt::format("{}{:06}", kRotationPrefix, number), note));
  RETURN_IF_ERROR(Install(new_key));
  return note;
}

Result<std::optional<Checkpoint>> AuditKeys::LargestSigned() const {
  std::error_code error;
  if (!fs::exists(directory_ / kSignedName, error)) {
    return std::optional<Checkpoint>();
  }
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  ASSIGN_OR_RETURN(const auto note, ReadWhole(directory_ / kSignedName));
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> known, ReadKnown());
  ASSIGN_OR_RETURN(Checkpoint checkpoint, VerifyCheckpoint(note.value_or(""), known));
  return std::optional(std::move(checkpoint));
}

Result<std::vector<std::string>> AuditKeys::Rotations() const {
  std::vector<std::string> notes;
  for (const fs::path& path : RotationFiles(directory_)) {
    ASSIGN_OR_RETURN(const auto text, ReadWhole(path));
    notes.push_back(text.value_or(""));
  }
  return notes;
}

}  // namespace sagalog
