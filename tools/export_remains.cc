#include "tools/export_remains.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "tools/export_writer.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

Status NotWhatWasExported(const fs::path& path) {
  return {Code::kCorruption,
          fmt::format("{} is not what was exported: it was changed since. Export into another "
                      "directory",
                      path.string())};
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Whether the file is, from its first to its last byte, the one that is listed.
Result<bool> IsListed(const fs::path& path, const ExportedFile* listed) {
  std::error_code error;
  if (listed == nullptr || fs::file_size(path, error) != listed->size_bytes || error) {
    return false;
  }
  ASSIGN_OR_RETURN(const std::string digest, DigestOf(path));
  return digest == listed->sha256;
}

// One export in one directory.
class Remains {
 public:
  Remains(const fs::path& directory, ExportFormat format,
          const std::optional<ExportManifest>& published,
          const std::optional<ExportManifest>& journal)
      : name_(ExportDataName(format)),
        whole_(directory / name_),
        unfinished_(directory / UnfinishedName(name_)),
        published_(published),
        journal_(journal) {
    found_.interrupted = journal_.has_value();
  }

  // A file that only grows: what counts is its beginning.
  Result<ExportRemains> OfText() {
    const std::optional<ExportManifest>& state = journal_ ? journal_ : published_;
    if (!state) {
      return std::move(found_);
    }
    found_.earlier = *state;
    found_.data = Exists(whole_) ? whole_ : unfinished_;
    const ExportedFile* listed = state->Find(name_);
    const ExportedFile* before = published_ ? published_->Find(name_) : nullptr;
    if (listed == nullptr && before == nullptr && journal_) {
      return std::move(found_);  // nothing was ever durable
    }
    if (listed == nullptr || (before != nullptr && before->size_bytes > listed->size_bytes)) {
      return NotWhatWasExported(found_.data);
    }
    std::error_code error;
    const std::uint64_t size_bytes = fs::file_size(found_.data, error);
    if (error || size_bytes < listed->size_bytes ||
        (!journal_ && size_bytes != listed->size_bytes)) {
      return NotWhatWasExported(found_.data);
    }
    RETURN_IF_ERROR(AddUpTo(before));
    RETURN_IF_ERROR(AddUpTo(listed));
    return std::move(found_);
  }

  // A file that is changed everywhere: a whole one stays whole beside the one that goes on.
  Result<ExportRemains> OfSqlite() {
    if (Exists(whole_)) {
      RETURN_IF_ERROR(TakeWhole());
      if (!found_.earlier) {
        return NotWhatWasExported(whole_);
      }
    }
    if (journal_ && Exists(unfinished_)) {
      RETURN_IF_ERROR(TakeUnfinished());
    }
    if (!found_.earlier && published_) {
      return NotWhatWasExported(Exists(unfinished_) ? unfinished_ : whole_);
    }
    return std::move(found_);
  }

 private:
  // Reads on to the end of what is listed, and compares.
  Status AddUpTo(const ExportedFile* listed) {
    if (listed == nullptr) {
      return {};
    }
    RETURN_IF_ERROR(
        AddFile(found_.digest, found_.data, listed->size_bytes - digested_bytes_, digested_bytes_));
    digested_bytes_ = listed->size_bytes;
    return found_.digest.Hex() == listed->sha256 ? Status() : NotWhatWasExported(found_.data);
  }

  Status TakeWhole() {
    // The journal first: when a run ended after it gave the data its name, the manifest is older.
    for (const std::optional<ExportManifest>* state : {&journal_, &published_}) {
      if (!*state) {
        continue;
      }
      ASSIGN_OR_RETURN(const bool is_listed, IsListed(whole_, (*state)->Find(name_)));
      if (is_listed) {
        found_.earlier = **state;
        found_.data = whole_;
        found_.stays = published_ && published_->Find(name_) != nullptr &&
                       *published_->Find(name_) == *(*state)->Find(name_);
        return {};
      }
    }
    return {};
  }

  Status TakeUnfinished() {
    const auto noted = ReadSqliteNote(unfinished_);
    if (!noted.ok()) {
      return {};  // nothing was committed, or it is no database: written anew
    }
    // Between a commit and its note in the journal a run may end: then the file is ahead.
    if (noted->scope == journal_->scope && noted->through > journal_->through) {
      found_.earlier = *noted;
      found_.data = unfinished_;
      found_.stays = false;
      return {};
    }
    ASSIGN_OR_RETURN(const bool is_listed, IsListed(unfinished_, journal_->Find(name_)));
    if (is_listed) {
      found_.earlier = *journal_;
      found_.data = unfinished_;
      found_.stays = false;
    }
    return {};
  }

  const std::string name_;
  const fs::path whole_;
  const fs::path unfinished_;
  const std::optional<ExportManifest>& published_;
  const std::optional<ExportManifest>& journal_;
  std::uint64_t digested_bytes_ = 0;
  ExportRemains found_;
};

}  // namespace

Result<ExportRemains> ExamineRemains(const fs::path& directory, ExportFormat format,
                                     const std::optional<ExportManifest>& published,
                                     const std::optional<ExportManifest>& journal) {
  const ExportedFile* const checkpoint =
      published && !journal ? published->Find(kExportCheckpointName) : nullptr;
  if (checkpoint != nullptr) {
    ASSIGN_OR_RETURN(const bool is_listed, IsListed(directory / kExportCheckpointName, checkpoint));
    if (!is_listed) {
      return NotWhatWasExported(directory / kExportCheckpointName);
    }
  }
  Remains remains(directory, format, published, journal);
  return format == ExportFormat::kSqlite ? remains.OfSqlite() : remains.OfText();
}

std::string UnfinishedName(std::string_view name) {
  return std::string(name) + std::string(kUnfinishedSuffix);
}

}  // namespace sagalog::tools
