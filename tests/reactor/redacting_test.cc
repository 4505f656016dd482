// A secret that got into an event goes, from every file; what was decided on it stays.
#include "reactor/redacting.h"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/merkle_tree.h"
#include "schema/event_stub.h"
#include "schema/json.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/reactor/api_store.h"
#include "tests/reactor/rules_store.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kSecret = "hunter2-correct-horse";

// The files below `directory` that hold the secret.
std::string FilesWithSecret(const fs::path& directory) {
  std::string files;
  for (const auto& [name, bytes] : Snapshot(directory)) {
    if (bytes.find(kSecret) != std::string::npos) {
      files += name + " ";
    }
  }
  return files;
}

// A store in a directory, with RocksDB under it.
class Redacting : public testing::Test {
 protected:
  Redacting() : clock_(*ParseTime("2026-11-21T14:00:00Z")) { Open(); }

  void Open() {
    StoreOptions options;
    options.directory = data();
    options.clock = &clock_;
    auto store = Store::Open(std::move(options));
    ASSERT_TRUE(store.ok()) << store.status().text();
    store_ = *std::move(store);
  }
  void Reopen() {
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    Open();
  }
  [[nodiscard]] fs::path data() const { return scratch_.path() / "data"; }

  ApiResponse Send(const std::string& method, const std::string& target,
                   const std::string& body = {}) {
    return HandleApi(*store_, {method, target, body, "ann"});
  }
  std::uint64_t Do(const std::string& target, const std::string& body) {
    const ApiResponse done = Send("POST", target, body);
    EXPECT_EQ(done.status, 200) << done.body;
    return Document(done).at("sequence").to_number<std::uint64_t>();
  }
  // The sequence of a plan with the secret in all that a plan can hold of free texts.
  std::uint64_t PlanWithSecret(const std::string& saga) {
    return Do("/v1/sagas",
              fmt::format(R"({{"saga_id":"{0}","key":"k/{0}","issue":"{1}","repository":"{1}",
                "branch":"{1}","worktree":"{1}","labels":{{"{1}":"{1}","team":"core"}},
                "actor":"{1}","payload":"aHVudGVyMi1jb3JyZWN0LWhvcnNl",
                "compensations":[{{"id":"c","kind":"drop","target":"t/{0}",
                                   "params":{{"password":"{1}"}}}}]}})",
                          saga, kSecret));
  }
  json::object Redact(std::uint64_t sequence, const std::string& more = {}) {
    const ApiResponse done =
        Send("POST", "/v1/admin/redact",
             fmt::format(R"({{"sequence":{},"reason":"a password"{}}})", sequence, more));
    EXPECT_EQ(done.status, 200) << done.body;
    return Document(done);
  }
  std::string Broken() {
    const auto report = store_->Verify();
    return report.ok() ? report->broken : report.status().text();
  }

  ScratchDirectory scratch_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(Redacting, LeavesTheSecretInNoFile) {
  const std::uint64_t plan = PlanWithSecret("T1");
  const std::uint64_t note =
      Do("/v1/sagas/T1:annotate", fmt::format(R"({{"text":"see {}"}})", kSecret));
  for (int i = 0; i < 50; ++i) {
    Do("/v1/sagas", fmt::format(R"({{"saga_id":"other-{}"}})", i));
  }
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_NE(FilesWithSecret(data()), "");
  Redact(plan);
  Redact(note);
  EXPECT_EQ(FilesWithSecret(data()), "");
  Reopen();
  EXPECT_EQ(FilesWithSecret(data()), "");
  EXPECT_EQ(Broken(), "");
}

// It was in a table of the database, not in the write-ahead log.
TEST_F(Redacting, LeavesItInNoFileAfterReopeningsEither) {
  const std::uint64_t plan = PlanWithSecret("T1");
  Reopen();
  Do("/v1/sagas", R"({"saga_id":"T2"})");
  Reopen();
  ASSERT_NE(FilesWithSecret(data()), "");
  Redact(plan);
  EXPECT_EQ(FilesWithSecret(data()), "");
  EXPECT_EQ(Broken(), "");
}

TEST_F(Redacting, SaysSoInTheLogAndKeepsTheHash) {
  const std::uint64_t plan = PlanWithSecret("T1");
  const StoredEvent before = *store_->log().Read(Sequence(plan));
  const std::string hash = ToBase64(LeafHash(*before, before.bytes()));
  const json::object done = Redact(plan, R"(,"actor":"security")");
  EXPECT_EQ(Member(done, "outcome"), "ok");
  EXPECT_EQ(Member(done, "hash"), hash);
  EXPECT_EQ(Member(done, "redacted"), std::to_string(plan));
  const StoredEvent after = *store_->log().Read(Sequence(plan));
  EXPECT_TRUE(IsStub(*after));
  EXPECT_EQ(ToBase64(LeafHash(*after, after.bytes())), hash);
  EXPECT_THAT(EventToJson(*after), Not(HasSubstr(kSecret)));
  const StoredEvent note = *store_->log().Read(Sequence(plan + 1));
  EXPECT_THAT(EventToJson(*note),
              AllOf(HasSubstr(R"("type":"redacted")"), HasSubstr(R"("reason":"a password")"),
                    HasSubstr(R"("actor":"security")"), HasSubstr(R"("principal":"ann")"),
                    HasSubstr(hash)));
  const std::string shown = Send("GET", "/v1/sagas/T1").body;
  EXPECT_THAT(shown, AllOf(HasSubstr("[redacted]"), HasSubstr("t/T1"), Not(HasSubstr(kSecret))));
}

TEST_F(Redacting, IsDoneOnce) {
  const std::uint64_t plan = PlanWithSecret("T1");
  const std::string id = R"(,"request_id":"00000000000000000000000000000007")";
  const json::object first = Redact(plan, id);
  const json::object again = Redact(plan, id);
  EXPECT_EQ(Member(again, "outcome"), "ok");
  EXPECT_EQ(Member(again, "replayed"), "true");
  EXPECT_EQ(Member(again, "sequence"), Member(first, "sequence"));
  EXPECT_EQ(Member(again, "hash"), Member(first, "hash"));
  const json::object other = Redact(plan);
  EXPECT_EQ(Member(other, "outcome"), "unchanged");
  EXPECT_EQ(Member(other, "hash"), Member(first, "hash"));
  const ApiResponse conflict =
      Send("POST", "/v1/admin/redact",
           R"({"sequence":1,"reason":"other","request_id":"00000000000000000000000000000007"})");
  EXPECT_EQ(Member(Document(conflict), "code"), "request_conflict");
  Reopen();
  EXPECT_EQ(Member(Redact(plan, id), "replayed"), "true");
  EXPECT_EQ(store_->log().Last().value(), plan + 2) << "the reopening, and nothing else";
}

TEST_F(Redacting, IsRefusedWhereItMakesNoSense) {
  PlanWithSecret("T1");
  const std::uint64_t last = store_->log().Last().value();
  const auto code = [&](const std::string& body) {
    return Member(Document(Send("POST", "/v1/admin/redact", body)), "code");
  };
  EXPECT_EQ(code("{}"), "invalid_argument");
  EXPECT_EQ(code(R"({"sequence":2})"), "invalid_argument") << "why?";
  for (const char* none : {"0", "-1"}) {
    const ApiResponse refused =
        Send("POST", "/v1/admin/redact", fmt::format(R"({{"sequence":{},"reason":"r"}})", none));
    EXPECT_EQ(Member(Document(refused), "code"), "invalid_argument");
    EXPECT_EQ(Member(Document(refused), "detail"),
              fmt::format("sequence: {} is none, the first event is 1", none));
  }
  EXPECT_EQ(code(R"({"sequence":"2","reason":"r"})"), "invalid_argument");
  EXPECT_EQ(code(R"({"sequence":2,"reason":"r","request_id":"7"})"), "invalid_argument");
  EXPECT_EQ(code(R"({"sequence":999,"reason":"r"})"), "not_found");
  EXPECT_EQ(store_->log().Last().value(), last);
}

// The process ends between the event that says so and the rewriting of the files.
TEST_F(Redacting, CutOffIsFinishedByTheNextOpening) {
  const std::uint64_t plan = PlanWithSecret("T1");
  const fs::path copy = scratch_.path() / "copy";
  ASSERT_TRUE(store_->Close().ok());
  fs::copy(data(), copy, fs::copy_options::recursive);
  Open();
  const json::object done = Redact(plan);
  const std::uint64_t said = done.at("sequence").to_number<std::uint64_t>();
  const std::string note(store_->log().Read(Sequence(said))->bytes());
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  // The copy has not been reopened: the event takes the place that store_opened has in the store.
  fs::remove_all(data());
  fs::rename(copy, data());
  Open();
  ASSERT_EQ(store_->log().Last().value() + 1, said);
  const std::array<std::string_view, 1> one = {note};
  ASSERT_TRUE(const_cast<EventLog&>(store_->log()).Append(store_->log().Last(), one).ok());
  store_.reset();
  WriteFile(data() / "redacting", fmt::format("{} {}\n", plan, said - 1));
  ASSERT_NE(FilesWithSecret(data()), "");
  Open();
  EXPECT_EQ(FilesWithSecret(data()), "");
  EXPECT_FALSE(fs::exists(data() / "redacting"));
  EXPECT_EQ(Broken(), "");
}

// It was not even said: then nothing is to be done.
TEST_F(Redacting, CutOffBeforeItWasSaidDidNotHappen) {
  const std::uint64_t plan = PlanWithSecret("T1");
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  WriteFile(data() / "redacting", fmt::format("{} {}\n", plan, plan));
  Open();
  EXPECT_FALSE(fs::exists(data() / "redacting"));
  EXPECT_FALSE(IsStub(**store_->log().Read(Sequence(plan))));
  Reopen();
  WriteFile(data() / "redacting", "2");
  EXPECT_EQ(Member(Redact(plan), "outcome"), "ok");
}

TEST_F(Redacting, TakesLabelsOutOfTheIndexToo) {
  const std::uint64_t plan = PlanWithSecret("T1");
  EXPECT_EQ(Document(Send("GET", "/v1/sagas?label=team=core")).at("items").as_array().size(), 1U);
  Redact(plan);
  EXPECT_EQ(Document(Send("GET", "/v1/sagas?label=team=core")).at("items").as_array().size(), 0U);
  EXPECT_EQ(Broken(), "");
  ASSERT_TRUE(store_->Rebuild().ok());
  EXPECT_EQ(Document(Send("GET", "/v1/sagas?label=team=core")).at("items").as_array().size(), 0U);
}

// What was asked for again with the same content is the same as before: the hashes of what went
// are still compared.
TEST_F(Redacting, RepetitionsAreStillKnown) {
  Do("/v1/sagas", R"({"saga_id":"T1"})");
  const json::object acquired = Document(Send("POST", "/v1/sagas/T1:acquire", R"({"owner":"w"})"));
  const std::string token = Member(acquired, "token");
  const std::string settle =
      fmt::format(R"({{"effect":"e","outcome":"done","result":"{}"}})", kSecret);
  const std::string registers = fmt::format(
      R"({{"token":{},"id":"c","kind":"k","target":"t","params":{{"p":"{}"}}}})", token, kSecret);
  Do("/v1/sagas/T1:begin-effect",
     fmt::format(R"({{"token":{},"effect":"e","fingerprint":"f"}})", token));
  const std::uint64_t settled = Do("/v1/sagas/T1:settle-effect", settle);
  const std::uint64_t registered = Do("/v1/sagas/T1:register-compensation", registers);
  Redact(settled);
  Redact(registered);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Member(Document(Send("POST", "/v1/sagas/T1:settle-effect", settle)), "outcome"),
              "unchanged");
    EXPECT_EQ(
        Member(Document(Send("POST", "/v1/sagas/T1:register-compensation", registers)), "outcome"),
        "unchanged");
    EXPECT_EQ(Member(Document(Send("POST", "/v1/sagas/T1:settle-effect",
                                   R"({"effect":"e","outcome":"done","result":"other"})")),
                     "code"),
              "effect_settled");
    ASSERT_TRUE(store_->Rebuild().ok());
  }
  EXPECT_EQ(FilesWithSecret(data()), "");
}

// Any event of any history may be redacted, and nothing that is decided changes: the projections
// are what the log folds to, before and after, and every hash stays.
class RedactedHistory : public testing::TestWithParam<std::uint64_t> {
 protected:
  std::uint64_t Pick(std::uint64_t below) { return random_() % below; }

  void Step(const std::string& saga) {
    switch (Pick(12)) {
      case 0:
        store_.Run("plan", saga,
                   R"({"labels":{"a":"b"},"payload":"aGVsbG8=","compensations":
                      [{"id":"c","kind":"k","target":"t","params":{"x":"y"},"shared":true}]})");
        break;
      case 1: store_.Run("annotate", saga, R"({"text":"secret"})"); break;
      case 2: store_.Run("acquire", saga, R"({"owner":"w"})"); break;
      case 3: store_.Run("release", saga, R"({"token":$TOKEN,"reason":"secret"})"); break;
      case 4:
        store_.Run("begin-effect", saga, R"({"token":$TOKEN,"effect":"e","fingerprint":"f"})");
        break;
      case 5:
        store_.Run("settle-effect", saga, R"({"effect":"e","outcome":"o","result":"secret"})");
        break;
      case 6: store_.Run("park", saga, R"({"reason":"secret"})"); break;
      case 7: store_.Run("unpark", saga); break;
      case 8:
        store_.Run("register-compensation", saga,
                   R"({"token":$TOKEN,"id":"d","kind":"k","target":"u","params":{"x":"secret"},
                      "shared":true})");
        break;
      case 9: store_.Run("fail", saga, R"({"token":$TOKEN,"reason":"secret"})"); break;
      case 10: store_.Run("heartbeat", saga, R"({"token":$TOKEN,"progress":"secret"})"); break;
      default: store_.Advance("5s"); break;
    }
  }

  std::string Root(std::uint64_t size) {
    MerkleTree tree;
    EXPECT_TRUE(store_.store()
                    .log()
                    .Scan(Sequence(1), Sequence(size),
                          [&](const events::Event& event, std::string_view bytes) {
                            tree.Append(LeafHash(event, bytes));
                            return Status();
                          })
                    .ok());
    return ToBase64(tree.Root());
  }

  std::string ShowAll() {
    std::string shown;
    for (int i = 0; i < 4; ++i) {
      const auto saga = store_.store().Find("s" + std::to_string(i));
      shown += saga.ok() ? ToJson(*saga) + "\n" : "none\n";
    }
    return shown;
  }

  std::mt19937_64 random_{GetParam()};
  RulesStore store_;
};

TEST_P(RedactedHistory, IsFoldedAsBefore) {
  int redacted = 0;
  for (int step = 0; step < 400; ++step) {
    Step("s" + std::to_string(Pick(4)));
    if (step % 10 != 9) {
      continue;
    }
    SCOPED_TRACE("step " + std::to_string(step));
    const std::uint64_t size = store_.LastSequence();
    const std::string root = Root(size);
    RedactOptions options;
    options.sequence = Sequence(1 + Pick(size));
    options.reason = "why";
    const auto done = RedactOne(store_.store(), options);
    ASSERT_TRUE(done.ok()) << done.status().text();
    redacted += done->done ? 1 : 0;
    ASSERT_EQ(Root(size), root);
    const auto verified = store_.store().Verify();
    ASSERT_TRUE(verified.ok()) << verified.status().text();
    ASSERT_EQ(verified->broken, "");
    if (Pick(2) == 0) {
      const std::string before = ShowAll();
      store_.Crash();
      ASSERT_EQ(ShowAll(), before);
    } else {
      ASSERT_TRUE(store_.store().Checkpoint().ok());
    }
  }
  EXPECT_GT(redacted, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RedactedHistory, testing::Range<std::uint64_t>(1, 4));

}  // namespace
}  // namespace sagalog
