#include "eventlog/faulty_file_system.h"

#include <string>
#include <utility>

namespace sagalog {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus Fault(DiskFaults::Kind kind) {
  return kind == DiskFaults::Kind::kNoSpace ? IOStatus::NoSpace("injected: no space left")
                                            : IOStatus::IOError("injected: I/O error");
}

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, DiskFaults& faults)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), faults_(faults) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const auto fault = faults_.Count();
    const Slice part(data.data(), fault ? data.size() / 2 : data.size());
    IOStatus status = FSWritableFileOwnerWrapper::Append(part, options, debug);
    if (status.ok()) {
      faults_.Appended(name_, part.size());
    }
    return fault ? Fault(*fault) : status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*unused*/, IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Synced([&] { return FSWritableFileOwnerWrapper::Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Synced([&] { return FSWritableFileOwnerWrapper::Fsync(options, debug); });
  }

 private:
  template <typename Action>
  IOStatus Synced(const Action& action) {
    if (const auto fault = faults_.Count()) {
      return Fault(*fault);
    }
    IOStatus status = action();
    if (status.ok()) {
      faults_.Synced(name_);
    }
    return status;
  }

  std::string name_;
  DiskFaults& faults_;
};

class FaultyDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, DiskFaults& faults)
      : FSDirectoryWrapper(std::move(directory)), faults_(faults) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const auto fault = faults_.Count();
    return fault ? Fault(*fault) : FSDirectoryWrapper::Fsync(options, debug);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    const auto fault = faults_.Count();
    return fault ? Fault(*fault) : FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how);
  }

 private:
  DiskFaults& faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(DiskFaults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}

  const char* Name() const override { return "sagalog.FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext* debug) override {
    if (const auto fault = faults_.Count()) {
      return Fault(*fault);
    }
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) {
      faults_.Removed(name);
      faults_.Opened(name, 0);
      *file = std::make_unique<FaultyFile>(std::move(*file), name, faults_);
    }
    return status;
  }

  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              IODebugContext* debug) override {
    if (const auto fault = faults_.Count()) {
      return Fault(*fault);
    }
    IOStatus status = FileSystemWrapper::ReopenWritableFile(name, options, file, debug);
    if (status.ok()) {
      faults_.Opened(name, (*file)->GetFileSize(IOOptions(), debug));
      *file = std::make_unique<FaultyFile>(std::move(*file), name, faults_);
    }
    return status;
  }

  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                        IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewDirectory(name, options, directory, debug);
    if (status.ok()) {
      *directory = std::make_unique<FaultyDirectory>(std::move(*directory), faults_);
    }
    return status;
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    if (const auto fault = faults_.Count()) {
      return Fault(*fault);
    }
    IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) {
      faults_.Renamed(from, to);
    }
    return status;
  }

  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::DeleteFile(name, options, debug);
    if (status.ok()) {
      faults_.Removed(name);
    }
    return status;
  }

 private:
  DiskFaults& faults_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> MakeFaultyFileSystem(DiskFaults& faults) {
  return std::make_shared<FaultyFileSystem>(faults);
}

}  // namespace sagalog
