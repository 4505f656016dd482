// Bytes that no client of ours would send, and peers that leave at every byte: the server answers
// or ends the connection, changes nothing it was not asked for, and goes on.
#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Post(const std::string& target, const std::string& body,
                 const std::string& headers = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", target,
                     headers, body.size(), body);
}

std::size_t CountSagas(ApiStore& api) {
  return api.Get("/v1/sagas?limit=10000").at("items").as_array().size();
}

class ServerBadBytes : public ::testing::Test {
 protected:
  // What comes back when nothing more will be sent.
  std::string Exchange(const std::string& bytes) {
    RawConnection connection(server_.socket());
    connection.Send(bytes);
    connection.EndSending();
    return connection.ReadToEnd();
  }
  void ExpectAlive() {
    EXPECT_THAT(Exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
                StartsWith("HTTP/1.1 200 OK\r\n"));
  }

  ApiStore api_;
  const RunningServer server_{api_};
};

TEST_F(ServerBadBytes, APeerThatLeavesAtAnyByteOfARequestAskedForNothing) {
  const std::string request = Post("/v1/sagas", R"({"saga_id":"T1"})");
  for (std::size_t size = 0; size < request.size(); ++size) {
    const RawConnection connection(server_.socket());
    RawConnection(server_.socket()).Send(request.substr(0, size));
  }
  ExpectAlive();
  EXPECT_EQ(CountSagas(api_), 0U);
}

TEST_F(ServerBadBytes, APeerThatLeavesAtAnyByteOfItsAnswerWasServed) {
  const std::string whole = Exchange(Post("/v1/sagas", R"({"saga_id":"T0"})"));
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    RawConnection connection(server_.socket());
    connection.Send(Post("/v1/sagas", fmt::format(R"({{"saga_id":"T{}"}})", size + 1)));
    static_cast<void>(connection.ReadBytes(size));
  }
  ExpectAlive();
  const RawConnection idle(server_.socket());
  // All were carried out but those whose peer had gone before the server looked.
  EXPECT_GE(CountSagas(api_), whole.size() / 7);
}

// Whoever stands in front may take what follows for a body: it must not be the next request.
TEST_F(ServerBadBytes, AnUnknownTransferCodingIsRefusedAndEndsTheConnection) {
  const std::string hidden = Post("/v1/sagas", R"({"saga_id":"T1"})");
  for (const char* coding :
       {"identity", "gzip", "xchunked", "\"chunked\"", "chunked, gzip", "gzip, chunked", "",
        "chunked\r\nTransfer-Encoding: identity", "gzip\r\nTransfer-Encoding: chunked"}) {
    const std::string answer = Exchange(fmt::format(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {}\r\n\r\n{}", coding, hidden));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << coding;
    EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << coding;
  }
  const std::string old = Exchange(
      "POST /v1/sagas HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
      "10\r\n{\"saga_id\":\"T1\"}\r\n0\r\n\r\n");
  EXPECT_THAT(old, StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(CountSagas(api_), 0U);
  ExpectAlive();
}

TEST_F(ServerBadBytes, RandomBytesAreAnsweredOrEnded) {
  std::mt19937 random(20261121);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 2000, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    bytes.front() &= 0x7f;  // Bytes from 0x80 begin another protocol.
    EXPECT_THAT(Exchange(bytes), AnyOf("", StartsWith("HTTP/1.1 400 ")));
  }
  ExpectAlive();
  EXPECT_EQ(CountSagas(api_), 0U);
}

TEST_F(ServerBadBytes, RequestsWithRandomFaultsAreAnsweredOrEnded) {
  std::mt19937 random(168);
  const std::vector<std::string> requests = {
      Post("/v1/sagas", R"({"saga_id":"T1","labels":{"a":"b"},"priority":3})"),
      Post("/v1/sagas/T1:acquire", R"({"owner":{"owner":"w","pid":7},"ttl":"30s"})"),
      Post("/v1/batch", R"({"atomic":true,"commands":[{"do":"annotate","saga_id":"T1"}]})"),
      "GET /v1/sagas?state=running&label=a%3Db HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
      "POST /v1/sagas HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\n{\"sa\r\nc;x=y\r\nga_id\":\"T2\"}\r\n0\r\n\r\n"};
  for (int i = 0; i < 500; ++i) {
    std::string bytes = requests[random() % requests.size()];
    for (unsigned faults = 1 + random() % 3; faults > 0; --faults) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes.insert(at, 1, static_cast<char>(random())); break;
        case 2: bytes.erase(at, 1 + random() % 4); break;
        default: bytes.insert(at, bytes.substr(at, 1 + random() % 40)); break;
      }
      bytes += bytes.empty() ? "x" : "";
    }
    bytes.front() &= 0x7f;
    EXPECT_THAT(Exchange(bytes), AnyOf("", StartsWith("HTTP/1.1 "))) << bytes;
  }
  ExpectAlive();
  const auto verified = api_.store().Verify();
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->broken, "");
}

TEST_F(ServerBadBytes, WhatIsNoJsonOfOursIsRefusedByWords) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& body :
       {std::string("{\"saga_id\":\"T\xff\"}"), std::string("{\"saga_id\":\"T1\""),
        "{\"saga_id\":" + deep + "}", deep, std::string("\xef\xbb\xbf{}"), std::string("nul"),
        std::string("{\"saga_id\":\"T1\"}{}"), std::string("\0\0", 2)}) {
    const std::string answer = Exchange(Post("/v1/sagas", body));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_THAT(answer, HasSubstr("\"code\":\"invalid_argument\""));
  }
  EXPECT_THAT(Exchange("GET /v1/sagas/%ff HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Exchange("GET /v1/sagas/a\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(CountSagas(api_), 0U);
}

TEST_F(ServerBadBytes, TheContentTypeIsNotLookedAt) {
  const std::string answer = Exchange(Post("/v1/sagas", R"({"saga_id":"T1"})",
                                           "Content-Type: application/x-www-form-urlencoded\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerBadBytes, AmbiguousFramingIsRefused) {
  for (const char* headers :
       {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: 0x5\r\n"}) {
    EXPECT_THAT(Exchange(fmt::format("POST /v1/sagas HTTP/1.1\r\nHost: x\r\n{}\r\nhello", headers)),
                StartsWith("HTTP/1.1 400 "))
        << headers;
  }
}

// More than the sockets hold in both directions: the server waits for its peer to read.
TEST_F(ServerBadBytes, AThousandPipelinedRequestsAreAnsweredInOrder) {
  for (int i = 0; i < 20; ++i) {
    api_.Post("/v1/sagas", fmt::format(R"({{"saga_id":"T{}"}})", i));
  }
  RawConnection connection(server_.socket());
  constexpr int kRequests = 1000;
  std::thread sender([&connection] {
    for (int i = 0; i < kRequests; ++i) {
      connection.Send(fmt::format("GET /v1/sagas/T{} HTTP/1.1\r\nHost: x\r\n\r\n", i % 20));
    }
  });
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_THAT(connection.ReadResponse(), HasSubstr(fmt::format("\"saga_id\":\"T{}\"", i % 20)));
  }
  sender.join();
}

}  // namespace
}  // namespace sagalog
