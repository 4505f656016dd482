// The textual formats of an export: a file that only grows.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "tools/export_text.h"
#include "tools/export_writer.h"
#include "tools/file_digest.h"

namespace sagalog::tools {
namespace {

class TextWriter final : public ExportWriter {
 public:
  explicit TextWriter(ExportFormat format) : format_(format) {}
  ~TextWriter() override { Close(); }
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;

  Status Open(const std::filesystem::path& path, ExportManifest& earlier,
              FileDigest digest) override {
    path_ = path;
    digest_ = std::move(digest);
    const ExportedFile* file = earlier.Find(ExportDataName(format_));
    size_bytes_ = file == nullptr ? 0 : file->size_bytes;
    // Whoever can write the directory must not choose the file that is written.
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat found {};
    if (file_ < 0 || ::fstat(file_, &found) != 0) {
      return Failed("open");
    }
    if (!S_ISREG(found.st_mode)) {
      errno = EINVAL;
      return Failed("write");
    }
    if (::ftruncate(file_, static_cast<off_t>(size_bytes_)) != 0 ||
        ::lseek(file_, static_cast<off_t>(size_bytes_), SEEK_SET) < 0) {
      return Failed("write");
    }
    return size_bytes_ == 0 ? Append(ExportHeader(format_)) : Status();
  }

  void Render(ExportChunk& chunk) const override {
    for (std::size_t i = 0; i < chunk.events(); ++i) {
      AppendExportText(chunk.text, format_, chunk.origin, chunk.event(i), chunk.bytes(i));
    }
  }

  Status Write(const ExportChunk& chunk) override { return Append(chunk.text); }

  Status Note(ExportManifest& progress) override {
    if (::fdatasync(file_) != 0) {
      return Failed("sync");
    }
    progress.files = {{std::string(ExportDataName(format_)), size_bytes_, digest_.Hex()}};
    return {};
  }

  Status Finish(ExportManifest& progress) override {
    RETURN_IF_ERROR(Note(progress));
    Close();
    return {};
  }

 private:
  void Close() {
    if (file_ >= 0) {
      ::close(file_);
      file_ = -1;
    }
  }

  Status Append(std::string_view bytes) {
    digest_.Add(bytes);
    size_bytes_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written <= 0) {
        errno = written < 0 ? errno : ENOSPC;
        return Failed("write");
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Status Failed(std::string_view what) const {
    return {Code::kIoError,
            fmt::format("cannot {} {}: {}", what, path_.string(), std::strerror(errno))};
  }

  const ExportFormat format_;
  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_bytes_ = 0;
  FileDigest digest_;
};

}  // namespace

std::unique_ptr<ExportWriter> MakeTextWriter(ExportFormat format) {
  return std::make_unique<TextWriter>(format);
}

}  // namespace sagalog::tools
