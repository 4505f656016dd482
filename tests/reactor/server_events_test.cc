// Those who follow the log through the daemon: what comes, when, and what a slow one costs others.
#include <sys/resource.h>

#include <charconv>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Reads a chunked body, and its lines.
class FollowedStream {
 public:
  FollowedStream(const std::filesystem::path& socket, const std::string& target,
                 const std::string& headers = "")
      : connection_(socket) {
    connection_.Send(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n", target, headers));
    header_ = connection_.ReadHeader();
  }

  [[nodiscard]] const std::string& header() const { return header_; }
  [[nodiscard]] RawConnection& connection() { return connection_; }
  // The next line that is not empty; "" at the end of the body.
  std::string Line() {
    for (;;) {
      const std::size_t end = body_.find('\n');
      if (end == std::string::npos) {
        if (!ReadChunk()) {
          return "";
        }
        continue;
      }
      const std::string line = body_.substr(0, end);
      body_.erase(0, end + 1);
      if (!line.empty()) {
        return line;
      }
    }
  }
  // The sequence of the next event of an NDJSON stream; 0 at the end.
  std::uint64_t Sequence() {
    const std::string line = Line();
    return line.empty() ? 0 : boost::json::parse(line).at("sequence").to_number<std::uint64_t>();
  }
  // Whether the body came to its proper end.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  bool ReadChunk() {
    const std::string head = connection_.ReadUntil("\r\n");
    std::size_t size = 0;
    std::from_chars(head.data(), head.data() + head.size(), size, 16);
    const std::string chunk = connection_.ReadBytes(size + 2);
    ended_ = ended_ || head == "0\r\n";
    if (size == 0 || chunk.size() != size + 2) {
      return false;
    }
    EXPECT_THAT(chunk, EndsWith("\r\n"));
    body_ += chunk.substr(0, size);
    return true;
  }

  RawConnection connection_;
  std::string header_;
  std::string body_;
  bool ended_ = false;
};

std::string Plan(int number) { return fmt::format(R"({{"saga_id":"T{}"}})", number); }

TEST(ServerEvents, WithoutFollowTheStreamEndsWhereTheLogDid) {
  ApiStore api;
  api.Post("/v1/sagas", Plan(1));
  const RunningServer server(api);
  FollowedStream stream(server.socket(), "/v1/events");
  EXPECT_THAT(stream.header(), HasSubstr("Content-Type: application/x-ndjson\r\n"));
  EXPECT_THAT(stream.header(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(stream.Line(), HasSubstr("\"type\":\"store_opened\""));
  EXPECT_THAT(stream.Line(), HasSubstr("\"type\":\"planned\""));
  EXPECT_EQ(stream.Line(), "");
  EXPECT_TRUE(stream.ended());
  // The connection goes on.
  stream.connection().Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(stream.connection().ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(ServerEvents, AFollowerGetsWhatComesWithoutGapOrRepeat) {
  ApiStore api;
  const RunningServer server(api);
  FollowedStream early(server.socket(), "/v1/events?follow=true");
  const std::jthread writer([&api] {
    for (int i = 0; i < 300; ++i) {
      api.Post("/v1/sagas", Plan(i));
    }
  });
  std::uint64_t seen = 0;
  // Others begin, and begin again, while it goes on.
  for (std::uint64_t from = 1; from <= 301; from += 50) {
    while (seen + 1 < from) {
      ASSERT_EQ(early.Sequence(), ++seen);
    }
    FollowedStream late(server.socket(), fmt::format("/v1/events?from={}&follow=true", from));
    for (std::uint64_t sequence = from; sequence < from + 20 && sequence <= 301; ++sequence) {
      ASSERT_EQ(late.Sequence(), sequence);
    }
  }
  while (seen < 301) {
    ASSERT_EQ(early.Sequence(), ++seen);
  }
}

TEST(ServerEvents, ServerSentEventsResumeBehindTheLastOneSeen) {
  ApiStore api;
  for (int i = 0; i < 3; ++i) {
    api.Post("/v1/sagas", Plan(i));
  }
  const RunningServer server(api);
  FollowedStream stream(server.socket(), "/v1/events?from=1&follow=true",
                        "Accept: text/event-stream\r\nLast-Event-ID: 2\r\n");
  EXPECT_THAT(stream.header(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_EQ(stream.Line(), "id: 3");
  EXPECT_THAT(stream.Line(), StartsWith("data: {\"sequence\":3,"));
  EXPECT_EQ(stream.Line(), "id: 4");
  EXPECT_THAT(stream.Line(), StartsWith("data: {\"sequence\":4,"));
  api.Post("/v1/sagas", Plan(3));
  EXPECT_EQ(stream.Line(), "id: 5");
}

TEST(ServerEvents, AQuietStreamSaysThatItLives) {
  ApiStore api;
  ServerOptions options;
  options.event_heartbeat = std::chrono::milliseconds(10);
  const RunningServer server(api, options);
  FollowedStream stream(server.socket(), "/v1/events?from=2&follow=true",
                        "Accept: text/event-stream\r\n");
  EXPECT_EQ(stream.Line(), ":");
  EXPECT_EQ(stream.Line(), ":");
  RawConnection lines(server.socket());
  lines.Send("GET /v1/events?from=2&follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
  static_cast<void>(lines.ReadHeader());
  EXPECT_EQ(lines.ReadUntil("\r\n\n\r\n"), "1\r\n\n\r\n");
}

TEST(ServerEvents, AStopEndsEveryStreamInForm) {
  ApiStore api;
  RunningServer server(api);
  std::deque<FollowedStream> streams;
  for (int i = 0; i < 5; ++i) {
    streams.emplace_back(server.socket(), "/v1/events?follow=true");
    EXPECT_EQ(streams.back().Sequence(), 1U);
  }
  server.server().Stop();
  for (FollowedStream& stream : streams) {
    EXPECT_EQ(stream.Line(), "");
    EXPECT_TRUE(stream.ended());
  }
  EXPECT_TRUE(server.Join().ok());
}

// One that is far behind, and reads on only then.
TEST(ServerEvents, AStopEndsTheStreamOfOneThatIsBehindInFormToo) {
  ApiStore api;
  api.Post("/v1/sagas", Plan(1));
  const std::string note = fmt::format(R"({{"text":"{}"}})", std::string(kTextSizeMax, 't'));
  for (int i = 0; i < 300; ++i) {
    api.Post("/v1/sagas/T1:annotate", note);
  }
  RunningServer server(api);
  FollowedStream stream(server.socket(), "/v1/events?follow=true");
  EXPECT_EQ(stream.Sequence(), 1U);
  server.server().Stop();
  std::uint64_t seen = 1;
  for (std::uint64_t sequence = stream.Sequence(); sequence != 0; sequence = stream.Sequence()) {
    ASSERT_EQ(sequence, ++seen);
  }
  EXPECT_TRUE(stream.ended());
  EXPECT_TRUE(server.Join().ok());
}

TEST(ServerEvents, HeadAndOldHttpAreAnsweredToo) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection head(server.socket());
  head.Send("HEAD /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head.ReadToEnd(), EndsWith("\r\n\r\n"));
  RawConnection old(server.socket());
  old.Send("GET /v1/events HTTP/1.0\r\n\r\n");
  const std::string answer = old.ReadToEnd();
  EXPECT_THAT(answer, ::testing::Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"sequence\":1,"));
}

// A thousand who follow take none of the 64 threads that answer.
TEST(ServerEvents, AThousandFollowersAreServedBesideTheWork) {
  constexpr int kFollowers = 1000;
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4 * kFollowers);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GE(limit.rlim_cur, 3 * kFollowers) << "this machine grants too few descriptors";
  ApiStore api;
  const RunningServer server(api);
  std::deque<FollowedStream> streams;
  for (int i = 0; i < kFollowers; ++i) {
    streams.emplace_back(server.socket(), "/v1/events?follow=true");
  }
  const auto client = server.Connect();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(client->Send({"POST", "/v1/sagas", Plan(i), ""})->status, 200);
  }
  for (FollowedStream& stream : streams) {
    for (std::uint64_t sequence = 1; sequence <= 11; ++sequence) {
      ASSERT_EQ(stream.Sequence(), sequence);
    }
  }
}

// Those who do not read hold neither a thread nor more than a piece, and nobody waits for them.
TEST(ServerEvents, SlowFollowersHoldNobodyUp) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  const std::string reason(kTextSizeMax, 'r');
  std::deque<RawConnection> slow;
  for (int i = 0; i < 100; ++i) {
    slow.emplace_back(server.socket())
        .Send("GET /v1/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  FollowedStream quick(server.socket(), "/v1/events?follow=true");
  ASSERT_EQ(client->Send({"POST", "/v1/sagas", Plan(1), ""})->status, 200);
  // Far more than sockets take.
  for (int i = 0; i < 200; ++i) {
    const std::string text = fmt::format(R"({{"text":"{}"}})", reason);
    ASSERT_EQ(client->Send({"POST", "/v1/sagas/T1:annotate", text, ""})->status, 200);
  }
  for (std::uint64_t sequence = 1; sequence <= 202; ++sequence) {
    ASSERT_EQ(quick.Sequence(), sequence);
  }
}

TEST(ServerEvents, WhatIsWrongIsRefusedBeforeTheStream) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  for (const char* target : {"/v1/events?from=0", "/v1/events?from=x", "/v1/events?type=walked",
                             "/v1/events?follow=maybe", "/v1/events?from=3", "/v1/events?a=b"}) {
    const auto answer = client->Send({"GET", target, "", ""});
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 400) << target;
  }
  EXPECT_EQ(client->Send({"GET", "/v1/sagas/T9/events?follow=true", "", ""})->status, 404);
}

}  // namespace
}  // namespace sagalog
