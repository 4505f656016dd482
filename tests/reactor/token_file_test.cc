// The file of access tokens: what it says, and what is wrong with one.
#include "reactor/token_file.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// SHA-256 of "secret" and of "other".
constexpr const char* kSecretHash =
    "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
constexpr const char* kOtherHash =
    "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";

fs::path Write(const TemporaryFolder& folder, const std::string& text, mode_t mode = 0600) {
  const fs::path path = folder.path() / "tokens";
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
  return path;
}

TEST(TokenFile, SaysWhoASecretBelongsTo) {
  const TemporaryFolder folder;
  const auto tokens = TokenFile::Load(
      Write(folder, fmt::format("# who may speak\n\n  ci worker ci- {}  # the runners\r\n"
                                "boss\tadmin\t-\t{}",
                                kSecretHash, kOtherHash)));
  ASSERT_TRUE(tokens.ok()) << tokens.status().text();
  const auto ci = tokens->Find("secret");
  ASSERT_TRUE(ci);
  EXPECT_EQ(ci->principal, "ci");
  EXPECT_EQ(ci->role, Role::kWorker);
  EXPECT_EQ(ci->owner_prefix, "ci-");
  const auto boss = tokens->Find("other");
  ASSERT_TRUE(boss);
  EXPECT_EQ(boss->role, Role::kAdmin);
  EXPECT_EQ(boss->owner_prefix, "");
  EXPECT_FALSE(tokens->Find("Secret"));
  EXPECT_FALSE(tokens->Find(""));
  EXPECT_FALSE(tokens->Find(kSecretHash));
}

TEST(TokenFile, APrefixMayBeLeftOut) {
  const TemporaryFolder folder;
  const auto tokens = TokenFile::Load(Write(folder, fmt::format("ci worker {}\n", kSecretHash)));
  ASSERT_TRUE(tokens.ok()) << tokens.status().text();
  EXPECT_EQ(tokens->Find("secret")->owner_prefix, "");
}

TEST(TokenFile, WhatIsWrongIsNamedByItsLine) {
  const TemporaryFolder folder;
  const std::string good = fmt::format("ci worker - {}\n", kSecretHash);
  for (const auto& [line, problem] : std::vector<std::pair<std::string, std::string>>{
           {"boss", "NAME ROLE OWNER-PREFIX SHA256"},
           {fmt::format("boss admin - {} more", kOtherHash), "NAME ROLE OWNER-PREFIX SHA256"},
           {fmt::format("boss king - {}", kOtherHash), "\"king\" is no role"},
           {"boss admin - secret", "64 hex digits"},
           {fmt::format("boss admin - {}0", kOtherHash), "64 hex digits"},
           {fmt::format("ci admin - {}", kOtherHash), "the name ci stands in an earlier line"},
           {fmt::format("boss admin - {}", kSecretHash), "the same secret as ci's"},
           {fmt::format("bo\x01ss admin - {}", kOtherHash), "the name is one word"},
           {fmt::format("b\xff admin - {}", kOtherHash), "the name is one word"}}) {
    const Status status = TokenFile::Load(Write(folder, good + "\n" + line + "\n")).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << line;
    EXPECT_THAT(status.text(), HasSubstr("tokens:3: ")) << line;
    EXPECT_THAT(status.text(), HasSubstr(problem)) << line;
  }
}

TEST(TokenFile, OthersHaveNoPartInIt) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0640, 0604, 0660, 0602, 0610}) {
    const Status status = TokenFile::Load(Write(folder, "", mode)).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_THAT(status.text(), HasSubstr("chmod 600"));
  }
  EXPECT_TRUE(TokenFile::Load(Write(folder, "", 0400)).ok());
  EXPECT_EQ(TokenFile::Load(folder.path() / "nowhere").status().code(), Code::kNotFound);
  EXPECT_EQ(TokenFile::Load(folder.path()).status().code(), Code::kInvalidArgument);
}

TEST(TokenFile, TooLargeAFileIsRefused) {
  const TemporaryFolder folder;
  const std::string large(kTokenFileSizeMax + 1, '\n');
  EXPECT_THAT(TokenFile::Load(Write(folder, large)).status().text(), HasSubstr("bytes at most"));
}

TEST(TokenFile, ANewSecretIsFoundByItsLine) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "tokens";
  const auto secret = NewTokenSecret();
  const auto other = NewTokenSecret();
  ASSERT_TRUE(secret.ok() && other.ok());
  EXPECT_THAT(*secret, StartsWith("sagalog_"));
  EXPECT_THAT(*secret, SizeIs(8 + 64));
  EXPECT_NE(*secret, *other);
  const auto line = TokenLineFor({"ci", Role::kWorker, "ci-"}, *secret);
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(*line, StartsWith("ci worker ci- "));
  EXPECT_THAT(*line, ::testing::Not(HasSubstr(*secret)));
  EXPECT_TRUE(AppendTokenLine(path, *line).ok());
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  const auto tokens = TokenFile::Load(path);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokens->Find(*secret)->principal, "ci");
  EXPECT_FALSE(tokens->Find(*other));
}

TEST(TokenFile, ALineIsAddedOnlyToAFileThatIsRightWithIt) {
  const TemporaryFolder folder;
  const std::string text = fmt::format("ci worker - {}", kSecretHash);  // no line break
  const fs::path path = Write(folder, text);
  const auto same_name = TokenLineFor({"ci", Role::kAdmin}, "x");
  EXPECT_THAT(AppendTokenLine(path, *same_name).text(), HasSubstr("tokens:2: the name ci"));
  EXPECT_EQ(fs::file_size(path), text.size());
  EXPECT_TRUE(AppendTokenLine(path, *TokenLineFor({"boss", Role::kAdmin}, "x")).ok());
  EXPECT_THAT(TokenFile::Load(path)->lines(), SizeIs(2));
}

TEST(TokenFile, WhatNoLineCanHoldIsRefused) {
  for (const char* name : {"", "two words", "a#b", "a\nb"}) {
    EXPECT_EQ(TokenLineFor({name, Role::kAdmin}, "x").status().code(), Code::kInvalidArgument);
  }
  for (const char* prefix : {"a b", "#"}) {
    EXPECT_EQ(TokenLineFor({"ci", Role::kWorker, prefix}, "x").status().code(),
              Code::kInvalidArgument);
  }
  EXPECT_THAT(*TokenLineFor({"ci", Role::kWorker}, "secret"),
              EndsWith(std::string("worker - ") + kSecretHash));
}

}  // namespace
}  // namespace sagalog
