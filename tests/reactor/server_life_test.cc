// How servers begin and end, and what their clients see of it.
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

const ApiRequest kHealth{"GET", "/healthz", "", ""};

TEST(ServerLife, ASecondServerIsRefused) {
  ApiStore api;
  const RunningServer server(api);
  ServerOptions options;
  options.socket = server.socket();
  EXPECT_EQ(Server::Listen(api.store(), options).status().code(), Code::kLocked);
  EXPECT_TRUE(server.Connect()->Send(kHealth).ok());
}

TEST(ServerLife, TheSocketOfAKilledServerIsReplaced) {
  ApiStore api;
  const fs::path socket = api.folder() / "data" / "socket";
  { EXPECT_TRUE(UnixSocket::Listen(socket).ok()); }  // Closed, but the file stays.
  ASSERT_TRUE(fs::exists(socket));
  EXPECT_EQ(HttpClient::Connect(socket).status().code(), Code::kNotFound);
  const RunningServer server(api);
  EXPECT_TRUE(server.Connect()->Send(kHealth).ok());
}

TEST(ServerLife, AFileThatIsNoSocketIsLeftAlone) {
  ApiStore api;
  ServerOptions options;
  options.socket = api.folder() / "notes";
  std::ofstream(options.socket) << "mine";
  EXPECT_EQ(Server::Listen(api.store(), options).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(fs::file_size(options.socket), 4U);
}

TEST(ServerLife, AFolderThatIsNotThereIsNamed) {
  ApiStore api;
  ServerOptions options;
  options.socket = api.folder() / "nowhere" / "socket";
  const Status status = Server::Listen(api.store(), options).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.text(), HasSubstr("nowhere"));
}

TEST(ServerLife, APathLongerThanTheKernelTakesIsServed) {
  ApiStore api;
  fs::path folder = api.folder();
  for (int i = 0; i < 5; ++i) {
    folder /= std::string(60, 'd');
  }
  fs::create_directories(folder);
  ServerOptions options;
  options.socket = folder / "socket";
  {
    const RunningServer server(api, options);
    EXPECT_TRUE(server.Connect()->Send(kHealth).ok());
    EXPECT_EQ(Server::Listen(api.store(), options).status().code(), Code::kLocked);
  }
  EXPECT_FALSE(fs::exists(options.socket));
}

TEST(ServerLife, NobodyListensWhereNoServerIs) {
  const TemporaryFolder folder;
  EXPECT_EQ(HttpClient::Connect(folder.path() / "socket").status().code(), Code::kNotFound);
}

TEST(ServerLife, AStoppedServerTakesItsSocketAway) {
  ApiStore api;
  RunningServer server(api);
  const auto client = server.Connect();
  ASSERT_TRUE(client->Send(kHealth).ok());
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
  EXPECT_FALSE(fs::exists(server.socket()));
  EXPECT_EQ(client->Send(kHealth).status().code(), Code::kNotFound);
}

TEST(ServerLife, AStopBeforeTheRunEndsIt) {
  ApiStore api;
  ServerOptions options;
  options.socket = api.folder() / "socket";
  auto server = Server::Listen(api.store(), options);
  ASSERT_TRUE(server.ok());
  (*server)->Stop();
  EXPECT_TRUE((*server)->Run().ok());
  EXPECT_FALSE(fs::exists(options.socket));
}

TEST(ServerLife, ASignalStopsIt) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ApiStore api;
    RunningServer server(api);
    ASSERT_TRUE(server.Connect()->Send(kHealth).ok());
    ASSERT_EQ(std::raise(signal), 0);
    EXPECT_TRUE(server.Join().ok());
  }
}

TEST(ServerLife, WhatIsUnderWayIsFinishedAfterAStop) {
  ApiStore api;
  const std::string sequence = Member(api.Post("/v1/sagas", R"({"saga_id":"T1"})"), "sequence");
  RunningServer server(api);
  RawConnection connection(server.socket());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_THAT(connection.ReadResponse(), StartsWith("HTTP/1.1 200"));
  // It waits for the event after the last one, which comes when the server is stopping.
  connection.Send(fmt::format("GET /v1/sagas?min_sequence={} HTTP/1.1\r\nHost: x\r\n\r\n",
                              std::stoull(sequence) + 1));
  server.server().Stop();
  api.Post("/v1/sagas", R"({"saga_id":"T2"})");
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, HasSubstr("\"T2\""));
  EXPECT_TRUE(server.Join().ok());
}

TEST(ServerLife, AClientThatStallsDoesNotHoldUpAStop) {
  ApiStore api;
  ServerOptions options;
  options.stop_patience = std::chrono::milliseconds(50);
  RunningServer server(api, options);
  RawConnection idle(server.socket());
  RawConnection stalled(server.socket());
  stalled.Send("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  ASSERT_TRUE(server.Connect()->Send(kHealth).ok());
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
  EXPECT_EQ(stalled.ReadToEnd(), "");
}

TEST(ServerLife, AClientFindsTheNextServerByItself) {
  ApiStore api;
  std::unique_ptr<HttpClient> client;
  {
    const RunningServer first(api);
    client = first.Connect();
    ASSERT_TRUE(client->Send(kHealth).ok());
  }
  const RunningServer second(api);
  const auto answer = client->Send({"POST", "/v1/sagas", R"({"saga_id":"T1"})", ""});
  ASSERT_TRUE(answer.ok()) << answer.status().text();
  EXPECT_EQ(answer->status, 200);
}

TEST(ServerLife, AClientsPatienceEnds) {
  const TemporaryFolder folder;
  const auto silent = UnixSocket::Listen(folder.path() / "socket");
  ASSERT_TRUE(silent.ok());
  auto client = HttpClient::Connect(folder.path() / "socket", std::chrono::milliseconds(20));
  ASSERT_TRUE(client.ok()) << client.status().text();
  const Status status = (*client)->Send(kHealth).status();
  EXPECT_EQ(status.code(), Code::kIoError);
  EXPECT_THAT(status.text(), HasSubstr("not known"));
}

TEST(ServerLife, AClientSendsNoTargetThatWouldEndEarly) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = server.Connect();
  for (const char* target : {"", "/healthz HTTP/1.1\r\nX: y", "/v1/sagas/a b"}) {
    EXPECT_EQ(client->Send({"GET", target, "", ""}).status().code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace sagalog
