// Where readers of the log are: kept whole over any end of the process.
#include "eventlog/log_readers.h"

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

class LogReadersOnDisk : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "readers"; }
  [[nodiscard]] std::unique_ptr<LogReaders> Load() const { return LogReaders::Load(file()); }

  static LogReader At(const std::string& name, std::uint64_t position) {
    return {name, Sequence(position), TimeFromMicros(1'763'694'000'000'000)};
  }
  // "a:4 b:7"
  static std::string All(const LogReaders& readers) {
    const auto all = readers.All();
    if (!all.ok()) {
      return all.status().text();
    }
    std::string text;
    for (const LogReader& reader : *all) {
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", reader.name, reader.position.value());
    }
    return text;
  }

  ScratchDirectory directory_;
};

TEST_F(LogReadersOnDisk, AreThereAgainWhenTheFileIsLoaded) {
  EXPECT_EQ(All(*Load()), "");
  {
    const auto readers = Load();
    EXPECT_TRUE(*readers->Place(At("b", 7)));
    EXPECT_TRUE(*readers->Place(At("a", 9)));
    EXPECT_TRUE(*readers->Place(At("a", 4))) << "a reader may go back";
    EXPECT_FALSE(*readers->Place(At("a", 4)));
  }
  const auto readers = Load();
  EXPECT_EQ(All(*readers), "a:4 b:7");
  EXPECT_EQ((*readers->Slowest())->name, "a");
  EXPECT_EQ((*readers->All())[0].moved_at, At("a", 4).moved_at);
  EXPECT_TRUE(*readers->Remove("a"));
  EXPECT_FALSE(*readers->Remove("a"));
  EXPECT_EQ(All(*Load()), "b:7");
}

TEST_F(LogReadersOnDisk, WithoutAFileAreForgotten) {
  const auto readers = LogReaders::Load({});
  EXPECT_TRUE(*readers->Place(At("a", 4)));
  EXPECT_EQ(All(*readers), "a:4");
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(LogReadersOnDisk, AreBoundedInNumber) {
  const auto readers = Load();
  for (std::size_t i = 0; i < kLogReadersMax; ++i) {
    ASSERT_TRUE(readers->Place(At(fmt::format("r{}", i), i + 1)).ok());
  }
  EXPECT_EQ(readers->Place(At("one-more", 1)).status().code(), Code::kOverloaded);
  EXPECT_TRUE(readers->Place(At("r0", 5)).ok()) << "those there are may move";
  EXPECT_EQ((*readers->All()).size(), kLogReadersMax);
}

TEST_F(LogReadersOnDisk, ADamagedFileIsNoFileWithoutReaders) {
  ASSERT_TRUE(Load()->Place(At("mirror", 4)).ok());
  const std::string whole = ReadFile(file());
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    WriteFile(file(), whole.substr(0, cut));
    const auto slowest = Load()->Slowest();
    ASSERT_EQ(slowest.status().code(), Code::kCorruption) << "cut at " << cut;
    EXPECT_THAT(slowest.status().text(), HasSubstr("remove it"));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    WriteFile(file(), whole);
    FlipByte(file(), at);
    ASSERT_FALSE(Load()->Place(At("other", 1)).ok()) << "byte " << at;
  }
  WriteFile(file(), whole);
  EXPECT_EQ(All(*Load()), "mirror:4");
}

TEST_F(LogReadersOnDisk, AFileThatWasNeverFinishedIsNotTaken) {
  ASSERT_TRUE(Load()->Place(At("a", 4)).ok());
  WriteFile(file().string() + ".new", "sagalog readers, for");
  EXPECT_EQ(All(*Load()), "a:4");
  EXPECT_TRUE(*Load()->Place(At("a", 5)));
  EXPECT_EQ(All(*Load()), "a:5");
}

}  // namespace
}  // namespace sagalog
