// sagalog::Client against a real daemon: it does what a Store does, and survives dropped
// connections.
#include "reactor/client.h"

#include <coroutine>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/token_file.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "tests/native/abrupt_server.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"
#include "tests/reactor/tls_peer.h"

namespace sagalog {
namespace {

using schema::RefusalCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Client> ConnectTo(const std::filesystem::path& socket) {
  auto client = Client::Connect({"unix:" + socket.string(), "", std::chrono::seconds(60)});
  EXPECT_TRUE(client.ok()) << client.status().text();
  return *std::move(client);
}

std::unique_ptr<Client> ConnectTo(AbruptServer& server) {
  auto connecting =
      std::async(std::launch::async, [&server] { return ConnectTo(server.socket()); });
  server.Greet();
  return connecting.get();
}

// The two ways to a store, as one body of tests asks both.
class Embedded {
 public:
  Store& operator*() { return api_.store(); }
  static Reply Take(Store::Call call) { return std::move(call).Get(); }
  static BatchReply Take(BatchReply reply) { return reply; }

 private:
  ApiStore api_;
};

class Remote {
 public:
  Remote() : server_(api_), client_(ConnectTo(server_.socket())) {}
  Client& operator*() { return *client_; }
  static Reply Take(Client::Call call) {
    Result<Reply> reply = std::move(call).Get();
    EXPECT_TRUE(reply.ok()) << reply.status().text();
    return *std::move(reply);
  }
  static BatchReply Take(Result<BatchReply> reply) {
    EXPECT_TRUE(reply.ok()) << reply.status().text();
    return *std::move(reply);
  }

 private:
  ApiStore api_;
  RunningServer server_;
  std::unique_ptr<Client> client_;
};

commands::AcquireT By(const std::string& owner) {
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = owner;
  return acquire;
}

CallOptions Requested(std::uint64_t number) {
  CallOptions options;
  options.request_id = schema::RequestId(77, number);
  return options;
}

template <typename Way>
class StoreOrClient : public testing::Test {
 protected:
  Way way_;
};
using Ways = testing::Types<Embedded, Remote>;
TYPED_TEST_SUITE(StoreOrClient, Ways);

TYPED_TEST(StoreOrClient, CarriesALifecycleOut) {
  auto& store = *this->way_;
  CallOptions whole;
  whole.with_saga = true;
  commands::PlanT plan;
  plan.branch = "fix/168";
  plan.payload = {1, 2, 3};
  EXPECT_EQ(TypeParam::Take(store.Plan("S", std::move(plan))).answer().sequence, 2U);
  const Reply acquired = TypeParam::Take(store.Acquire("S", By("W"), whole));
  ASSERT_TRUE(acquired.ok());
  EXPECT_EQ(acquired.answer().token, 3U);
  ASSERT_TRUE(acquired.answer().saga);
  EXPECT_EQ(acquired.answer().saga->branch, "fix/168");
  EXPECT_THAT(acquired.answer().saga->payload, ElementsAre(1, 2, 3));
  commands::CompleteT complete;
  complete.token = acquired.answer().token;
  EXPECT_TRUE(TypeParam::Take(store.Complete("S", std::move(complete))).ok());
  const auto saga = store.Find("S");
  ASSERT_TRUE(saga.ok());
  EXPECT_EQ(saga->state, schema::State::completed);
  EXPECT_EQ(store.History("S", false, 100)->size(), 3U);
  EXPECT_EQ(store.History("S", true, 1)->front()->body_type(), events::Body::Terminal);
}

TYPED_TEST(StoreOrClient, RefusesWithTheFacts) {
  auto& store = *this->way_;
  ASSERT_TRUE(TypeParam::Take(store.Plan("S")).ok());
  ASSERT_TRUE(TypeParam::Take(store.Acquire("S", By("W"))).ok());
  const Reply refused = TypeParam::Take(store.Acquire("S", By("V")));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.refusal().code, RefusalCode::lease_held);
  EXPECT_EQ(refused.refusal().holder->owner, "W");
  EXPECT_GT(refused.refusal().expires_at, 0);
  CallOptions expecting;
  expecting.expected_version = 1;
  const Reply stale = TypeParam::Take(store.Annotate("S", {}, expecting));
  EXPECT_EQ(stale.refusal().code, RefusalCode::invalid_argument);
  EXPECT_EQ(store.Find("nobody").status().code(), Code::kNotFound);
  EXPECT_EQ(store.Stale({10, "no cursor"}).status().code(), Code::kInvalidArgument);
}

TYPED_TEST(StoreOrClient, RepeatsAnAnswerToTheSameRequest) {
  auto& store = *this->way_;
  const Reply first = TypeParam::Take(store.Plan("S", {}, Requested(1)));
  const Reply again = TypeParam::Take(store.Plan("S", {}, Requested(1)));
  EXPECT_FALSE(first.answer().replayed);
  EXPECT_TRUE(again.answer().replayed);
  EXPECT_EQ(again.answer().sequence, first.answer().sequence);
  commands::PlanT other;
  other.branch = "other";
  EXPECT_EQ(TypeParam::Take(store.Plan("S", std::move(other), Requested(1))).refusal().code,
            RefusalCode::request_conflict);
}

TYPED_TEST(StoreOrClient, CarriesABatchOutWholeOrNotAtAll) {
  auto& store = *this->way_;
  const auto plans = [](std::initializer_list<const char*> ids) {
    std::vector<commands::CommandT> batch;
    for (const char* id : ids) {
      batch.emplace_back().saga_id = id;
      batch.back().body.Set(commands::PlanT());
    }
    return batch;
  };
  EXPECT_EQ(TypeParam::Take(store.ExecuteBatch(plans({"A", "B"}), true)).answers.size(), 2U);
  const BatchReply refused = TypeParam::Take(store.ExecuteBatch(plans({"C", "A"}), true));
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->code, RefusalCode::already_exists);
  EXPECT_EQ(refused.refusal->index, 1U);
  EXPECT_FALSE(store.Find("C").ok());
  const BatchReply mixed = TypeParam::Take(store.ExecuteBatch(plans({"C", "A"}), false));
  ASSERT_EQ(mixed.answers.size(), 2U);
  EXPECT_TRUE(mixed.answers[0].ok());
  EXPECT_FALSE(mixed.answers[1].ok());
}

template <typename Object>
void ExpectSame(const Result<Object>& here, const Result<Object>& there) {
  ASSERT_TRUE(here.ok()) << here.status().text();
  ASSERT_TRUE(there.ok()) << there.status().text();
  EXPECT_EQ(ToJson(*here), ToJson(*there));
}

TEST(Client, ReadsWhatTheStoreSays) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = ConnectTo(server.socket());
  commands::PlanT plan;
  plan.queue = "q";
  plan.compensations.push_back(std::make_unique<schema::CompensationT>());
  plan.compensations.back()->id = "c";
  plan.compensations.back()->kind = "branch";
  plan.compensations.back()->target = "b";
  ASSERT_TRUE((*client->Plan("S", std::move(plan)).Get()).ok());
  const std::uint64_t token = client->Acquire("S", By("W")).Get()->answer().token;
  commands::BeginEffectT effect;
  effect.token = token;
  effect.effect = "push";
  effect.fingerprint = "f";
  ASSERT_TRUE(client->BeginEffect("S", std::move(effect)).Get()->ok());
  commands::EnterSectionT section;
  section.token = token;
  section.name = "merge";
  ASSERT_TRUE(client->EnterSection("S", std::move(section)).Get()->ok());
  ASSERT_FALSE(client->Acquire("S", By("V")).Get()->ok());

  Store& store = api.store();
  ExpectSame(store.Find("S"), client->Find("S"));
  SagaQuery query;
  query.state = schema::State::running;
  query.owner = "W";
  query.queue = "q";
  ExpectSame(store.List(query), client->List(query));
  EXPECT_EQ(client->List(query)->items.size(), 1U);
  query.stage = "none";
  EXPECT_EQ(client->List(query)->items.size(), 0U);
  ExpectSame(store.Stale({}), client->Stale({}));
  ExpectSame(store.Compensations({}), client->Compensations({}));
  ExpectSame(store.Owners({}), client->Owners({}));
  ExpectSame(store.Queue("q"), client->Queue("q"));
  ExpectSame(store.Policy(), client->Policy());
  ExpectSame(store.EffectsInDoubt({}), client->EffectsInDoubt({}));
  EXPECT_EQ(client->EffectsInDoubt({})->items.size(), 1U);
  ExpectSame(store.Sections({}), client->Sections({}));
  EXPECT_EQ(client->Sections({})->items.size(), 1U);
  const auto refusals = client->Refusals("S");
  ASSERT_TRUE(refusals.ok());
  ASSERT_EQ(refusals->size(), 1U);
  EXPECT_EQ(refusals->front().facts.code, RefusalCode::lease_held);
  EXPECT_EQ(client->Describe()->last_sequence, store.log().Last().value());
}

TEST(Client, TheDaemonKnowsWhoAsks) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = ConnectTo(server.socket());
  CallOptions options;
  options.principal = "somebody else";
  ASSERT_TRUE(client->Plan("S", {}, options).Get()->ok());
  const auto history = client->History("S", false, 1);
  EXPECT_NE(history->front()->principal()->str(), "somebody else");
}

// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached PlanAndAcquire(Client& client, std::string saga, std::promise<std::uint64_t>& token) {
  const Result<Reply> planned = co_await client.Plan(saga);
  EXPECT_TRUE(planned.ok() && planned->ok());
  const Result<Reply> acquired = co_await client.Acquire(saga, By("W"));
  token.set_value(acquired.ok() && acquired->ok() ? acquired->answer().token : 0);
}

TEST(Client, ManyCoroutinesShareAConnection) {
  constexpr std::size_t kSagas = 500;
  ApiStore api;
  const RunningServer server(api);
  const auto client = ConnectTo(server.socket());
  std::vector<std::promise<std::uint64_t>> tokens(kSagas);
  for (std::size_t i = 0; i < kSagas; ++i) {
    PlanAndAcquire(*client, "S" + std::to_string(i), tokens[i]);
  }
  for (std::promise<std::uint64_t>& token : tokens) {
    EXPECT_GT(token.get_future().get(), 0U);
  }
}

TEST(Client, ManyThreadsShareAConnection) {
  ApiStore api;
  const RunningServer server(api);
  const auto client = ConnectTo(server.socket());
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 8; ++worker) {
    threads.emplace_back([&, worker] {
      for (int i = 0; i < 50; ++i) {
        const std::string saga = "S" + std::to_string(worker) + "-" + std::to_string(i);
        EXPECT_TRUE(client->Plan(saga).Get()->ok());
        EXPECT_EQ(client->Find(saga)->saga_id, saga);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(Client, SaysWhyItCannotConnect) {
  const TemporaryFolder folder;
  const auto connect = [](const std::string& url) {
    ClientOptions options;
    options.url = url;
    return Client::Connect(options).status();
  };
  EXPECT_EQ(connect("unix:" + (folder.path() / "socket").string()).code(), Code::kNotFound);
  EXPECT_EQ(connect("ftp://nowhere").code(), Code::kInvalidArgument);
  EXPECT_EQ(connect("native://nowhere").code(), Code::kInvalidArgument);
}

TEST(Client, GoesOnWithTheNextDaemon) {
  ApiStore api;
  auto server = std::make_unique<RunningServer>(api);
  const auto client = ConnectTo(server->socket());
  ASSERT_TRUE(client->Plan("A").Get()->ok());
  server.reset();
  server = std::make_unique<RunningServer>(api);
  EXPECT_EQ(client->Find("A")->saga_id, "A");
  ASSERT_TRUE(client->Plan("B").Get()->ok());
}

TEST(Client, ARequestWithAnIdIsRepeatedAfterADrop) {
  AbruptServer server;
  const auto client = ConnectTo(server);
  std::future<Result<Reply>> reply =
      std::async(std::launch::async, [&] { return client->Plan("S", {}, Requested(5)).Get(); });
  const frames::FrameT first = server.TakeRequestAndDrop();
  const frames::FrameT second = server.TakeRequest();
  answers::AnswerT answer;
  answer.sequence = 42;
  server.Say(FrameOf(second.number, answer));
  const Result<Reply> got = reply.get();
  ASSERT_TRUE(got.ok()) << got.status().text();
  EXPECT_EQ(got->answer().sequence, 42U);
  const auto& asked = *first.message.AsExecute()->command;
  const auto& again = *second.message.AsExecute()->command;
  EXPECT_EQ(asked.request_id->low(), again.request_id->low());
  EXPECT_EQ(again.saga_id, "S");
}

TEST(Client, ARequestWithoutAnIdIsNotRepeatedAfterADrop) {
  AbruptServer server;
  const auto client = ConnectTo(server);
  std::future<Result<Reply>> lost =
      std::async(std::launch::async, [&] { return client->Plan("S").Get(); });
  EXPECT_EQ(server.TakeRequestAndDrop().message.type, frames::Message::Execute);
  EXPECT_EQ(lost.get().status().code(), Code::kIndeterminate);
  // The next request is the next to come.
  std::future<Result<Reply>> next =
      std::async(std::launch::async, [&] { return client->Plan("T").Get(); });
  const frames::FrameT request = server.TakeRequest();
  EXPECT_EQ(request.message.AsExecute()->command->saga_id, "T");
  server.Say(FrameOf(request.number, answers::AnswerT()));
  EXPECT_TRUE(next.get().ok());
}

// What a server did not take before its goodbye did not happen.
TEST(Client, ARequestThatCrossedAGoodbyeIsSentAgain) {
  AbruptServer server;
  const auto client = ConnectTo(server);
  std::future<Result<Reply>> reply =
      std::async(std::launch::async, [&] { return client->Plan("S").Get(); });
  server.TakeRequest();
  server.Say(FrameOf(0, frames::GoodbyeT()));
  const frames::FrameT again = server.TakeRequest();
  server.Say(FrameOf(again.number, answers::AnswerT()));
  EXPECT_TRUE(reply.get().ok());
}

// A daemon that speaks TLS, under a name that is not its address.
class ClientOverTls : public ::testing::Test {
 protected:
  ClientOverTls() {
    files_ = MakeCertificate(api_.folder(), "sagalog");
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.token_file = api_.folder() / "tokens";
    options.tls_certificate = files_.certificate;
    options.tls_key = files_.key;
    EXPECT_TRUE(
        AppendTokenLine(options.token_file, *TokenLineFor({"boss", Role::kAdmin}, "boss")).ok());
    server_.emplace(api_, options);
    options_.url = "natives://" + server_->server().addresses().front();
    options_.access_token = "boss";
    options_.ca_file = files_.certificate;
    options_.server_name = "sagalog";
  }

  ApiStore api_;
  CertificateFiles files_;
  std::optional<RunningServer> server_;
  ClientOptions options_;
};

TEST_F(ClientOverTls, CarriesWhatIsLargeAndMany) {
  const auto connected = Client::Connect(options_);
  ASSERT_TRUE(connected.ok()) << connected.status().text();
  Client& client = **connected;
  commands::PlanT plan;
  plan.payload.resize(kPayloadSizeMax, 7);
  ASSERT_TRUE(client.Plan("S", std::move(plan)).Get()->ok());
  EXPECT_THAT(client.Find("S")->payload, ::testing::SizeIs(kPayloadSizeMax));
  // More at once than the sockets hold in both directions.
  constexpr int kNotes = 500;
  std::vector<std::promise<bool>> noted(kNotes);
  for (int i = 0; i < kNotes; ++i) {
    commands::AnnotateT note;
    note.text.assign(kTextSizeMax, 't');
    client.Annotate("S", std::move(note)).Then([&noted, i](const Result<Reply>& reply) {
      noted[static_cast<std::size_t>(i)].set_value(reply.ok() && reply->ok());
    });
  }
  for (std::promise<bool>& one : noted) {
    ASSERT_TRUE(one.get_future().get());
  }
  EXPECT_THAT(*client.History("S", false, 1000), ::testing::SizeIs(kNotes + 1));
}

TEST_F(ClientOverTls, TrustsNobodyElse) {
  ClientOptions stranger = options_;
  stranger.server_name = "";  // the address, which the certificate is not for
  EXPECT_EQ(Client::Connect(stranger).status().code(), Code::kInvalidArgument);
  stranger.server_name = "other";
  EXPECT_EQ(Client::Connect(stranger).status().code(), Code::kInvalidArgument);
  stranger.server_name = "sagalog";
  stranger.ca_file = "";
  EXPECT_EQ(Client::Connect(stranger).status().code(), Code::kInvalidArgument);
  std::filesystem::create_directory(api_.folder() / "other");
  stranger.ca_file = MakeCertificate(api_.folder() / "other", "sagalog").certificate;
  EXPECT_EQ(Client::Connect(stranger).status().code(), Code::kInvalidArgument);
  stranger.ca_file = (api_.folder() / "nothing").string();
  EXPECT_THAT(Client::Connect(stranger).status().text(), HasSubstr("no certificates"));
  stranger = options_;
  stranger.access_token = "bos";
  EXPECT_FALSE(Client::Connect(stranger).ok());
  // Who speaks TLS to a daemon without it is told so, and the other way round.
  ServerOptions plain;
  plain.listen = {"127.0.0.1:0"};
  plain.insecure = true;
  plain.socket = api_.folder() / "plain";
  RunningServer without(api_, plain);
  stranger.url = "natives://" + without.server().addresses().front();
  EXPECT_EQ(Client::Connect(stranger).status().code(), Code::kIoError);
  stranger.url = "native" + options_.url.substr(7);
  EXPECT_FALSE(Client::Connect(stranger).ok());
}

TEST(Client, OneRequestTooManyIsNotSent) {
  AbruptServer server;
  auto connecting = std::async(std::launch::async, [&server] {
    return *Client::Connect({"unix:" + server.socket().string(), "", std::chrono::seconds(60), 2});
  });
  server.Greet();
  const auto client = connecting.get();
  std::vector<std::promise<bool>> answered(2);
  for (std::promise<bool>& one : answered) {
    client->Plan("S").Then([&one](const Result<Reply>& reply) { one.set_value(reply.ok()); });
  }
  EXPECT_EQ(client->Plan("T").Get().status().code(), Code::kOverloaded);
  for (std::promise<bool>& one : answered) {
    const frames::FrameT request = server.TakeRequest();
    EXPECT_EQ(request.message.AsExecute()->command->saga_id, "S");
    server.Say(FrameOf(request.number, answers::AnswerT()));
    EXPECT_TRUE(one.get_future().get());
  }
  std::future<Result<Reply>> next =
      std::async(std::launch::async, [&] { return client->Plan("U").Get(); });
  const frames::FrameT request = server.TakeRequest();
  EXPECT_EQ(request.message.AsExecute()->command->saga_id, "U");
  server.Say(FrameOf(request.number, answers::AnswerT()));
  EXPECT_TRUE(next.get().ok());
}

// The first are given to the sequencer's thread, those after them are decided by the sockets'.
TEST(Client, ALonelyCallerAndTwoAtOnceGetTheSame) {
  ApiStore api;
  const RunningServer server(api);
  const auto first = ConnectTo(server.socket());
  const auto second = ConnectTo(server.socket());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(first->Plan("A" + std::to_string(i)).Get()->ok());
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(first->Plan("B" + std::to_string(i)).Get()->ok());
    ASSERT_TRUE(second->Plan("C" + std::to_string(i)).Get()->ok());
  }
  ASSERT_EQ(first->Plan("A7").Get()->refusal().code, RefusalCode::already_exists);
  EXPECT_EQ(api.store().log().Last(), Sequence(401));
}

TEST(Client, ClosingGivesUpWhatIsUnderWay) {
  AbruptServer server;
  auto client = ConnectTo(server);
  std::promise<Code> code;
  client->Plan("S").Then(
      [&](const Result<Reply>& reply) { code.set_value(reply.status().code()); });
  server.TakeRequest();
  client.reset();
  EXPECT_EQ(code.get_future().get(), Code::kIndeterminate);
}

}  // namespace
}  // namespace sagalog
