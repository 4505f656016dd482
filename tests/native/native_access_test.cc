// Who may do what over the native protocol: the same as over HTTP.
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/token_file.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

frames::ExecuteT Acquire(std::string_view saga, std::string_view owner) {
  frames::ExecuteT execute;
  execute.command = std::make_unique<commands::CommandT>();
  execute.command->saga_id = saga;
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = owner;
  execute.command->body.Set(std::move(acquire));
  return execute;
}

frames::BatchT NoteAndCancel(bool atomic) {
  frames::BatchT batch;
  batch.atomic = atomic;
  batch.commands.push_back(std::make_unique<commands::CommandT>());
  batch.commands.back()->saga_id = "T1";
  commands::AnnotateT note;
  note.text = "seen";
  batch.commands.back()->body.Set(std::move(note));
  batch.commands.push_back(std::make_unique<commands::CommandT>());
  batch.commands.back()->saga_id = "T1";
  commands::CancelT cancel;
  cancel.reason = "r";
  batch.commands.back()->body.Set(std::move(cancel));
  return batch;
}

// A server on TCP, with the tokens "boss" (admin), "ci" (worker, ci-) and "eye" (auditor).
class NativeAccess : public ::testing::Test {
 protected:
  NativeAccess() {
    options_.listen = {"127.0.0.1:0"};
    options_.token_file = api_.folder() / "tokens";
    Add({"boss", Role::kAdmin}, "boss");
    Add({"ci", Role::kWorker, "ci-"}, "ci");
    Add({"eye", Role::kAuditor}, "eye");
    server_.emplace(api_, options_);
    api_.Post("/v1/sagas", R"({"saga_id":"T1"})");
  }

  void Add(const Caller& caller, const std::string& secret) {
    const Status added = AppendTokenLine(options_.token_file, *TokenLineFor(caller, secret));
    EXPECT_TRUE(added.ok()) << added.text();
  }
  NativePeer Connect() {
    return NativePeer(RawConnection::ToAddress(server_->server().addresses().front()));
  }
  // Greeted by this token.
  NativePeer Connect(const std::string& token) {
    NativePeer peer = Connect();
    EXPECT_TRUE(peer.Send(Greeting(kNativeVersion, token)));
    peer.Expect<frames::WelcomeT>(1);
    return peer;
  }

  ApiStore api_;
  ServerOptions options_;
  std::optional<RunningServer> server_;
};

TEST_F(NativeAccess, NobodyGetsPastHelloWithoutAToken) {
  for (const char* token : {"", "bos", "boss2"}) {
    NativePeer peer = Connect();
    peer.Send(Greeting(kNativeVersion, token) + PlanFrame(2, "T2"));
    EXPECT_EQ(peer.Expect<answers::RefusalT>(1).code, RefusalCode::unauthenticated) << token;
    peer.ExpectGoodbye();
  }
  EXPECT_EQ(api_.store().Find("T2").status().code(), Code::kNotFound);
  // An alarm can be raised on it.
  NativePeer hasty = Connect();
  hasty.Send(std::string(kNativePreamble) + PlanFrame(2, "T2"));
  EXPECT_EQ(hasty.Expect<answers::RefusalT>(2).code, RefusalCode::unauthenticated);
  hasty.ExpectGoodbye();
  EXPECT_THAT(server_->Connect()->Send({"GET", "/metrics", "", ""})->body,
              ::testing::HasSubstr("sagalog_denied_requests_total{code=\"unauthenticated\"} 4\n"));
}

TEST_F(NativeAccess, ATokenSaysWhoSpeaks) {
  NativePeer boss = Connect("boss");
  boss.Send(PlanFrame(2, "T2"));
  EXPECT_EQ(boss.Expect<answers::AnswerT>(2).outcome, answers::Outcome::ok);
  EXPECT_THAT(boost::json::serialize(api_.Get("/v1/sagas/T2/events")),
              ::testing::HasSubstr("\"principal\":\"boss\""));
}

TEST_F(NativeAccess, AWorkerWorksOnWhatIsItsOwn) {
  NativePeer peer = Connect("ci");
  peer.Send(PlanFrame(2, "T2"));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(2).code, RefusalCode::forbidden);
  peer.Send(FrameOf(3, Acquire("T1", "other")));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(3).code, RefusalCode::forbidden);
  peer.Send(FrameOf(4, Acquire("T1", "ci-7")));
  EXPECT_NE(peer.Expect<answers::AnswerT>(4).token, 0U);
}

TEST_F(NativeAccess, EachCommandOfABatchIsAsked) {
  static_cast<void>(api_.Post("/v1/sagas/T1:acquire", R"({"owner":"ci-7"})"));
  NativePeer peer = Connect("ci");
  peer.Send(FrameOf(2, NoteAndCancel(true)));
  const auto none = peer.Expect<frames::BatchAnswersT>(2);
  ASSERT_TRUE(none.refusal);
  EXPECT_EQ(none.refusal->code, RefusalCode::forbidden);
  EXPECT_EQ(none.refusal->index, 1U);
  peer.Send(FrameOf(3, NoteAndCancel(false)));
  const auto each = peer.Expect<frames::BatchAnswersT>(3);
  ASSERT_EQ(each.items.size(), 2U);
  ASSERT_TRUE(each.items[0]->answer);
  ASSERT_TRUE(each.items[1]->refusal);
  EXPECT_EQ(each.items[1]->refusal->code, RefusalCode::forbidden);
}

TEST_F(NativeAccess, AnAuditorReads) {
  NativePeer peer = Connect("eye");
  frames::ReadT read;
  read.what = frames::ReadWhat::status;
  peer.Send(FrameOf(2, read));
  EXPECT_EQ(peer.Expect<answers::StatusT>(2).health, "open");
  peer.Send(FrameOf(3, Acquire("T1", "eye")));
  EXPECT_EQ(peer.Expect<answers::RefusalT>(3).code, RefusalCode::forbidden);
}

TEST_F(NativeAccess, ATokenThatIsTakenAwayEndsTheConnection) {
  NativePeer peer = Connect("ci");
  std::ofstream(options_.token_file, std::ios::trunc)
      << *TokenLineFor({"boss", Role::kAdmin}, "boss") << "\n";
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  for (std::uint64_t number = 2;; ++number) {
    peer.Send(FrameOf(number, frames::PingT()));
    const auto frame = peer.Read();
    ASSERT_TRUE(frame);
    if (frame->message.type == frames::Message::Pong) {
      continue;
    }
    ASSERT_EQ(frame->message.type, frames::Message::Refusal);
    EXPECT_EQ(frame->message.AsRefusal()->code, RefusalCode::unauthenticated);
    break;
  }
  peer.ExpectGoodbye();
}

}  // namespace
}  // namespace sagalog
