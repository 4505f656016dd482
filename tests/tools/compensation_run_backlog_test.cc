// `sagalog compensation run`: the order of things, commands, and what is left for others.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"
#include "tests/tools/git_scene.h"
#include "tests/tools/owed_compensations.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CompensationRunBacklog : public ::testing::Test {
 protected:
  CompensationRunBacklog() { fs::create_directory(Root()); }

  fs::path Root() const { return directory_.root() / "root"; }
  CompensationRunResult Run(const Words& more = {}) {
    Words flags = {"--root", Root().string()};
    flags.insert(flags.end(), more.begin(), more.end());
    return RunCompensations(directory_, flags);
  }
  // One that adds its id to a file, and does not care about anything else.
  static Owed Noting(const std::string& id) {
    return {id, "command", id, {{"command", "sh -c 'echo $SAGALOG_TARGET >>notes'"}}};
  }
  std::string Notes() const {
    std::ostringstream text;
    text << std::ifstream(Root() / "notes").rdbuf();
    return text.str();
  }

  CliDirectory directory_;
};

TEST_F(CompensationRunBacklog, UndoesInReverseOrder) {
  FailOwing(directory_, "T1", {Noting("first"), Noting("second"), Noting("third")});
  EXPECT_EQ(Run({"--allow-command"}).exit_code, 0);
  EXPECT_EQ(Notes(), "third\nsecond\nfirst\n");
}

TEST_F(CompensationRunBacklog, WorktreeGoesBeforeItsBranch) {
  const GitScene scene(Root());
  const std::string repository = scene.repository().string();
  scene.AddWorktree(Root() / "wt", "fix");
  FailOwing(directory_, "T1",
            {{"branch", "delete-branch", "fix", {{"repository", repository}}},
             {"wt", "remove-worktree", (Root() / "wt").string(), {{"repository", repository}}}});
  EXPECT_EQ(Run().exit_code, 0);
  EXPECT_FALSE(fs::exists(Root() / "wt"));
  EXPECT_FALSE(scene.HasBranch("fix"));
}

TEST_F(CompensationRunBacklog, FailureStaysOwedHoldsUpTheNextAndIsTriedAgain) {
  FailOwing(directory_, "T1",
            {Noting("first"),
             {"second", "command", "x", {{"command", "sh -c 'echo no way >&2; test -e ready'"}}}});
  FailOwing(directory_, "T2", {Noting("other")});
  const auto failed = Run({"--allow-command"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_EQ(failed.outcomes.at("second"), "failed");
  EXPECT_THAT(failed.details.at("second"), AllOf(HasSubstr("exited with 1"), HasSubstr("no way")));
  EXPECT_EQ(failed.outcomes.at("first"), "waiting");
  EXPECT_EQ(Notes(), "other\n");
  EXPECT_EQ(CompensationState(directory_, "T1", "second"), "failed");
  EXPECT_EQ(CompensationState(directory_, "T1", "first"), "owed");

  std::ofstream(Root() / "ready") << "";
  EXPECT_EQ(Run({"--allow-command"}).exit_code, 0);
  EXPECT_EQ(Notes(), "other\nfirst\n");
  EXPECT_EQ(CompensationState(directory_, "T1", "first"), "done");
}

TEST_F(CompensationRunBacklog, RefusalHoldsUpTheNext) {
  FailOwing(directory_, "T1", {Noting("first"), {"outside", "remove-worktree", "/nowhere/wt", {}}});
  const auto run = Run({"--allow-command"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.outcomes.at("outside"), "refused");
  EXPECT_EQ(run.outcomes.at("first"), "waiting");
  EXPECT_EQ(Notes(), "");
}

TEST_F(CompensationRunBacklog, CommandNeedsToBeAllowed) {
  FailOwing(directory_, "T1", {Noting("first")});
  const auto run = Run();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.outcomes.at("first"), "skipped");
  EXPECT_EQ(Notes(), "");
  EXPECT_EQ(CompensationState(directory_, "T1", "first"), "owed");
}

TEST_F(CompensationRunBacklog, CommandHasNoShellOfItsOwn) {
  FailOwing(directory_, "T1", {{"c", "command", "x", {{"command", "touch a;b '$(c) d'"}}}});
  EXPECT_EQ(Run({"--allow-command"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(Root() / "a;b"));
  EXPECT_TRUE(fs::exists(Root() / "$(c) d"));
}

TEST_F(CompensationRunBacklog, CommandStartsInsideOfTheRootOnly) {
  FailOwing(directory_, "T1",
            {{"c", "command", "x", {{"command", "touch here"}, {"directory", ".."}}}});
  const auto run = Run({"--allow-command"});
  EXPECT_EQ(run.outcomes.at("c"), "refused");
  EXPECT_FALSE(fs::exists(directory_.root() / "here"));
}

TEST_F(CompensationRunBacklog, CommandThatLastsLongerThanItsClaimIsEnded) {
  FailOwing(directory_, "T1", {{"c", "command", "x", {{"command", "sleep 1000"}}}});
  const auto run = Run({"--allow-command", "--ttl", "2s"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.details.at("c"), HasSubstr("took longer than the claim"));
}

TEST_F(CompensationRunBacklog, PullRequestIsClosedByTheConfiguredCommand) {
  FailOwing(directory_, "T1",
            {{"pr", "close-pr", "https://example.com/pr/7", {{"reason", "superseded"}}}});
  EXPECT_EQ(Run().outcomes.at("pr"), "skipped");
  const auto run =
      Run({"--close-pr-command", "sh -c 'echo close $0 because $SAGALOG_PARAM_REASON >>notes'"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(Notes(), "close https://example.com/pr/7 because superseded\n");
  EXPECT_EQ(CompensationState(directory_, "T1", "pr"), "done");
}

TEST_F(CompensationRunBacklog, PullRequestThatLooksLikeAnOptionIsRefused) {
  FailOwing(directory_, "T1", {{"pr", "close-pr", "--admin", {}}});
  EXPECT_EQ(Run({"--close-pr-command", "touch"}).outcomes.at("pr"), "refused");
}

TEST_F(CompensationRunBacklog, OtherKindsAreLeftForOthers) {
  FailOwing(directory_, "T1", {{"vm", "delete-vm", "vm-7", {}}});
  const auto run = Run();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.outcomes.at("vm"), "skipped");
  EXPECT_EQ(CompensationState(directory_, "T1", "vm"), "owed");
}

TEST_F(CompensationRunBacklog, WhatAnotherExecutorClaimedIsLeftToIt) {
  FailOwing(directory_, "T1", {Noting("first")});
  directory_.Json(
      {"compensation", "claim", "T1", "--id", "first", "--executor", "janitor", "--ttl", "1h"});
  const auto run = Run({"--allow-command"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.outcomes.at("first"), "waiting");
  EXPECT_EQ(Notes(), "");
}

TEST_F(CompensationRunBacklog, OneSagaAndALimitNarrowIt) {
  FailOwing(directory_, "T1", {Noting("a1"), Noting("a2")});
  FailOwing(directory_, "T2", {Noting("b1")});
  EXPECT_EQ(Run({"--allow-command", "--saga", "T1", "--limit", "1"}).exit_code, 0);
  EXPECT_EQ(Notes(), "a2\n");
  EXPECT_EQ(Run({"--allow-command", "--saga", "T1"}).exit_code, 0);
  EXPECT_EQ(Notes(), "a2\na1\n");
  EXPECT_EQ(CompensationState(directory_, "T2", "b1"), "owed");
}

TEST_F(CompensationRunBacklog, SettlementSaysWhoDidWhat) {
  FailOwing(directory_, "T1", {Noting("first")});
  Run({"--allow-command", "--executor", "janitor"});
  const CliResult history = directory_.Run({"--json", "history", "T1"});
  EXPECT_THAT(history.out, AllOf(HasSubstr("\"executor\":\"janitor\""), HasSubstr("ran sh -c")));
}

TEST_F(CompensationRunBacklog, NothingOwedIsFine) {
  directory_.Json({"plan", "T1"});
  const CliResult run = directory_.Run({"compensation", "run", "--root", Root().string()});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "nothing is owed\n");
}

}  // namespace
}  // namespace sagalog
