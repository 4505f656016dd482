// sagalog doctor: what is wrong, in words, and the next safe step.
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/data_directory.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

// Overwrites what stands in the middle of each file of `folder` whose name ends so.
void Damage(const fs::path& folder, const std::string& ending) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() || !entry.path().filename().string().ends_with(ending)) {
      continue;
    }
    const auto size = static_cast<std::streamoff>(entry.file_size());
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(size / 2);
    file << std::string(16, '\x55');
  }
}

TEST(CliDoctor, FindsAHealthyDirectoryHealthy) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
  EXPECT_THAT(doctor.out, AllOf(Not(HasSubstr("broken")), HasSubstr("nobody holds")));
}

TEST(CliDoctor, SaysThatThereIsNoDirectoryAndCreatesNone) {
  CliDirectory directory;
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("broken"), HasSubstr("next: ")));
  EXPECT_FALSE(fs::exists(directory.data()));
}

TEST(CliDoctor, SaysThatADirectoryIsSomebodyElses) {
  CliDirectory directory;
  fs::create_directory(directory.data());
  std::ofstream(directory.data() / "thesis.tex") << "words";
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, HasSubstr("thesis.tex"));
}

TEST(CliDoctor, NamesTheDaemonThatHoldsTheDirectory) {
  CliDirectory directory;
  directory.Serve();
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0);
  EXPECT_THAT(doctor.out, HasSubstr("daemon: answers"));
}

TEST(CliDoctor, NamesTheProcessThatHoldsTheDirectoryAndServesNobody) {
  CliDirectory directory;
  directory.Serve();
  fs::remove(directory.data() / "socket");
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("process " + std::to_string(directory.daemon())),
                                HasSubstr("serves nobody")));
}

TEST(CliDoctor, NamesTheSequenceAtWhichTheLogIsDamaged) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  directory.Json({"plan", "T2"});
  Damage(directory.data() / "log", ".log");
  Damage(directory.data() / "log", ".sst");
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, ::testing::ContainsRegex("broken  log: .*[0-9]"));
  EXPECT_THAT(doctor.out, HasSubstr("restore"));
}

TEST(CliDoctor, SaysThatDamagedProjectionsAreWrittenAnew) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  ASSERT_TRUE(fs::exists(directory.data() / "projections"));
  std::ofstream(directory.data() / "projections" / "CURRENT") << "nothing of ours\n";
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("broken  projections"), HasSubstr("sagalog rebuild")));
}

TEST(CliDoctor, SaysHowASalvageThatWasNotFinishedBeginsAgain) {
  CliDirectory directory;
  ASSERT_TRUE(DataDirectory::Open(directory.data(), LogMode::kReadWrite).ok());
  fs::create_directories(directory.data() / "restoring");
  std::ofstream(directory.data() / "restoring" / "salvaged") << "/srv/damaged";
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3) << doctor.out;
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("sagalog doctor --data /srv/damaged --salvage " +
                                          directory.data().string()),
                                Not(HasSubstr("sagalog restore"))));
  fs::remove(directory.data() / "restoring" / "salvaged");
  EXPECT_THAT(directory.Run({"doctor"}).out, HasSubstr("run `sagalog restore` again"));
}

TEST(CliDoctor, SaysThatThePlacesOfReadersAreDamaged) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  std::ofstream(directory.data() / "readers", std::ios::app) << "garbage";
  const CliResult doctor = directory.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 3) << doctor.out;
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("broken  readers: "), HasSubstr("next: ")));
}

TEST(CliDoctor, SaysItInJsonToo) {
  CliDirectory directory;
  const CliResult doctor = directory.Run({"--json", "doctor"});
  const auto answer = boost::json::parse(doctor.out).as_object();
  EXPECT_EQ(Word(answer, "healthy"), "false");
  EXPECT_EQ(Word(answer.at("findings").as_array().at(0).as_object(), "finding"), "broken");
}

}  // namespace
}  // namespace sagalog
