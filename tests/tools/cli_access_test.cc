// sagalog token and sagalog serve --listen: who gets in.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/running_server.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

std::string Ask(const std::string& address, const std::string& target, const std::string& token) {
  RawConnection peer = RawConnection::ToAddress(address);
  peer.Send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
            (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n");
  return peer.ReadToEnd();
}

TEST(CliToken, PrintsTheSecretOnceAndItsLine) {
  const CliResult made =
      RunCli({"token", "new", "ci", "--role", "worker", "--owner-prefix", "ci-"});
  EXPECT_EQ(made.exit_code, 0) << made.error;
  EXPECT_THAT(made.out, MatchesRegex("token: sagalog_[0-9a-f]{64}\nline of the token file: ci "
                                     "worker ci- [0-9a-f]{64}\n"));
}

TEST(CliToken, WhatCannotBeALineIsRefused) {
  CliDirectory directory;
  EXPECT_EQ(RunCli({"token", "new", "ci", "--role", "king"}).exit_code, 2);
  EXPECT_EQ(RunCli({"token", "new", "ci"}).exit_code, 2);
  EXPECT_EQ(RunCli({"token", "new", "two words", "--role", "worker"}).exit_code, 2);
  const std::string file = (directory.root() / "tokens").string();
  EXPECT_EQ(RunCli({"token", "new", "ci", "--role", "worker", "--file", file}).exit_code, 0);
  const CliResult again = RunCli({"token", "new", "ci", "--role", "admin", "--file", file});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.error, HasSubstr("tokens:2: the name ci"));
  EXPECT_THAT(again.out, Not(HasSubstr("sagalog_")));
}

TEST(CliAccess, ATokenOfTheFileOpensTheDoor) {
  CliDirectory directory;
  fs::create_directories(directory.root());
  const std::string file = (directory.root() / "tokens").string();
  const CliResult made =
      RunCli({"token", "new", "boss", "--role", "auditor", "--file", file, "--json"});
  const std::string token = Word(boost::json::parse(made.out).as_object(), "token");
  const std::string line = directory.Serve({"--listen", "127.0.0.1:0", "--token-file", file});
  EXPECT_THAT(line, HasSubstr(", http://127.0.0.1:"));
  EXPECT_THAT(Ask(line, "/v1/status", token), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Ask(line, "/v1/status", token + "0"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(Ask(line, "/v1/status", ""), StartsWith("HTTP/1.1 401 "));
}

TEST(CliAccess, OptionsThatCannotBeMeantAreUsageErrors) {
  CliDirectory directory;
  const std::string file = (directory.root() / "tokens").string();
  EXPECT_EQ(directory.Run({"serve", "--listen", "127.0.0.1:0"}).exit_code, 2);
  EXPECT_EQ(directory.Run({"serve", "--listen", "nowhere", "--insecure"}).exit_code, 2);
  EXPECT_EQ(directory.Run({"serve", "--insecure"}).exit_code, 2);
  std::ofstream(file) << "boss admin - secret\n";
  chmod(file.c_str(), 0600);
  const CliResult wrong = directory.Run({"serve", "--listen", "127.0.0.1:0", "--token-file", file});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("tokens:1: "));
  chmod(file.c_str(), 0644);
  EXPECT_THAT(directory.Run({"serve", "--listen", "127.0.0.1:0", "--token-file", file}).error,
              HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace sagalog
