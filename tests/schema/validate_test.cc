// Every rule that a command's values follow, whatever the store holds.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/event_encoder.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "schema/store_time.h"
#include "schema/verify.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

struct Case {
  std::string_view command;
  std::string_view saga_id;
  std::string json;
  // "" = valid.
  std::string text;
};

std::string TextOf(std::string_view name, std::string_view saga_id, std::string_view json) {
  const Result<commands::CommandT> command = CommandFromJson(name, saga_id, json);
  if (!command.ok()) {
    return "no command: " + command.status().text();
  }
  const Status status = ValidateCommand(*command);
  EXPECT_TRUE(status.ok() || status.code() == Code::kInvalidArgument);
  return status.text();
}

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(TextOf(one.command, one.saga_id, one.json), one.text)
        << one.command << " " << one.saga_id << " " << one.json.substr(0, 200);
  }
}

std::string Repeated(std::size_t size) { return std::string(size, 'a'); }

const std::vector<Case> kRequiredCases = {
    {"plan", "a", "{}", ""},
    {"dispatch", "a", "{}", "owner: is required"},
    {"dispatch", "a", R"({"owner":{"host":"h"}})", "owner.owner: is required"},
    {"dispatch", "a", R"({"owner":"w"})", ""},
    {"abort_dispatch", "a", "{}", "dispatch_token: is required"},
    {"abort_dispatch", "a", R"({"dispatch_token":1})", ""},
    {"acquire", "a", "{}", "owner: is required"},
    {"acquire", "a", R"({"owner":""})", "owner.owner: is required"},
    {"acquire", "a", R"({"owner":"w"})", ""},
    {"claim_next", "", R"({"owner":"w"})", "queue: is required"},
    {"claim_next", "", R"({"queue":"q"})", "owner: is required"},
    {"claim_next", "", R"({"queue":"q","owner":"w"})", ""},
    {"heartbeat", "a", "{}", "token: is required"},
    {"heartbeat", "a", R"({"token":0})", "token: is required"},
    {"heartbeat", "a", R"({"token":1})", ""},
    {"heartbeat", "a", R"({"token":1,"owner":{}})", "owner.owner: is required"},
    {"release", "a", "{}", "token: is required"},
    {"release", "a", R"({"token":1})", ""},
    {"advance_stage", "a", R"({"next":"n"})", "actor: is required without a token"},
    {"advance_stage", "a", R"({"actor":"me"})", ""},
    {"advance_stage", "a", R"({"token":1})", ""},
    {"enter_section", "a", R"({"name":"n"})", "token: is required"},
    {"enter_section", "a", R"({"token":1})", "name: is required"},
    {"enter_section", "a", R"({"token":1,"name":"n"})", ""},
    {"leave_section", "a", R"({"outcome":"o"})", "token: is required"},
    {"leave_section", "a", R"({"token":1})", "outcome: is required"},
    {"leave_section", "a", R"({"token":1,"outcome":"o"})", ""},
    {"begin_effect", "a", R"({"effect":"e","fingerprint":"f"})", "token: is required"},
    {"begin_effect", "a", R"({"token":1,"fingerprint":"f"})", "effect: is required"},
    {"begin_effect", "a", R"({"token":1,"effect":"e"})", "fingerprint: is required"},
    {"begin_effect", "a", R"({"token":1,"effect":"e","fingerprint":"f"})", ""},
    {"settle_effect", "a", R"({"outcome":"o"})", "effect: is required"},
    {"settle_effect", "a", R"({"effect":"e"})", "outcome: is required"},
    {"settle_effect", "a", R"({"effect":"e","outcome":"o"})", ""},
    {"record_exit", "a", R"({"exit_code":0})", "token: is required"},
    {"record_exit", "a", R"({"token":1})", "exit_code: is required"},
    {"record_exit", "a", R"({"token":1,"exit_code":0})", ""},
    {"register_compensation", "a", R"({"kind":"k","target":"t"})", "id: is required"},
    {"register_compensation", "a", R"({"id":"i","target":"t"})", "kind: is required"},
    {"register_compensation", "a", R"({"id":"i","kind":"k"})", "target: is required"},
    {"register_compensation", "a", R"({"id":"i","kind":"k","target":"t"})", ""},
    {"complete", "a", "{}", "token: is required"},
    {"complete", "a", R"({"token":1})", ""},
    {"fail", "a", "{}", "token: is required"},
    {"fail", "a", R"({"token":1})", ""},
    {"compensate", "a", "{}", "token: is required"},
    {"compensate", "a", R"({"token":1})", ""},
    {"mark_compensated", "a", "{}", ""},
    {"quarantine", "a", "{}", ""},
    {"cancel", "a", "{}", ""},
    {"park", "a", "{}", ""},
    {"unpark", "a", "{}", ""},
    {"recover", "a", R"({"decision":"fail"})", "observed: is required"},
    {"recover", "a", R"({"observed":1})", "decision: is required"},
    {"recover", "a", R"({"observed":0,"decision":"requeue"})", ""},
    {"claim_compensation", "a", R"({"executor":"x"})", "id: is required"},
    {"claim_compensation", "a", R"({"id":"i"})", "executor: is required"},
    {"claim_compensation", "a", R"({"id":"i","executor":"x"})", ""},
    {"settle_compensation", "a", R"({"token":1,"outcome":"done"})", "id: is required"},
    {"settle_compensation", "a", R"({"id":"i","token":1})", "outcome: is required"},
    {"settle_compensation", "a", R"({"id":"i","outcome":"done"})", "token: is required"},
    {"settle_compensation", "a", R"({"id":"i","outcome":"failed","token":0})",
     "token: is required"},
    {"settle_compensation", "a", R"({"id":"i","token":1,"outcome":"failed"})", ""},
    {"settle_compensation", "a", R"({"id":"i","outcome":"waived","detail":"d"})",
     "actor: is required to waive a compensation"},
    {"settle_compensation", "a", R"({"id":"i","outcome":"waived","actor":"me"})",
     "detail: is required to waive a compensation"},
    {"settle_compensation", "a", R"({"id":"i","outcome":"waived","actor":"me","detail":"d"})", ""},
    {"report_owner", "a", R"({"verdict":"dead"})", "identity: is required"},
    {"report_owner", "a", R"({"identity":{},"verdict":"dead"})", "identity: is required"},
    {"report_owner", "a", R"({"identity":"w"})", "verdict: is required"},
    {"report_owner", "a", R"({"identity":"w","verdict":"unknown"})",
     "verdict: must be alive or dead"},
    {"report_owner", "a", R"({"identity":{"pid":1},"verdict":"dead"})", ""},
    {"report_owner", "a", R"({"identity":{"pid_start":1},"verdict":"dead"})", ""},
    {"report_owner", "a", R"({"identity":{"pid_namespace":"n"},"verdict":"dead"})", ""},
    {"report_owner", "a", R"({"identity":{"boot_id":"b"},"verdict":"alive"})", ""},
    {"report_owner", "a", R"({"identity":{"host":"h"},"verdict":"alive"})", ""},
    {"annotate", "a", "{}", "text: is required"},
    {"annotate", "a", R"({"text":"t"})", ""},
    {"force_release", "a", "{}", "reason: is required"},
    {"force_release", "a", R"({"reason":"r"})", ""},
    {"configure_queue", "", "{}", "queue: is required"},
    {"configure_queue", "", R"({"queue":"q"})", ""},
    {"change_policy", "", "{}", ""},
    {"report_owners", "", R"({"verdict":"alive"})", "identity: is required"},
    {"report_owners", "", R"({"identity":{"host":"h"}})", "verdict: is required"},
    {"report_owners", "", R"({"identity":{"host":"h"},"verdict":"dead"})", ""},
};

TEST(ValidateCommand, WhatIsNotOptionalIsRequired) { ExpectAll(kRequiredCases); }

TEST(ValidateCommand, SagaIdsAreOfTheirAlphabet) {
  for (const std::string_view name : CommandNames()) {
    if (name == "claim_next" || name == "configure_queue" || name == "change_policy" ||
        name == "report_owners") {
      EXPECT_EQ(TextOf(name, "a", "{}"), "saga_id: this command is for no saga of its own");
    } else {
      EXPECT_EQ(TextOf(name, "", "{}"), "saga_id: is required");
    }
  }
  EXPECT_EQ(TextOf("claim_next", "", R"({"queue":"q","owner":"w","expected_version":1})"),
            "expected_version: this command is for no saga of its own");
  for (const std::string_view id : {"a", "A.z_0~9-", "...", ".a", "a.", "-", "~"}) {
    EXPECT_EQ(TextOf("cancel", id, "{}"), "") << id;
  }
  for (const std::string_view id : {"a b", "a/b", "a:b", "é", "a\n", "a%20", "a+b", "a\\"}) {
    EXPECT_EQ(TextOf("cancel", id, "{}"), "saga_id: may only have letters, digits and . _ ~ -")
        << id;
  }
  EXPECT_EQ(TextOf("cancel", ".", "{}"), "saga_id: may not be . or ..");
  EXPECT_EQ(TextOf("cancel", "..", "{}"), "saga_id: may not be . or ..");
  EXPECT_EQ(TextOf("cancel", Repeated(128), "{}"), "");
  EXPECT_EQ(TextOf("cancel", Repeated(129), "{}"), "saga_id: has 129 bytes, allowed are 128");
}

TEST(ValidateCommand, DurationsArePositiveAndNotForEver) {
  struct Field {
    std::string_view command;
    std::string_view saga_id;
    std::string_view name;
    std::string_view json;
  };
  const Field fields[] = {
      {"dispatch", "a", "ttl", R"("owner":"w","ttl":)"},
      {"acquire", "a", "ttl", R"("owner":"w","ttl":)"},
      {"claim_next", "", "ttl", R"("queue":"q","owner":"w","ttl":)"},
      {"heartbeat", "a", "ttl", R"("token":1,"ttl":)"},
      {"enter_section", "a", "max_age", R"("token":1,"name":"n","max_age":)"},
      {"claim_compensation", "a", "ttl", R"("id":"i","executor":"x","ttl":)"},
      {"plan", "a", "not_before_in", R"("not_before":)"},
  };
  for (const Field& field : fields) {
    const auto text_of = [&](std::string_view duration) {
      return TextOf(field.command, field.saga_id,
                    fmt::format("{{{}\"{}\"}}", field.json, duration));
    };
    EXPECT_EQ(text_of("1us"), "");
    EXPECT_EQ(text_of("3660d"), "");
    EXPECT_EQ(text_of("0s"), fmt::format("{}: must be longer than nothing", field.name));
    EXPECT_EQ(text_of("-1us"), fmt::format("{}: must be longer than nothing", field.name));
    EXPECT_EQ(text_of("316224000000001us"), fmt::format("{}: may be 3660d at most", field.name));
  }
}

TEST(ValidateCommand, AnInstantHasFourDigitsOfYears) {
  commands::CommandT command = *CommandFromJson("plan", "a", "{}");
  commands::PlanT& plan = *command.body.AsPlan();
  for (const StoreTime time : {kStoreTimeMin, kStoreTimeMax, StoreTime()}) {
    plan.not_before = ToMicros(time);
    EXPECT_TRUE(ValidateCommand(command).ok());
  }
  for (const StoreTime time : {kStoreTimeMin - Duration(1), kStoreTimeMax + Duration(1)}) {
    plan.not_before = ToMicros(time);
    EXPECT_EQ(ValidateCommand(command).text(), "not_before: is outside the years 0000 to 9999");
  }
  plan.not_before = 0;
  plan.not_before_in = 1;
  EXPECT_EQ(ValidateCommand(command).text(), "not_before: given as a time and as a duration");
}

TEST(ValidateCommand, PoliciesHaveTheirRanges) {
  for (const std::string_view name :
       {"lease_ttl", "dispatch_ttl", "reopen_grace", "finalize_grace", "section_max_age",
        "max_running", "progress_timeout", "compensation_ttl", "requeue_backoff"}) {
    const auto text_of = [&](std::string_view command, std::string_view saga_id,
                             std::string_view value) {
      return TextOf(command, saga_id, fmt::format(R"({{"policy":{{"{}":"{}"}}}})", name, value));
    };
    EXPECT_EQ(text_of("plan", "a", "1s"), "") << name;
    EXPECT_EQ(text_of("plan", "a", "0s"),
              fmt::format("policy.{}: must be longer than nothing", name));
    EXPECT_EQ(text_of("change_policy", "", "-2us"),
              fmt::format("policy.{}: must be longer than nothing", name));
    EXPECT_EQ(text_of("change_policy", "", "3661d"),
              fmt::format("policy.{}: may be 3660d at most", name));
  }
  ExpectAll({
      {"plan", "a",
       R"({"policy":{"reopen_grace":"off","finalize_grace":"off","max_running":"off",)"
       R"("progress_timeout":"off","requeue_backoff":"off","max_recoveries":"off",)"
       R"("max_dispatch_failures":0}})",
       ""},
      {"plan", "a", R"({"policy":{"max_recoveries":-2}})",
       "policy.max_recoveries: may not be negative"},
      {"plan", "a", R"({"policy":{"max_dispatch_failures":-3}})",
       "policy.max_dispatch_failures: may not be negative"},
      {"configure_queue", "", R"({"queue":"q","limit":-2})", "limit: may not be negative"},
      {"configure_queue", "", R"({"queue":"q","limit":"off"})", ""},
      {"configure_queue", "", R"({"queue":"q","limit":0})", ""},
      {"configure_queue", "", R"({"queue":"q","policy":{"lease_ttl":"0s"}})",
       "policy.lease_ttl: must be longer than nothing"},
      {"change_policy", "", R"({"limit":-2})", "limit: may not be negative"},
  });
  // Off is a number, so the fields that may not be off have to refuse it themselves.
  commands::CommandT command = *CommandFromJson("plan", "a", R"({"policy":{}})");
  schema::PolicyT& policy = *command.body.AsPlan()->policy;
  for (auto* ttl : {&policy.lease_ttl, &policy.dispatch_ttl, &policy.section_max_age,
                    &policy.compensation_ttl}) {
    *ttl = kOff;
    EXPECT_FALSE(ValidateCommand(command).ok());
    ttl->reset();
  }
  EXPECT_TRUE(ValidateCommand(command).ok());
}

TEST(ValidateCommand, ListsRepeatNothing) {
  ExpectAll({
      {"plan", "a", R"({"depends_on":["b","c"]})", ""},
      {"plan", "a", R"({"depends_on":["b","c","b"]})", "depends_on[2]: given more than once"},
      {"plan", "a", R"({"depends_on":["b","a"]})", "depends_on[1]: is the saga itself"},
      {"plan", "a", R"({"depends_on":["b/c"]})",
       "depends_on[0]: may only have letters, digits and . _ ~ -"},
      {"plan", "a", R"({"depends_on":[""]})", "depends_on[0]: is required"},
      {"plan", "a", R"({"parent":"a"})", "parent: is the saga itself"},
      {"plan", "a", R"({"parent":"a b"})", "parent: may only have letters, digits and . _ ~ -"},
      {"plan", "a",
       R"({"compensations":[{"id":"i","kind":"k","target":"t"},)"
       R"({"id":"i","kind":"k","target":"t"}]})",
       "compensations[1].id: given more than once"},
      {"plan", "a", R"({"labels":{"":"v"}})", "labels.name: is required"},
  });
  // A map in JSON cannot repeat a name, but a list of labels can.
  commands::CommandT command = *CommandFromJson("plan", "a", R"({"labels":{"n":"1","m":"2"}})");
  command.body.AsPlan()->labels[1]->name = "n";
  EXPECT_EQ(ValidateCommand(command).text(), "labels.n: given more than once");
  command = *CommandFromJson("register_compensation", "a",
                             R"({"id":"i","kind":"k","target":"t","params":{"n":"1","m":"2"}})");
  command.body.AsRegisterCompensation()->params[1]->name = "n";
  EXPECT_EQ(ValidateCommand(command).text(), "params.n: given more than once");
}

// `count` elements made from their number.
template <typename Element>
std::string Joined(std::size_t count, Element element) {
  std::string joined;
  for (std::size_t i = 0; i < count; ++i) {
    joined += i == 0 ? "" : ",";
    joined += element(i);
  }
  return joined;
}

TEST(ValidateCommand, ListsHaveTheirLimits) {
  const auto label = [](std::size_t i) { return fmt::format(R"("n{}":"v")", i); };
  const auto id = [](std::size_t i) { return fmt::format(R"("s{}")", i); };
  const auto compensation = [](std::size_t i) {
    return fmt::format(R"({{"id":"c{}","kind":"k","target":"t"}})", i);
  };
  ExpectAll({
      {"plan", "a", fmt::format(R"({{"labels":{{{}}}}})", Joined(kLabelsMax, label)), ""},
      {"plan", "a", fmt::format(R"({{"labels":{{{}}}}})", Joined(kLabelsMax + 1, label)),
       fmt::format("labels: has {} elements, allowed are {}", kLabelsMax + 1, kLabelsMax)},
      {"plan", "a", fmt::format(R"({{"depends_on":[{}]}})", Joined(kDependenciesMax, id)), ""},
      {"plan", "a", fmt::format(R"({{"depends_on":[{}]}})", Joined(kDependenciesMax + 1, id)),
       fmt::format("depends_on: has {} elements, allowed are {}", kDependenciesMax + 1,
                   kDependenciesMax)},
      {"plan", "a",
       fmt::format(R"({{"compensations":[{}]}})", Joined(kCompensationsMax, compensation)), ""},
      {"plan", "a",
       fmt::format(R"({{"compensations":[{}]}})", Joined(kCompensationsMax + 1, compensation)),
       fmt::format("compensations: has {} elements, allowed are {}", kCompensationsMax + 1,
                   kCompensationsMax)},
      {"register_compensation", "a",
       fmt::format(R"({{"id":"i","kind":"k","target":"t","params":{{{}}}}})",
                   Joined(kCompensationParamsMax, label)),
       ""},
      {"register_compensation", "a",
       fmt::format(R"({{"id":"i","kind":"k","target":"t","params":{{{}}}}})",
                   Joined(kCompensationParamsMax + 1, label)),
       fmt::format("params: has {} elements, allowed are {}", kCompensationParamsMax + 1,
                   kCompensationParamsMax)},
  });
  commands::CommandT command = *CommandFromJson("plan", "a", "{}");
  command.body.AsPlan()->payload.resize(kPayloadSizeMax);
  EXPECT_TRUE(ValidateCommand(command).ok());
  command.body.AsPlan()->payload.resize(kPayloadSizeMax + 1);
  EXPECT_EQ(ValidateCommand(command).text(), "payload: has 65537 bytes, allowed are 65536");
}

TEST(ValidateCommand, EnumValuesAreKnown) {
  const auto expect_refused = [](std::string_view name, std::string_view saga_id,
                                 std::string_view json, std::string_view field, auto break_it) {
    commands::CommandT command = *CommandFromJson(name, saga_id, json);
    EXPECT_TRUE(ValidateCommand(command).ok()) << name;
    break_it(command.body);
    EXPECT_EQ(ValidateCommand(command).text().substr(0, field.size()), field);
  };
  const auto bad = [](auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(99);
  };
  using commands::BodyUnion;
  expect_refused("abort_dispatch", "a", R"({"dispatch_token":1})",
                 "then:", [&](BodyUnion& body) { bad(body.AsAbortDispatch()->then); });
  expect_refused("claim_next", "", R"({"queue":"q","owner":"w"})",
                 "as:", [&](BodyUnion& body) { bad(body.AsClaimNext()->as); });
  expect_refused("leave_section", "a", R"({"token":1,"outcome":"o"})",
                 "final:", [&](BodyUnion& body) { bad(body.AsLeaveSection()->final); });
  expect_refused("begin_effect", "a", R"({"token":1,"effect":"e","fingerprint":"f"})",
                 "scope:", [&](BodyUnion& body) { bad(body.AsBeginEffect()->scope); });
  expect_refused("register_compensation", "a", R"({"id":"i","kind":"k","target":"t"})",
                 "when:", [&](BodyUnion& body) { bad(body.AsRegisterCompensation()->when); });
  expect_refused("plan", "a", R"({"compensations":[{"id":"i","kind":"k","target":"t"}]})",
                 "compensations[0].when:", [&](BodyUnion& body) {
                   bad(body.AsPlan()->compensations[0]->when);
                 });
  expect_refused("recover", "a", R"({"observed":1,"decision":"fail"})",
                 "gate:", [&](BodyUnion& body) { bad(body.AsRecover()->gate); });
  expect_refused("recover", "a", R"({"observed":1,"decision":"fail"})",
                 "decision:", [](BodyUnion& body) {
                   body.AsRecover()->decision = static_cast<schema::RecoverDecision>(99);
                 });
  expect_refused("settle_compensation", "a", R"({"id":"i","token":1,"outcome":"done"})",
                 "outcome:", [](BodyUnion& body) {
                   body.AsSettleCompensation()->outcome =
                       static_cast<schema::CompensationOutcome>(99);
                 });
  expect_refused(
      "plan", "a", R"({"policy":{}})", "policy.compensation_order:", [](BodyUnion& body) {
        body.AsPlan()->policy->compensation_order = static_cast<schema::CompensationOrder>(99);
      });
  expect_refused("plan", "a", R"({"policy":{}})", "policy.on_stale:", [](BodyUnion& body) {
    body.AsPlan()->policy->on_stale = static_cast<schema::OnStale>(99);
  });
}

TEST(ValidateCommand, ABodyIsNeeded) {
  commands::CommandT command;
  command.saga_id = "a";
  EXPECT_EQ(ValidateCommand(command).text(), "body: there is no such command");
}

}  // namespace
}  // namespace sagalog
