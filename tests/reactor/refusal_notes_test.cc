// Refused commands in the log: noted once a second at most, found by their saga, moving nothing.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/reactor/api_store.h"
#include "tests/reactor/rules_store.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace json = boost::json;

class RefusalNotesOfAStore : public ::testing::Test {
 protected:
  RefusalNotesOfAStore() {
    EXPECT_EQ(store_.Run("plan", "T1"), "ok");
    EXPECT_EQ(store_.Run("acquire", "T1", R"({"owner":"w1","ttl":"1h"})"), "ok");
  }
  std::string Refuse(const std::string& owner = "w2") {
    return store_.Run("acquire", "T1", fmt::format(R"({{"owner":"{}"}})", owner));
  }
  // "acquire:lease_held" for each refusal that the store remembers of the saga.
  std::vector<std::string> Remembered(const std::string& saga = "T1") {
    const auto records = store_.store().Refusals(saga);
    EXPECT_TRUE(records.ok()) << records.status().text();
    std::vector<std::string> found;
    for (const RefusalRecord& record : *records) {
      found.push_back(record.facts.command + ":" + schema::EnumNameRefusalCode(record.facts.code) +
                      (record.noted.IsNone() ? " waiting" : ""));
    }
    return found;
  }
  std::uint64_t CountNotes() {
    std::uint64_t notes = 0;
    const EventLog& log = store_.store().log();
    EXPECT_TRUE(log.Scan(Sequence(1), log.Last(),
                         [&](const events::Event& event, std::string_view) {
                           notes += event.body_type() == events::Body::RefusalsNoted ? 1 : 0;
                           return Status();
                         })
                    .ok());
    return notes;
  }
  void TakeATurn() { static_cast<void>(store_.Saga("T1")); }

  RulesStore store_;
};

TEST_F(RefusalNotesOfAStore, KeepTheFactsOfARefusal) {
  const std::uint64_t version = store_.Saga("T1").version;
  EXPECT_EQ(store_.Run("heartbeat", "T1", R"({"token":1,"actor":"me","expected_version":2})"),
            "stale_token");
  store_.Advance("1s");
  TakeATurn();
  const auto records = store_.store().Refusals("T1");
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 1U);
  const events::NotedRefusalT& facts = records->front().facts;
  EXPECT_EQ(records->front().noted, store_.store().log().Last());
  EXPECT_EQ(facts.command, "heartbeat");
  EXPECT_EQ(facts.code, schema::RefusalCode::stale_token);
  EXPECT_EQ(facts.actor, "me");
  EXPECT_EQ(facts.token, 1U);
  EXPECT_EQ(facts.expected_version, 2U);
  EXPECT_EQ(facts.actual_version, version);
  ASSERT_NE(facts.holder, nullptr);
  EXPECT_EQ(facts.holder->owner, "w1");
  EXPECT_EQ(FormatTime(TimeFromMicros(facts.time)), "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(store_.Saga("T1").version, version) << "a note moves no saga's version";
}

TEST_F(RefusalNotesOfAStore, AreWrittenOnceASecondAtMost) {
  const std::uint64_t before = store_.LastSequence();
  EXPECT_EQ(Refuse(), "lease_held");
  EXPECT_EQ(Refuse(), "lease_held");
  EXPECT_EQ(store_.LastSequence(), before);
  EXPECT_THAT(Remembered(),
              ElementsAre("acquire:lease_held waiting", "acquire:lease_held waiting"));
  store_.Advance("999ms");
  TakeATurn();
  EXPECT_EQ(CountNotes(), 0U);
  store_.Advance("1ms");
  EXPECT_EQ(Refuse(), "lease_held");
  EXPECT_EQ(CountNotes(), 1U);
  EXPECT_EQ(Refuse(), "lease_held");
  EXPECT_EQ(CountNotes(), 1U);
  EXPECT_THAT(Remembered(),
              ElementsAre("acquire:lease_held", "acquire:lease_held", "acquire:lease_held waiting",
                          "acquire:lease_held waiting"));
  store_.Advance("1s");
  TakeATurn();
  store_.Advance("1h");
  TakeATurn();
  EXPECT_EQ(CountNotes(), 2U) << "where nothing is refused nothing is noted";
}

TEST_F(RefusalNotesOfAStore, AFloodIsCountedBeyondAHundred) {
  for (std::size_t i = 0; i < kNotedRefusalsMax + 50; ++i) {
    EXPECT_EQ(Refuse(), "lease_held");
  }
  store_.Advance("1s");
  TakeATurn();
  EXPECT_EQ(CountNotes(), 1U);
  const auto event = store_.store().log().Read(store_.store().log().Last());
  ASSERT_TRUE(event.ok());
  const events::RefusalsNoted* note = (*event)->body_as_RefusalsNoted();
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(note->refusals()->size(), kNotedRefusalsMax);
  EXPECT_EQ(note->counted(), 50U);
  EXPECT_EQ(Remembered().size(), kNotedRefusalsMax);
}

TEST_F(RefusalNotesOfAStore, ASagaRemembersTheNewest) {
  for (std::size_t i = 0; i < kRefusalNotesPerSagaMax + 5; ++i) {
    EXPECT_EQ(Refuse(fmt::format("w{}", i + 2)), "lease_held");
    store_.Advance("1s");
  }
  TakeATurn();
  const auto records = store_.store().Refusals("T1");
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), kRefusalNotesPerSagaMax);
  EXPECT_EQ(records->front().facts.owner->owner, "w7");
}

TEST_F(RefusalNotesOfAStore, AreFoundAfterTheEndAndAfterARebuild) {
  EXPECT_EQ(store_.Run("complete", "T1", R"({"token":$TOKEN})"), "ok");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_.store().Checkpoint().ok());
    EXPECT_EQ(store_.Run("annotate", "nobody", R"({"text":"a turn"})"), "not_found");
  }
  EXPECT_EQ(store_.Run("park", "T1"), "terminal");
  store_.Advance("1s");
  EXPECT_EQ(store_.Run("plan", "T2"), "ok");
  EXPECT_THAT(Remembered(), ElementsAre("park:terminal"));
  const auto report = store_.store().Verify();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->broken, "");
  ASSERT_TRUE(store_.store().Rebuild().ok());
  EXPECT_THAT(Remembered(), ElementsAre("park:terminal"));
  store_.Crash();
  EXPECT_THAT(Remembered(), ElementsAre("park:terminal"));
}

TEST_F(RefusalNotesOfAStore, LeaveOutPollsThatFoundNothing) {
  EXPECT_EQ(store_.Run("claim_next", "", R"({"queue":"default","owner":"w"})"), "empty");
  store_.Advance("2s");
  TakeATurn();
  EXPECT_EQ(CountNotes(), 0U);
  EXPECT_EQ(store_.Run("claim_next", "", "{}"), "invalid_argument");
  store_.Advance("2s");
  TakeATurn();
  EXPECT_EQ(CountNotes(), 1U);
}

TEST_F(RefusalNotesOfAStore, KeepOutOfTheLogWhatTheLimitsKeepOut) {
  const std::string name(kNameSizeMax + 1, 'x');
  EXPECT_EQ(store_.Run("park", "T1", fmt::format(R"({{"actor":"{}"}})", name)), "invalid_argument");
  store_.Advance("1s");
  TakeATurn();
  const auto records = store_.store().Refusals("T1");
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().facts.actor, "");
  EXPECT_EQ(records->front().facts.actual_version, store_.Saga("T1").version);
}

TEST(RefusalHistory, ShowsRefusalsBehindTheEventTheyMet) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  EXPECT_EQ(api.Send("POST", "/v1/sagas/T1:acquire", R"({"owner":"x"})").status, 409);
  api.Post("/v1/sagas/T1:annotate", R"({"text":"a"})");
  api.clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(api.Send("POST", "/v1/sagas/T1:heartbeat", R"({"token":1})").status, 409);
  api.Post("/v1/sagas/T1:complete", fmt::format(R"({{"token":{}}})", token));
  const auto types = [](const json::object& page) {
    std::vector<std::string> found;
    for (const json::value& item : page.at("items").as_array()) {
      const json::object& one = item.as_object();
      const json::value* body = one.if_contains("body");
      found.push_back(Member(one, "type") == "refused" ? "! " + Member(body->as_object(), "code")
                                                       : Member(one, "type"));
    }
    return found;
  };
  EXPECT_THAT(types(api.Get("/v1/sagas/T1/events")),
              ElementsAre("planned", "leased", "annotated", "terminal"));
  EXPECT_THAT(
      types(api.Get("/v1/sagas/T1/events?refusals=true")),
      ElementsAre("planned", "leased", "! lease_held", "annotated", "! stale_token", "terminal"));
  // Each refusal is on one page.
  const json::object newest = api.Get("/v1/sagas/T1/events?refusals=true&limit=2");
  EXPECT_THAT(types(newest), ElementsAre("annotated", "! stale_token", "terminal"));
  EXPECT_THAT(types(api.Get("/v1/sagas/T1/events?refusals=true&limit=2&cursor=" +
                            Member(newest, "cursor"))),
              ElementsAre("planned", "leased", "! lease_held"));
}

TEST(RefusalNotesOnDisk, AreWrittenWhenTheStoreCloses) {
  TemporaryFolder folder;
  ManualClock clock(*ParseTime("2026-01-01T00:00:00Z"));
  const auto open = [&](bool read_only) {
    StoreOptions options;
    options.directory = folder.path() / "data";
    options.clock = &clock;
    options.read_only = read_only;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    return *std::move(store);
  };
  auto store = open(false);
  ASSERT_TRUE(store->Plan("T1").Get().ok());
  EXPECT_FALSE(store->Plan("T1").Get().ok());
  const Sequence last = store->log().Last();
  ASSERT_TRUE(store->Close().ok());
  store.reset();

  store = open(true);
  EXPECT_EQ(store->log().Last(), last.Next());
  EXPECT_EQ(store->Refusals("T1")->size(), 1U);
  EXPECT_FALSE(store->Plan("T2").Get().ok());
  ASSERT_TRUE(store->Close().ok());
  store.reset();

  store = open(true);
  EXPECT_EQ(store->log().Last(), last.Next()) << "a store that is open for reading notes nothing";
}

}  // namespace
}  // namespace sagalog
