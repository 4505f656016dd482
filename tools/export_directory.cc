#include "tools/export_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/durable_file.h"
#include "eventlog/regular_file.h"
#include "tools/file_digest.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

Status Unusable(std::string text) { return {Code::kInvalidArgument, std::move(text)}; }

}  // namespace

Result<ExportDirectory> ExportDirectory::Open(const fs::path& path, const ExportScope& scope) {
  std::error_code error;
  const bool was_there = fs::exists(path, error);
  if (was_there && !fs::is_directory(path, error)) {
    return Unusable(fmt::format("{} is no directory", path.string()));
  }
  fs::create_directories(path, error);
  if (error) {
    return Status(Code::kIoError,
                  fmt::format("cannot create {}: {}", path.string(), error.message()));
  }
  if (!was_there) {
    ::chmod(path.c_str(), S_IRWXU);
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ExportDirectory directory(path, descriptor);
  directory.created_ = !was_there;
  if (descriptor < 0) {
    return Status(Code::kIoError,
                  fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Status(Code::kLocked,
                  fmt::format("another export into {} runs: wait for it", path.string()));
  }
  RETURN_IF_ERROR(directory.Examine(scope));
  return directory;
}

ExportDirectory::ExportDirectory(ExportDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      created_(other.created_),
      data_name_(std::move(other.data_name_)),
      published_(std::move(other.published_)),
      remains_(std::move(other.remains_)) {}

ExportDirectory::~ExportDirectory() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<std::optional<ExportManifest>> ExportDirectory::ReadOwn(std::string_view name,
                                                               const ExportScope& scope) const {
  Result<ExportManifest> found = ExportManifest::Read(path_, name);
  if (found.status().code() == Code::kNotFound) {
    return std::optional<ExportManifest>();
  }
  RETURN_IF_ERROR(found.status());
  if (found->scope != scope) {
    return Unusable(
        fmt::format("{} holds an export of {}, not of {}: export into another "
                    "directory",
                    path_.string(), InWords(found->scope), InWords(scope)));
  }
  return std::optional<ExportManifest>(*std::move(found));
}

Status ExportDirectory::Examine(const ExportScope& scope) {
  data_name_ = ExportDataName(scope.format);
  ASSIGN_OR_RETURN(const std::optional<ExportManifest> journal, ReadOwn(kExportJournalName, scope));
  ASSIGN_OR_RETURN(published_, ReadOwn(kExportManifestName, scope));
  RETURN_IF_ERROR(CheckNames(scope.format, journal || published_));
  ASSIGN_OR_RETURN(remains_, ExamineRemains(path_, scope.format, published_, journal));
  return {};
}

Status ExportDirectory::CheckNames(ExportFormat format, bool is_export) const {
  std::set<std::string> ours = {UnfinishedName(kExportManifestName),
                                UnfinishedName(kExportJournalName)};
  if (is_export) {
    const std::string data(ExportDataName(format));
    ours.insert({data, UnfinishedName(data), std::string(kExportManifestName),
                 std::string(kExportJournalName), std::string(kExportCheckpointName),
                 UnfinishedName(kExportCheckpointName)});
    if (format == ExportFormat::kSqlite) {
      ours.insert(UnfinishedName(data) + "-journal");
    }
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename().string();
    if (!ours.contains(name)) {
      return Unusable(
          fmt::format("{} holds {}, which is no part of an export: give a directory of "
                      "its own",
                      path_.string(), name));
    }
    if (!fs::is_regular_file(entry.symlink_status(error))) {
      return {Code::kCorruption,
              fmt::format("{} is not what was exported: it is no regular file, and nothing is "
                          "written through it. Export into another directory",
                          entry.path().string())};
    }
  }
  return error ? Status(Code::kIoError,
                        fmt::format("cannot read {}: {}", path_.string(), error.message()))
               : Status();
}

fs::path ExportDirectory::data() const { return path_ / UnfinishedName(data_name_); }

Status ExportDirectory::Replace(std::string_view name, std::string_view text) const {
  const fs::path unfinished = path_ / UnfinishedName(name);
  std::error_code error;
  fs::remove(unfinished, error);
  RETURN_IF_ERROR(WriteFileDurably(unfinished, text, nullptr));
  return RenameDurably(unfinished, path_ / name, nullptr);
}

std::string ExportDirectory::EarlierCheckpoint() const {
  const ExportedFile* const listed = published_ ? published_->Find(kExportCheckpointName) : nullptr;
  const fs::path path = path_ / kExportCheckpointName;
  const auto digest = listed == nullptr ? Result<std::string>(std::string()) : DigestOf(path);
  if (listed == nullptr || !digest.ok() || *digest != listed->sha256) {
    return {};
  }
  const auto text = ReadRegularFile(path, kExportManifestSizeMax);
  return text.ok() ? *text : std::string();
}

Status ExportDirectory::MoveIn() const {
  if (remains_.data == data()) {
    return {};
  }
  std::error_code error;
  if (remains_.earlier && !remains_.data.empty() && !remains_.stays) {
    return fs::exists(remains_.data, error) ? RenameDurably(remains_.data, data(), nullptr)
                                            : Status();
  }
  fs::remove(data(), error);
  fs::remove(data().string() + "-journal", error);
  if (!remains_.stays) {
    return {};
  }
  fs::copy_file(remains_.data, data(), error);
  return error ? Status(Code::kIoError,
                        fmt::format("cannot write {}: {}", data().string(), error.message()))
               : Status();
}

Status ExportDirectory::Begin(const ExportManifest& progress) {
  RETURN_IF_ERROR(Note(progress));
  return MoveIn();
}

Status ExportDirectory::Note(const ExportManifest& progress) const {
  return Replace(kExportJournalName, progress.Encode());
}

Status ExportDirectory::Publish(ExportManifest& manifest, const std::string& checkpoint) {
  // The name goes to what the journal vouches for.
  RETURN_IF_ERROR(Note(manifest));
  RETURN_IF_ERROR(RenameDurably(data(), path_ / data_name_, nullptr));
  std::error_code error;
  if (checkpoint.empty()) {
    fs::remove(path_ / kExportCheckpointName, error);
  } else {
    RETURN_IF_ERROR(Replace(kExportCheckpointName, checkpoint));
    FileDigest digest;
    digest.Add(checkpoint);
    manifest.files.push_back({std::string(kExportCheckpointName), checkpoint.size(), digest.Hex()});
  }
  RETURN_IF_ERROR(Replace(kExportManifestName, manifest.Encode()));
  fs::remove(path_ / kExportJournalName, error);
  if (error) {
    return {Code::kIoError, fmt::format("cannot remove {}: {}",
                                        (path_ / kExportJournalName).string(), error.message())};
  }
  return SyncDirectory(path_, nullptr);
}

void ExportDirectory::Abandon() {
  if (remains_.earlier) {
    return;
  }
  std::error_code error;
  for (const fs::path& path :
       {data(), fs::path(data().string() + "-journal"), path_ / kExportJournalName}) {
    fs::remove(path, error);
  }
  if (created_) {
    fs::remove(path_, error);
  }
}

}  // namespace sagalog::tools
