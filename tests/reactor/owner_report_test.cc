// report_owners: one verdict for every saga that a process, or an older boot of its host, holds.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"
#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Owner(std::string_view name, std::string_view boot, int pid = 7, int start = 70) {
  return fmt::format(
      R"({{"owner":"{}","host":"h","boot_id":"{}","pid_namespace":"n","pid":{},"pid_start":{}}})",
      name, boot, pid, start);
}

class OwnerReports : public ::testing::Test {
 protected:
  void Acquire(const std::string& saga, const std::string& owner) {
    EXPECT_EQ(store_.Run("plan", saga), "ok");
    EXPECT_EQ(store_.Run("acquire", saga, fmt::format(R"({{"owner":{}}})", owner)), "ok");
  }
  std::string Report(const std::string& identity, const std::string& verdict,
                     const std::string& more = "") {
    return store_.Run(
        "report_owners", "",
        fmt::format(R"({{"identity":{},"verdict":"{}"{}}})", identity, verdict, more));
  }
  // "T1:dead" for each report of the last answer.
  std::vector<std::string> Reports() {
    std::vector<std::string> reports;
    for (const auto& report : store_.answer().reports) {
      reports.push_back(report->saga_id + ":" + schema::EnumNameVerdict(report->verdict));
    }
    return reports;
  }

  RulesStore store_;
};

TEST_F(OwnerReports, ConcernWhatThisIncarnationHoldsAndNobodyElse) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("w", "b1", 8));
  Acquire("C", Owner("w", "b1"));
  Acquire("D", Owner("v", "b1"));
  const std::uint64_t before = store_.LastSequence();
  EXPECT_EQ(Report(Owner("w", "b1"), "dead", R"(,"evidence":"no process 7")"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead", "C:dead"));
  EXPECT_EQ(store_.LastSequence(), before + 2);
  EXPECT_EQ(store_.StaleOf("A"), "owner_dead");
  EXPECT_EQ(store_.StaleOf("B"), "");
  EXPECT_EQ(store_.StaleOf("D"), "");
}

TEST_F(OwnerReports, AProcessWithoutANameIsAllItsNames) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("v", "b1"));
  Acquire("C", Owner("v", "b1", 7, 71));
  EXPECT_EQ(
      Report(R"({"host":"h","boot_id":"b1","pid_namespace":"n","pid":7,"pid_start":70})", "dead"),
      "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead", "B:dead"));
}

TEST_F(OwnerReports, AfterARebootEverythingOfOlderBootsIsDead) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("v", "b2", 9));
  Acquire("C", R"({"owner":"w","host":"elsewhere","boot_id":"b1"})");
  Acquire("D", R"({"owner":"w","host":"h"})");
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b3"})", "alive"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead", "B:dead"));
  EXPECT_EQ(store_.StaleOf("C"), "");
  EXPECT_EQ(store_.StaleOf("D"), "");
}

TEST_F(OwnerReports, ANewerBootIsNotMistakenForAnOlderOne) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("w", "b2"));
  EXPECT_EQ(Report(Owner("w", "b1"), "dead"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead"));
  EXPECT_EQ(store_.StaleOf("B"), "");
}

TEST_F(OwnerReports, ThatComeLateFromAnOldBootLeaveTheNewerOneAlone) {
  Acquire("A", Owner("w", "b1"));
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b2"})", "alive"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead"));
  EXPECT_EQ(store_.Run("recover", "A",
                       R"({"observed":$VERSION,"decision":"requeue","evidence":"rebooted"})"),
            "ok");
  EXPECT_EQ(store_.Run("acquire", "A", fmt::format(R"({{"owner":{}}})", Owner("w", "b2"))), "ok");
  Acquire("B", Owner("v", "b2", 9));
  store_.Crash();
  // Nobody on the old boot holds anything any more.
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b1"})", "alive"), "ok:unchanged");
  EXPECT_EQ(store_.StaleOf("A"), "");
  EXPECT_EQ(store_.StaleOf("B"), "");
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b3"})", "alive"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:dead", "B:dead"));
}

// Which of two boots is the newer one is told by what they were granted last, as long as both hold
// something; else by what they were granted first, on that host.
TEST_F(OwnerReports, OfABootThatGoesOnTakeWhatItOutlived) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("v", "b2", 9));
  Acquire("C", Owner("w", "b1"));
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b1"})", "alive"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("B:dead"));
}

TEST_F(OwnerReports, KnowTheOrderOfBootsHostByHost) {
  Acquire("A", R"({"owner":"w","host":"h2","boot_id":"b1"})");
  Acquire("B", Owner("v", "b2", 9));
  Acquire("C", Owner("w", "b1"));
  EXPECT_EQ(store_.Run("complete", "C", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b1"})", "alive"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("B:dead"));
}

TEST_F(OwnerReports, ThatAreNoNewsAppendNothing) {
  Acquire("A", Owner("w", "b1"));
  EXPECT_EQ(Report(Owner("x", "b1"), "dead"), "ok:unchanged");
  EXPECT_EQ(Report(Owner("w", "b1"), "dead"), "ok");
  const std::uint64_t before = store_.LastSequence();
  EXPECT_EQ(Report(Owner("w", "b1"), "alive"), "ok:unchanged") << "dead stays dead";
  EXPECT_THAT(Reports(), IsEmpty());
  EXPECT_EQ(store_.LastSequence(), before);
}

TEST_F(OwnerReports, OfAnUnknownHostProveNothing) {
  Acquire("A", R"("w")");
  EXPECT_EQ(Report(R"({"owner":"w"})", "dead"), "ok");
  EXPECT_THAT(Reports(), ElementsAre("A:unknown"));
  EXPECT_EQ(store_.StaleOf("A"), "");
}

TEST_F(OwnerReports, WithARequestIdAreAnsweredTheSameForEver) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("w", "b1"));
  const std::string id = R"(,"request_id":"00112233445566778899aabbccddeeff")";
  EXPECT_EQ(Report(Owner("w", "b1"), "dead", id), "ok");
  const std::uint64_t sequence = store_.answer().sequence;
  store_.Crash();
  const std::uint64_t before = store_.LastSequence();
  EXPECT_EQ(Report(Owner("w", "b1"), "dead", id), "ok:replayed");
  EXPECT_TRUE(store_.answer().replayed);
  EXPECT_EQ(store_.answer().sequence, sequence);
  EXPECT_THAT(Reports(), ElementsAre("A:dead", "B:dead"));
  EXPECT_EQ(Report(Owner("w", "b1"), "alive", id), "request_conflict");
  EXPECT_EQ(store_.LastSequence(), before);
}

TEST_F(OwnerReports, ForgetWhoHasLetGo) {
  Acquire("A", Owner("w", "b1"));
  Acquire("B", Owner("w", "b1"));
  EXPECT_EQ(store_.Run("release", "A", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(store_.Run("complete", "B", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(Report(Owner("w", "b1"), "dead"), "ok:unchanged");
  EXPECT_EQ(Report(R"({"host":"h","boot_id":"b2"})", "alive"), "ok:unchanged");
}

TEST_F(OwnerReports, TakeAHostAndAVerdict) {
  EXPECT_EQ(store_.Run("report_owners", "", R"({"verdict":"dead"})"), "invalid_argument");
  EXPECT_EQ(store_.Run("report_owners", "", R"({"identity":"w"})"), "invalid_argument");
  EXPECT_EQ(store_.Run("report_owners", "", R"({"identity":"w","verdict":"unknown"})"),
            "invalid_argument");
}

TEST(OwnerReportPath, RecordsAllHoldersInOneAppend) {
  ApiStore api;
  for (const char* saga : {"A", "B"}) {
    api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", saga));
    api.Post(fmt::format("/v1/sagas/{}:acquire", saga),
             fmt::format(R"({{"owner":{}}})", Owner("w", "b1")));
  }
  const auto answer = api.Post("/v1/owners:report",
                               R"({"identity":{"host":"h","boot_id":"b2"},"verdict":"alive",
                                   "evidence":"rebooted"})");
  EXPECT_EQ(boost::json::serialize(answer.at("reports")),
            R"([{"saga_id":"A","verdict":"dead"},{"saga_id":"B","verdict":"dead"}])");
  const auto history = api.Get("/v1/sagas/B/events").at("items").as_array().back().as_object();
  EXPECT_EQ(Member(history, "type"), "owner_reported");
  EXPECT_EQ(Member(history.at("body").as_object(), "evidence"), "rebooted");
  EXPECT_EQ(api.Send("POST", "/v1/sagas/A:report-owners", "{}").status, 404);
}

}  // namespace
}  // namespace sagalog
