// The native protocol over real sockets: frames in, frames out, and what breaks its rules.
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using schema::RefusalCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

frames::ReadT StatusRead() {
  frames::ReadT read;
  read.what = frames::ReadWhat::status;
  return read;
}

// Whether the server still serves.
void ExpectServes(const RunningServer& server) {
  NativePeer peer(server.socket());
  peer.Send(FrameOf(2, StatusRead()));
  EXPECT_EQ(peer.Expect<answers::StatusT>(2).health, "open");
}

TEST(NativeProtocol, StandsBesideHttpOnTheSameSocket) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  peer.Send(PlanFrame(7, "T1"));
  EXPECT_EQ(peer.Expect<answers::AnswerT>(7).outcome, answers::Outcome::ok);
  const auto http = server.Connect()->Send({"GET", "/v1/sagas/T1", "", ""});
  ASSERT_TRUE(http.ok());
  EXPECT_EQ(http->status, 200);
}

TEST(NativeProtocol, SaysItsVersionInTheWelcome) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket(), false);
  peer.Send(Greeting());
  const auto welcome = peer.Expect<frames::WelcomeT>(1);
  EXPECT_EQ(welcome.version, kNativeVersion);
  EXPECT_NE(welcome.server, "");
}

TEST(NativeProtocol, AnotherVersionIsRefusedWithOurs) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket(), false);
  peer.Send(Greeting(kNativeVersion + 1) + PlanFrame(2, "T1"));
  const auto refusal = peer.Expect<answers::RefusalT>(1);
  EXPECT_EQ(refusal.code, RefusalCode::invalid_argument);
  EXPECT_EQ(refusal.subject, "version");
  EXPECT_EQ(refusal.limit, kNativeVersion);
  peer.ExpectGoodbye();
  EXPECT_FALSE(api.store().Find("T1").ok());
}

TEST(NativeProtocol, NothingHappensBeforeHello) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket(), false);
  peer.Send(std::string(kNativePreamble) + PlanFrame(2, "T1"));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(2).code, RefusalCode::unauthenticated);
  peer.ExpectGoodbye();
  EXPECT_FALSE(api.store().Find("T1").ok());
}

TEST(NativeProtocol, AnswersComeAsTheyAreReadyAndNotInOrder) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  frames::ReadT waits;
  waits.name = "T1";
  waits.min_sequence = api.store().log().Last().value() + 2;
  peer.Send(FrameOf(2, waits));
  peer.Send(PlanFrame(3, "T1"));
  EXPECT_EQ(peer.Expect<answers::AnswerT>(3).outcome, answers::Outcome::ok);
  peer.Send(PlanFrame(4, "T2"));
  std::set<std::uint64_t> answered;
  for (int i = 0; i < 2; ++i) {
    const auto frame = peer.Read();
    ASSERT_TRUE(frame);
    answered.insert(frame->number);
  }
  EXPECT_THAT(answered, ElementsAre(2, 4));
}

TEST(NativeProtocol, CommandsOfOneConnectionAreDecidedInTheirOrder) {
  constexpr std::uint64_t kNotes = 3000;
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  std::string all = PlanFrame(2, "T1");
  for (std::uint64_t i = 0; i < kNotes; ++i) {
    frames::ExecuteT execute;
    execute.command = std::make_unique<commands::CommandT>();
    execute.command->saga_id = "T1";
    // Each is accepted only behind the one before.
    execute.command->expected_version = i + 1;
    commands::AnnotateT annotate;
    annotate.text = "n";
    execute.command->body.Set(std::move(annotate));
    all += FrameOf(3 + i, execute);
  }
  std::thread sender([&] { EXPECT_TRUE(peer.Send(all)); });
  std::set<std::uint64_t> answered;
  for (std::uint64_t i = 0; i <= kNotes; ++i) {
    const auto frame = peer.Read();
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->message.type, frames::Message::Answer) << frame->number;
    answered.insert(frame->number);
  }
  sender.join();
  EXPECT_EQ(answered.size(), kNotes + 1);
  EXPECT_EQ(api.store().Find("T1")->version, kNotes + 1);
}

TEST(NativeProtocol, AFrameThatCannotBeCarriedOutIsRefusedByItsNumber) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  peer.Send(PlanFrame(2, "no saga id"));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(2).code, RefusalCode::invalid_argument);
  peer.Send(FrameOf(3, frames::GoodbyeT()));
  EXPECT_THAT(peer.Expect<answers::RefusalT>(3).detail, HasSubstr("a client does not say"));
  frames::ReadT read;
  read.what = static_cast<frames::ReadWhat>(99);
  peer.Send(FrameOf(4, read));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(4).code, RefusalCode::invalid_argument);
  peer.Send(FrameOf(5, frames::PingT()));
  peer.Expect<frames::PongT>(5);
}

TEST(NativeProtocol, WhatIsTooLargeOrNoFrameEndsTheConnection) {
  ApiStore api;
  const RunningServer server(api);
  const std::string good = PlanFrame(2, "T1");
  const std::string broken[] = {
      std::string("\xFF\xFF\xFF\x7F", 4) + std::string(64, 'x'),
      std::string(4, '\0') + std::string(64, 'x'),
      good.substr(0, 4) + std::string(good.size() - 4, 'x'),
      FrameOf(0, frames::PingT()),
  };
  for (const std::string& bytes : broken) {
    NativePeer peer(server.socket());
    peer.Send(bytes);
    EXPECT_EQ(peer.Expect<answers::RefusalT>(0).code, RefusalCode::invalid_argument);
    peer.ExpectGoodbye();
  }
  EXPECT_FALSE(api.store().Find("T1").ok());
  NativePeer stranger(server.socket(), false);
  stranger.Send("\xF5 no preamble");
  EXPECT_EQ(stranger.Expect<answers::RefusalT>(0).code, RefusalCode::invalid_argument);
  stranger.ExpectGoodbye();
  ExpectServes(server);
}

TEST(NativeProtocol, RandomFramesHarmNobody) {
  ApiStore api;
  const RunningServer server(api);
  std::mt19937 random(20261121);
  frames::BatchT batch;
  batch.commands.push_back(std::make_unique<commands::CommandT>());
  batch.commands.back()->saga_id = "T1";
  batch.commands.back()->body.Set(commands::PlanT());
  frames::ReadT list;
  list.what = frames::ReadWhat::sagas;
  const std::string seeds[] = {PlanFrame(2, "T1", schema::RequestId(1, 2)), FrameOf(3, batch),
                               FrameOf(4, list), Greeting()};
  for (int round = 0; round < 200; ++round) {
    std::string bytes = seeds[random() % std::size(seeds)];
    for (std::uint32_t changes = 1 + random() % 4; changes > 0; --changes) {
      // The length stays: what is behind it is what is to be looked at.
      bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
    }
    NativePeer peer(server.socket());
    peer.Send(bytes);
    peer.EndSending();
    while (const auto frame = peer.Read()) {
      EXPECT_NE(frame->message.type, frames::Message::NONE);
    }
  }
  ExpectServes(server);
}

// A reader that takes nothing is not read from for ever, and loses nothing when it reads on.
TEST(NativeProtocol, APeerThatTakesNoAnswersIsNoLongerReadFrom) {
  ApiStore api;
  const RunningServer server(api);
  NativePeer peer(server.socket());
  const std::string ping = FrameOf(2, frames::PingT());
  std::string many;
  while (many.size() < (4UL << 20)) {
    many += ping;
  }
  constexpr std::size_t kMuch = 64UL << 20;
  std::size_t sent = 0;
  std::string_view rest = many;
  for (int stuck = 0; stuck < 3 && sent < kMuch;) {
    const std::size_t now = peer.SendWithoutWaiting(rest);
    sent += now;
    rest.remove_prefix(now);
    rest = rest.empty() ? std::string_view(many) : rest;
    stuck = now > 0 ? 0 : stuck + 1;
    if (now == 0) {
      ExpectServes(server);  // others are served meanwhile, and the stuck one gets its time
    }
  }
  EXPECT_LT(sent, kMuch);
  std::thread sender([&] {
    EXPECT_TRUE(peer.Send(rest));
    peer.EndSending();
  });
  const std::size_t expected = (sent + rest.size()) / ping.size();
  for (std::size_t i = 0; i < expected; ++i) {
    const auto frame = peer.Read();
    ASSERT_TRUE(frame) << i;
    ASSERT_EQ(frame->message.type, frames::Message::Pong);
  }
  peer.ExpectGoodbye();
  sender.join();
}

TEST(NativeProtocol, AFrameOrAHelloThatTricklesIsCutOff) {
  ApiStore api;
  ServerOptions options;
  options.body_patience = std::chrono::milliseconds(20);
  options.header_patience = std::chrono::milliseconds(20);
  const RunningServer server(api, options);
  const std::string plan = PlanFrame(2, "T1");
  NativePeer half(server.socket());
  half.Send(std::string_view(plan).substr(0, plan.size() - 1));
  EXPECT_FALSE(half.Read());
  // Without a whole hello nobody is waited for as one who is idle.
  NativePeer shy(server.socket(), false);
  shy.Send(kNativePreamble);
  EXPECT_FALSE(shy.Read());
  EXPECT_FALSE(api.store().Find("T1").ok());
}

TEST(NativeProtocol, WhoSaysNothingTooLongIsLetGo) {
  ApiStore api;
  ServerOptions options;
  options.idle_patience = std::chrono::milliseconds(20);
  const RunningServer server(api, options);
  // On a slow machine the patience may be over before the hello has come.
  std::unique_ptr<frames::FrameT> welcome;
  while (!welcome) {
    NativePeer peer(server.socket(), false);
    peer.Send(Greeting());
    welcome = peer.Read();
    EXPECT_FALSE(welcome && peer.Read());
  }
  EXPECT_EQ(welcome->message.type, frames::Message::Welcome);
}

TEST(NativeProtocol, AStopAnswersWhatWasTakenAndSaysGoodbye) {
  ApiStore api;
  RunningServer server(api);
  NativePeer peer(server.socket());
  std::string all;
  for (std::uint64_t i = 0; i < 200; ++i) {
    all += PlanFrame(2 + i, "T" + std::to_string(i));
  }
  peer.Send(all);
  peer.Expect<answers::AnswerT>(2);
  server.server().Stop();
  std::size_t answered = 1;
  std::string reason;
  while (const auto frame = peer.Read()) {
    if (frame->message.type == frames::Message::Goodbye) {
      reason = frame->message.AsGoodbye()->reason;
      break;
    }
    ASSERT_EQ(frame->message.type, frames::Message::Answer);
    ++answered;
  }
  EXPECT_FALSE(peer.Read());
  EXPECT_EQ(reason, "the server stops");
  EXPECT_TRUE(server.Join().ok());
  SagaQuery query;
  query.limit = 1000;
  EXPECT_EQ(api.store().List(query)->items.size(), answered);
}

// Whatever was carried out before a drop, the same request id reveals it, and nothing doubles.
TEST(NativeProtocol, AConnectionMayDropAtEveryByteOfAnExchange) {
  ApiStore api;
  const RunningServer server(api);
  const std::string whole = Greeting() + PlanFrame(2, "T-0000", schema::RequestId(9, 9999));
  std::size_t happened = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const schema::RequestId request(9, size);
    const std::string saga = "T-" + std::to_string(1000 + size);
    const std::string exchange = Greeting() + PlanFrame(2, saga, request);
    ASSERT_EQ(exchange.size(), whole.size());
    {
      NativePeer dropped(server.socket(), false);
      dropped.Send(std::string_view(exchange).substr(0, size));
      dropped.Drop();
    }
    NativePeer again(server.socket());
    again.Send(PlanFrame(2, saga, request));
    happened += again.Expect<answers::AnswerT>(2).replayed ? 1 : 0;
    const auto history = api.store().History(saga, false, 10);
    ASSERT_TRUE(history.ok());
    ASSERT_EQ(history->size(), 1) << "cut behind " << size;
  }
  EXPECT_LE(happened, 1);
}

}  // namespace
}  // namespace sagalog
