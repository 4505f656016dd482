// Which role may do what: every path and every command with every role.
#include "reactor/access.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

// Which of the roles none, worker, orchestrator, operator, auditor, admin may: one letter each.
constexpr const char* kAnyone = "nwofaA";
constexpr const char* kReaders = "wofaA";
constexpr const char* kWorkers = "wofA";
constexpr const char* kOrchestrators = "ofA";
constexpr const char* kFollowers = "ofaA";
constexpr const char* kOperators = "fA";
constexpr const char* kExporters = "aA";
constexpr const char* kAdmins = "A";

const std::map<char, Role> kRoles = {{'n', Role::kNone},         {'w', Role::kWorker},
                                     {'o', Role::kOrchestrator}, {'f', Role::kOperator},
                                     {'a', Role::kAuditor},      {'A', Role::kAdmin}};

struct Row {
  std::string method;
  std::string target;
  std::string body;
  std::string may;
};

// A command about a saga that is not there: who may ask is told so.
Row Command(const std::string& name, const std::string& may, const std::string& body = "{}") {
  return {"POST", "/v1/sagas/T9:" + name, body, may};
}

std::vector<Row> CommandRows() {
  const std::string owner = R"({"owner":"W"})";
  return {
      {"POST", "/v1/sagas", R"({"saga_id":"T2","parent":"T9"})", kOrchestrators},
      {"POST", "/v1/queues/q:claim-next", owner, kWorkers},
      {"POST", "/v1/queues/q:claim-next", R"({"owner":"W","as":"dispatch"})", kOrchestrators},
      {"PUT", "/v1/queues/q", R"({"limit":1})", kOperators},
      {"PUT", "/v1/policy", R"({"limit":1})", kOperators},
      {"POST", "/v1/owners:report",
       R"({"identity":{"owner":"W"},"verdict":"dead","evidence":"gone"})", kOrchestrators},
      Command("dispatch", kOrchestrators, owner),
      Command("abort-dispatch", kWorkers, R"({"dispatch_token":1,"reason":"r"})"),
      Command("acquire", kWorkers, owner),
      Command("heartbeat", kWorkers, R"({"token":1})"),
      Command("release", kWorkers, R"({"token":1,"reason":"r"})"),
      Command("advance-stage", kWorkers, R"({"token":1,"expected":"","next":"b"})"),
      Command("advance-stage", kOrchestrators, R"({"actor":"a","expected":"","next":"b"})"),
      Command("enter-section", kWorkers, R"({"token":1,"name":"s"})"),
      Command("leave-section", kWorkers, R"({"token":1,"outcome":"o"})"),
      Command("begin-effect", kWorkers, R"({"token":1,"effect":"e","fingerprint":"f"})"),
      Command("settle-effect", kWorkers, R"({"effect":"e","outcome":"o"})"),
      Command("record-exit", kWorkers, R"({"token":1,"exit_code":0})"),
      Command("register-compensation", kWorkers, R"({"token":1,"id":"c","kind":"k","target":"t"})"),
      Command("register-compensation", kOrchestrators, R"({"id":"c","kind":"k","target":"t"})"),
      Command("complete", kWorkers, R"({"token":1})"),
      Command("fail", kWorkers, R"({"token":1,"reason":"r"})"),
      Command("compensate", kWorkers, R"({"token":1,"reason":"r"})"),
      Command("mark-compensated", kOrchestrators, R"({"reason":"r"})"),
      Command("quarantine", kOperators, R"({"reason":"r"})"),
      Command("cancel", kOrchestrators, R"({"reason":"r"})"),
      Command("park", kOrchestrators, R"({"reason":"r"})"),
      Command("unpark", kOrchestrators),
      Command("recover", kOrchestrators, R"({"observed":1,"decision":"fail","evidence":"e"})"),
      Command("claim-compensation", kOrchestrators, R"({"id":"c","executor":"x"})"),
      Command("settle-compensation", kOrchestrators, R"({"id":"c","token":1,"outcome":"done"})"),
      Command("settle-compensation", kOperators,
              R"({"id":"c","actor":"a","outcome":"waived","detail":"d"})"),
      Command("report-owner", kOrchestrators,
              R"({"identity":{"owner":"W"},"verdict":"dead","evidence":"gone"})"),
      Command("annotate", kWorkers, R"({"text":"t"})"),
      Command("force-release", kOperators, R"({"reason":"r"})"),
  };
}

std::vector<Row> PathRows() {
  return {
      {"GET", "/v1/sagas", "", kReaders},
      {"GET", "/v1/sagas/T1", "", kReaders},
      {"GET", "/v1/sagas/T1/events", "", kReaders},
      {"POST", "/v1/batch", R"({"commands":[]})", kWorkers},
      {"GET", "/v1/queues", "", kReaders},
      {"GET", "/v1/queues/q", "", kReaders},
      {"GET", "/v1/readers", "", kReaders},
      {"PUT", "/v1/readers/r", R"({"position":1})", kFollowers},
      {"DELETE", "/v1/readers/r", "", kFollowers},
      {"GET", "/v1/policy", "", kReaders},
      {"GET", "/v1/stale", "", kReaders},
      {"GET", "/v1/compensations", "", kReaders},
      {"GET", "/v1/owners", "", kReaders},
      {"GET", "/v1/effects", "", kReaders},
      {"GET", "/v1/sections", "", kReaders},
      {"GET", "/v1/status", "", kReaders},
      {"GET", "/v1/audit/export", "", kExporters},
      {"GET", "/openapi.json", "", kReaders},
      {"GET", "/v1/audit/checkpoint", "", kReaders},
      {"GET", "/v1/audit/proof?sequence=1", "", kReaders},
      {"GET", "/healthz", "", kAnyone},
      {"GET", "/readyz", "", kAnyone},
      {"POST", "/v1/admin/verify", "", kAdmins},
      {"POST", "/v1/admin/rebuild", "", kAdmins},
      {"POST", "/v1/admin/checkpoint", "", kAdmins},
      {"POST", "/v1/admin/sweep", "{}", kAdmins},
      {"POST", "/v1/admin/backup", "{}", kAdmins},
      {"POST", "/v1/admin/compact", "{}", kAdmins},
      {"POST", "/v1/admin/redact", "{}", kOperators},
      {"POST", "/v1/clock:advance", R"({"by":"1s"})", kAdmins},
      {"POST", "/v1/clock:step-wall", R"({"by":"1s"})", kAdmins},
      {"POST", "/v1/clock:suspend", R"({"for":"1s"})", kAdmins},
      {"GET", "/v1/nowhere", "", kReaders},
      {"DELETE", "/v1/sagas", "", kReaders},
      {"GET", "/%ff", "", kReaders},
  };
}

ApiResponse SendAs(ApiStore& api, const Caller& caller, const std::string& method,
                   const std::string& target, const std::string& body) {
  ApiRequest request{method, target, body, caller.principal};
  request.role = caller.role;
  request.owner_prefix = caller.owner_prefix;
  ApiOptions options;
  options.manual_clock = &api.clock();
  return HandleApi(api.store(), request, options);
}

void ExpectTable(const std::vector<Row>& rows) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  for (const Row& row : rows) {
    for (const auto& [letter, role] : kRoles) {
      const ApiResponse response =
          SendAs(api, {"somebody", role}, row.method, row.target, row.body);
      const int refused = role == Role::kNone ? 401 : 403;
      const bool may = row.may.find(letter) != std::string::npos;
      if (may) {
        EXPECT_TRUE(response.status != 401 && response.status != 403)
            << row.method << " " << row.target << " as " << RoleName(role) << response.body;
      } else {
        EXPECT_EQ(response.status, refused)
            << row.method << " " << row.target << " as " << RoleName(role) << response.body;
        EXPECT_EQ(Member(Document(response), "code"),
                  role == Role::kNone ? "unauthenticated" : "forbidden");
      }
    }
  }
}

TEST(Access, EveryCommandWithEveryRole) { ExpectTable(CommandRows()); }

TEST(Access, EveryPathWithEveryRole) { ExpectTable(PathRows()); }

TEST(Access, TheTableOfCommandsIsWhole) {
  const std::vector<Row> rows = CommandRows();
  for (std::string name : CommandNames()) {
    std::replace(name.begin(), name.end(), '_', '-');
    const bool is_there = std::any_of(
        rows.begin(), rows.end(), [&](const Row& row) { return row.target.ends_with(":" + name); });
    const bool has_a_path_of_its_own = name == "plan" || name == "configure-queue" ||
                                       name == "change-policy" || name == "report-owners";
    EXPECT_TRUE(is_there || has_a_path_of_its_own) << name;
  }
}

TEST(Access, WhatIsForbiddenIsSaidBeforeWhatIsWrong) {
  ApiStore api;
  const Caller worker{"ci", Role::kWorker};
  for (const char* body : {"{", R"({"no_such_field":1})", ""}) {
    EXPECT_EQ(SendAs(api, worker, "POST", "/v1/sagas/T1:quarantine", body).status, 403) << body;
    EXPECT_EQ(SendAs(api, {"", Role::kNone}, "POST", "/v1/sagas/T1:quarantine", body).status, 401);
  }
  EXPECT_EQ(SendAs(api, worker, "POST", "/v1/sagas/T1:heartbeat", "{").status, 400);
}

TEST(Access, ABatchIsAskedCommandByCommand) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  const std::string commands = R"("commands":[{"do":"acquire","saga_id":"T1","owner":"W"},)"
                               R"({"do":"quarantine","saga_id":"T1","reason":"r"}]})";
  const Caller worker{"ci", Role::kWorker};
  const ApiResponse atomic =
      SendAs(api, worker, "POST", "/v1/batch", R"({"atomic":true,)" + commands);
  EXPECT_EQ(atomic.status, 403);
  EXPECT_EQ(Member(Document(atomic), "index"), "1");
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "planned");
  const ApiResponse each = SendAs(api, worker, "POST", "/v1/batch", "{" + commands);
  ASSERT_EQ(each.status, 200) << each.body;
  const boost::json::array answers = Document(each).at("answers").as_array();
  EXPECT_EQ(Member(answers.at(0).as_object(), "outcome"), "ok");
  EXPECT_EQ(Member(answers.at(1).as_object(), "code"), "forbidden");
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "running");
}

class AccessByPrefix : public ::testing::Test {
 protected:
  int As(Role role, const std::string& prefix, const std::string& command,
         const std::string& body) {
    return SendAs(api_, {"ci", role, prefix}, "POST", "/v1/sagas/T1:" + command, body).status;
  }
  ApiStore api_;
};

TEST_F(AccessByPrefix, AnOwnerIsNamedWithIt) {
  api_.Post("/v1/sagas", R"({"saga_id":"T1"})");
  EXPECT_EQ(As(Role::kWorker, "ci-", "acquire", R"({"owner":"deploy-1"})"), 403);
  EXPECT_EQ(As(Role::kOrchestrator, "ci-", "dispatch", R"({"owner":"deploy-1"})"), 403);
  EXPECT_EQ(SendAs(api_, {"ci", Role::kWorker, "ci-"}, "POST", "/v1/queues/default:claim-next",
                   R"({"owner":"deploy-1"})")
                .status,
            403);
  EXPECT_EQ(Member(api_.Get("/v1/sagas/T1"), "state"), "planned");
  EXPECT_EQ(As(Role::kWorker, "ci-", "acquire", R"({"owner":"ci-1"})"), 200);
}

TEST_F(AccessByPrefix, ATokenIsUsedOnItsSagas) {
  const std::string token = fmt::format(R"({{"token":{}}})", api_.Acquire("T1"));  // by "W"
  EXPECT_EQ(As(Role::kWorker, "ci-", "heartbeat", token), 403);
  EXPECT_EQ(As(Role::kWorker, "ci-", "annotate", R"({"text":"mine"})"), 403);
  EXPECT_EQ(As(Role::kWorker, "ci-", "settle-effect", R"({"effect":"e","outcome":"o"})"), 403);
  EXPECT_EQ(As(Role::kOperator, "ci-", "heartbeat", token), 403);
  EXPECT_EQ(As(Role::kAdmin, "ci-", "heartbeat", token), 200);
  EXPECT_EQ(As(Role::kWorker, "W", "heartbeat", token), 200);
  EXPECT_EQ(As(Role::kWorker, "", "heartbeat", token), 200);
  // After the end the last owner's name counts.
  EXPECT_EQ(As(Role::kWorker, "W", "complete", token), 200);
  EXPECT_EQ(As(Role::kWorker, "W", "annotate", R"({"text":"mine"})"), 200);
  EXPECT_EQ(As(Role::kWorker, "ci-", "annotate", R"({"text":"mine"})"), 403);
}

TEST_F(AccessByPrefix, WhatNeedsNoOwnerIsNotHeldToIt) {
  api_.Acquire("T1");
  EXPECT_EQ(As(Role::kOrchestrator, "ci-", "cancel", R"({"reason":"r"})"), 200);
}

TEST_F(AccessByPrefix, ASagaThatIsNotThereIsSaidToBe) {
  EXPECT_EQ(As(Role::kWorker, "ci-", "heartbeat", R"({"token":1})"), 404);
}

TEST_F(AccessByPrefix, WhatWasForbiddenIsNoted) {
  const std::string token = fmt::format(R"({{"token":{}}})", api_.Acquire("T1"));
  EXPECT_EQ(As(Role::kWorker, "ci-", "complete", token), 403);
  const boost::json::object history = api_.Get("/v1/sagas/T1/events?refusals=true");
  const std::string text = boost::json::serialize(history);
  EXPECT_THAT(text, HasSubstr(R"("code":"forbidden")"));
  EXPECT_THAT(text, HasSubstr(R"("principal":"ci")"));
}

}  // namespace
}  // namespace sagalog
