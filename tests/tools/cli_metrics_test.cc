// What a daemon counts, as a monitoring system and `sagalog status` see it.
#include <filesystem>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/running_server.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A daemon with a worker's and an auditor's token.
class CliMetrics : public testing::Test {
 protected:
  void SetUp() override {
    worker_ = Token("ci", "worker");
    auditor_ = Token("eye", "auditor");
    line_ = directory_.Serve({"--listen", "127.0.0.1:0", "--token-file", tokens()});
  }

  std::string Send(const std::string& head, const std::string& token, const std::string& body) {
    RawConnection peer = RawConnection::ToAddress(line_);
    peer.Send(head + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\nAuthorization: Bearer " + token + "\r\n\r\n" +
              body);
    return peer.ReadToEnd();
  }
  std::string Metrics() { return Send("GET /metrics", auditor_, ""); }

  CliDirectory directory_;
  std::string worker_;
  std::string auditor_;

 private:
  std::string tokens() const { return (directory_.root() / "tokens").string(); }
  std::string Token(const std::string& name, const std::string& role) {
    const CliResult made =
        RunCli({"token", "new", name, "--role", role, "--file", tokens(), "--json"});
    EXPECT_EQ(made.exit_code, 0) << made.error;
    return Word(boost::json::parse(made.out).as_object(), "token");
  }

  std::string line_;
};

TEST_F(CliMetrics, WhoMayNotIsCounted) {
  EXPECT_THAT(Metrics(),
              AllOf(HasSubstr("sagalog_denied_requests_total{code=\"unauthenticated\"} 0\n"),
                    HasSubstr("sagalog_denied_requests_total{code=\"forbidden\"} 0\n")));
  EXPECT_THAT(Send("POST /v1/sagas", worker_, R"({"saga_id":"T1"})"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(Send("POST /v1/admin/rebuild", worker_, ""), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(Send("GET /v1/status", worker_ + "0", ""), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(Metrics(),
              AllOf(HasSubstr("sagalog_denied_requests_total{code=\"unauthenticated\"} 1\n"),
                    HasSubstr("sagalog_denied_requests_total{code=\"forbidden\"} 2\n"),
                    HasSubstr("sagalog_commands_total{command=\"plan\",outcome=\"forbidden\"} 1\n"),
                    HasSubstr("sagalog_refusals_total{code=\"forbidden\"} 1\n")));
  EXPECT_THAT(directory_.Run({"status"}).out, ContainsRegex("refusals +forbidden 1"));
}

TEST_F(CliMetrics, QueuesTheDiskAndTheProcessAreShown) {
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("sagalog_sagas{state=\"running\"} 0\n"),
                               HasSubstr("sagalog_stale{reason=\"owner_dead\"} 0\n"),
                               HasSubstr("sagalog_effects_in_doubt 0\n")));
  EXPECT_EQ(directory_.Run({"queue", "deploys", "--limit", "2"}).exit_code, 0);
  EXPECT_EQ(directory_.Run({"plan", "T1", "--queue", "deploys"}).exit_code, 0);
  EXPECT_EQ(directory_.Run({"plan", "T2", "--queue", "deploys"}).exit_code, 0);
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "ci-1", "--ttl", "1h"});
  EXPECT_EQ(
      directory_
          .Run({"effect", "begin", "T1", "--effect", "pay", "--fingerprint", "f", "--token", token})
          .exit_code,
      0);
  const std::string metrics = Metrics();
  EXPECT_THAT(metrics, AllOf(HasSubstr("sagalog_sagas{state=\"running\"} 1\n"),
                             HasSubstr("sagalog_queue_planned{queue=\"deploys\"} 1\n"),
                             HasSubstr("sagalog_queue_slots_used{queue=\"deploys\"} 1\n"),
                             HasSubstr("sagalog_queue_limit{queue=\"deploys\"} 2\n"),
                             HasSubstr("sagalog_queue_frozen{queue=\"deploys\"} 0\n"),
                             HasSubstr("sagalog_effects_in_doubt 1\n")));
  EXPECT_THAT(metrics, AllOf(ContainsRegex("\nsagalog_data_bytes [1-9]"),
                             ContainsRegex("\nsagalog_disk_free_bytes [1-9]"),
                             ContainsRegex("\nsagalog_reserve_kept [01]\n"),
                             ContainsRegex("\nprocess_resident_memory_bytes [1-9]"),
                             ContainsRegex("\nprocess_cpu_seconds_total [0-9]"),
                             ContainsRegex("\nprocess_open_fds [1-9]"),
                             ContainsRegex("\nprocess_max_fds [1-9]")));
}

}  // namespace
}  // namespace sagalog
