// `sagalog compensation run`: branches, here and on a remote.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"
#include "tests/tools/git_scene.h"
#include "tests/tools/owed_compensations.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

class CompensationRunBranch : public ::testing::Test {
 protected:
  void Owe(const std::string& kind, const std::string& branch, const std::string& remote = "") {
    Owed owed{"b", kind, branch, {{"repository", scene_.repository().string()}}};
    if (!remote.empty()) {
      owed.params["remote"] = remote;
    }
    FailOwing(directory_, "T1", {owed});
  }
  CompensationRunResult Run(const Words& more = {}) {
    Words flags = {"--root", scene_.folder().string()};
    flags.insert(flags.end(), more.begin(), more.end());
    return RunCompensations(directory_, flags);
  }
  void ExpectRefused(const CompensationRunResult& run, const std::string& why) {
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.outcomes.at("b"), "refused");
    EXPECT_THAT(run.details.at("b"), HasSubstr(why));
    EXPECT_EQ(CompensationState(directory_, "T1", "b"), "owed");
  }
  void ExpectDone(const CompensationRunResult& run, const std::string& how) {
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_EQ(run.outcomes.at("b"), "done");
    EXPECT_THAT(run.details.at("b"), HasSubstr(how));
    EXPECT_EQ(CompensationState(directory_, "T1", "b"), "done");
  }
  // A branch with a commit of its own, checked out nowhere.
  void AddUnmergedBranch(const std::string& branch) {
    const auto worktree = scene_.folder() / "elsewhere";
    scene_.AddWorktree(worktree, branch);
    scene_.Commit(worktree);
    scene_.Git("worktree remove " + worktree.string());
  }

  CliDirectory directory_;
  GitScene scene_{directory_.root() / "root"};
};

TEST_F(CompensationRunBranch, MergedOneIsDeleted) {
  scene_.Git("branch fix");
  Owe("delete-branch", "fix");
  ExpectDone(Run(), "deleted the branch fix (was ");
  EXPECT_FALSE(scene_.HasBranch("fix"));
  EXPECT_TRUE(scene_.HasBranch("trunk"));
}

TEST_F(CompensationRunBranch, MergedElsewhereThanIntoHeadIsMergedToo) {
  AddUnmergedBranch("fix");
  scene_.Git("branch release fix");
  Owe("delete-branch", "refs/heads/fix");
  ExpectDone(Run(), "deleted the branch fix");
  EXPECT_TRUE(scene_.HasBranch("release"));
}

TEST_F(CompensationRunBranch, OneThatIsGoneIsDone) {
  Owe("delete-branch", "fix");
  ExpectDone(Run(), "was not there");
}

TEST_F(CompensationRunBranch, CommitsThatAreNowhereElseAreKeptUnlessDiscarded) {
  AddUnmergedBranch("fix");
  Owe("delete-branch", "fix");
  ExpectRefused(Run(), "1 of its commits are nowhere else");
  EXPECT_TRUE(scene_.HasBranch("fix"));
  ExpectDone(Run({"--discard"}), "deleted the branch fix");
  EXPECT_FALSE(scene_.HasBranch("fix"));
}

TEST_F(CompensationRunBranch, CheckedOutOneStays) {
  scene_.AddWorktree(scene_.folder() / "wt", "fix");
  Owe("delete-branch", "fix");
  ExpectRefused(Run({"--discard"}), "it is checked out in");
  EXPECT_TRUE(scene_.HasBranch("fix"));
}

TEST_F(CompensationRunBranch, DefaultOneStaysAlsoWhenItIsNotCheckedOut) {
  scene_.Git("checkout -q -b work");
  scene_.Git("update-ref refs/remotes/origin/trunk trunk");
  scene_.Git("symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/trunk");
  Owe("delete-branch", "trunk");
  ExpectRefused(Run({"--discard"}), "default branch");
  EXPECT_TRUE(scene_.HasBranch("trunk"));
}

TEST_F(CompensationRunBranch, MainAndMasterStay) {
  for (const std::string name : {"main", "master"}) {
    scene_.Git("branch " + name);
  }
  FailOwing(directory_, "T1",
            {{"b1", "delete-branch", "main", {{"repository", scene_.repository().string()}}}});
  FailOwing(directory_, "T2",
            {{"b2", "delete-branch", "master", {{"repository", scene_.repository().string()}}}});
  const auto run = Run({"--discard"});
  EXPECT_EQ(run.outcomes.at("b1"), "refused");
  EXPECT_EQ(run.outcomes.at("b2"), "refused");
  EXPECT_TRUE(scene_.HasBranch("main"));
  EXPECT_TRUE(scene_.HasBranch("master"));
}

TEST_F(CompensationRunBranch, ProtectedOneStays) {
  scene_.Git("branch release/1");
  Owe("delete-branch", "release/1");
  ExpectRefused(Run({"--discard", "--protect", "stable", "--protect", "release/*"}),
                "protected (--protect release/*)");
  EXPECT_TRUE(scene_.HasBranch("release/1"));
}

TEST_F(CompensationRunBranch, WhatIsNoNameOfABranchIsNotTried) {
  Owe("delete-branch", "-D");
  ExpectRefused(Run({"--discard"}), "is no name of a branch");
}

TEST_F(CompensationRunBranch, RepositoryOutsideOfTheRootIsNotTouched) {
  const GitScene other(directory_.root() / "other");
  other.Git("branch fix");
  FailOwing(directory_, "T1",
            {{"b", "delete-branch", "fix", {{"repository", other.repository().string()}}}});
  ExpectRefused(Run({"--discard"}), "is outside of");
  EXPECT_TRUE(other.HasBranch("fix"));
}

TEST_F(CompensationRunBranch, RemoteOneIsDeletedThere) {
  scene_.Git("push -q origin trunk:fix");
  Owe("delete-remote-branch", "fix", "origin");
  ExpectDone(Run(), "deleted the branch fix on origin (was ");
  EXPECT_FALSE(scene_.RemoteHasBranch("fix"));
  EXPECT_TRUE(scene_.RemoteHasBranch("trunk"));
}

TEST_F(CompensationRunBranch, RemoteOneThatIsGoneIsDone) {
  Owe("delete-remote-branch", "fix", "origin");
  ExpectDone(Run(), "was not there on origin");
}

TEST_F(CompensationRunBranch, RemoteOneWithTheOnlyCommitsStaysUnlessDiscarded) {
  AddUnmergedBranch("fix");
  scene_.Git("push -q origin fix");
  scene_.Git("branch -q -D fix");
  Owe("delete-remote-branch", "fix", "origin");
  ExpectRefused(Run(), "nowhere else");
  EXPECT_TRUE(scene_.RemoteHasBranch("fix"));
  ExpectDone(Run({"--discard"}), "deleted the branch fix on origin");
}

TEST_F(CompensationRunBranch, DefaultOneOfTheRemoteStays) {
  scene_.Git("push -q origin trunk:stable");
  scene_.Git(scene_.remote(), "symbolic-ref HEAD refs/heads/stable");
  Owe("delete-remote-branch", "stable", "origin");
  ExpectRefused(Run({"--discard"}), "default branch");
  EXPECT_TRUE(scene_.RemoteHasBranch("stable"));
}

TEST_F(CompensationRunBranch, RemoteMustBeConfigured) {
  scene_.Git("push -q origin trunk:fix");
  Owe("delete-remote-branch", "fix", scene_.remote().string());
  ExpectRefused(Run(), "is no remote of");
  EXPECT_TRUE(scene_.RemoteHasBranch("fix"));
}

TEST_F(CompensationRunBranch, RemoteThatRefusesIsAFailureThatStaysOwed) {
  scene_.Git("push -q origin trunk:fix");
  scene_.Git(scene_.remote(), "config receive.denyDeletes true");
  Owe("delete-remote-branch", "fix", "origin");
  const auto run = Run();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.outcomes.at("b"), "failed");
  EXPECT_THAT(run.details.at("b"), HasSubstr("exited with 1"));
  EXPECT_EQ(CompensationState(directory_, "T1", "b"), "failed");
  scene_.Git(scene_.remote(), "config receive.denyDeletes false");
  ExpectDone(Run(), "deleted the branch fix on origin");
}

}  // namespace
}  // namespace sagalog
