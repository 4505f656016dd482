// A page in a browser on the machine of a daemon that lets everybody in.
#include "reactor/browser_check.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Why(std::string_view host, std::string_view origin = "", std::string_view site = "") {
  const std::vector<std::string> listening = {"127.0.0.1:7070", "sagas.example:7070"};
  return WhyFromBrowser({host, origin, site}, listening);
}

TEST(BrowserCheck, LetsThroughWhatNoPageSends) {
  EXPECT_THAT(Why("127.0.0.1:7070"), IsEmpty());
  EXPECT_THAT(Why("[::1]:7070"), IsEmpty());
  EXPECT_THAT(Why("localhost"), IsEmpty());
  EXPECT_THAT(Why("store.localhost:7070"), IsEmpty());
  EXPECT_THAT(Why("sagalog:7070"), IsEmpty());
  EXPECT_THAT(Why("Sagas.Example:80"), IsEmpty());
  EXPECT_THAT(Why(""), IsEmpty());  // HTTP/1.0; a browser always names its host.
}

TEST(BrowserCheck, LetsThroughTheDaemonsOwnPages) {
  EXPECT_THAT(Why("localhost:7070", "http://localhost:7070", "same-origin"), IsEmpty());
  EXPECT_THAT(Why("localhost:7070", "", "none"), IsEmpty());  // typed by a person
}

TEST(BrowserCheck, RefusesPagesOfOthers) {
  EXPECT_THAT(Why("localhost:7070", "http://evil.example"), HasSubstr("Origin: http://evil"));
  EXPECT_THAT(Why("localhost:7070", "http://localhost:8080"), HasSubstr("Origin: "));
  EXPECT_THAT(Why("localhost:7070", "null"), HasSubstr("Origin: null"));
  EXPECT_THAT(Why("localhost:7070", "localhost:7070"), HasSubstr("Origin: "));
  EXPECT_THAT(Why("localhost:7070", "", "cross-site"), HasSubstr("Sec-Fetch-Site"));
  EXPECT_THAT(Why("localhost:7070", "", "same-site"), HasSubstr("Sec-Fetch-Site"));
}

// The page's own name was pointed at this machine: to its browser both are one origin.
TEST(BrowserCheck, RefusesAPageWhoseNameWasRebound) {
  EXPECT_THAT(Why("evil.example:7070", "http://evil.example:7070", "same-origin"),
              HasSubstr("Host: evil.example:7070"));
  EXPECT_THAT(Why("evil.example"), HasSubstr("Host: "));
  EXPECT_THAT(Why("127.0.0.1.evil.example"), HasSubstr("Host: "));
  EXPECT_THAT(Why("sagas.example.evil.example"), HasSubstr("Host: "));
}

std::string Ask(const std::string& address, const std::string& headers) {
  RawConnection peer = RawConnection::ToAddress(address);
  peer.Send(
      fmt::format("POST /v1/sagas HTTP/1.1\r\n{}Content-Length: 16\r\n"
                  "Connection: close\r\n\r\n{{\"saga_id\":\"T1\"}}",
                  headers));
  return peer.ReadToEnd();
}

TEST(BrowserCheck, StandsBeforeADaemonWithoutTokens) {
  ApiStore api;
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.insecure = true;
  RunningServer server(api, options);
  const std::string address = server.server().addresses().front();
  const std::string host = fmt::format("Host: {}\r\n", address);
  const auto refused =
      AllOf(StartsWith("HTTP/1.1 403 Forbidden\r\n"), HasSubstr("\"code\":\"forbidden\""));
  EXPECT_THAT(Ask(address, host + "Origin: https://evil.example\r\n"), refused);
  EXPECT_THAT(Ask(address, host + "Sec-Fetch-Site: cross-site\r\n"), refused);
  EXPECT_THAT(Ask(address, "Host: evil.example\r\n"), refused);
  EXPECT_EQ(api.Send("GET", "/v1/sagas/T1").status, 404);
  EXPECT_THAT(Ask(address, host), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// Who reaches the Unix socket is no browser.
TEST(BrowserCheck, LeavesTheSocketAlone) {
  ApiStore api;
  RunningServer server(api);
  RawConnection peer(server.socket());
  peer.Send("GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nOrigin: null\r\n\r\n");
  EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace sagalog
