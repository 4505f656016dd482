// The hook and the script of docs/examples: a replaced owner is stopped where its work has an
// effect, by its token alone.
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/git_scene.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

struct Tokens {
  std::string old;
  std::string current;
};

// A saga is taken over from an owner that was silent for too long: both their tokens.
Tokens TakeOver(CliDirectory& directory) {
  directory.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  directory.Json({"plan", "T"});
  Tokens tokens;
  tokens.old = directory.Token({"acquire", "T", "--owner", "paused", "--ttl", "30s"});
  AdvanceClock(directory, "31s");
  tokens.current = directory.Token({"acquire", "T", "--owner", "next", "--ttl", "30s"});
  return tokens;
}

struct Output {
  int status;
  std::string text;
};

// Both streams of what a shell runs.
Output Shell(const std::string& command) {
  Output output{-1, ""};
  FILE* pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.text.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

class FencedPush : public testing::Test {
 protected:
  FencedPush() : scene_(directory_.root() / "git") {
    const fs::path hook = scene_.remote() / "hooks" / "pre-receive";
    fs::create_directories(hook.parent_path());
    fs::copy_file(fs::path(kSourceDirectory) / "docs/examples/pre-receive", hook,
                  fs::copy_options::overwrite_existing);
    scene_.Git(scene_.remote(), "config receive.advertisePushOptions true");
  }

  // A new commit, pushed with the option.
  Output Push(const std::string& option, const std::string& ref = "trunk:work") {
    scene_.Commit(scene_.repository());
    return Shell("git -C " + scene_.repository().string() + " push " + option + " origin " + ref);
  }
  std::string Pushed() { return scene_.Git(scene_.remote(), "rev-parse work"); }

  CliDirectory directory_;
  GitScene scene_;
};

TEST_F(FencedPush, OfAReplacedOwnerIsRefusedByItsToken) {
  const Tokens tokens = TakeOver(directory_);
  ASSERT_EQ(Push("-o token=" + tokens.old).status, 0);
  const Output newer = Push("-o token=" + tokens.current);
  ASSERT_EQ(newer.status, 0) << newer.text;
  const std::string before = Pushed();
  const Output late = Push("-o token=" + tokens.old);
  EXPECT_NE(late.status, 0);
  EXPECT_NE(late.text.find("refused: refs/heads/work was pushed to under token " + tokens.current),
            std::string::npos)
      << late.text;
  EXPECT_EQ(Pushed(), before) << "nothing has changed";
  EXPECT_EQ(Push("-o token=" + tokens.current).status, 0) << "the holder goes on";
}

TEST_F(FencedPush, WithoutATokenIsRefused) {
  for (const char* option : {"", "-o token=", "-o token=7x", "-o token=-1", "-o token=07",
                             "-o other=7", "-o token=99999999999999999"}) {
    const Output push = Push(option);
    EXPECT_NE(push.status, 0) << option;
    EXPECT_NE(push.text.find("push with the fencing token"), std::string::npos) << push.text;
  }
  EXPECT_FALSE(scene_.RemoteHasBranch("work"));
}

TEST_F(FencedPush, PassesWithAllItsRefsOrWithNone) {
  ASSERT_EQ(Push("-o token=9", "trunk:work").status, 0);
  EXPECT_NE(Push("-o token=8", "trunk:fresh trunk:work").status, 0);
  EXPECT_FALSE(scene_.RemoteHasBranch("fresh"));
  EXPECT_EQ(Push("-o token=7", "trunk:fresh").status, 0) << "the refused push left no fence";
}

class FencedDeployment : public testing::Test {
 protected:
  Output Deploy(const std::string& token, const std::string& command) {
    return Shell((fs::path(kSourceDirectory) / "docs/examples/deploy").string() + " " +
                 Place().string() + " " + token + " " + command);
  }
  fs::path Place() { return directory_.root() / "shop"; }
  // What is deployed.
  std::string Deployed() {
    std::ostringstream text;
    text << std::ifstream(Place()).rdbuf();
    return text.str();
  }
  std::string Writing(const std::string& text) {
    return "sh -c 'printf " + text + " >" + Place().string() + "'";
  }

  CliDirectory directory_;
};

TEST_F(FencedDeployment, OfAReplacedOwnerIsRefusedByItsToken) {
  const Tokens tokens = TakeOver(directory_);
  ASSERT_EQ(Deploy(tokens.old, Writing("first")).status, 0);
  ASSERT_EQ(Deploy(tokens.current, Writing("second")).status, 0);
  const Output late = Deploy(tokens.old, Writing("late"));
  EXPECT_EQ(late.status, 1);
  EXPECT_NE(late.text.find("was deployed under token " + tokens.current), std::string::npos)
      << late.text;
  EXPECT_EQ(Deployed(), "second");
  EXPECT_EQ(Deploy(tokens.current, Writing("third")).status, 0) << "the holder goes on";
  EXPECT_EQ(Deployed(), "third");
}

TEST_F(FencedDeployment, IsFencedAlsoByOneThatFailed) {
  EXPECT_EQ(Deploy("9", "sh -c 'exit 5'").status, 5) << "the command's own exit code";
  EXPECT_EQ(Deploy("8", Writing("late")).status, 1);
  EXPECT_EQ(Deployed(), "");
}

TEST_F(FencedDeployment, WithoutATokenIsRefused) {
  for (const char* token : {"''", "7x", "-1", "07", "99999999999999999"}) {
    EXPECT_EQ(Deploy(token, Writing("x")).status, 2) << token;
  }
  EXPECT_EQ(Deployed(), "");
}

}  // namespace
}  // namespace sagalog
