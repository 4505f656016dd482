// sagalog replay in a terminal: keys, and what is on the screen behind each.
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/terminal_run.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CliReplayScreen : public testing::Test {
 protected:
  // 1 store_opened, 2 planned T1, 3 planned T2, 4 leased T1, 5 terminal T1, 6 leased T2.
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    directory_.Json({"plan", "T2"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"complete", "T1", "--token", token});
    directory_.Json({"acquire", "T2", "--owner", "w2"});
  }

  CliDirectory directory_;
};

TEST_F(CliReplayScreen, KeysStepForwardsAndBackwardsAndTheStateIsShownOnBothSides) {
  TerminalRun run(directory_, {"replay"});
  EXPECT_THAT(run.ScreenWith("event 1 of 6"),
              AllOf(HasSubstr("store_opened"), HasSubstr("? help")));
  run.Press("n");
  EXPECT_THAT(run.ScreenWith("event 2 of 6"),
              AllOf(HasSubstr("T1  planned"), HasSubstr("not planned")));
  run.Press("\x1B[C");
  EXPECT_THAT(run.ScreenWith("event 3 of 6"), HasSubstr("T2  planned"));
  run.Press("n");
  EXPECT_THAT(run.ScreenWith("event 4 of 6"),
              AllOf(HasSubstr("T1  leased"), HasSubstr("BEFORE"), HasSubstr("w1")));
  run.Press("p");
  EXPECT_THAT(run.ScreenWith("event 3 of 6"), HasSubstr("T2  planned"));
  run.Press("q");
  EXPECT_THAT(run.ReadToTheEnd(), HasSubstr("\x1B[?1049l"));
  EXPECT_EQ(run.exit_code(), 0);
  EXPECT_TRUE(run.IsAsItWas());
}

TEST_F(CliReplayScreen, JumpsGoByTheSagaTheTypeThePlaceAndTheEnds) {
  TerminalRun run(directory_, {"replay", "--from", "2"});
  run.ScreenWith("event 2 of 6");
  run.Press("s");
  EXPECT_THAT(run.ScreenWith("event 4 of 6"), HasSubstr("T1  leased"));
  run.Press("t");
  EXPECT_THAT(run.ScreenWith("event 6 of 6"), HasSubstr("T2  leased"));
  run.Press("S");
  EXPECT_THAT(run.ScreenWith("event 3 of 6"), HasSubstr("T2  planned"));
  run.Press("T");
  EXPECT_THAT(run.ScreenWith("event 2 of 6"), HasSubstr("T1  planned"));
  run.Press("T");
  run.ScreenWith("no earlier event of this type");
  run.Press("g5\r");
  EXPECT_THAT(run.ScreenWith("event 5 of 6"), HasSubstr("T1  terminal"));
  run.Press("g77\r");
  run.ScreenWith("the log ends at sequence 6");
  run.Press("gnoon\r");
  run.ScreenWith("neither a sequence nor a time");
  run.Press("\x1B[F");
  run.ScreenWith("event 6 of 6");
  run.Press("n");
  run.ScreenWith("no later event matches");
  run.Press("\x1B[H");
  run.ScreenWith("event 2 of 6");
  run.Press("?");
  run.ScreenWith("an hour on / back");
  run.Press("\x03");
  run.ReadToTheEnd();
  EXPECT_EQ(run.exit_code(), 0);
}

TEST_F(CliReplayScreen, WhatIsTypedIsOnASmallScreenToo) {
  TerminalRun run(directory_, {"replay"}, 100, 12);
  run.ScreenWith("event 1 of 6");
  run.Press("g4\r");
  run.ScreenWith("event 4 of 6");
  run.Press("g77");
  run.ScreenWith("go to (sequence or time): 77_");
  run.Press("\r");
  run.ScreenWith("the log ends at sequence 6");
  run.Press("q");
  run.ReadToTheEnd();
}

TEST_F(CliReplayScreen, EscapeLeavesTheHelpAndThenTheProgram) {
  TerminalRun run(directory_, {"replay"});
  run.ScreenWith("event 1 of 6");
  run.Press("?");
  run.ScreenWith("an hour on / back");
  run.Press("\x1B");
  run.ScreenWith("store_opened");
  run.Press("\x1B");
  run.ReadToTheEnd();
  EXPECT_EQ(run.exit_code(), 0);
}

TEST_F(CliReplayScreen, AFilterIsTypedAndItsErrorNamesTheColumn) {
  TerminalRun run(directory_, {"replay"});
  run.ScreenWith("event 1 of 6");
  run.Press("/type=lease\r");
  run.ScreenWith("column 6: \"lease\" is no type of event");
  run.Press("/type=leased owner=x\x7Fw2\r");
  run.ScreenWith("only type=leased owner=w2");
  run.Press("n");
  EXPECT_THAT(run.ScreenWith("event 6 of 6"), HasSubstr("T2  leased"));
  run.Press("p");
  run.ScreenWith("no earlier event matches");
  // Escape gives the line up, and then the program.
  run.Press("/x");
  run.ScreenWith("owner=w2x_");
  run.Press("\x1B");
  run.ScreenWith("given up");
  run.Press("q");
  run.ReadToTheEnd();
  EXPECT_EQ(run.exit_code(), 0);
}

TEST_F(CliReplayScreen, PlaysToTheEndByItself) {
  TerminalRun run(directory_, {"replay", "--speed", "1000000"});
  run.ScreenWith("event 1 of 6");
  run.Press(" ");
  EXPECT_THAT(run.ScreenWith("played to the end"), HasSubstr("event 6 of 6"));
  run.Press("q");
  run.ReadToTheEnd();
}

TEST_F(CliReplayScreen, WhoeverEndsItGetsTheTerminalBack) {
  TerminalRun run(directory_, {"replay"});
  run.ScreenWith("event 1 of 6");
  EXPECT_FALSE(run.IsAsItWas());
  run.Signal(SIGTERM);
  run.ReadToTheEnd();
  EXPECT_TRUE(run.IsAsItWas());
}

TEST_F(CliReplayScreen, PlainIsForTerminalsToo) {
  const std::string shown =
      RunCliOnTerminal({"--data", directory_.data(), "replay", "--plain"}, {{"TERM", "xterm"}}, 100)
          .out;
  EXPECT_THAT(shown, AllOf(HasSubstr("T2  "), Not(HasSubstr("1049h"))));
}

}  // namespace
}  // namespace sagalog
