// Which refusal of a row comes first: the same call again and again, before each time one more
// fault, the one that the contract names before the last.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

struct Step {
  // Brings up one more reason to refuse the call; "" = the call itself brings it.
  const char* fault;
  const char* call;
  const char* answer;
};

void Expect(RulesStore& store, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const std::string made = Play(store, step.fault);
    ASSERT_TRUE(made.empty() || made.starts_with("ok")) << made << " of " << step.fault;
    EXPECT_EQ(Play(store, step.call), step.answer) << "after " << step.fault;
  }
}

TEST(RefusalOrder, OfAPlan) {
  RulesStore store;
  Expect(store,
         {{R"(plan A {"depends_on":["T"],"key":"k"})", R"(plan T {"key":"k"})", "already_exists"},
          {"", R"(plan T {"key":"k","depends_on":["A"]})", "invalid_argument"},
          {"", R"(plan T {"key":"k","depends_on":["A"],"parent":"P"})", "not_found"},
          {"", R"(plan T {"key":"k","depends_on":["A"],"parent":"P","expected_version":1})",
           "version_conflict"},
          {"", R"(plan T {"parent":"P","expected_version":1,"policy":{"max_running":"1s"}})",
           "invalid_argument"}});
  EXPECT_EQ(store.refusal().subject, "policy");
}

// What holds a planned saga back, in the contract's order from the last to the first.
void ExpectToBeHeldBack(const char* call) {
  RulesStore store;
  Expect(store, {{"plan T", R"(configure_queue - {"queue":"default","limit":0})", "ok"},
                 {"", call, "limit_reached"},
                 {R"(configure_queue - {"queue":"default","frozen":true})", call, "frozen"}});
  RulesStore waiting;
  Expect(waiting, {{R"(configure_queue - {"queue":"default","limit":0,"frozen":true})",
                    R"(plan T {"depends_on":["A"]})", "ok"},
                   {"", call, "dependency_unmet"},
                   {"cancel T", call, "terminal"}});
  RulesStore delayed;
  Expect(delayed, {{R"(configure_queue - {"queue":"default","limit":0,"frozen":true})",
                    R"(plan T {"depends_on":["A"],"not_before":"60s"})", "ok"},
                   {"", call, "not_before"},
                   {"park T", call, "parked"}});
}

TEST(RefusalOrder, OfADispatch) {
  ExpectToBeHeldBack(R"(dispatch T {"owner":"w"})");
  RulesStore store;
  Expect(store, {{R"(plan T {"policy":{"max_dispatch_failures":0}})", R"(dispatch T {"owner":"w"})",
                  "limit_reached"}});
  EXPECT_EQ(store.refusal().subject, "max_dispatch_failures");
  Expect(store, {{R"(configure_queue - {"queue":"default","limit":0})",
                  R"(dispatch T {"owner":"w"})", "limit_reached"}});
  EXPECT_EQ(store.refusal().subject, "queue default") << "slots come first";
}

constexpr const char* kDead = R"({"owner":{"owner":"w","host":"h","pid":7}})";

TEST(RefusalOrder, OfAnAcquisitionOfAPlannedSaga) {
  ExpectToBeHeldBack(R"(acquire T {"owner":"w"})");
  RulesStore store;
  const std::string acquire = std::string("acquire T ") + kDead;
  Expect(store, {{"plan T", acquire.c_str(), "ok"},
                 {R"(report_owner T {"identity":{"host":"h","pid":7},"verdict":"dead"})",
                  R"(recover T {"observed":$VERSION,"decision":"requeue"})", "ok"},
                 {"park T", acquire.c_str(), "owner_dead"}});
}

TEST(RefusalOrder, OfATakeover) {
  constexpr const char* kCall = R"(acquire T {"owner":"x"})";
  RulesStore store;
  Expect(store, {{R"(plan T {"policy":{"max_recoveries":0}})",
                  R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"})", "ok"},
                 {R"(enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"})",
                  R"(configure_queue - {"queue":"default","limit":0,"frozen":true})", "ok"},
                 {"advance 10s", kCall, "section_open"},
                 {R"(leave_section T {"token":$TOKEN,"outcome":"o"})", kCall, "limit_reached"},
                 {R"(configure_queue - {"queue":"default","limit":"off"})", kCall, "limit_reached"},
                 {"", R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"})", "ok"},
                 {R"(enter_section T {"token":$TOKEN,"name":"push"})", kCall, "lease_held"},
                 {"crash 60s", kCall, "in_grace"},
                 {R"(report_owner T {"identity":{"host":"h","pid":7},"verdict":"alive"})", kCall,
                  "lease_held"}});
}

TEST(RefusalOrder, OfAClaim) {
  constexpr const char* kCall = R"(claim_next - {"queue":"default","owner":"w"})";
  RulesStore store;
  Expect(store, {{"", kCall, "empty"},
                 {R"(configure_queue - {"queue":"default","limit":0})", kCall, "limit_reached"},
                 {R"(configure_queue - {"queue":"default","frozen":true})", kCall, "frozen"}});
}

TEST(RefusalOrder, OfStagesAndSections) {
  RulesStore store;
  constexpr const char* kAdvance = R"(advance_stage T {"token":$TOKEN,"expected":"x","next":"y"})";
  constexpr const char* kEnter =
      R"(enter_section T {"token":$TOKEN,"name":"again","expected_stage":"x"})";
  Expect(store, {{"plan T", R"(acquire T {"owner":"w"})", "ok"},
                 {"", kAdvance, "stage_conflict"},
                 {"", kEnter, "stage_conflict"},
                 {R"(enter_section T {"token":$TOKEN,"name":"push"})", kEnter, "section_open"},
                 {"cancel T", kAdvance, "cancel_pending"},
                 {"", kEnter, "cancel_pending"},
                 {"", R"(advance_stage T {"actor":"o","expected":"x","next":"y"})", "lease_held"}});
}

TEST(RefusalOrder, OfTheEndsOfARun) {
  RulesStore store;
  Expect(store, {{"plan T", R"(acquire T {"owner":"w"})", "ok"},
                 {"", R"(fail T {"token":$TOKEN})", "compensation_missing"},
                 {"", R"(compensate T {"token":$TOKEN})", "compensation_missing"},
                 {R"(enter_section T {"token":$TOKEN,"name":"push"})", R"(fail T {"token":$TOKEN})",
                  "section_open"},
                 {"", R"(compensate T {"token":$TOKEN})", "section_open"}});
}

TEST(RefusalOrder, OfARecovery) {
  constexpr const char* kRequeue = R"(recover T {"observed":$VERSION,"decision":"requeue"})";
  constexpr const char* kSaid =
      R"(recover T {"observed":$VERSION,"decision":"requeue","section_outcome":"o"})";
  RulesStore store;
  Expect(store,
         {{R"(plan T {"policy":{"max_recoveries":0}})",
           R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"})", "ok"},
          {"", kRequeue, "not_stale"},
          {"", R"(recover T {"observed":1,"decision":"requeue"})", "version_conflict"},
          {"advance 10s", kRequeue, "limit_reached"},
          {"", R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"})", "ok"},
          {R"(enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"})", "cancel T",
           "ok:deferred"},
          {"advance 10s", kSaid, "cancel_pending"},
          {"", R"(recover T {"observed":$VERSION,"decision":"complete","section_outcome":"o"})",
           "gate_missing"},
          {"", R"(recover T {"observed":$VERSION,"decision":"complete"})", "section_open"},
          {"", R"(recover T {"observed":$VERSION,"decision":"fail","section_outcome":"o"})",
           "compensation_missing"},
          {"", R"(recover T {"observed":1,"decision":"requeue"})", "version_conflict"}});
  RulesStore alive;
  Expect(alive,
         {{R"(plan T {"policy":{"max_recoveries":0}})",
           R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"})", "ok"},
          {"advance 10s", R"(report_owner T {"identity":{"host":"h","pid":7},"verdict":"alive"})",
           "ok:alive"},
          {"", R"(recover T {"observed":$VERSION,"decision":"complete"})", "owner_alive"},
          {"crash 1s", R"(recover T {"observed":$VERSION,"decision":"complete"})", "in_grace"}});
}

TEST(RefusalOrder, OfAClaimOfACompensation) {
  constexpr const char* kFirst = R"(claim_compensation T {"id":"a","executor":"j"})";
  RulesStore store;
  Expect(store,
         {{R"(plan T {"compensations":[{"id":"a","kind":"u","target":"1"}]})", kFirst, "busy"},
          {R"(register_compensation T {"id":"b","kind":"u","target":"2"})", kFirst,
           "compensation_order"},
          {"cancel T", kFirst, "compensation_order"},
          {R"(settle_compensation T {"id":"a","outcome":"waived","actor":"o","detail":"d"})",
           kFirst, "compensation_order"},
          {R"(settle_compensation T {"id":"b","outcome":"waived","actor":"o","detail":"d"})",
           kFirst, "compensation_settled"}});
}

TEST(RefusalOrder, OfAnEffect) {
  constexpr const char* kAgain =
      R"(begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"})";
  constexpr const char* kOther =
      R"(begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"g"})";
  RulesStore store;
  Expect(store, {{"plan T", R"(acquire T {"owner":"w"})", "ok"},
                 {kAgain, kAgain, "effect_begun"},
                 {"", kOther, "request_conflict"},
                 {R"(settle_effect T {"effect":"e","outcome":"done"})", kAgain, "effect_settled"},
                 {"", kOther, "request_conflict"}});
}

}  // namespace
}  // namespace sagalog
