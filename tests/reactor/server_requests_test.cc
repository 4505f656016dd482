// What the server makes of the requests that arrive at its socket, the good and the bad ones.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base64.h"
#include "schema/limits.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace json = boost::json;

ApiResponse Send(HttpClient& client, std::string_view method, std::string_view target,
                 std::string_view body = {}) {
  const auto response =
      client.Send({std::string(method), std::string(target), std::string(body), ""});
  EXPECT_TRUE(response.ok()) << response.status().text();
  return response.ok() ? *response : ApiResponse{};
}

TEST(ServerRequests, AnswersAsTheInterfaceWithoutHttpDoes) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  EXPECT_EQ(Send(*client, "POST", "/v1/sagas", R"({"saga_id":"T1"})").status, 200);
  for (const char* target : {"/v1/sagas/T1", "/v1/sagas/T9", "/v1/nowhere", "/v1/sagas?limit=x"}) {
    const ApiResponse direct = api.Send("GET", target);
    const ApiResponse served = Send(*client, "GET", target);
    EXPECT_EQ(served.status, direct.status);
    EXPECT_EQ(served.content_type, direct.content_type);
    EXPECT_EQ(served.body, direct.body);
  }
  EXPECT_EQ(Send(*client, "PUT", "/v1/sagas").allow, "POST, GET");
}

TEST(ServerRequests, ThePrincipalIsTheUserAtTheOtherEnd) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  Send(*client, "POST", "/v1/sagas", R"({"saga_id":"T1"})");
  const json::object history = api.Get("/v1/sagas/T1/events");
  const passwd* user = getpwuid(getuid());
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(Member(history.at("items").at(0).as_object(), "principal"), user->pw_name);
}

TEST(ServerRequests, TheSocketIsItsOwnersAlone) {
  ApiStore api;
  const RunningServer server(api);
  struct stat found {};
  ASSERT_EQ(stat(server.socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat(server.socket().parent_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
}

TEST(ServerRequests, AConnectionCarriesManyRequests) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  for (int i = 0; i < 3; ++i) {
    connection.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(connection.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(ServerRequests, PipelinedRequestsAreAnsweredInOrder) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send(
      "POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{\"saga_id\":\"T1\"}"
      "GET /v1/sagas/T1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /v1/sagas/T2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(connection.ReadResponse(), HasSubstr("\"outcome\":\"ok\""));
  EXPECT_THAT(connection.ReadResponse(), HasSubstr("\"state\":\"planned\""));
  EXPECT_THAT(connection.ReadResponse(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST(ServerRequests, ACloseIsHonoured) {
  ApiStore api;
  const RunningServer server(api);
  for (const char* request : {"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                              "GET /healthz HTTP/1.0\r\n\r\n"}) {
    RawConnection connection(server.socket());
    connection.Send(request);
    EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(ServerRequests, HeadHasTheHeaderOfGet) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send("HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("Content-Length: "));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length: 0")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(ServerRequests, AHalfClosedRequestIsAnswered) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  connection.EndSending();
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(ServerRequests, ARequestCutShortChangesNothing) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"saga_id\"");
  connection.EndSending();
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(api.Get("/v1/sagas").at("items").as_array().empty());
}

TEST(ServerRequests, ChunkedBodiesAndExpectationsAreUnderstood) {
  ApiStore api;
  const RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send(
      "POST /v1/sagas HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      "Expect: 100-continue\r\nConnection: close\r\n\r\n");
  connection.Send("8\r\n{\"saga_i\r\n8\r\nd\":\"T1\"}\r\n0\r\n\r\n");
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST(ServerRequests, WhatIsNoHttpIsRefusedAndClosed) {
  ApiStore api;
  const RunningServer server(api);
  const std::string long_header = "X: " + std::string(kRequestHeaderSizeMax, 'x') + "\r\n";
  for (const std::string& bytes :
       {std::string("hello\r\n\r\n"), std::string("\x80\x00\x01\xFF\r\n\r\n", 8),
        std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
        "GET / HTTP/1.1\r\n" + long_header + "\r\n"}) {
    RawConnection connection(server.socket());
    connection.Send(bytes);
    connection.EndSending();
    const std::string answer = connection.ReadToEnd();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bytes;
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer, HasSubstr("\"code\":\"invalid_argument\""));
  }
}

TEST(ServerRequests, ABodyOverTheLimitIsRefusedWithoutBeingTaken) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  const ApiResponse answer =
      Send(*client, "POST", "/v1/sagas", std::string(kRequestSizeMax + 1, ' '));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(std::to_string(kRequestSizeMax)));
  EXPECT_EQ(Send(*client, "GET", "/healthz").status, 200);
}

TEST(ServerRequests, TheLargestBodyIsTaken) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  std::string body = R"({"saga_id":"T1"})";
  body.resize(kRequestSizeMax, ' ');
  EXPECT_EQ(Send(*client, "POST", "/v1/sagas", body).status, 200);
}

TEST(ServerRequests, TheLargestPayloadComesBack) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  std::string payload;
  AppendBase64(payload, std::vector<std::uint8_t>(kPayloadSizeMax, 0xA5));
  const ApiResponse planned = Send(*client, "POST", "/v1/sagas",
                                   fmt::format(R"({{"saga_id":"T1","payload":"{}"}})", payload));
  ASSERT_EQ(planned.status, 200) << planned.body;
  const ApiResponse shown = Send(*client, "GET", "/v1/sagas/T1");
  EXPECT_EQ(Member(Document(shown), "payload"), payload);
}

TEST(ServerRequests, ATricklingHeaderIsCutOff) {
  ApiStore api;
  ServerOptions options;
  options.header_patience = std::chrono::milliseconds(20);
  const RunningServer server(api, options);
  RawConnection connection(server.socket());
  connection.Send("GET /healthz HT");
  EXPECT_EQ(connection.ReadToEnd(), "");
}

TEST(ServerRequests, IdleAndTricklingClientsHoldNobodyUp) {
  ApiStore api;
  const RunningServer server(api);
  std::deque<RawConnection> others;
  for (int i = 0; i < 100; ++i) {
    others.emplace_back(server.socket()).Send(i % 2 == 0 ? "" : "POST /v1/sagas HTTP/1.1\r\nA: ");
  }
  EXPECT_EQ(Send(*server.Connect(), "POST", "/v1/sagas", R"({"saga_id":"T1"})").status, 200);
}

TEST(ServerRequests, AClientThatLeavesBeforeItsAnswerHurtsNobody) {
  ApiStore api;
  const RunningServer server(api);
  for (int i = 0; i < 20; ++i) {
    const std::string body = fmt::format(R"({{"saga_id":"T{}"}})", i);
    RawConnection(server.socket())
        .Send(fmt::format("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                          body.size(), body));
  }
  EXPECT_EQ(Send(*server.Connect(), "GET", "/healthz").status, 200);
}

TEST(ServerRequests, ConcurrentClientsEachGetTheirOwnAnswers) {
  ApiStore api;
  const RunningServer server(api);
  constexpr int kClients = 16;
  constexpr int kSagas = 20;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      const auto client = server.Connect();
      for (int i = 0; i < kSagas; ++i) {
        const std::string id = fmt::format("T{}-{}", c, i);
        const ApiResponse planned =
            Send(*client, "POST", "/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", id));
        EXPECT_EQ(planned.status, 200) << planned.body;
        EXPECT_THAT(planned.body, HasSubstr(fmt::format("\"saga_id\":\"{}\"", id)));
        const ApiResponse leased = Send(*client, "POST", fmt::format("/v1/sagas/{}:acquire", id),
                                        fmt::format(R"({{"owner":"W{}"}})", c));
        EXPECT_EQ(leased.status, 200) << leased.body;
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(api.Get("/v1/sagas?limit=10000&state=running").at("items").as_array().size(),
            static_cast<std::size_t>(kClients * kSagas));
}

// Two clients want the same saga at once: the store's rules hold through the server.
TEST(ServerRequests, OfManyWhoAcquireOneGetsIt) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  const RunningServer server(api);
  std::atomic<int> granted{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      const ApiResponse answer = Send(*server.Connect(), "POST", "/v1/sagas/T1:acquire",
                                      fmt::format(R"({{"owner":"W{}"}})", c));
      (answer.status == 200 ? granted : refused) += 1;
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(granted, 1);
  EXPECT_EQ(refused, 7);
}

TEST(ServerRequests, OneConnectionTooManyIsToldSo) {
  ApiStore api;
  ServerOptions options;
  options.connections_max = 100;
  const RunningServer server(api, options);
  std::deque<RawConnection> others;
  for (std::size_t i = 0; i < options.connections_max; ++i) {
    others.emplace_back(server.socket());
  }
  RawConnection one_more(server.socket());
  const std::string answer = one_more.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(answer, HasSubstr("\"code\":\"overloaded\""));
  // The others have their places.
  others.front().Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(others.front().ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(ServerRequests, ManyLargeBodiesAtOnceAreNotAllHeld) {
  ApiStore api;
  const RunningServer server(api);
  std::deque<RawConnection> others;
  const std::string begun = fmt::format(
      "POST /v1/sagas HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
      kRequestSizeMax);
  for (std::size_t held = 0; held < kRequestBytesInFlightMax; held += kRequestSizeMax) {
    others.emplace_back(server.socket()).Send(begun);
  }
  for (RawConnection& other : others) {
    EXPECT_EQ(other.ReadHeader(), "HTTP/1.1 100 Continue\r\n\r\n");
  }
  RawConnection one_more(server.socket());
  one_more.Send(begun);
  one_more.EndSending();
  EXPECT_THAT(one_more.ReadToEnd(), StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_EQ(Send(*server.Connect(), "POST", "/v1/sagas", R"({"saga_id":"T1"})").status, 200);
}

TEST(ServerRequests, AManualClockIsMovedThroughTheServer) {
  ApiStore api;
  ServerOptions options;
  options.manual_clock = &api.clock();
  const RunningServer server(api, options);
  const auto client = server.Connect();
  EXPECT_EQ(Send(*client, "POST", "/v1/clock:advance", R"({"by":"1h"})").status, 200);
  const ApiResponse status = Send(*client, "GET", "/v1/status");
  EXPECT_EQ(Member(Document(status), "time"), "2026-11-21T04:18:00.000000Z");
}

}  // namespace
}  // namespace sagalog
