// What those who only look are told of a store whose log is damaged.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Lines of standard error.
std::ptrdiff_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// Whether a daemon answers.
class CliDamagedStore : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    directory_.Json({"plan", "T2"});
    // What holds the events is gone; the checkpoint and HEAD remember them.
    for (const auto& entry : fs::directory_iterator(directory_.data() / "log")) {
      if (entry.path().extension() == ".log" || entry.path().extension() == ".sst") {
        fs::resize_file(entry.path(), 0);
      }
    }
    if (GetParam()) {
      directory_.Serve();
    }
  }

  CliDirectory directory_;
};

TEST_P(CliDamagedStore, EveryReadWarnsInOneLineAndAnswersFromTheCheckpoint) {
  for (const Words& words : {Words{"ls"}, Words{"stale"}, Words{"--json", "ls"}}) {
    SCOPED_TRACE(words.front());
    const CliResult read = directory_.Run(words);
    EXPECT_EQ(read.exit_code, 0);
    EXPECT_THAT(read.error, AllOf(HasSubstr("the log is damaged: answers are of sequence "),
                                  HasSubstr("sagalog doctor")));
    EXPECT_EQ(Lines(read.error), 1) << read.error;
  }
  EXPECT_THAT(directory_.Run({"ls"}).out, HasSubstr("T2"));
}

TEST_P(CliDamagedStore, StatusIsNoSuccessAndSpeaksOfTheSequenceThatTheWarningNames) {
  const CliResult status = directory_.Run({"--json", "status"});
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.out, HasSubstr(R"("health":"corrupt")"));
  EXPECT_THAT(status.out, HasSubstr(R"("last_sequence":3)"));
  EXPECT_THAT(status.error, HasSubstr("answers are of sequence 3,"));
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutADaemon, CliDamagedStore, testing::Bool(),
                         [](const auto& daemon) { return daemon.param ? "Daemon" : "Alone"; });

}  // namespace
}  // namespace sagalog
