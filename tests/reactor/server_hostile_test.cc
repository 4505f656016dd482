// Peers that are slow, silent or never satisfied: the server's patience with them ends, their
// memory is bounded, and a retry reveals what became of an exchange that was cut off.
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::chrono::milliseconds kShort{20};

std::string Planning(const std::string& saga, std::size_t request) {
  const std::string body =
      fmt::format(R"({{"saga_id":"{}","request_id":"{:032x}"}})", saga, request);
  return fmt::format("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                     body.size(), body);
}

// What this process, and so the server in it, holds in memory.
std::size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(ServerHostile, ABodyThatTricklesIsCutOff) {
  ApiStore api;
  ServerOptions options;
  options.body_patience = kShort;
  const RunningServer server(api, options);
  RawConnection connection(server.socket());
  const std::string request = Planning("T1", 1);
  connection.Send(request.substr(0, request.size() - 1));
  EXPECT_EQ(connection.ReadToEnd(), "");
  RawConnection chunked(server.socket());
  chunked.Send("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{");
  EXPECT_EQ(chunked.ReadToEnd(), "");
  EXPECT_FALSE(api.store().Find("T1").ok());
}

TEST(ServerHostile, WhoIsIdleTooLongIsLetGo) {
  ApiStore api;
  ServerOptions options;
  options.idle_patience = kShort;
  const RunningServer server(api, options);
  RawConnection silent(server.socket());
  EXPECT_EQ(silent.ReadToEnd(), "");
  // On a slow machine the patience may be over before the request has come.
  std::string came;
  while (came.empty()) {
    RawConnection kept_alive(server.socket());
    kept_alive.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    came = kept_alive.ReadToEnd();
  }
  EXPECT_THAT(came, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(ServerHostile, WhoTakesNoAnswerIsLetGo) {
  ApiStore api;
  const std::string text(kTextSizeMax, 't');
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  for (int i = 0; i < 200; ++i) {
    api.Post("/v1/sagas/T1:annotate", fmt::format(R"({{"text":"{}"}})", text));
  }
  ServerOptions options;
  options.answer_patience = kShort;
  const RunningServer server(api, options);
  RawConnection connection(server.socket());
  connection.Send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
  // Other answers are given meanwhile, until this one is the only connection beside theirs.
  const auto client = server.Connect();
  std::string figures;
  while (figures.find("sagalog_connections 1\n") == std::string::npos) {
    figures = client->Send({"GET", "/metrics", "", ""})->body;
  }
  const std::string came = connection.ReadToEnd();
  EXPECT_THAT(came, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(came, Not(::testing::EndsWith("0\r\n\r\n")));
}

TEST(ServerHostile, FloodsOfHeadersAreRefusedAndForgotten) {
  ApiStore api;
  const RunningServer server(api);
  std::string flood = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  while (flood.size() < (1UL << 20)) {
    flood += "X-Flood: " + std::string(100, 'f') + "\r\n";
  }
  const std::size_t before = ResidentBytes();
  for (int i = 0; i < 50; ++i) {
    RawConnection connection(server.socket());
    std::thread sender([&] { connection.Send(flood); });
    EXPECT_THAT(connection.ReadToEnd(), AnyOf("", HasSubstr("the header of a request has")));
    sender.join();
  }
  EXPECT_LT(ResidentBytes(), before + (32UL << 20));
  RawConnection one_line(server.socket());
  one_line.Send("GET /" + std::string(kRequestHeaderSizeMax, 'a') + " HTTP/1.1\r\n\r\n");
  EXPECT_THAT(one_line.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
}

// What is no body is bounded like a header: between the pieces of a body, and behind the last.
TEST(ServerHostile, WhatStandsBesideAChunkedBodyIsBounded) {
  constexpr std::size_t kFlood = 48UL << 20;
  ApiStore api;
  const RunningServer server(api);
  const std::string header =
      "POST /v1/sagas HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string many = "\r\nA: " + std::string(1000, 'b');
  std::string lines;
  while (lines.size() < kFlood) {
    lines += many;
  }
  const std::string floods[] = {
      "2;" + std::string(kFlood, 'a'),
      "2\r\n{}\r\n0\r\nA: " + std::string(kFlood, 'b'),
      "2\r\n{}\r\n0" + lines,
      "2\r\n{}\r\n0" + lines.substr(0, many.size() * 20) + "\r\n\r\n",
  };
  const std::size_t before = ResidentBytes();
  for (const std::string& flood : floods) {
    RawConnection connection(server.socket());
    std::thread sender([&] {
      connection.Send(header);
      connection.Send(flood);
      connection.EndSending();
    });
    const std::string answer = connection.ReadToEnd();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr("beside a body in chunks"));
    sender.join();
  }
  EXPECT_LT(ResidentBytes(), before + (24UL << 20));
  RawConnection modest(server.socket());
  modest.Send(header + "10;x=y\r\n{\"saga_id\":\"T1\"}\r\n0;z\r\nA: " + std::string(12'000, 'b') +
              "\r\n\r\n");
  EXPECT_THAT(modest.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// Two hundred who follow and never read hold a piece each, and share it: not what they miss.
TEST(ServerHostile, FollowersThatDoNotReadHoldNoMemory) {
  constexpr int kFollowers = 200;
  constexpr int kNotes = 1000;
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  const RunningServer server(api);
  std::deque<RawConnection> deaf;
  for (int i = 0; i < kFollowers; ++i) {
    deaf.emplace_back(server.socket())
        .Send("GET /v1/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(deaf.back().ReadHeader(), StartsWith("HTTP/1.1 200"));
  }
  const std::size_t before = ResidentBytes();
  const std::string note = fmt::format(R"({{"text":"{}"}})", std::string(kTextSizeMax, 't'));
  for (int i = 0; i < kNotes; ++i) {
    api.Post("/v1/sagas/T1:annotate", note);
  }
  RawConnection quick(server.socket());
  quick.Send(fmt::format("GET /v1/events?follow=true&from={} HTTP/1.1\r\nHost: x\r\n\r\n",
                         api.store().log().Last().value()));
  EXPECT_THAT(quick.ReadHeader(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(quick.ReadUntil("}\n\r\n"), HasSubstr("annotated"));
  // What they miss is 16 MB each, 3 GB together. The log's own tables and buffers grow too.
  EXPECT_LT(ResidentBytes(), before + (256UL << 20));
}

// Whatever happened before the cut, the same request id reveals it, and nothing doubles.
TEST(ServerHostile, AnExchangeMayBeCutAtEveryByte) {
  ApiStore api;
  const RunningServer server(api);
  const std::size_t whole = Planning("T-0000", 1).size();
  std::size_t happened = 0;
  for (std::size_t size = 0; size <= whole; ++size) {
    const std::string saga = fmt::format("T-{}", 1000 + size);
    const std::string request = Planning(saga, 1 + size);
    ASSERT_EQ(request.size(), whole);
    { RawConnection(server.socket()).Send(request.substr(0, size)); }
    RawConnection again(server.socket());
    again.Send(request);
    const std::string answer = again.ReadResponse();
    ASSERT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << "cut behind " << size;
    happened += answer.find("\"replayed\":true") == std::string::npos ? 0 : 1;
    ASSERT_EQ(api.store().History(saga, false, 10)->size(), 1U) << "cut behind " << size;
  }
  EXPECT_LE(happened, 1U);
  // The same for the answer: it was carried out, wherever the peer left.
  const std::string request = Planning("T-0", 100'000);
  RawConnection first(server.socket());
  first.Send(request);
  const std::size_t answer = first.ReadResponse().size();
  for (std::size_t size = 0; size < answer; size += 5) {
    const std::string next = Planning(fmt::format("A-{}", size), 200'000 + size);
    {
      RawConnection cut(server.socket());
      cut.Send(next);
      ASSERT_EQ(cut.ReadBytes(std::max<std::size_t>(size, 1)).size(),
                std::max<std::size_t>(size, 1));
    }
    RawConnection again(server.socket());
    again.Send(next);
    ASSERT_THAT(again.ReadResponse(), HasSubstr("\"replayed\":true")) << "cut behind " << size;
  }
}

}  // namespace
}  // namespace sagalog
