// Peers of the native protocol that mean harm: what they ask for is bounded, and they are let go.
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/connection_limits.h"
#include "reactor/token_file.h"
#include "schema/frame_limits.h"
#include "schema/limits.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using schema::RefusalCode;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A saga whose history takes some megabytes.
void MakeLongHistory(ApiStore& api, std::string_view saga, int notes) {
  constexpr int kNotesOfBatch = 100;
  api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", saga));
  const std::string note = fmt::format(R"({{"do":"annotate","saga_id":"{}","text":"{}"}})", saga,
                                       std::string(kTextSizeMax, 't'));
  for (int done = 0; done < notes; done += kNotesOfBatch) {
    std::string batch = R"({"commands":[)" + note;
    for (int i = 1; i < kNotesOfBatch; ++i) {
      batch += "," + note;
    }
    api.Post("/v1/batch", batch + "]}");
  }
}

// What this process, and so the server in it, holds in memory.
std::size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string HistoryRead(std::uint64_t number, std::string_view saga) {
  frames::ReadT read;
  read.what = frames::ReadWhat::history;
  read.name = saga;
  read.limit = kPageRowsMax;
  return FrameOf(number, read);
}

// Until so many are connected, with the one who asks.
void AwaitConnections(const RunningServer& server, int wanted) {
  const auto client = server.Connect();
  const std::string figure = fmt::format("sagalog_connections {}\n", wanted);
  std::string figures;
  while (figures.find(figure) == std::string::npos) {
    figures = client->Send({"GET", "/metrics", "", ""})->body;
  }
}

TEST(NativeHostile, APeerThatDiesBesideUntakenAnswersIsLetGo) {
  ApiStore api;
  MakeLongHistory(api, "T1", 200);
  RunningServer server(api);
  for (int i = 0; i < 5; ++i) {
    NativePeer peer(server.socket());
    for (std::uint64_t number = 2; number < 14; ++number) {
      peer.Send(HistoryRead(number, "T1"));
    }
    peer.Drop();
  }
  AwaitConnections(server, 1);
  NativePeer last(server.socket());
  for (std::uint64_t number = 2; number < 14; ++number) {
    last.Send(HistoryRead(number, "T1"));
  }
  last.Drop();
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
}

// Pages are made as they are taken, and none of them is lost.
TEST(NativeHostile, UntakenPagesAreNotMadeAllAtOnce) {
  constexpr std::uint64_t kReads = 48;
  ApiStore api;
  MakeLongHistory(api, "T1", 300);
  const RunningServer server(api);
  const auto client = server.Connect();
  NativePeer peer(server.socket());
  const std::size_t before = ResidentBytes();
  std::string reads;
  for (std::uint64_t number = 2; number < 2 + kReads; ++number) {
    reads += HistoryRead(number, "T1");
  }
  peer.Send(reads);
  std::size_t most = before;
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(client->Send({"GET", "/healthz", "", ""})->status, 200);
    most = std::max(most, ResidentBytes());
  }
  // Each takes 5 MB, all together 240; a sanitizer keeps for a while what was given back.
  EXPECT_LT(most, before + (120UL << 20));
  for (std::uint64_t number = 2; number < 2 + kReads; ++number) {
    EXPECT_EQ(peer.Expect<frames::EventsT>(number).items.size(), 301U);
  }
}

TEST(NativeHostile, AllUntakenAnswersTogetherAreBounded) {
  ApiStore api;
  MakeLongHistory(api, "T1", 1900);
  MakeLongHistory(api, "T2", 1);
  const RunningServer server(api);
  const std::string request = "GET /v1/sagas/T1/events HTTP/1.1\r\nHost: x\r\n\r\n";
  std::deque<RawConnection> deaf;
  // Each holds some 30 MB.
  for (int i = 0; i < 8; ++i) {
    deaf.emplace_back(server.socket()).Send(request);
    EXPECT_THAT(deaf.back().ReadHeader(), StartsWith("HTTP/1.1 200"));
  }
  RawConnection one_more(server.socket());
  one_more.Send(request);
  EXPECT_THAT(one_more.ReadResponse(), StartsWith("HTTP/1.1 429"));
  NativePeer native(server.socket());
  native.Send(HistoryRead(2, "T1") + HistoryRead(3, "T2"));
  EXPECT_EQ(native.Expect<answers::RefusalT>(2).code, RefusalCode::overloaded);
  EXPECT_EQ(native.Expect<frames::EventsT>(3).items.size(), 101U);
  // Whoever takes his, or goes, makes room.
  deaf.clear();
  AwaitConnections(server, 3);
  one_more.Send(request);
  EXPECT_THAT(one_more.ReadHeader(), StartsWith("HTTP/1.1 200"));
  native.Send(HistoryRead(4, "T1"));
  EXPECT_EQ(native.Expect<frames::EventsT>(4).items.size(), 1901U);
}

TEST(NativeHostile, APageOfLargeSagasEndsEarlyAndItsCursorLeadsOn) {
  constexpr int kSagas = 300;
  ApiStore api;
  const std::string payload(kPayloadSizeMax / 3 * 4, 'A');  // base64 of as many zeros as may be
  for (int i = 0; i < kSagas; ++i) {
    api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"T{}","payload":"{}"}})", i, payload));
  }
  const RunningServer server(api);
  NativePeer peer(server.socket());
  frames::ReadT read;
  read.what = frames::ReadWhat::sagas;
  read.limit = kPageRowsMax;
  std::size_t seen = 0;
  std::size_t pages = 0;
  do {
    peer.Send(FrameOf(2, read));
    const auto page = peer.Expect<answers::SagaPageT>(2);
    ASSERT_FALSE(page.items.empty());
    seen += page.items.size();
    read.cursor = page.cursor;
    ++pages;
  } while (!read.cursor.empty());
  EXPECT_EQ(seen, static_cast<std::size_t>(kSagas));
  EXPECT_EQ(pages, 2U);
}

TEST(NativeHostile, AFollowOfMoreTypesThanThereAreIsRefused) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  frames::FollowT follow;
  follow.credit = 1;
  follow.types.assign(100'000, "planned");
  peer.Send(FrameOf(2, follow));
  const auto refusal = peer.Expect<answers::RefusalT>(2);
  EXPECT_EQ(refusal.code, RefusalCode::invalid_argument);
  EXPECT_THAT(refusal.detail, HasSubstr("types: has 100000 elements"));
}

// A server on TCP that wants a token.
class NativeStranger : public ::testing::Test {
 protected:
  NativeStranger() {
    options_.listen = {"127.0.0.1:0"};
    options_.token_file = api_.folder() / "tokens";
    const auto line = TokenLineFor({"boss", Role::kAdmin}, "boss");
    EXPECT_TRUE(AppendTokenLine(options_.token_file, *line).ok());
  }
  static RawConnection Connect(RunningServer& server) {
    return RawConnection::ToAddress(server.server().addresses().front());
  }
  // The length of a frame of this size.
  static std::string LengthOf(std::size_t size) {
    const auto length = static_cast<std::uint32_t>(size - sizeof(std::uint32_t));
    return {reinterpret_cast<const char*>(&length), sizeof(length)};
  }

  ApiStore api_;
  ServerOptions options_;
};

TEST_F(NativeStranger, IsRefusedByTheLengthOfItsFirstFrame) {
  RunningServer server(api_, options_);
  for (const std::size_t size : {kHelloFrameSizeMax + 8, kRequestFrameSizeMax}) {
    NativePeer peer(Connect(server));
    peer.Send(std::string(kNativePreamble) + LengthOf(size));
    const auto refusal = peer.Expect<answers::RefusalT>(0);
    EXPECT_EQ(refusal.code, RefusalCode::unauthenticated);
    EXPECT_THAT(refusal.detail, HasSubstr("hello"));
    EXPECT_EQ(peer.Expect<frames::GoodbyeT>(0).reason, "the first frame was not hello");
  }
  // What large requests share is all there for those who are known.
  const auto client = server.Connect();
  const std::string large = fmt::format(R"({{"commands":[]{}}})", std::string(1UL << 20, ' '));
  EXPECT_NE(client->Send({"POST", "/v1/batch", large, ""})->status, 429);
}

TEST_F(NativeStranger, HasNoLongerForAHelloThatComesInPieces) {
  options_.header_patience = std::chrono::milliseconds(200);
  options_.body_patience = std::chrono::hours(1);
  RunningServer server(api_, options_);
  RawConnection stranger = Connect(server);
  stranger.Send(kNativePreamble);
  const auto client = server.Connect();
  for (int i = 0; i < 10; ++i) {  // meanwhile the preamble is read
    EXPECT_EQ(client->Send({"GET", "/healthz", "", ""})->status, 200);
  }
  stranger.Send(LengthOf(100));
  static_cast<void>(stranger.ReadToEnd());
}

TEST_F(NativeStranger, IsLetGoWhenItSaysNothing) {
  options_.header_patience = std::chrono::milliseconds(20);
  RunningServer server(api_, options_);
  RawConnection silent = Connect(server);
  EXPECT_EQ(silent.ReadToEnd(), "");
  // Whoever is on the machine is known, and has the patience with those who are idle.
  const auto client = server.Connect();
  EXPECT_EQ(client->Send({"GET", "/healthz", "", ""})->status, 200);
}

TEST_F(NativeStranger, HasNoPlaceOfThoseWhoAreKnown) {
  options_.connections_max = 32;
  options_.header_patience = std::chrono::hours(1);
  RunningServer server(api_, options_);
  std::deque<RawConnection> known;
  const auto ask = [](RawConnection& peer) {
    peer.Send("GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer boss\r\n\r\n");
    return peer.ReadResponse();
  };
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(ask(known.emplace_back(Connect(server))), StartsWith("HTTP/1.1 200"));
  }
  std::deque<RawConnection> strangers;
  for (std::size_t i = 0; i < PlacesOfStrangers(32); ++i) {
    strangers.push_back(Connect(server));
  }
  RawConnection one_more = Connect(server);
  EXPECT_THAT(one_more.ReadToEnd(), StartsWith("HTTP/1.1 429"));
  strangers.front().Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(strangers.front().ReadResponse(), StartsWith("HTTP/1.1 200"));
  // One that shows a token makes room for another.
  EXPECT_THAT(ask(strangers.front()), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(known.emplace_back(Connect(server))), StartsWith("HTTP/1.1 200"));
}

TEST_F(NativeStranger, OnTcpNobodyTakesThePlacesOfTheSocket) {
  options_.token_file.clear();
  options_.insecure = true;
  options_.connections_max = 20;
  RunningServer server(api_, options_);
  std::deque<RawConnection> remote;
  for (std::size_t i = 0; i < 20 - PlacesKeptForLocal(20); ++i) {
    remote.push_back(Connect(server));
  }
  EXPECT_THAT(Connect(server).ReadToEnd(), StartsWith("HTTP/1.1 429"));
  EXPECT_EQ(server.Connect()->Send({"GET", "/healthz", "", ""})->status, 200);
}

TEST(NativeHostile, OneConnectionTooManyIsToldInItsOwnProtocol) {
  ApiStore api;
  ServerOptions options;
  options.connections_max = 1;
  const RunningServer server(api, options);
  const NativePeer first(server.socket());
  NativePeer second(server.socket(), false);
  second.Send(Greeting());
  EXPECT_EQ(second.Expect<answers::RefusalT>(0).code, RefusalCode::overloaded);
  EXPECT_THAT(second.ExpectGoodbye(), HasSubstr("connections are open already"));
}

}  // namespace
}  // namespace sagalog
