// Every refusal of every row of the command table is provoked, and tells the facts it must tell.
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/reactor/provoked_refusals.h"
#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

// What the rows of the contract's table name, besides the general refusals.
const std::map<std::string, std::set<std::string>> kContract = {
    {"plan", {"not_found", "invalid_argument", "already_exists"}},
    {"dispatch",
     {"lease_held", "parked", "not_before", "dependency_unmet", "frozen", "limit_reached"}},
    {"abort_dispatch", {"lease_held", "compensation_missing"}},
    {"acquire",
     {"lease_held", "in_grace", "section_open", "owner_dead", "parked", "not_before",
      "dependency_unmet", "frozen", "limit_reached"}},
    {"claim_next", {"frozen", "limit_reached", "empty"}},
    {"heartbeat", {"stale_token", "not_owner", "lease_expired", "terminal"}},
    {"release", {"section_open", "wrong_state"}},
    {"advance_stage", {"lease_held", "cancel_pending", "stage_conflict"}},
    {"enter_section", {"cancel_pending", "section_open", "stage_conflict"}},
    {"leave_section", {"compensation_missing", "wrong_state"}},
    {"begin_effect", {"request_conflict", "effect_settled", "effect_begun"}},
    {"settle_effect", {"effect_settled", "not_found"}},
    {"record_exit", {"wrong_state"}},
    {"register_compensation", {"already_exists", "busy"}},
    {"complete", {"section_open"}},
    {"fail", {"section_open", "compensation_missing"}},
    {"compensate", {"section_open", "compensation_missing"}},
    {"mark_compensated", {"compensation_owed"}},
    {"quarantine", {"section_open"}},
    {"cancel", {"terminal"}},
    {"recover",
     {"version_conflict", "not_stale", "in_grace", "owner_alive", "section_open", "gate_missing",
      "cancel_pending", "limit_reached", "compensation_missing", "wrong_state"}},
    {"claim_compensation", {"compensation_order", "compensation_settled", "busy", "not_found"}},
    {"settle_compensation", {"stale_token", "compensation_settled"}},
    {"force_release", {"wrong_state"}},
};

// The command of the last line.
std::string CommandOf(std::string_view script) {
  const std::size_t line = script.rfind('\n') + 1;
  const std::size_t begin = script.find_first_not_of(' ', line);
  return std::string(script.substr(begin, script.find(' ', begin) - begin));
}

TEST(RefusalFacts, AreToldByEveryRefusalOfEveryRow) {
  for (const ProvokedRefusal& one : ProvokedRefusals()) {
    SCOPED_TRACE(one.script);
    RulesStore store;
    EXPECT_EQ(Play(store, one.script), one.code);
    EXPECT_EQ(FactsOf(store.refusal()), one.facts);
    EXPECT_FALSE(store.refusal().detail.empty());
  }
}

TEST(RefusalFacts, EveryRefusalThatARowNamesIsProvokedHere) {
  auto missing = kContract;
  for (const ProvokedRefusal& one : ProvokedRefusals()) {
    missing[CommandOf(one.script)].erase(one.code);
  }
  for (const auto& [command, codes] : missing) {
    for (const std::string& code : codes) {
      ADD_FAILURE() << command << " is never refused with " << code;
    }
  }
}

TEST(RefusalFacts, ARefusedCommandChangesNothingAndUsesUpNoRequestId) {
  constexpr const char* kId = R"("request_id":"0000000000000000000000000000000b")";
  for (const ProvokedRefusal& one : ProvokedRefusals()) {
    SCOPED_TRACE(one.script);
    RulesStore store;
    const std::string_view script = one.script;
    const std::size_t last = script.rfind('\n') + 1;
    static_cast<void>(Play(store, script.substr(0, last)));
    const std::uint64_t sequence = store.LastSequence();
    std::string refused(script.substr(last));
    if (const std::size_t body = refused.find('{'); body != std::string::npos) {
      refused.insert(body + 1, std::string(kId) + ",");
    }
    EXPECT_EQ(Play(store, refused), one.code);
    EXPECT_EQ(Play(store, refused), one.code) << "not replayed, and no conflict";
    EXPECT_EQ(store.LastSequence(), sequence);
  }
}

}  // namespace
}  // namespace sagalog
