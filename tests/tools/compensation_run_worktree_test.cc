// `sagalog compensation run`: worktrees, and the border that nothing is touched beyond.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"
#include "tests/tools/git_scene.h"
#include "tests/tools/owed_compensations.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CompensationRunWorktree : public ::testing::Test {
 protected:
  // T1 owes the removal of a worktree at `target`.
  void Owe(const fs::path& target) {
    FailOwing(directory_, "T1",
              {{"wt",
                "remove-worktree",
                target.string(),
                {{"repository", scene_.repository().string()}}}});
  }
  CompensationRunResult Run(const Words& more = {}) {
    Words flags = {"--root", scene_.folder().string()};
    flags.insert(flags.end(), more.begin(), more.end());
    return RunCompensations(directory_, flags);
  }
  // Whether the run leaves the target alone, unclaimed and owed, for a reason that says `why`.
  void ExpectRefused(const CompensationRunResult& run, const std::string& why) {
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.outcomes.at("wt"), "refused");
    EXPECT_THAT(run.details.at("wt"), HasSubstr(why));
    EXPECT_EQ(CompensationState(directory_, "T1", "wt"), "owed");
  }
  fs::path Worktree() const { return scene_.folder() / "wt"; }

  CliDirectory directory_;
  GitScene scene_{directory_.root() / "root"};
};

TEST_F(CompensationRunWorktree, CleanOneIsRemoved) {
  scene_.AddWorktree(Worktree(), "fix");
  Owe(Worktree());
  const auto run = Run();
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_EQ(run.outcomes.at("wt"), "done");
  EXPECT_FALSE(fs::exists(Worktree()));
  EXPECT_EQ(scene_.Git("worktree list --porcelain").find("/wt"), std::string::npos);
  EXPECT_EQ(CompensationState(directory_, "T1", "wt"), "done");
  EXPECT_EQ(Word(directory_.Json({"show", "T1"}), "compensation_status"), "settled");
}

TEST_F(CompensationRunWorktree, OneThatIsGoneIsDone) {
  Owe(Worktree());
  const auto run = Run();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.details.at("wt"), HasSubstr("was not there"));
  EXPECT_EQ(CompensationState(directory_, "T1", "wt"), "done");
}

TEST_F(CompensationRunWorktree, RegistrationOfOneThatIsGoneIsRemovedToo) {
  scene_.AddWorktree(Worktree(), "fix");
  fs::remove_all(Worktree());
  Owe(Worktree());
  EXPECT_EQ(Run().exit_code, 0);
  EXPECT_EQ(scene_.Git("worktree list --porcelain").find("/wt"), std::string::npos);
}

TEST_F(CompensationRunWorktree, UncommittedChangesAreKeptUnlessDiscarded) {
  scene_.AddWorktree(Worktree(), "fix");
  std::ofstream(Worktree() / "unsaved.txt") << "half a thought";
  Owe(Worktree());
  ExpectRefused(Run(), "uncommitted changes");
  EXPECT_TRUE(fs::exists(Worktree() / "unsaved.txt"));
  EXPECT_EQ(Run({"--discard"}).outcomes.at("wt"), "done");
  EXPECT_FALSE(fs::exists(Worktree()));
}

TEST_F(CompensationRunWorktree, CommitsOnNoBranchAreKeptUnlessDiscarded) {
  scene_.Git("worktree add -q --detach " + Worktree().string());
  scene_.Commit(Worktree());
  Owe(Worktree());
  ExpectRefused(Run(), "on no branch");
  EXPECT_EQ(Run({"--discard"}).outcomes.at("wt"), "done");
}

TEST_F(CompensationRunWorktree, DryRunChangesNothing) {
  scene_.AddWorktree(Worktree(), "fix");
  Owe(Worktree());
  const std::string sequence = Word(directory_.Json({"status"}), "last_sequence");
  const auto run = Run({"--dry-run"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.outcomes.at("wt"), "would");
  EXPECT_THAT(run.details.at("wt"), HasSubstr("worktree remove"));
  EXPECT_TRUE(fs::exists(Worktree() / "prices.txt"));
  EXPECT_EQ(Word(directory_.Json({"status"}), "last_sequence"), sequence);
}

TEST_F(CompensationRunWorktree, OutsideOfTheRootIsNotTouched) {
  const fs::path outside = directory_.root() / "outside";
  scene_.AddWorktree(outside, "fix");
  Owe(scene_.folder() / ".." / "outside");
  ExpectRefused(Run({"--discard"}), "is outside of");
  EXPECT_TRUE(fs::exists(outside / "prices.txt"));
}

TEST_F(CompensationRunWorktree, LinkOutOfTheRootIsNotFollowed) {
  const fs::path outside = directory_.root() / "outside";
  scene_.AddWorktree(outside, "fix");
  fs::create_directory_symlink(outside, Worktree());
  Owe(Worktree());
  ExpectRefused(Run({"--discard"}), "is outside of");
  EXPECT_TRUE(fs::exists(outside / "prices.txt"));
}

TEST_F(CompensationRunWorktree, FolderLinkedOutOfTheRootIsNotEntered) {
  const fs::path outside = directory_.root() / "outside";
  fs::create_directory(outside);
  scene_.AddWorktree(outside / "wt", "fix");
  fs::create_directory_symlink(outside, scene_.folder() / "inside");
  Owe(scene_.folder() / "inside" / "wt");
  ExpectRefused(Run({"--discard"}), "is outside of");
  EXPECT_TRUE(fs::exists(outside / "wt" / "prices.txt"));
}

TEST_F(CompensationRunWorktree, RepositoryOutsideOfTheRootIsNotTouched) {
  const GitScene other(directory_.root() / "other");
  other.AddWorktree(Worktree(), "fix");
  FailOwing(directory_, "T1", {{"wt", "remove-worktree", Worktree().string(), {}}});
  ExpectRefused(Run({"--discard"}), "is outside of");
  EXPECT_TRUE(fs::exists(Worktree() / "prices.txt"));
}

TEST_F(CompensationRunWorktree, RootBesideOneOfALongerNameIsNotThatOne) {
  const fs::path sibling = directory_.root() / "root-of-others";
  scene_.AddWorktree(sibling, "fix");
  Owe(sibling);
  ExpectRefused(Run(), "is outside of");
  EXPECT_TRUE(fs::exists(sibling));
}

TEST_F(CompensationRunWorktree, MainWorktreeStays) {
  Owe(scene_.repository());
  ExpectRefused(Run({"--discard"}), "main worktree");
  EXPECT_TRUE(fs::exists(scene_.repository() / "prices.txt"));
}

TEST_F(CompensationRunWorktree, FolderThatIsNoWorktreeStays) {
  fs::create_directory(Worktree());
  std::ofstream(Worktree() / "diary.txt") << "dear diary";
  Owe(Worktree());
  ExpectRefused(Run({"--discard"}), "is no worktree of");
  EXPECT_TRUE(fs::exists(Worktree() / "diary.txt"));
}

TEST_F(CompensationRunWorktree, LockedOneStays) {
  scene_.AddWorktree(Worktree(), "fix");
  scene_.Git("worktree lock --reason 'on a stick' " + Worktree().string());
  Owe(Worktree());
  ExpectRefused(Run({"--discard"}), "locked: on a stick");
  EXPECT_TRUE(fs::exists(Worktree()));
}

TEST_F(CompensationRunWorktree, OneWithAnotherInsideStays) {
  scene_.AddWorktree(Worktree(), "fix");
  scene_.AddWorktree(Worktree() / "inner", "other");
  Owe(Worktree());
  ExpectRefused(Run({"--discard"}), "another worktree is inside");
}

TEST_F(CompensationRunWorktree, RootItselfStays) {
  Owe(scene_.folder());
  ExpectRefused(Run({"--discard"}), "the root itself");
}

TEST_F(CompensationRunWorktree, RepositoryOfTheSagaServesWhenTheParamsNameNone) {
  scene_.AddWorktree(Worktree(), "fix");
  fs::remove_all(Worktree());
  directory_.Json({"plan", "T1", "--repository", scene_.repository().string(), "--compensation",
                   "id=wt,kind=remove-worktree,target=" + Worktree().string()});
  directory_.Json({"cancel", "T1"});
  EXPECT_EQ(Run().exit_code, 0);
  EXPECT_EQ(scene_.Git("worktree list --porcelain").find("/wt"), std::string::npos);
}

TEST_F(CompensationRunWorktree, RootMustBeAFolder) {
  Owe(Worktree());
  for (const std::string root : {"/", "/no/such/folder"}) {
    EXPECT_EQ(directory_.Run({"compensation", "run", "--root", root}).exit_code, 2) << root;
  }
}

}  // namespace
}  // namespace sagalog
