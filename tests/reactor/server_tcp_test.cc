// The daemon on TCP: who gets in, with and without TLS.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/token_file.h"
#include "tests/reactor/running_server.h"
#include "tests/reactor/tls_peer.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// A server on TCP, with the tokens "boss" (admin) and "ci" (worker, ci-).
class ServerTcp : public ::testing::Test {
 protected:
  ServerTcp() {
    options_.listen = {"127.0.0.1:0"};
    options_.token_file = api_.folder() / "tokens";
    Add({"boss", Role::kAdmin}, "boss");
    Add({"ci", Role::kWorker, "ci-"}, "ci");
  }

  void Add(const Caller& caller, const std::string& secret) {
    const Status added = AppendTokenLine(options_.token_file, *TokenLineFor(caller, secret));
    EXPECT_TRUE(added.ok()) << added.text();
  }

  static std::string Request(const std::string& line, const std::string& token,
                             const std::string& body = "") {
    return fmt::format("{} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", line,
                       token.empty() ? "" : fmt::format("Authorization: {}\r\n", token),
                       body.size(), body);
  }

  ApiStore api_;
  ServerOptions options_;
};

TEST_F(ServerTcp, ItsRealPortIsSaid) {
  RunningServer server(api_, options_);
  EXPECT_THAT(server.server().addresses(), ElementsAre(MatchesRegex("127.0.0.1:[1-9][0-9]*")));
}

TEST_F(ServerTcp, SeveralAddressesAreServed) {
  options_.listen = {"127.0.0.1:0", "localhost:0"};
  RunningServer server(api_, options_);
  ASSERT_EQ(server.server().addresses().size(), 2U);
  for (const std::string& address : server.server().addresses()) {
    if (address.starts_with("127")) {
      RawConnection peer = RawConnection::ToAddress(address);
      peer.Send(Request("GET /v1/status", "Bearer boss"));
      EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
    }
  }
}

TEST_F(ServerTcp, ATokenSaysWhoAsks) {
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  peer.Send(Request("POST /v1/sagas", "Bearer boss", R"({"saga_id":"T1"})"));
  EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
  // Another one on the same connection is somebody else.
  peer.Send(Request("POST /v1/sagas/T1:acquire", "bearer  ci", R"({"owner":"ci-7"})"));
  EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
  peer.Send(Request("POST /v1/sagas/T1:cancel", "Bearer ci", R"({"reason":"r"})"));
  const std::string refused = peer.ReadResponse();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(refused, HasSubstr("\"code\":\"forbidden\""));
  const std::string history = boost::json::serialize(api_.Get("/v1/sagas/T1/events"));
  EXPECT_THAT(history,
              AllOf(HasSubstr("\"principal\":\"boss\""), HasSubstr("\"principal\":\"ci\"")));
}

TEST_F(ServerTcp, WithoutATokenOnlyHealthIsTold) {
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  for (const char* line : {"GET /v1/status", "GET /v1/nowhere", "GET /%zz", "PUT /healthz"}) {
    peer.Send(Request(line, ""));
    const std::string refused = peer.ReadResponse();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 401 Unauthorized\r\n")) << line;
    EXPECT_THAT(refused, HasSubstr("WWW-Authenticate: Bearer realm=\"sagalog\"\r\n"));
    EXPECT_THAT(refused, HasSubstr("application/problem+json"));
    EXPECT_THAT(refused, HasSubstr("\"code\":\"unauthenticated\""));
  }
  for (const char* line : {"GET /healthz", "GET /readyz"}) {
    peer.Send(Request(line, ""));
    EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n")) << line;
  }
}

TEST_F(ServerTcp, ATokenThatIsNobodysEndsTheConnection) {
  RunningServer server(api_, options_);
  for (const char* shown : {"Bearer bos", "Bearer boss2", "Bearer ", "Basic Ym9zcw==", "boss"}) {
    RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
    peer.Send(Request("GET /healthz", shown));
    peer.EndSending();
    const std::string refused = peer.ReadToEnd();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 401 Unauthorized\r\n")) << shown;
    EXPECT_THAT(refused, HasSubstr("WWW-Authenticate"));
  }
}

TEST_F(ServerTcp, NothingIsTakenFromSomebodyUnknown) {
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  // The body never comes: the refusal does not wait for it.
  peer.Send("POST /v1/sagas HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  peer.EndSending();
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST_F(ServerTcp, TheSocketsPeerNeedsNoToken) {
  RunningServer server(api_, options_);
  const auto client = server.Connect();
  EXPECT_EQ(client->Send({"PUT", "/v1/policy", R"({"limit":3})", ""})->status, 200);
}

TEST_F(ServerTcp, WithoutTokensItTakesTheWordInsecure) {
  options_.token_file.clear();
  options_.socket = api_.folder() / "socket";
  const Status status = Server::Listen(api_.store(), options_).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.text(), HasSubstr("--insecure"));
  options_.insecure = true;
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  peer.Send(Request("POST /v1/sagas", "", R"({"saga_id":"T1"})"));
  EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(boost::json::serialize(api_.Get("/v1/sagas/T1/events")),
              HasSubstr("\"principal\":\"anonymous\""));
}

TEST_F(ServerTcp, WhatCannotBeMeantIsRefused) {
  options_.socket = api_.folder() / "socket";
  const auto refused = [this](const auto& change) {
    ServerOptions options = options_;
    change(options);
    const Status status = Server::Listen(api_.store(), options).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.text();
    return status.text();
  };
  EXPECT_THAT(refused([](auto& o) { o.insecure = true; }), HasSubstr("give one of them"));
  EXPECT_THAT(refused([](auto& o) { o.tls_key = "key"; }), HasSubstr("--tls-cert and --tls-key"));
  EXPECT_THAT(refused([](auto& o) { o.listen = {"7070"}; }), HasSubstr("HOST:PORT"));
  EXPECT_THAT(refused([](auto& o) { o.listen = {":7070"}; }), HasSubstr("HOST:PORT"));
  EXPECT_THAT(refused([](auto& o) { o.listen = {"::1:7070"}; }), HasSubstr("HOST:PORT"));
  EXPECT_THAT(refused([](auto& o) { o.listen = {"127.0.0.1:99999"}; }), HasSubstr("HOST:PORT"));
  EXPECT_THAT(refused([](auto& o) { o.tls_certificate = o.tls_key = "/nowhere"; }),
              HasSubstr("/nowhere"));
  std::ofstream(options_.token_file, std::ios::app) << "half a line\n";
  EXPECT_THAT(refused([](auto&) {}), HasSubstr("tokens:3: "));
  EXPECT_FALSE(std::filesystem::exists(options_.socket));
}

TEST_F(ServerTcp, AnAddressThatIsTakenIsNamed) {
  RunningServer server(api_, options_);
  options_.listen = server.server().addresses();
  options_.socket = api_.folder() / "other";
  const Status status = Server::Listen(api_.store(), options_).status();
  EXPECT_EQ(status.code(), Code::kLocked);
  EXPECT_THAT(status.text(), StartsWith(options_.listen.front()));
}

// It is read by who may, for as long as that one may.
TEST_F(ServerTcp, AStreamThatIsFollowedEndsWithItsToken) {
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  peer.Send(Request("GET /v1/events?follow=true", "Bearer ci"));
  EXPECT_THAT(peer.ReadHeader(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(peer.ReadUntil("}\n\r\n"), HasSubstr("store_opened"));
  std::ofstream(options_.token_file, std::ios::trunc)
      << *TokenLineFor({"boss", Role::kAdmin}, "boss") << "\n";
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  // With one of the next events, and without the end of a body that is whole.
  std::string came = "begun";
  for (int i = 0; !came.empty(); ++i) {
    api_.Post("/v1/sagas", fmt::format(R"({{"saga_id":"T{}"}})", i));
    came = peer.ReadUntil("}\n\r\n");
  }
  // Who still may goes on.
  RawConnection boss = RawConnection::ToAddress(server.server().addresses().front());
  boss.Send(Request("GET /v1/events?follow=true", "Bearer boss"));
  EXPECT_THAT(boss.ReadUntil("}\n\r\n"), HasSubstr("store_opened"));
}

class ServerTls : public ServerTcp {
 protected:
  ServerTls() {
    const CertificateFiles files = MakeCertificate(api_.folder(), "sagalog");
    options_.tls_certificate = files.certificate;
    options_.tls_key = files.key;
  }
};

TEST_F(ServerTls, RequestsAreAnsweredBehindTheHandshake) {
  RunningServer server(api_, options_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server.server().addresses().front(), version);
    ASSERT_TRUE(peer.connected());
    EXPECT_EQ(peer.ShownName(), "sagalog");
    peer.Send(Request("GET /healthz", "") + Request("GET /v1/status", "Bearer boss"));
    EXPECT_THAT(peer.ReadUntil("}"), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(peer.ReadUntil("\"last_sequence\""), HasSubstr("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_F(ServerTls, TheEndIsTakenInForm) {
  RunningServer server(api_, options_);
  TlsPeer peer(server.server().addresses().front());
  peer.Send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(peer.ReadToEnd(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(peer.ClosedInForm());
}

TEST_F(ServerTls, OldVersionsAndPlainBytesAreNotSpoken) {
  RunningServer server(api_, options_);
  const TlsPeer old(server.server().addresses().front(), TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  RawConnection plain = RawConnection::ToAddress(server.server().addresses().front());
  plain.Send(Request("GET /healthz", ""));
  EXPECT_THAT(plain.ReadToEnd(), Not(HasSubstr("HTTP/1.1")));
}

TEST_F(ServerTls, AHandshakeThatTricklesIsCutOff) {
  options_.header_patience = std::chrono::milliseconds(20);
  RunningServer server(api_, options_);
  RawConnection peer = RawConnection::ToAddress(server.server().addresses().front());
  peer.Send("\x16\x03\x01");
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST_F(ServerTls, ALargeRequestAndItsAnswerComeThrough) {
  RunningServer server(api_, options_);
  TlsPeer peer(server.server().addresses().front());
  std::string body = R"({"saga_id":"T1","issue":")" + std::string(4096, 'i') + "\"}";
  body.resize(1UL << 20, ' ');
  peer.Send(Request("POST /v1/sagas", "Bearer boss", body));
  EXPECT_THAT(peer.ReadUntil("\"outcome\":\"ok\""), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTls, AKeyOfAnotherCertificateIsRefused) {
  options_.tls_key = MakeCertificate(api_.folder(), "other").key;
  options_.socket = api_.folder() / "socket";
  const Status status = Server::Listen(api_.store(), options_).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.text(), HasSubstr("other.key"));
}

TEST_F(ServerTls, AStopEndsIdlePeers) {
  RunningServer server(api_, options_);
  TlsPeer peer(server.server().addresses().front());
  peer.Send(Request("GET /healthz", ""));
  EXPECT_THAT(peer.ReadUntil("}"), StartsWith("HTTP/1.1 200 OK\r\n"));
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
  EXPECT_EQ(peer.ReadToEnd(), "");
}

}  // namespace
}  // namespace sagalog
