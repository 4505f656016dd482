#include "eventlog/data_directory.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/disk_faults.h"
#include "eventlog/rocks_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uid_t kNobody = 65534;

class DataDirectoryOnDisk : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path data() const { return scratch_.path() / "data"; }

  static mode_t ModeOf(const std::filesystem::path& path) {
    struct stat file {};
    EXPECT_EQ(::stat(path.c_str(), &file), 0);
    return file.st_mode & 0777;
  }

  ScratchDirectory scratch_;
};

TEST_F(DataDirectoryOnDisk, IsCreatedForItsOwnerAlone) {
  const auto directory = DataDirectory::Open(data(), LogMode::kReadWrite);
  ASSERT_TRUE(directory.ok()) << directory.status().text();
  EXPECT_EQ(ModeOf(data()), 0700U);
  EXPECT_EQ(ModeOf(directory->lock()), 0600U);
  EXPECT_EQ(directory->log(), data() / "log");
  EXPECT_EQ(directory->projections(), data() / "projections");
  EXPECT_EQ(directory->head(), data() / "HEAD");
  EXPECT_EQ(directory->socket(), data() / "socket");
}

TEST_F(DataDirectoryOnDisk, IsCreatedBelowDirectoriesThatAreNotThereYet) {
  EXPECT_TRUE(DataDirectory::Open(data() / "a" / "b", LogMode::kReadWrite).ok());
}

TEST_F(DataDirectoryOnDisk, EmptyDirectoryIsTaken) {
  std::filesystem::create_directory(data());
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok());
  EXPECT_EQ(ModeOf(data()), 0700U);
}

TEST_F(DataDirectoryOnDisk, ForeignDirectoryIsRefusedAndLeftAlone) {
  std::filesystem::create_directory(data());
  WriteFile(data() / "notes.txt", "mine");
  WriteFile(data() / "HEAD", "ref: refs/heads/main\n");
  const auto before = Snapshot(scratch_.path());
  for (const LogMode mode : {LogMode::kReadWrite, LogMode::kReadOnly}) {
    const Status refused = DataDirectory::Open(data(), mode).status();
    EXPECT_EQ(refused.code(), Code::kInvalidArgument);
    EXPECT_THAT(refused.text(), HasSubstr("is not a sagalog data directory (it holds "));
    EXPECT_THAT(refused.text(), HasSubstr("notes.txt"));
  }
  EXPECT_EQ(Snapshot(scratch_.path()), before);
}

TEST_F(DataDirectoryOnDisk, FileIsRefused) {
  WriteFile(data(), "a file");
  const Status refused = DataDirectory::Open(data(), LogMode::kReadWrite).status();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.text(), HasSubstr("is not a directory"));
}

TEST_F(DataDirectoryOnDisk, OneThatCannotBeWrittenIsRefused) {
  std::filesystem::create_directory(data());
  ::chmod(scratch_.path().c_str(), 0755);
  ::chmod(data().c_str(), 0555);
  const auto open_as_nobody = [this] {
    // Nothing is forbidden to root.
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) {
      ::_exit(1);
    }
    const Status opened = DataDirectory::Open(data() / "inside", LogMode::kReadWrite).status();
    ::_exit(opened.code() == Code::kIoError ? 0 : 2);
  };
  EXPECT_EXIT(open_as_nobody(), testing::ExitedWithCode(0), "");
}

TEST_F(DataDirectoryOnDisk, MissingOneIsNotCreatedForReading) {
  const Status refused = DataDirectory::Open(data(), LogMode::kReadOnly).status();
  EXPECT_EQ(refused.code(), Code::kNotFound);
  EXPECT_THAT(refused.text(), HasSubstr("`sagalog plan`"));
  EXPECT_THAT(Snapshot(scratch_.path()), IsEmpty());
}

TEST_F(DataDirectoryOnDisk, HalfCreatedOneIsFinished) {
  std::filesystem::create_directory(data());
  WriteFile(data() / "LOCK", "");
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok());
}

TEST_F(DataDirectoryOnDisk, WithALogInItIsOurs) {
  { ASSERT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok()); }
  { ASSERT_TRUE(RocksLog::Open(data(), {}).ok()); }
  std::filesystem::remove(data() / "LOCK");
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadOnly).ok());
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok());
}

TEST_F(DataDirectoryOnDisk, SecondWriterIsToldWhoHoldsIt) {
  auto first = DataDirectory::Open(data(), LogMode::kReadWrite);
  ASSERT_TRUE(first.ok());
  const Status refused = DataDirectory::Open(data(), LogMode::kReadWrite).status();
  EXPECT_EQ(refused.code(), Code::kLocked);
  EXPECT_THAT(refused.text(),
              HasSubstr("is held by process " + std::to_string(::getpid()) + " (since 20"));
  EXPECT_TRUE(DataDirectory::HasWriter(data()));
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadOnly).ok());
  std::optional<DataDirectory> moved(*std::move(first));
  EXPECT_TRUE(DataDirectory::HasWriter(data()));
  moved.reset();
  EXPECT_FALSE(DataDirectory::HasWriter(data()));
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok());
}

TEST_F(DataDirectoryOnDisk, LockEndsWithTheProcessThatHoldsIt) {
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = DataDirectory::Open(data(), LogMode::kReadWrite);
    char byte = held.ok() ? 'y' : 'n';
    [[maybe_unused]] ssize_t moved = ::write(ready[1], &byte, 1);
    moved = ::read(done[0], &byte, 1);
    ::_exit(0);  // as a crash: nothing is released by hand
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const Status refused = DataDirectory::Open(data(), LogMode::kReadWrite).status();
  EXPECT_EQ(refused.code(), Code::kLocked);
  EXPECT_THAT(refused.text(), HasSubstr("process " + std::to_string(child) + " "));
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DataDirectory::Open(data(), LogMode::kReadWrite).ok());
  for (const int end : {ready[0], ready[1], done[0], done[1]}) {
    ::close(end);
  }
}

TEST_F(DataDirectoryOnDisk, HolderThatIsGoneIsNotNamed) {
  const auto first = DataDirectory::Open(data(), LogMode::kReadWrite);
  ASSERT_TRUE(first.ok());
  WriteFile(first->lock(), "sagalog\npid 1\nstart 1\n");
  const Status refused = DataDirectory::Open(data(), LogMode::kReadWrite).status();
  EXPECT_EQ(refused.code(), Code::kLocked);
  EXPECT_THAT(refused.text(), HasSubstr("held by another process"));
}

TEST_F(DataDirectoryOnDisk, ReaderBesideAWriterSeesWhatWasAcknowledged) {
  const auto directory = DataDirectory::Open(data(), LogMode::kReadWrite);
  ASSERT_TRUE(directory.ok());
  DiskFaults faults;
  const auto writer = RocksLog::Open(data(), {.faults = &faults});
  ASSERT_TRUE(writer.ok()) << writer.status().text();
  SampleEvents samples;
  ASSERT_TRUE(AppendAll(**writer, samples.Batch(2)).ok());
  faults.FailAt(1);  // written, but not synced
  EXPECT_FALSE(AppendAll(**writer, samples.Batch(1)).ok());
  const auto reader = RocksLog::Open(data(), {.mode = LogMode::kReadOnly});
  ASSERT_TRUE(reader.ok()) << reader.status().text();
  EXPECT_EQ((*reader)->Last(), Sequence(2));
  EXPECT_TRUE((*reader)->Health().ok());
}

}  // namespace
}  // namespace sagalog
