// sagalog doctor --salvage and --rebuild: done when asked, and nothing else.
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Flips a byte of the newest thing that the write-ahead log says of the saga.
void DamageLastOf(const CliDirectory& directory, const std::string& saga) {
  for (const auto& [name, bytes] : Snapshot(directory.data() / "log")) {
    const std::size_t at = bytes.rfind(saga);
    if (name.ends_with(".log") && at != std::string::npos) {
      FlipByte(directory.data() / "log" / name, at);
    }
  }
}

TEST(CliSalvage, MakesAStoreBesideTheDamagedOne) {
  CliDirectory directory;
  directory.Serve();
  for (const char* saga : {"T1", "T2", "T3-damaged", "T4"}) {
    directory.Json({"plan", saga});
  }
  directory.StopServing();
  DamageLastOf(directory, "T3-damaged");
  const std::string saved = (directory.root() / "saved").string();
  const auto before = Snapshot(directory.data());
  const CliResult looked = directory.Run({"doctor"});
  EXPECT_EQ(looked.exit_code, 3);
  EXPECT_THAT(looked.out, AllOf(HasSubstr("broken"), HasSubstr("doctor --salvage")));
  EXPECT_FALSE(fs::exists(saved)) << "nobody asked for it";
  const CliResult done = directory.Run({"doctor", "--salvage", saved});
  ASSERT_EQ(done.exit_code, 0) << done.error;
  EXPECT_THAT(done.out, AllOf(HasSubstr("ok: "), HasSubstr("lost: "), HasSubstr("Tokens go on")));
  EXPECT_EQ(Snapshot(directory.data()), before);
  EXPECT_EQ(RunCli({"verify", "--data", saved}).exit_code, 0);
  EXPECT_THAT(RunCli({"ls", "--data", saved}).out, HasSubstr("T1"));
  EXPECT_EQ(RunCli({"show", "T4", "--data", saved}).exit_code, 1);
}

TEST(CliSalvage, OfAWholeLogIsRefused) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const std::string saved = (directory.root() / "saved").string();
  const CliResult refused = directory.Run({"doctor", "--salvage", saved});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("nothing to salvage"));
  EXPECT_FALSE(fs::exists(saved));
  EXPECT_EQ(directory.Run({"doctor", "--salvage", saved, "--rebuild"}).exit_code, 2);
}

TEST(CliSalvage, RebuildMakesDamagedProjectionsWhole) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  for (const auto& entry : fs::directory_iterator(directory.data() / "projections")) {
    if (entry.path().extension() == ".sst") {
      fs::resize_file(entry.path(), 10);
    }
  }
  ASSERT_EQ(directory.Run({"doctor"}).exit_code, 3);
  const CliResult rebuilt = directory.Run({"doctor", "--rebuild"});
  EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.out << rebuilt.error;
  EXPECT_EQ(directory.Run({"verify"}).exit_code, 0);
}

// Whether verify names what is broken, to people and to programs.
TEST(CliVerify, NamesWhatIsBrokenAndExitsWithThree) {
  CliDirectory directory;
  directory.Json({"plan", "T1-damaged"});
  EXPECT_EQ(directory.Run({"verify"}).exit_code, 0);
  DamageLastOf(directory, "T1-damaged");
  const CliResult broken = directory.Run({"verify"});
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.error, HasSubstr("event"));
  const CliResult in_json = directory.Run({"verify", "--json"});
  EXPECT_EQ(in_json.exit_code, 3);
  EXPECT_THAT(in_json.out,
              AllOf(HasSubstr(R"("ok":false)"), HasSubstr(R"("invariant":"log_is_whole")")));
}

// The daemon's reserve is seen, and can be left out.
TEST(CliReserve, IsKeptByTheDaemonUnlessItIsSwitchedOff) {
  CliDirectory directory;
  directory.Serve({"--reserve", "1MiB"});
  EXPECT_GE(fs::file_size(directory.data() / "reserve"), 1U << 20);
  EXPECT_THAT(directory.Run({"status"}).out, HasSubstr("kept for a full disk"));
  EXPECT_THAT(directory.Run({"doctor"}).out, HasSubstr("1 MiB are kept back"));
  directory.StopServing();
  directory.Serve({"--reserve", "off"});
  EXPECT_FALSE(fs::exists(directory.data() / "reserve"));
  EXPECT_THAT(directory.Run({"status"}).out, HasSubstr("no room to compact"));
  EXPECT_EQ(RunCli({"serve", "--reserve", "much", "--print-config"}).exit_code, 2);
}

}  // namespace
}  // namespace sagalog
