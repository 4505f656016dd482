// A scenario's store in a real data directory. A killed process leaves the bytes that its files
// had at that moment: a copy of the directory, made while the store has it open, holds them.
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "reactor/restore.h"
#include "tools/scenario_disk.h"

namespace sagalog::tools {
namespace fs = std::filesystem;
namespace {

Status FromError(const fs::path& path, const std::error_code& error) {
  return error ? Status(Code::kIoError, fmt::format("{}: {}", path.string(), error.message()))
               : Status();
}

Result<std::string> ReadBytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) {
    return Status(Code::kIoError, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  }
  return bytes;
}

Status WriteBytes(const fs::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  return stream
             ? Status()
             : Status(Code::kIoError, fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

class DirectoryScenarioDisk final : public ScenarioDisk {
 public:
  explicit DirectoryScenarioDisk(fs::path root) : root_(std::move(root)) {}
  ~DirectoryScenarioDisk() override {
    std::error_code error;  // what is left is the temporary directory's own
    fs::remove_all(root_, error);
  }
  DirectoryScenarioDisk(const DirectoryScenarioDisk&) = delete;
  DirectoryScenarioDisk& operator=(const DirectoryScenarioDisk&) = delete;

  Result<std::unique_ptr<Store>> Open(const Clock& clock, bool accept_clock) override {
    StoreOptions options;
    options.directory = data();
    options.clock = &clock;
    options.accept_clock = accept_clock;
    // None is taken by itself: what is on the disk depends on the steps alone.
    options.checkpoint_interval = std::chrono::hours(24);
    return Store::Open(std::move(options));
  }

  Status Kill(std::unique_ptr<Store> store) override {
    const fs::path before = data();
    RETURN_IF_ERROR(CopyToNext());
    store.reset();
    std::error_code error;
    fs::remove_all(before, error);
    return FromError(before, error);
  }

  Result<bool> KillInside(std::unique_ptr<Store>& store,
                          const std::function<void(Store&)>& act) override {
    const Sequence last = store->log().Last();
    ASSIGN_OR_RETURN(const std::string head, ReadBytes(data() / kHeadFileName));
    ASSIGN_OR_RETURN(const Sizes sizes, SizesOfLog());
    act(*store);
    if (store->log().Last() == last) {
      return false;
    }
    RETURN_IF_ERROR(Kill(std::move(store)));
    RETURN_IF_ERROR(WriteBytes(data() / kHeadFileName, head));
    RETURN_IF_ERROR(CutWhatGrew(sizes));
    return true;
  }

  Status Damage(std::unique_ptr<Store> store, Sequence sequence) override {
    ASSIGN_OR_RETURN(const StoredEvent event, store->log().Read(sequence));
    RETURN_IF_ERROR(store->Close());
    store.reset();
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(LogPath(), error)) {
      ASSIGN_OR_RETURN(std::string bytes, ReadBytes(entry.path()));
      const std::size_t at = bytes.find(event.bytes());
      if (at != std::string::npos) {
        bytes[at + event.bytes().size() / 2] ^= 1;
        return WriteBytes(entry.path(), bytes);
      }
    }
    RETURN_IF_ERROR(FromError(LogPath(), error));
    return {Code::kIoError,
            fmt::format("event {} is in no file as it was written: nothing to damage",
                        sequence.value())};
  }

  Status LoseProjections() override {
    std::error_code error;
    fs::remove_all(data() / kProjectionsDirectoryName, error);
    return FromError(data(), error);
  }

  Status Backup(Store& store, const std::string& name) override {
    BackupOptions options;
    options.directory = root_ / "backups";
    options.keep = std::numeric_limits<std::size_t>::max();
    ASSIGN_OR_RETURN(const BackupReport report, store.Backup(options));
    backups_[name] = report.path;
    return {};
  }

  Status Restore(const std::string& name, const Clock& clock, bool accept_clock) override {
    const fs::path before = data();
    ++generation_;
    RestoreOptions options;
    options.backup = backups_.at(name);
    options.directory = data();
    options.clock = &clock;
    options.accept_clock = accept_clock;
    RETURN_IF_ERROR(RestoreStore(options).status());
    std::error_code error;
    fs::remove_all(before, error);
    return FromError(before, error);
  }

  Status MoveTo(const fs::path& directory) override {
    std::error_code error;
    if (fs::exists(directory, error)) {
      return {Code::kInvalidArgument,
              fmt::format("{} is there already: name a directory that is not", directory.string())};
    }
    // It may be another file system.
    fs::copy(data(), directory, fs::copy_options::recursive, error);
    if (!error) {
      fs::permissions(directory, fs::perms::owner_all, error);
    }
    return FromError(directory, error);
  }

 private:
  using Sizes = std::map<std::string, std::uintmax_t>;

  [[nodiscard]] fs::path data() const { return root_ / std::to_string(generation_); }
  [[nodiscard]] fs::path LogPath() const { return data() / kLogDirectoryName; }

  Status CopyToNext() {
    const fs::path from = data();
    ++generation_;
    std::error_code error;
    fs::copy(from, data(), fs::copy_options::recursive, error);
    fs::permissions(data(), fs::perms::owner_all, error);
    return FromError(from, error);
  }

  [[nodiscard]] Result<Sizes> SizesOfLog() const {
    Sizes sizes;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(LogPath(), error)) {
      sizes[entry.path().filename()] = entry.file_size(error);
    }
    RETURN_IF_ERROR(FromError(LogPath(), error));
    return sizes;
  }

  // Half of what the write-ahead log gained is gone.
  Status CutWhatGrew(const Sizes& before) const {
    ASSIGN_OR_RETURN(const Sizes after, SizesOfLog());
    for (const auto& [name, size] : after) {
      const auto was = before.find(name);
      if (name.ends_with(".log") && was != before.end() && size > was->second) {
        std::error_code error;
        fs::resize_file(LogPath() / name, was->second + (size - was->second) / 2, error);
        return FromError(LogPath() / name, error);
      }
    }
    return {Code::kIoError, "the append left no trace in the write-ahead log"};
  }

  fs::path root_;
  std::map<std::string, fs::path> backups_;
  int generation_ = 1;
};

}  // namespace

Result<std::unique_ptr<ScenarioDisk>> MakeDirectoryDisk() {
  std::error_code error;
  const fs::path place = fs::temp_directory_path(error);
  RETURN_IF_ERROR(FromError("the temporary directory", error));
  std::string root = place / "sagalog-incidents-XXXXXX";
  if (mkdtemp(root.data()) == nullptr) {
    return Status(Code::kIoError, fmt::format("{}: {}", root, std::strerror(errno)));
  }
  return std::unique_ptr<ScenarioDisk>(std::make_unique<DirectoryScenarioDisk>(root));
}

}  // namespace sagalog::tools
