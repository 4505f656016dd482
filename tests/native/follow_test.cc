// Following the log over the native protocol: what comes, how much of it, and where it goes on.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/client.h"
#include "reactor/token_file.h"
#include "schema/frame_limits.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using schema::RefusalCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

frames::FollowT FollowFrom(std::uint64_t seen, std::uint32_t credit) {
  frames::FollowT follow;
  follow.seen = seen;
  follow.credit = credit;
  return follow;
}

frames::CreditT CreditOf(std::uint32_t events) {
  frames::CreditT credit;
  credit.events = events;
  return credit;
}

std::vector<std::uint64_t> SequencesOf(const frames::EventsT& events) {
  std::vector<std::uint64_t> sequences;
  for (const auto& item : events.items) {
    const StoredEvent event(std::string(item->bytes.begin(), item->bytes.end()));
    sequences.push_back(event->sequence());
  }
  return sequences;
}

std::unique_ptr<Client> ConnectTo(const std::filesystem::path& socket) {
  auto client = Client::Connect({"unix:" + socket.string(), "", std::chrono::seconds(60)});
  EXPECT_TRUE(client.ok()) << client.status().text();
  return *std::move(client);
}

void Plan(ApiStore& api, const std::string& saga) {
  api.Post("/v1/sagas", R"({"saga_id":")" + saga + R"("})");
}

TEST(NativeFollow, GivesWhatIsThereAndWhatComes) {
  ApiStore api;
  Plan(api, "T1");
  const RunningServer server(api);
  NativePeer peer(server.socket());
  peer.Send(FrameOf(7, FollowFrom(0, 100)));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(7)), ElementsAre(1, 2));
  Plan(api, "T2");
  const auto next = peer.Expect<frames::EventsT>(7);
  EXPECT_THAT(SequencesOf(next), ElementsAre(3));
  EXPECT_EQ(next.through, 3U);
  // Other requests are answered beside it.
  peer.Send(FrameOf(8, frames::PingT()));
  peer.Expect<frames::PongT>(8);
}

TEST(NativeFollow, SendsNoMoreThanTheCreditAllows) {
  ApiStore api;
  for (int i = 0; i < 9; ++i) {
    Plan(api, "T" + std::to_string(i));
  }
  const RunningServer server(api);
  NativePeer peer(server.socket());
  peer.Send(FrameOf(7, FollowFrom(0, 3)));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(7)), ElementsAre(1, 2, 3));
  for (std::uint64_t number = 100; number < 120; ++number) {
    peer.Send(FrameOf(number, frames::PingT()));
    peer.Expect<frames::PongT>(number);  // and no event
  }
  peer.Send(FrameOf(7, CreditOf(2)));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(7)), ElementsAre(4, 5));
  peer.Send(FrameOf(7, CreditOf(0)));
  const auto last = peer.Expect<frames::EventsT>(7);
  EXPECT_TRUE(last.ended);
  EXPECT_EQ(last.through, 5U);
  // What comes late for a stream that has ended harms nobody.
  peer.Send(FrameOf(7, CreditOf(5)) + FrameOf(8, frames::PingT()));
  peer.Expect<frames::PongT>(8);
}

TEST(NativeFollow, FiltersByTypeAndSaga) {
  ApiStore api;
  api.Acquire("T1");
  api.Acquire("T2");
  const RunningServer server(api);
  NativePeer peer(server.socket());
  frames::FollowT leases = FollowFrom(0, 10);
  leases.types = {"leased"};
  frames::FollowT one = FollowFrom(0, 10);
  one.saga = "T2";
  peer.Send(FrameOf(7, leases));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(7)), ElementsAre(3, 5));
  peer.Send(FrameOf(8, one));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(8)), ElementsAre(4, 5));
}

TEST(NativeFollow, RefusesWhatCannotBeFollowed) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  frames::FollowT unknown = FollowFrom(0, 10);
  unknown.types = {"walked"};
  peer.Send(FrameOf(2, unknown));
  EXPECT_THAT(peer.Expect<answers::RefusalT>(2).detail, HasSubstr("\"walked\" is no type"));
  peer.Send(FrameOf(3, FollowFrom(2, 10)));
  EXPECT_THAT(peer.Expect<answers::RefusalT>(3).detail, HasSubstr("the log ends at 1"));
  peer.Send(FrameOf(4, FollowFrom(0, 0)));
  EXPECT_THAT(peer.Expect<answers::RefusalT>(4).detail, HasSubstr("credit"));
  for (std::uint64_t number = 10; number < 10 + kFollowsMax; ++number) {
    peer.Send(FrameOf(number, FollowFrom(0, 1)));
    EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(number)), ElementsAre(1));
  }
  // To wait and send the same again would not help.
  peer.Send(FrameOf(10, FollowFrom(0, 1)));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(10).code, RefusalCode::invalid_argument);
  peer.Send(FrameOf(90, FollowFrom(0, 1)));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(90).code, RefusalCode::overloaded);
}

TEST(NativeFollow, AStopEndsItBeforeTheGoodbye) {
  ApiStore api;
  RunningServer server(api);
  NativePeer peer(server.socket());
  peer.Send(FrameOf(7, FollowFrom(0, 100)));
  EXPECT_THAT(SequencesOf(peer.Expect<frames::EventsT>(7)), ElementsAre(1));
  server.server().Stop();
  EXPECT_TRUE(peer.Expect<frames::EventsT>(7).ended);
  peer.ExpectGoodbye();
  EXPECT_TRUE(server.Join().ok());
}

// One that allows much and takes nothing is sent what sockets and a bound hold, and misses nothing.
TEST(NativeFollow, ASlowReaderHoldsNobodyUpAndLosesNothing) {
  constexpr std::uint64_t kNotes = 600;
  ApiStore api;
  Plan(api, "T1");
  const RunningServer server(api);
  NativePeer slow(server.socket());
  slow.Send(FrameOf(7, FollowFrom(0, 1'000'000)));
  const std::string note = R"({"text":")" + std::string(kTextSizeMax, 't') + R"("})";
  for (std::uint64_t i = 0; i < kNotes; ++i) {
    api.Post("/v1/sagas/T1:annotate", note);
  }
  NativePeer quick(server.socket());
  quick.Send(FrameOf(7, FollowFrom(kNotes, 10)));
  EXPECT_EQ(SequencesOf(quick.Expect<frames::EventsT>(7)).front(), kNotes + 1);
  std::uint64_t seen = 0;
  while (seen < kNotes + 2) {
    for (const std::uint64_t sequence : SequencesOf(slow.Expect<frames::EventsT>(7))) {
      ASSERT_EQ(sequence, ++seen);
    }
  }
}

TEST(NativeFollow, TakesATokenAndEndsWithIt) {
  ApiStore api;
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.token_file = api.folder() / "tokens";
  ASSERT_TRUE(
      AppendTokenLine(options.token_file, *TokenLineFor({"eye", Role::kAuditor}, "eye")).ok());
  RunningServer server(api, options);
  const auto connect = [&] {
    return NativePeer(RawConnection::ToAddress(server.server().addresses().front()));
  };
  NativePeer nobody = connect();
  nobody.Send(std::string(kNativePreamble) + FrameOf(2, FollowFrom(0, 10)));
  EXPECT_EQ(nobody.Expect<answers::RefusalT>(2).code, RefusalCode::unauthenticated);
  NativePeer eye = connect();
  eye.Send(Greeting(kNativeVersion, "eye") + FrameOf(2, FollowFrom(0, 1'000'000)));
  eye.Expect<frames::WelcomeT>(1);
  EXPECT_THAT(SequencesOf(eye.Expect<frames::EventsT>(2)), ElementsAre(1));
  std::ofstream(options.token_file, std::ios::trunc)
      << *TokenLineFor({"boss", Role::kAdmin}, "boss") << "\n";
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  // From one of the next events on.
  for (int i = 0;; ++i) {
    Plan(api, "T" + std::to_string(i));
    const auto frame = eye.Read();
    ASSERT_TRUE(frame);
    if (frame->message.type == frames::Message::Refusal) {
      EXPECT_EQ(frame->message.AsRefusal()->code, RefusalCode::unauthenticated);
      break;
    }
  }
}

TEST(ClientFollow, GivesEachEventOnceUntilTheCallerHasEnough) {
  ApiStore api;
  for (int i = 0; i < 5; ++i) {
    api.Acquire("T" + std::to_string(i));
  }
  const RunningServer server(api);
  const auto client = ConnectTo(server.socket());
  std::vector<std::uint64_t> seen;
  EventFollow query;
  query.seen = Sequence(3);
  query.types = {"leased"};
  const Status ended = client->Follow(query, [&](const StoredEvent& event) {
    seen.push_back(event->sequence());
    return seen.size() < 3;
  });
  EXPECT_TRUE(ended.ok()) << ended.text();
  EXPECT_THAT(seen, ElementsAre(5, 7, 9));
  // The connection goes on.
  EXPECT_TRUE(client->Find("T1").ok());
  query.types = {"walked"};
  EXPECT_EQ(client->Follow(query, [](const StoredEvent&) { return true; }).code(),
            Code::kInvalidArgument);
}

// More than the credit at once, and several daemons one after the other.
TEST(ClientFollow, GoesOnWithoutGapOrRepeatOverDaemonsThatStop) {
  constexpr std::uint64_t kEvents = 6000;
  ApiStore api;
  auto server = std::make_unique<RunningServer>(api);
  const auto client = ConnectTo(server->socket());
  std::vector<std::uint64_t> seen;
  std::atomic<std::uint64_t> last{0};
  std::thread follower([&] {
    const Status ended = client->Follow({}, [&](const StoredEvent& event) {
      seen.push_back(event->sequence());
      last = event->sequence();
      last.notify_all();
      return event->sequence() < kEvents;
    });
    EXPECT_TRUE(ended.ok()) << ended.text();
  });
  std::uint64_t planned = 1;
  for (const std::uint64_t through : {std::uint64_t{2000}, std::uint64_t{4000}, kEvents}) {
    for (; planned < through; ++planned) {
      Plan(api, "T" + std::to_string(planned));
    }
    // Somewhere in the middle of it.
    for (std::uint64_t now = last; now + 1000 < through; now = last) {
      last.wait(now);
    }
    server.reset();
    server = std::make_unique<RunningServer>(api);
  }
  follower.join();
  ASSERT_THAT(seen, SizeIs(kEvents));
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    ASSERT_EQ(seen[i], i + 1);
  }
}

}  // namespace
}  // namespace sagalog
