// The command line against a daemon that a URL names.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/http_client.h"
#include "tests/reactor/tls_peer.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

// A daemon on TCP with an access token for each role that is asked for, with or without TLS.
class CliUrl : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory_.root()); }

  void ServeTcp(const Words& more = {}) {
    Words flags = {"--listen", "127.0.0.1:0", "--token-file", tokens()};
    if (!fs::exists(tokens())) {
      Secret("boss", "admin");
    }
    flags.insert(flags.end(), more.begin(), more.end());
    const std::string line = directory_.Serve(flags);
    port_ = line.substr(line.rfind(':') + 1);
  }

  // A file with a new secret of this role.
  std::string Secret(const std::string& name, const std::string& role) {
    const CliResult made =
        RunCli({"token", "new", name, "--role", role, "--file", tokens(), "--json"});
    EXPECT_EQ(made.exit_code, 0) << made.error;
    return SecretFile(name, Word(boost::json::parse(made.out).as_object(), "token") + "\n");
  }

  std::string SecretFile(const std::string& name, const std::string& text) {
    std::string path = (directory_.root() / (name + ".secret")).string();
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
    return path;
  }

  CliResult Over(Words words, const Environment& environment = {}) {
    words.insert(words.begin(), {"--url", "http://127.0.0.1:" + port_, "--bearer-token-file",
                                 (directory_.root() / "boss.secret").string()});
    return RunCli(words, environment);
  }

  std::string tokens() { return (directory_.root() / "tokens").string(); }

  CliDirectory directory_;
  std::string port_;
};

TEST_F(CliUrl, SaysWhatTheDirectorySays) {
  ServeTcp();
  EXPECT_EQ(Over({"plan", "T1", "--label", "team=blue"}).exit_code, 0);
  EXPECT_EQ(Over({"acquire", "T1", "--owner", "w1"}).exit_code, 0);
  const std::vector<Words> reads = {{"show", "T1", "--json"},
                                    {"ls", "--json"},
                                    {"history", "T1", "--json"},
                                    {"stale"},
                                    {"queue", "default"},
                                    {"events", "--json"},
                                    {"acquire", "T1", "--owner", "w2"},
                                    {"show", "T9"},
                                    {"complete", "T1", "--token", "1"}};
  for (const Words& words : reads) {
    const CliResult here = directory_.Run(words);
    const CliResult there = Over(words);
    EXPECT_EQ(there.exit_code, here.exit_code) << words.front();
    EXPECT_EQ(there.out, here.out) << words.front();
    EXPECT_EQ(there.error, here.error) << words.front();
  }
  EXPECT_EQ(Over({"acquire", "T1", "--owner", "w2"}).exit_code, 1);
}

TEST_F(CliUrl, TakesWhatTheEnvironmentSays) {
  ServeTcp();
  const std::string url = "http://127.0.0.1:" + port_;
  const std::string file = (directory_.root() / "boss.secret").string();
  EXPECT_EQ(
      RunCli({"status"}, {{"SAGALOG_URL", url}, {"SAGALOG_BEARER_TOKEN_FILE", file}}).exit_code, 0);
  std::string secret;
  std::ifstream(file) >> secret;
  EXPECT_EQ(RunCli({"status"}, {{"SAGALOG_URL", url}, {"SAGALOG_BEARER_TOKEN", secret}}).exit_code,
            0);
  // A directory that is named on the command line counts more.
  const Environment nobody = {{"SAGALOG_URL", "http://127.0.0.1:1"}};
  EXPECT_EQ(directory_.Run({"status"}, nobody).exit_code, 0);
  EXPECT_EQ(RunCli({"status"}, nobody).exit_code, 3);
  const std::string socket = "unix:" + (directory_.data() / "socket").string();
  EXPECT_EQ(RunCli({"--url", socket, "plan", "T1"}).exit_code, 0);
}

TEST_F(CliUrl, WithoutTheTokenItIsRefused) {
  const std::string auditor = Secret("audit", "auditor");
  ServeTcp();
  const CliResult nobody = RunCli({"--url", "http://127.0.0.1:" + port_, "ls"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.error, AllOf(HasSubstr("unauthenticated"), HasSubstr("--bearer-token-file")));
  const CliResult forbidden =
      RunCli({"--url", "http://127.0.0.1:" + port_, "--bearer-token-file", auditor, "plan", "T1"});
  EXPECT_EQ(forbidden.exit_code, 1);
  EXPECT_THAT(forbidden.error, HasSubstr("forbidden"));
}

TEST_F(CliUrl, ATokenFileThatIsNoneIsNotSent) {
  const std::string url = "http://127.0.0.1:1";
  const auto error = [&](const std::string& file) {
    const CliResult result = RunCli({"--url", url, "--bearer-token-file", file, "ls"});
    EXPECT_EQ(result.exit_code, 2) << result.error;
    return result.error;
  };
  const std::string open = SecretFile("open", "sagalog_1\n");
  chmod(open.c_str(), 0644);
  EXPECT_THAT(error(open), HasSubstr("chmod 600"));
  EXPECT_THAT(error(SecretFile("empty", "")), HasSubstr("no access token"));
  EXPECT_THAT(error(SecretFile("two", "a b\n")), HasSubstr("no access token"));
  EXPECT_THAT(error((directory_.root() / "gone").string()), HasSubstr("gone"));
}

TEST_F(CliUrl, SpeaksTlsWithWhomItTrusts) {
  const CertificateFiles files = MakeCertificate(directory_.root(), "localhost");
  const CertificateFiles other = MakeCertificate(directory_.root(), "elsewhere");
  const std::string secret = Secret("boss", "admin");
  ServeTcp({"--tls-cert", files.certificate.string(), "--tls-key", files.key.string()});
  const auto run = [&](const std::string& host, const Words& trust) {
    Words words = {"--url", fmt::format("https://{}:{}", host, port_), "--bearer-token-file",
                   secret};
    words.insert(words.end(), trust.begin(), trust.end());
    words.insert(words.end(), {"plan", "T1"});
    return RunCli(words);
  };
  const CliResult good = run("localhost", {"--ca", files.certificate.string()});
  EXPECT_EQ(good.exit_code, 0) << good.error;
  const CliResult unknown = run("localhost", {});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.error, AllOf(HasSubstr("not trusted"), HasSubstr("--ca")));
  EXPECT_EQ(run("localhost", {"--ca", other.certificate.string()}).exit_code, 3);
  // It is trusted, but of another host.
  const CliResult elsewhere = run("127.0.0.1", {"--ca", files.certificate.string()});
  EXPECT_EQ(elsewhere.exit_code, 3);
  EXPECT_THAT(elsewhere.error, HasSubstr("not trusted"));
  const CliResult plain = RunCli({"--url", "http://127.0.0.1:" + port_, "ls"});
  EXPECT_EQ(plain.exit_code, 3) << plain.error;
  EXPECT_THAT(plain.error, HasSubstr("if it speaks TLS, its URL begins with https://"));
  EXPECT_EQ(run("localhost", {"--ca", secret}).exit_code, 2);
}

TEST_F(CliUrl, WhatWorksOnADirectoryRefusesAUrl) {
  for (const Words& words : {Words{"doctor"}, Words{"restore", "/nowhere"}, Words{"serve"}}) {
    Words all = {"--url", "http://127.0.0.1:1"};
    all.insert(all.end(), words.begin(), words.end());
    const CliResult result = RunCli(all);
    EXPECT_EQ(result.exit_code, 2) << words.front();
    EXPECT_THAT(result.error, AllOf(HasSubstr(words.front()), HasSubstr("does not go over a URL"),
                                    HasSubstr("--data")));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(CliUrl, WhatIsNoUrlIsAUsageError) {
  for (const char* url :
       {"localhost:7070", "ftp://localhost", "http://", "http://a/b", "unix:", "http://user@host",
        "http://host:0", "http://host:99999", "http://[::1"}) {
    const CliResult result = RunCli({"--url", url, "ls"});
    EXPECT_EQ(result.exit_code, 2) << url;
    EXPECT_THAT(result.error, HasSubstr("no address of a daemon")) << url;
  }
  EXPECT_EQ(directory_.Run({"--url", "http://127.0.0.1:1", "ls"}).exit_code, 2);
  EXPECT_EQ(RunCli({"ls"}, {{"SAGALOG_URL", "ftp://x"}}).exit_code, 2);
}

TEST_F(CliUrl, NobodyThereIsUnavailable) {
  const CliResult result = RunCli({"--url", "http://127.0.0.1:1", "ls"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, AllOf(HasSubstr("http://127.0.0.1:1"), Not(HasSubstr("doctor"))));
}

TEST_F(CliUrl, FollowsTheLog) {
  ServeTcp();
  CliResult followed;
  std::thread follower([&] { followed = Over({"events", "--from", "2", "--follow", "--json"}); });
  EXPECT_EQ(Over({"plan", "T1"}).exit_code, 0);
  const auto follows = [&] {
    const auto client = HttpClient::Connect(directory_.data() / "socket");
    const auto metrics = (*client)->Send({"GET", "/metrics", "", ""});
    return metrics.ok() && metrics->body.find("\nsagalog_followers 1\n") != std::string::npos;
  };
  while (!follows()) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Over({"plan", "T2"}).exit_code, 0);
  directory_.StopServing();
  follower.join();
  EXPECT_EQ(followed.exit_code, 3);
  EXPECT_THAT(followed.out,
              AllOf(HasSubstr("\"saga_id\":\"T1\""), HasSubstr("\"saga_id\":\"T2\"")));
}

// A worker's own commands reach the daemon that the worker was started on.
TEST_F(CliUrl, AWorkerHandsItOn) {
  ServeTcp();
  EXPECT_EQ(Over({"plan", "T1"}).exit_code, 0);
  const CliResult run = Over({"run", "T1", "--", "sh", "-c",
                              "echo \"$SAGALOG_URL $SAGALOG_BEARER_TOKEN_FILE [$SAGALOG_DATA]\""});
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_EQ(run.out, fmt::format("http://127.0.0.1:{} {} []\n", port_,
                                 (directory_.root() / "boss.secret").string()));
  EXPECT_EQ(Over({"plan", "T2"}).exit_code, 0);
  const CliResult here =
      directory_.Run({"run", "T2", "--", "sh", "-c", "echo \"[$SAGALOG_URL] $SAGALOG_DATA\""},
                     {{"SAGALOG_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(here.out, "[] " + directory_.data().string() + "\n");
}

}  // namespace
}  // namespace sagalog
