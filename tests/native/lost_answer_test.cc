// A connection that ends after a request was sent and before its answer came: sagalog::Client
// reveals what the first sending did, or says that nobody knows.
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/client.h"
#include "reactor/token_file.h"
#include "schema/frame_limits.h"
#include "tests/native/abrupt_server.h"
#include "tests/native/cutting_proxy.h"
#include "tests/native/native_peer.h"

namespace sagalog {
namespace {

using schema::RefusalCode;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(60);

std::unique_ptr<Client> ConnectTo(const std::filesystem::path& socket,
                                  const std::string& access_token = {}) {
  auto client = Client::Connect({"unix:" + socket.string(), access_token, kPatience});
  EXPECT_TRUE(client.ok()) << client.status().text();
  return *std::move(client);
}

CallOptions Requested(std::uint64_t number) {
  CallOptions options;
  options.request_id = schema::RequestId(77, number);
  return options;
}

commands::AnnotateT Note() {
  commands::AnnotateT note;
  note.text = "once";
  return note;
}

// A daemon behind a proxy, and a saga "S" that is noted upon.
class LostAnswer : public ::testing::Test {
 protected:
  using Bytes = CuttingProxy::Bytes;

  LostAnswer() : server_(api_), proxy_([this] { return RawConnection(server_.socket()); }) {
    api_.Post("/v1/sagas", R"({"saga_id":"S"})");
    const auto client = ConnectTo(proxy_.socket());
    greeting_ = proxy_.passed();
  }

  // With one note and its answer.
  [[nodiscard]] Bytes Measure(const CallOptions& options) {
    const auto client = ConnectTo(proxy_.socket());
    EXPECT_TRUE(client->Annotate("S", Note(), options).Get()->ok());
    return proxy_.passed();
  }

  [[nodiscard]] std::size_t CountEvents() {
    return api_.store().History("S", false, 100'000)->size();
  }

  ApiStore api_;
  RunningServer server_;
  CuttingProxy proxy_;
  Bytes greeting_;
};

TEST_F(LostAnswer, ACommandHappensOnceWhereverItsRequestIsCut) {
  const Bytes whole = Measure(Requested(0));
  for (std::size_t size = greeting_.requests + 1; size <= whole.requests; ++size) {
    const std::size_t before = CountEvents();
    proxy_.CutNext({.requests = size});
    const auto client = ConnectTo(proxy_.socket());
    const Result<Reply> reply = client->Annotate("S", Note(), Requested(size)).Get();
    ASSERT_TRUE(reply.ok() && reply->ok()) << size << ": " << reply.status().text();
    ASSERT_EQ(CountEvents(), before + 1) << size;
  }
}

TEST_F(LostAnswer, TheFirstOutcomeIsToldWhereverTheAnswerIsCut) {
  const Bytes whole = Measure(Requested(0));
  for (std::size_t size = greeting_.answers; size < whole.answers; ++size) {
    const std::size_t before = CountEvents();
    proxy_.CutNext({.answers = size});
    proxy_.CutNext({.answers = size});
    const auto client = ConnectTo(proxy_.socket());
    const Result<Reply> reply = client->Annotate("S", Note(), Requested(1000 + size)).Get();
    ASSERT_TRUE(reply.ok() && reply->ok()) << size << ": " << reply.status().text();
    EXPECT_TRUE(reply->answer().replayed) << size;
    ASSERT_EQ(CountEvents(), before + 1) << size;
  }
}

TEST_F(LostAnswer, WithoutARequestIdNobodyKnowsWhereverItIsCut) {
  const Bytes whole = Measure({});
  for (std::size_t size = greeting_.requests + 1; size < whole.requests; ++size) {
    const std::size_t before = CountEvents();
    proxy_.CutNext({.requests = size});
    const auto client = ConnectTo(proxy_.socket());
    EXPECT_EQ(client->Annotate("S", Note()).Get().status().code(), Code::kIndeterminate) << size;
    ASSERT_EQ(CountEvents(), before) << size;  // but the daemon had not all of it
  }
  for (std::size_t size = greeting_.answers; size < whole.answers; ++size) {
    const std::size_t before = CountEvents();
    proxy_.CutNext({.answers = size});
    const auto client = ConnectTo(proxy_.socket());
    EXPECT_EQ(client->Annotate("S", Note()).Get().status().code(), Code::kIndeterminate) << size;
    ASSERT_EQ(CountEvents(), before + 1) << size;
  }
}

// The daemon judges the right of a caller before it looks whether it has answered the request. A
// worker's right to a saga ends with its ownership, so what it let go cannot be asked about again.
class LostAnswerOfAWorker : public ::testing::Test {
 protected:
  LostAnswerOfAWorker() {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.token_file = api_.folder() / "tokens";
    Add(options, {"ci", Role::kWorker, "ci-"}, "ci");
    server_.emplace(api_, options);
    proxy_.emplace(
        [this] { return RawConnection::ToAddress(server_->server().addresses().front()); });
    proxy_->CutNext({.answers = GreetingSize()});
    client_ = ConnectTo(proxy_->socket(), "ci");
    api_.Post("/v1/sagas", R"({"saga_id":"S"})");
    token_ = Member(api_.Post("/v1/sagas/S:acquire", R"({"owner":"ci-1"})"), "token");
  }

  static void Add(const ServerOptions& options, const Caller& caller, const std::string& secret) {
    const Status added = AppendTokenLine(options.token_file, *TokenLineFor(caller, secret));
    EXPECT_TRUE(added.ok()) << added.text();
  }
  std::size_t GreetingSize() {
    const auto client = ConnectTo(proxy_->socket(), "ci");
    return proxy_->passed().answers;
  }
  [[nodiscard]] commands::CommandT Release() const {
    commands::CommandT command;
    command.saga_id = "S";
    command.request_id = std::make_unique<schema::RequestId>(1, 2);
    commands::ReleaseT release;
    release.token = std::stoull(token_);
    release.reason = "enough";
    command.body.Set(std::move(release));
    return command;
  }
  [[nodiscard]] Result<BatchReply> Batch(bool atomic) {
    std::vector<commands::CommandT> batch;
    batch.push_back(Release());
    return client_->ExecuteBatch(std::move(batch), atomic);
  }
  // What becomes of `ask` when somebody else has the saga before it is repeated.
  template <typename Ask>
  auto AnswerAfterATakeover(const Ask& ask) {
    proxy_->Close();
    auto asked = std::async(std::launch::async, ask);
    proxy_->AwaitEnds(2);
    EXPECT_EQ(Member(api_.Get("/v1/sagas/S"), "state"), "planned");
    api_.Post("/v1/sagas/S:acquire", R"({"owner":"other"})");
    proxy_->Open();
    return asked.get();
  }

  ApiStore api_;
  std::optional<RunningServer> server_;
  std::optional<CuttingProxy> proxy_;
  std::unique_ptr<Client> client_;
  std::string token_;
};

TEST_F(LostAnswerOfAWorker, ARefusalFromBeforeTheLookUpIsNoOutcome) {
  const Result<Reply> reply =
      AnswerAfterATakeover([&] { return client_->Execute(Release()).Get(); });
  EXPECT_EQ(reply.status().code(), Code::kIndeterminate);
  EXPECT_THAT(reply.status().text(), HasSubstr("forbidden"));
}

TEST_F(LostAnswerOfAWorker, NorIsItOfABatch) {
  EXPECT_EQ(AnswerAfterATakeover([&] { return Batch(true); }).status().code(),
            Code::kIndeterminate);
}

TEST_F(LostAnswerOfAWorker, NorIsItOfOneCommandOfABatch) {
  EXPECT_EQ(AnswerAfterATakeover([&] { return Batch(false); }).status().code(),
            Code::kIndeterminate);
}

// What a server says is scripted here.
class LostAnswerOfAServer : public ::testing::Test {
 protected:
  LostAnswerOfAServer() {
    auto connecting =
        std::async(std::launch::async, [this] { return ConnectTo(server_.socket()); });
    server_.Greet();
    client_ = connecting.get();
  }

  std::future<Result<Reply>> Ask() {
    return std::async(std::launch::async,
                      [this] { return client_->Annotate("S", Note(), Requested(1)).Get(); });
  }
  void Refuse(RefusalCode code) {
    answers::RefusalT refusal;
    refusal.code = code;
    refusal.detail = "so it is";
    const std::uint64_t number = server_.TakeRequest().number;
    server_.Say(FrameOf(number, refusal));
  }

  AbruptServer server_;
  std::unique_ptr<Client> client_;
};

TEST_F(LostAnswerOfAServer, OnlyRefusalsFromBehindTheLookUpCount) {
  for (const RefusalCode code : schema::EnumValuesRefusalCode()) {
    const bool before = code == RefusalCode::overloaded || code == RefusalCode::unauthenticated ||
                        code == RefusalCode::forbidden || code == RefusalCode::read_only ||
                        code == RefusalCode::corrupt;
    auto repeated = Ask();
    server_.TakeRequestAndDrop();
    Refuse(code);
    const Result<Reply> reply = repeated.get();
    if (before) {
      EXPECT_EQ(reply.status().code(), Code::kIndeterminate) << schema::EnumNameRefusalCode(code);
      EXPECT_THAT(reply.status().text(), HasSubstr("so it is"));
    } else {
      ASSERT_TRUE(reply.ok()) << schema::EnumNameRefusalCode(code);
      EXPECT_EQ(reply->refusal().code, code);
    }
    auto first = Ask();
    Refuse(code);
    ASSERT_EQ(first.get()->refusal().code, code);  // nothing was lost: it counts
  }
}

TEST_F(LostAnswerOfAServer, AReadThatIsRefusedTheSecondTimeIsRefused) {
  auto found = std::async(std::launch::async, [this] { return client_->Find("S").status(); });
  server_.TakeRequestAndDrop();
  Refuse(RefusalCode::overloaded);
  EXPECT_EQ(found.get().code(), Code::kOverloaded);
}

TEST_F(LostAnswerOfAServer, IsNotForgottenWhenTheNextConnectionEndsToo) {
  auto reply = Ask();
  server_.TakeRequestAndDrop();
  server_.TakeRequest();
  server_.Say(FrameOf(0, frames::GoodbyeT()));  // was not taken this time
  server_.RefuseHello();
  EXPECT_EQ(reply.get().status().code(), Code::kIndeterminate);
}

TEST_F(LostAnswerOfAServer, WhatCrossedAGoodbyeDidNotHappen) {
  auto reply = Ask();
  server_.TakeRequest();
  server_.Say(FrameOf(0, frames::GoodbyeT()));
  server_.RefuseHello();
  EXPECT_EQ(reply.get().status().code(), Code::kUnsupportedVersion);
}

TEST_F(LostAnswer, AClientGivesUpConnectionsThatBringNoAnswer) {
  constexpr std::size_t kConnections = 1000;
  proxy_.AwaitEnds(1);
  for (std::size_t i = 0; i < kConnections; ++i) {
    proxy_.CutNext({.answers = greeting_.answers});
  }
  const std::size_t before = CountEvents();
  const ClientOptions impatient{"unix:" + proxy_.socket().string(), "",
                                std::chrono::milliseconds(500)};
  auto client = Client::Connect(impatient);
  // A machine under load may take longer for a welcome.
  for (int tries = 0; !client.ok() && tries < 100; ++tries) {
    client = Client::Connect(impatient);
  }
  ASSERT_TRUE(client.ok()) << client.status().text();
  const Result<Reply> reply = (*client)->Annotate("S", Note(), Requested(1)).Get();
  EXPECT_EQ(reply.status().code(), Code::kIndeterminate);
  EXPECT_EQ(CountEvents(), before + 1);
}

// The server would end the connection at the sight of it, each time anew.
TEST_F(LostAnswer, WhatIsTooLargeIsNotSent) {
  const auto client = ConnectTo(proxy_.socket());
  commands::PlanT plan;
  plan.payload.resize(kRequestFrameSizeMax, 7);
  const Status refused = client->Plan("T", std::move(plan)).Get().status();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.text(), HasSubstr(std::to_string(kRequestFrameSizeMax)));
  EXPECT_EQ(proxy_.passed().requests, greeting_.requests);
  EXPECT_TRUE(client->Plan("T").Get()->ok());
}

}  // namespace
}  // namespace sagalog
