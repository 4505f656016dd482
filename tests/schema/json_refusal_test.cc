// What JSON the store does not take, and how it says so.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "schema/limits.h"
#include "schema/schema_reflection.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

struct Refused {
  std::string_view command;
  std::string_view json;
  std::string_view text;
};

std::string TextOf(std::string_view command, std::string_view json) {
  const Result<commands::CommandT> parsed = CommandFromJson(command, "saga-1", json);
  if (parsed.ok()) {
    return "ok";
  }
  EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
  return parsed.status().text();
}

constexpr std::string_view kUint64 = "expected a whole number from 0 to 18446744073709551615";
constexpr std::string_view kInt32 = "expected a whole number from -2147483648 to 2147483647";

constexpr Refused kRefused[] = {
    {"complete", R"({"tokens":7})", "tokens: there is no such field"},
    {"complete", R"({"Token":7})", "Token: there is no such field"},
    {"complete", R"({"type":"complete"})", "type: there is no such field"},
    {"complete", R"({"body":{}})", "body: there is no such field"},
    {"unpark", R"({"unused":true})", "unused: there is no such field"},
    {"acquire", R"({"owner":{"name":"w"}})", "owner.name: there is no such field"},
    {"plan", R"({"compensations":[{"id":"a"},{"ids":"b"}]})",
     "compensations[1].ids: there is no such field"},
    {"complete", R"({"token":7,"token":7})", "token: given more than once"},
    {"acquire", R"({"owner":{"pid":1,"host":"h","pid":1}})", "owner.pid: given more than once"},
    {"plan", R"({"compensations":[{},{"id":"a","id":"b"}]})",
     "compensations[1].id: given more than once"},
    {"plan", R"({"labels":{"a":"1","\u0061":"2"}})", "labels.a: given more than once"},
    {"cancel", R"({"actor":"a","reason":"r","actor":"a"})", "actor: given more than once"},
    {"complete", R"({"token":"7"})", "token: {u64}"},
    {"complete", R"({"token":7.0})", "token: {u64}"},
    {"complete", R"({"token":7e0})", "token: {u64}"},
    {"complete", R"({"token":-1})", "token: {u64}"},
    {"complete", R"({"token":18446744073709551616})", "token: {u64}"},
    {"complete", R"({"token":true})", "token: {u64}"},
    {"complete", R"({"token":[7]})", "token: {u64}"},
    {"complete", R"({"result":7})", "result: expected a text"},
    {"complete", R"({"result":{}})", "result: expected a text"},
    {"record_exit", R"({"exit_code":2147483648})", "exit_code: {i32}"},
    {"record_exit", R"({"exit_code":-2147483649})", "exit_code: {i32}"},
    {"plan", R"({"priority":9223372036854775808})", "priority: {i32}"},
    {"cancel", R"({"cascade":"true"})", "cascade: expected true or false"},
    {"cancel", R"({"cascade":1})", "cascade: expected true or false"},
    {"recover", R"({"decision":0})",
     "decision: expected one of requeue, fail, compensate, quarantine, cancel, complete"},
    {"recover", R"({"decision":"Requeue"})",
     "decision: expected one of requeue, fail, compensate, quarantine, cancel, complete"},
    {"recover", R"({"decision":"requeue fail"})",
     "decision: expected one of requeue, fail, compensate, quarantine, cancel, complete"},
    {"recover", R"({"gate":""})", "gate: expected one of none, pass, fail"},
    {"plan", R"({"policy":{"compensation_order":"registration"}})",
     "policy.compensation_order: expected one of reverse, registered"},
    {"acquire", R"({"ttl":30})", "ttl: expected a duration, like \"30s\""},
    {"acquire", R"({"ttl":"30"})",
     "ttl: \"30\" is no duration: its unit must be one of us, ms, s, m, h and d"},
    {"acquire", R"({"ttl":"off"})",
     "ttl: \"off\" is no duration: it needs a decimal number, like 1.5s"},
    {"plan", R"({"not_before":1795231080})", "not_before: expected an RFC 3339 time"},
    {"plan", R"({"not_before":"2026-11-21"})",
     "not_before: \"2026-11-21\" is no RFC 3339 time with an offset, like 2026-11-21T03:18:00Z"},
    {"acquire", R"({"owner":7})", "owner: expected an object or a text"},
    {"acquire", R"({"owner":["w"]})", "owner: expected an object or a text"},
    {"plan", R"({"policy":"fast"})", "policy: expected an object"},
    {"plan", R"({"depends_on":"a"})", "depends_on: expected a list"},
    {"plan", R"({"depends_on":["a",null]})", "depends_on[1]: expected a text"},
    {"plan", R"({"compensations":{}})", "compensations: expected a list"},
    {"plan", R"({"compensations":["a"]})", "compensations[0]: expected an object"},
    {"plan", R"({"labels":[]})", "labels: expected an object of texts"},
    {"plan", R"({"labels":{"a":1}})", "labels.a: expected a text"},
    {"plan", R"({"labels":{"a":null}})", "labels.a: expected a text"},
    {"cancel", R"({"request_id":"0123"})", "request_id: expected 32 hex digits"},
    {"cancel", R"({"request_id":"0x0102030405060708090a0b0c0d0e0f"})",
     "request_id: expected 32 hex digits"},
    {"cancel", R"({"request_id":1})", "request_id: expected 32 hex digits"},
    {"cancel", R"({"expected_version":"3"})", "expected_version: {u64}"},
    {"cancel", R"({"expected_version":"None"})", "expected_version: {u64}"},
    {"cancel", R"([])", "expected an object"},
    {"cancel", R"(null)", "expected an object"},
    {"cancel", R"("reason")", "expected an object"},
};

TEST(JsonRefusal, NamesTheFieldAndWhatWasExpected) {
  for (const Refused& one : kRefused) {
    EXPECT_EQ(
        TextOf(one.command, one.json),
        fmt::format(fmt::runtime(one.text), fmt::arg("u64", kUint64), fmt::arg("i32", kInt32)))
        << one.json;
  }
}

TEST(JsonRefusal, TextThatIsNoJson) {
  for (const std::string_view json : {"{",
                                      "}",
                                      "{}}",
                                      "{} {}",
                                      "{\"reason\":}",
                                      "{\"reason\":\"a\",}",
                                      "{reason:\"a\"}",
                                      "{'reason':'a'}",
                                      "{\"reason\":\"a\" \"b\"}",
                                      "{\"reason\":\"\n\"}",
                                      "{} // comment",
                                      "{\"reason\":\"\\x\"}",
                                      "{\"reason\":\"\\ud800\"}",
                                      "{\"reason\":\"\\udc00\\ud800\"}",
                                      "{\"reason\":\"\xff\"}",
                                      "{\"reason\":\"\xc0\xaf\"}",
                                      "{\"reason\":\"\xed\xa0\x80\"}",
                                      "{\"reason\":\"\xe2\x82\"}",
                                      "{\"\xff\":1}",
                                      "\xef\xbb\xbf{}",
                                      "{\"cascade\":True}",
                                      "{\"cascade\":01}",
                                      "{\"cascade\":NaN}",
                                      " ",
                                      "\n"}) {
    EXPECT_EQ(TextOf("cancel", json).substr(0, 8), "no JSON:") << json;
  }
}

// Every field of every command in turn, with values of every other kind of JSON.
TEST(JsonRefusal, NoFieldTakesAValueOfAnotherKind) {
  const std::vector<std::string_view> values = {"true", "7.5", "[[]]", R"({"?":{}})"};
  for (const commands::Body type : AllCommandTypes()) {
    for (const FieldForm& field : BodyForm(type).fields) {
      for (const std::string_view value : values) {
        if (field.kind == FieldKind::kBool && value == "true") {
          continue;
        }
        const std::string text =
            TextOf(CommandName(type), fmt::format(R"({{"{}":{}}})", field.name, value));
        EXPECT_EQ(text.substr(0, field.name.size()), field.name) << text << " for " << value;
      }
    }
  }
}

TEST(JsonRefusal, DepthSizeAndNumberOfValuesAreLimited) {
  const auto nested = [](std::size_t depth) {
    return fmt::format(R"({{"?":{}{}}})", std::string(depth - 1, '['), std::string(depth - 1, ']'));
  };
  EXPECT_EQ(TextOf("cancel", nested(kJsonDepthMax)), "?: there is no such field");
  EXPECT_EQ(TextOf("cancel", nested(kJsonDepthMax + 1)).substr(0, 8), "no JSON:");

  const auto list = [](std::size_t values) {
    std::string json = R"({"?":[0)";
    for (std::size_t i = 1; i < values; ++i) {
      json += ",0";
    }
    return json + "]}";
  };
  // The object and the list are values too.
  EXPECT_EQ(TextOf("cancel", list(kJsonValuesMax - 2)), "?: there is no such field");
  EXPECT_EQ(TextOf("cancel", list(kJsonValuesMax - 1)),
            fmt::format("more than {} values", kJsonValuesMax));

  const std::string long_text(kRequestSizeMax - 8, 'a');
  EXPECT_EQ(TextOf("cancel", fmt::format(R"({{"?":"{}"}})", long_text)),
            "?: there is no such field");
  EXPECT_EQ(TextOf("cancel", fmt::format(R"({{"?":"{}"}} )", long_text)),
            fmt::format("{} bytes of JSON, allowed are {}", kRequestSizeMax + 1, kRequestSizeMax));
}

}  // namespace
}  // namespace sagalog
