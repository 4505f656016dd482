// The hash that a redelivered request is compared with, for ever.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "schema/schema_reflection.h"
#include "schema/verify.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

std::uint64_t ContentOf(std::string_view name, std::string_view saga_id, std::string_view json) {
  const Result<commands::CommandT> command = CommandFromJson(name, saga_id, json);
  EXPECT_TRUE(command.ok()) << json << command.status().text();
  return CommandContent(*command);
}

struct Golden {
  std::string_view command;
  std::string_view json;
  std::uint64_t content;
};

constexpr std::string_view kOwner =
    R"({"owner":"w","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":8})";
constexpr std::string_view kPolicy =
    R"({"lease_ttl":"1s","dispatch_ttl":"2s","reopen_grace":"3s","finalize_grace":"4s",)"
    R"("section_max_age":"5s","max_running":"off","progress_timeout":"7s","max_recoveries":8,)"
    R"("max_dispatch_failures":9,"compensation_ttl":"10s","compensation_order":"registered",)"
    R"("on_stale":"fail","requeue_backoff":"13s"})";

// Written by the first release. A changed value would answer redelivered requests with
// request_conflict.
constexpr Golden kGoldens[] = {
    {"plan",
     R"({{"key":"k","rerun":"r","queue":"q","priority":-3,)"
     R"("not_before":"2026-11-21T03:18:00Z","issue":"i","repository":"p","branch":"b",)"
     R"("worktree":"w","stage":"s","labels":{{"x":"1","a":"2"}},"payload":"AAH/",)"
     R"("parent":"m","depends_on":["d","e"],"compensations":[{{"id":"i","kind":"k",)"
     R"("target":"t","params":{{"p":"v"}},"when":"always",)"
     R"("shared":true}},{{"id":"j"}}],"policy":{policy},"expected_version":"none"}})",
     0xe5f015b63658f15c},
    {"dispatch", R"({{"owner":{owner},"ttl":"30s"}})", 0xab8162930f608aff},
    {"abort_dispatch",
     R"({{"dispatch_token":5,"owner":{owner},"reason":"r","then":"fail",)"
     R"("no_compensation_reason":"n"}})",
     0xe052984ed6c0b391},
    {"acquire", R"({{"owner":{owner},"ttl":"30s","dispatch_token":5,"expected_version":3}})",
     0x449f5b0386a6855e},
    {"claim_next", R"({{"queue":"q","owner":{owner},"ttl":"30s","as":"dispatch"}})",
     0x457036768bf4145f},
    {"heartbeat", R"({{"token":5,"owner":{owner},"ttl":"30s","progress":"50 %"}})",
     0x316f85daa192b2bf},
    {"release", R"({{"token":5,"owner":{owner},"reason":"r"}})", 0x856d485ac0d308d6},
    {"advance_stage", R"({{"token":5,"owner":{owner},"expected":"a","next":"b"}})",
     0xed53a775006cadef},
    {"enter_section",
     R"({{"token":5,"owner":{owner},"name":"n","expected_stage":"s","max_age":"1h"}})",
     0x327aa424e5355414},
    {"leave_section",
     R"({{"token":5,"owner":{owner},"outcome":"o","final":"failed",)"
     R"("no_compensation_reason":"n"}})",
     0x26b36450edf2cc36},
    {"begin_effect",
     R"({{"token":5,"owner":{owner},"effect":"e","fingerprint":"f","scope":"key"}})",
     0x24ae727ee4963354},
    {"settle_effect", R"({{"effect":"e","outcome":"o","result":"r"}})", 0x81788e7bac14926b},
    {"record_exit", R"({{"token":5,"owner":{owner},"exit_code":-1}})", 0xd0cfe0941835a155},
    {"register_compensation",
     R"({{"id":"i","kind":"k","target":"t","params":{{"p":"v","a":"w"}},)"
     R"("when":"always","shared":true,"token":5,"owner":{owner}}})",
     0x2da186ad65df7241},
    {"complete", R"({{"token":5,"owner":{owner},"result":"r"}})", 0xd22bf9f7ea656fce},
    {"fail", R"({{"token":5,"owner":{owner},"reason":"r","no_compensation_reason":"n"}})",
     0x23db0bf229a5ae18},
    {"compensate", R"({{"token":5,"owner":{owner},"reason":"r"}})", 0xf754402ff567f940},
    {"mark_compensated", R"({{"reason":"r"}})", 0xee17a781b29925d8},
    {"quarantine", R"({{"reason":"r"}})", 0xa1fbdb2eb6fb1f25},
    {"cancel", R"({{"reason":"r","cascade":true}})", 0x612852df02261b17},
    {"park", R"({{"reason":"r"}})", 0x5c722f4fab98975f},
    {"unpark", R"({{}})", 0x9b66fe9beca1e62c},
    {"recover",
     R"({{"observed":9,"decision":"complete","evidence":"e","section_outcome":"s",)"
     R"("gate":"pass","counts":false,"no_compensation_reason":"n"}})",
     0xf5a83413054d6c48},
    {"claim_compensation", R"({{"id":"i","executor":"x","ttl":"30s"}})", 0x0430d15acb844cb4},
    {"settle_compensation", R"({{"id":"i","token":5,"outcome":"failed","detail":"d"}})",
     0x275af2ac08a5c0fa},
    {"report_owner", R"({{"identity":{owner},"verdict":"dead","evidence":"e"}})",
     0x0921aa0532566b98},
    {"annotate", R"({{"text":"größe"}})", 0x0c1843e7dd22b4ca},
    {"force_release", R"({{"reason":"r"}})", 0xddc5e3ab29c284ca},
    {"configure_queue", R"({{"queue":"q","limit":"off","frozen":false,"policy":{policy}}})",
     0x9e9ff308c6a51acf},
    {"change_policy", R"({{"policy":{policy},"limit":4}})", 0x25b25fa32ea88dd3},
    {"report_owners", R"({{"identity":{owner},"verdict":"dead","evidence":"e"}})",
     0xd91e5dbc460528ae},
};

TEST(CommandContent, IsWhatTheFirstReleaseSaid) {
  std::map<std::string_view, int> seen;
  for (const Golden& golden : kGoldens) {
    const std::string json = fmt::format(fmt::runtime(golden.json), fmt::arg("owner", kOwner),
                                         fmt::arg("policy", kPolicy));
    const bool has_saga = golden.command != "claim_next" && golden.command != "configure_queue" &&
                          golden.command != "change_policy" && golden.command != "report_owners";
    EXPECT_EQ(ContentOf(golden.command, has_saga ? "saga-1" : "", json), golden.content)
        << fmt::format("{} 0x{:016x}", golden.command,
                       ContentOf(golden.command, has_saga ? "saga-1" : "", json));
    ++seen[golden.command];
  }
  for (const std::string& name : CommandNames()) {
    EXPECT_EQ(seen[name], 1) << name;
  }
}

TEST(CommandContent, EveryFieldOfTheBodyIsContent) {
  for (const commands::Body type : AllCommandTypes()) {
    const std::string_view name = CommandName(type);
    const std::uint64_t all = CommandContent(SampleCommand(type));
    EXPECT_EQ(CommandContent(SampleCommand(type)), all);
    for (const FieldForm& left_out : BodyForm(type).fields) {
      TableForm form = BodyForm(type);
      std::erase_if(form.fields,
                    [&](const FieldForm& field) { return field.name == left_out.name; });
      const std::string members = SampleMembers(form);
      const std::string json =
          fmt::format("{{{}{}{}}}", SampleEnvelope(), members.empty() ? "" : ",", members);
      EXPECT_NE(ContentOf(name, "", json), all) << name << "." << left_out.name;
    }
  }
}

TEST(CommandContent, WhoAsksAndHowOftenIsNoContent) {
  const std::uint64_t content = ContentOf("cancel", "a", R"({"reason":"r"})");
  EXPECT_EQ(ContentOf("cancel", "a",
                      R"({"reason":"r","actor":"me","traceparent":"00-1",)"
                      R"("request_id":"000102030405060708090a0b0c0d0e0f"})"),
            content);
  commands::CommandT command = *CommandFromJson("cancel", "a", R"({"reason":"r"})");
  command.principal = "root";
  EXPECT_EQ(CommandContent(command), content);
}

TEST(CommandContent, TheSagaIsContentButOfAPlan) {
  EXPECT_NE(ContentOf("cancel", "a", "{}"), ContentOf("cancel", "b", "{}"));
  EXPECT_EQ(ContentOf("plan", "a", R"({"key":"k"})"), ContentOf("plan", "b", R"({"key":"k"})"));
  EXPECT_NE(ContentOf("plan", "a", R"({"key":"k"})"), ContentOf("plan", "a", R"({"key":"l"})"));
}

TEST(CommandContent, AnExpectedVersionIsContent) {
  const std::uint64_t any = ContentOf("cancel", "a", "{}");
  const std::uint64_t none = ContentOf("cancel", "a", R"({"expected_version":"none"})");
  const std::uint64_t one = ContentOf("cancel", "a", R"({"expected_version":1})");
  EXPECT_NE(any, none);
  EXPECT_NE(any, one);
  EXPECT_NE(none, one);
}

TEST(CommandContent, AMapHasNoOrder) {
  EXPECT_EQ(ContentOf("plan", "a", R"({"labels":{"a":"1","b":"2"}})"),
            ContentOf("plan", "a", R"({"labels":{"b":"2","a":"1"}})"));
  EXPECT_NE(ContentOf("plan", "a", R"({"labels":{"a":"1","b":"2"}})"),
            ContentOf("plan", "a", R"({"labels":{"a":"2","b":"1"}})"));
  EXPECT_NE(ContentOf("plan", "a", R"({"depends_on":["x","y"]})"),
            ContentOf("plan", "a", R"({"depends_on":["y","x"]})"));
}

TEST(CommandContent, WhatIsSaidIsNotWhatIsMeantByDefault) {
  EXPECT_NE(ContentOf("plan", "a", R"({"policy":{}})"), ContentOf("plan", "a", "{}"));
  EXPECT_NE(ContentOf("plan", "a", R"({"policy":{"max_recoveries":0}})"),
            ContentOf("plan", "a", R"({"policy":{}})"));
  EXPECT_EQ(ContentOf("recover", "a", R"({"counts":true})"), ContentOf("recover", "a", "{}"));
  EXPECT_NE(ContentOf("plan", "a", R"({"not_before":"30s"})"),
            ContentOf("plan", "a", R"({"not_before":"1970-01-01T00:00:30Z"})"));
}

TEST(CommandContent, TextCannotMoveBetweenFields) {
  EXPECT_NE(ContentOf("advance_stage", "a", R"({"expected":"ab","next":"c"})"),
            ContentOf("advance_stage", "a", R"({"expected":"a","next":"bc"})"));
  EXPECT_NE(ContentOf("complete", "a", "{}"), ContentOf("release", "a", "{}"));
}

}  // namespace
}  // namespace sagalog
