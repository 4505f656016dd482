#include "schema/json.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/answers_generated.h"
#include "schema/event_encoder.h"
#include "schema/schema_reflection.h"
#include "schema/store_time.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

TEST(EventJson, EveryFieldOfEveryTypeComesBack) {
  ASSERT_EQ(AllEventTypes().size(), 33U);
  EventEncoder encoder;
  for (const events::Body type : AllEventTypes()) {
    const std::string json = SampleEvent(type);
    const Result<events::EventT> event = EventFromJson(json);
    ASSERT_TRUE(event.ok()) << json << "\n" << event.status().text();
    EXPECT_EQ(event->body.type, type);
    const std::string bytes(encoder.Encode(*event));
    EXPECT_EQ(EventToJson(*events::GetEvent(bytes.data())), json);
  }
}

TEST(EventJson, ThePlaceOfAnEventIsAlwaysWritten) {
  events::EventT event;
  event.body.Set(events::LeasedT());
  EventEncoder encoder;
  EXPECT_EQ(EventToJson(*events::GetEvent(encoder.Encode(event).data())),
            R"({"sequence":0,"saga_id":"","version":0,"previous":0,)"
            R"("time":"1970-01-01T00:00:00.000000Z","type":"leased","body":{"how":"first"}})");
}

TEST(EventJson, TypesHaveTheNamesOfTheContract) {
  std::string names;
  for (const events::Body type : AllEventTypes()) {
    names += fmt::format("{} ", EventTypeName(type));
  }
  EXPECT_EQ(names,
            "planned dispatched dispatch_aborted leased heartbeated released stage_advanced "
            "section_entered section_left effect_begun effect_settled exit_recorded "
            "cancel_requested recovered terminal compensating compensation_registered "
            "compensation_claimed compensation_settled owner_reported annotated parked unparked "
            "force_released store_opened store_restored host_suspended clock_stepped "
            "queue_configured policy_changed refusals_noted compacted redacted ");
}

TEST(EventJson, ATypeIsNeededAndKnown) {
  EXPECT_EQ(EventFromJson(R"({"body":{}})").status().text(), "type: expected the name of a type");
  EXPECT_EQ(EventFromJson(R"({"type":7,"body":{}})").status().text(),
            "type: expected the name of a type");
  EXPECT_EQ(EventFromJson(R"({"type":"Leased","body":{}})").status().text(),
            "type: there is no such type");
  EXPECT_EQ(EventFromJson(R"({"type":"leased"})").status().text(), "body: expected an object");
  EXPECT_EQ(EventFromJson(R"({"type":"leased","body":{"token":-1}})").status().text(),
            "body.token: expected a whole number from 0 to 18446744073709551615");
}

TEST(CommandJson, EveryFieldOfEveryCommandComesBack) {
  ASSERT_EQ(AllCommandTypes().size(), 31U);
  for (const commands::Body type : AllCommandTypes()) {
    const commands::CommandT command = SampleCommand(type);
    EXPECT_EQ(command.body.type, type);
    EXPECT_EQ(ToJson(command), fmt::format(R"({{{},"type":"{}","body":{}}})", SampleEnvelope(),
                                           CommandName(type), SampleObject(BodyForm(type))));
  }
}

TEST(CommandJson, NamesAreTheCommandsOfTheContractInSchemaOrder) {
  EXPECT_EQ(fmt::format("{}", fmt::join(CommandNames(), " ")),
            "plan dispatch abort_dispatch acquire claim_next heartbeat release advance_stage "
            "enter_section leave_section begin_effect settle_effect record_exit "
            "register_compensation complete fail compensate mark_compensated quarantine cancel "
            "park unpark recover claim_compensation settle_compensation report_owner annotate "
            "force_release configure_queue change_policy report_owners");
}

TEST(CommandJson, NoFieldOfABodyIsHiddenByTheEnvelope) {
  const TableForm& envelope = FindTableForm("sagalog.commands.Command");
  for (const commands::Body type : AllCommandTypes()) {
    for (const FieldForm& field : BodyForm(type).fields) {
      EXPECT_EQ(envelope.Find(field.name), nullptr) << field.name;
    }
  }
}

TEST(CommandJson, HyphensAndAnEmptyRequestWillDo) {
  const Result<commands::CommandT> command = CommandFromJson("mark-compensated", "saga-1", "");
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->body.type, commands::Body::MarkCompensated);
  EXPECT_EQ(command->saga_id, "saga-1");
  EXPECT_EQ(command->request_id, nullptr);
  EXPECT_FALSE(CommandFromJson("markcompensated", "saga-1", "").ok());
  EXPECT_FALSE(CommandFromJson("", "saga-1", "").ok());
  EXPECT_FALSE(CommandFromJson("Plan", "saga-1", "").ok());
  EXPECT_FALSE(CommandFromJson("cancel", "saga-1", " ").ok());
}

TEST(CommandJson, TheSagaOfThePathMayOnlyBeRepeated) {
  const auto saga_of = [](std::string_view path, std::string_view json) {
    const Result<commands::CommandT> command = CommandFromJson("plan", path, json);
    return command.ok() ? command->saga_id : command.status().text();
  };
  EXPECT_EQ(saga_of("a", "{}"), "a");
  EXPECT_EQ(saga_of("", R"({"saga_id":"a"})"), "a");
  EXPECT_EQ(saga_of("a", R"({"saga_id":"a"})"), "a");
  EXPECT_EQ(saga_of("a", R"({"saga_id":"b"})"), "saga_id: \"b\" is not the one the request is for");
}

TEST(CommandJson, WhoAsksIsNeverTakenFromJson) {
  EXPECT_EQ(CommandFromJson("cancel", "a", R"({"principal":"root"})").status().text(),
            "principal: there is no such field");
}

TEST(CommandJson, AnOwnerMayBeAPlainName) {
  const Result<commands::CommandT> command =
      CommandFromJson("acquire", "a", R"({"owner":"worker-1"})");
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->body.AsAcquire()->owner->owner, "worker-1");
  const Result<commands::CommandT> report =
      CommandFromJson("report-owner", "a", R"({"identity":"worker-1","verdict":"dead"})");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->body.AsReportOwner()->identity->owner, "worker-1");
}

TEST(CommandJson, NotBeforeIsATimeOrADuration) {
  const auto plan = [](std::string_view json) { return CommandFromJson("plan", "a", json); };
  const Result<commands::CommandT> time = plan(R"({"not_before":"1970-01-01T01:00:01+01:00"})");
  ASSERT_TRUE(time.ok());
  EXPECT_EQ(time->body.AsPlan()->not_before, 1'000'000);
  EXPECT_FALSE(time->body.AsPlan()->not_before_in.has_value());
  for (const std::string_view json : {R"({"not_before":"1.5s"})", R"({"not_before_in":"1.5s"})"}) {
    const Result<commands::CommandT> duration = plan(json);
    ASSERT_TRUE(duration.ok());
    EXPECT_EQ(duration->body.AsPlan()->not_before_in, 1'500'000);
    EXPECT_FALSE(duration->body.AsPlan()->not_before.has_value());
  }
  EXPECT_EQ(plan(R"({"not_before":"30s","not_before_in":"30s"})").status().text(),
            "not_before_in: given more than once");
  EXPECT_EQ(plan(R"({"not_before_in":"30s","not_before":"31s"})").status().text(),
            "not_before: given more than once");
}

TEST(CommandJson, OffAndNoneAreSaidByName) {
  const Result<commands::CommandT> plan = CommandFromJson(
      "plan", "a",
      R"({"expected_version":"none","policy":{"max_recoveries":"off","max_running":"off"}})");
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->expected_version, 0U);
  EXPECT_EQ(plan->body.AsPlan()->policy->max_recoveries, kOff);
  EXPECT_EQ(plan->body.AsPlan()->policy->max_running, kOff);
  EXPECT_FALSE(plan->body.AsPlan()->policy->lease_ttl.has_value());
  EXPECT_EQ(CommandFromJson("configure_queue", "", R"({"limit":-1})").status().text(),
            "limit: a count may not be negative; no limit is \"off\"");
  EXPECT_EQ(CommandFromJson("plan", "a", R"({"policy":{"max_running":"-1us"}})").status().text(),
            "policy.max_running: a duration may not be negative");
  EXPECT_FALSE(CommandFromJson("plan", "a", R"({"policy":{"lease_ttl":"off"}})").ok());
}

TEST(CommandJson, NullIsTheSameAsLeavingOut) {
  const Result<commands::CommandT> command = CommandFromJson(
      "recover", "a", R"({"observed":null,"decision":null,"counts":null,"request_id":null})");
  ASSERT_TRUE(command.ok()) << command.status().text();
  EXPECT_FALSE(command->body.AsRecover()->observed.has_value());
  EXPECT_FALSE(command->body.AsRecover()->decision.has_value());
  EXPECT_TRUE(command->body.AsRecover()->counts);
  EXPECT_EQ(command->request_id, nullptr);
  EXPECT_FALSE(CommandFromJson("recover", "a", R"({"nothing":null})").ok());
}

TEST(TableJson, EveryTableOfTheAnswersComesBack) {
  for (const std::string_view name :
       {"Saga", "Refusal", "Answer", "StaleRow", "CompensationRow", "Queue", "OwnerRow", "Status",
        "SagaPage", "StalePage", "CompensationPage", "OwnerPage"}) {
    const std::string type = fmt::format("sagalog.answers.{}", name);
    const std::string json = SampleObject(FindTableForm(type));
    const Result<std::string> bytes = TableFromJson(type, json);
    ASSERT_TRUE(bytes.ok()) << json << "\n" << bytes.status().text();
    EXPECT_EQ(TableToJson(type, *flatbuffers::GetRoot<flatbuffers::Table>(bytes->data())), json);
  }
}

TEST(TableJson, DefaultsAreLeftOutUnlessTheSchemaSaysAlways) {
  answers::SagaT saga;
  EXPECT_EQ(ToJson(saga),
            R"({"priority":0,"state":"planned","stage":"","version":0,"sequence":0,"attempts":0,)"
            R"("recoveries":0,"dispatch_failures":0,"cancel_pending":false,"parked":false,)"
            R"("compensation_status":"none","compensations":[],"stale":[],"effects":[],)"
            R"("children":[],"labels":{},"depends_on":[]})");
  answers::RefusalT refusal;
  refusal.actual_version = 0;
  refusal.actual_state = schema::State::planned;
  EXPECT_EQ(ToJson(refusal), R"({"code":"none","actual_state":"planned","actual_version":0})");
  commands::RecoverT recover;
  EXPECT_EQ(ToJson(recover), "{}");
  recover.counts = false;
  EXPECT_EQ(ToJson(recover), R"({"counts":false})");
  schema::PolicyT policy;
  policy.compensation_order = schema::CompensationOrder::reverse;
  policy.max_recoveries = 0;
  EXPECT_EQ(ToJson(policy), R"({"max_recoveries":0,"compensation_order":"reverse"})");
}

TEST(TableJson, TextIsEscapedAndAlwaysUtf8) {
  const auto written = [](std::string_view text) {
    commands::AnnotateT annotate;
    annotate.text = text;
    return ToJson(annotate);
  };
  EXPECT_EQ(written(std::string_view("\"\\/\b\f\n\r\t\x1f\x7f\0", 11)),
            "{\"text\":\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u001f\x7f\\u0000\"}");
  EXPECT_EQ(written("grün €\U0001F600"), "{\"text\":\"grün €\U0001F600\"}");
  // Overlong, surrogate, above U+10FFFF, alone, cut off.
  EXPECT_EQ(written("\xC0\xAF"), R"({"text":"\ufffd\ufffd"})");
  EXPECT_EQ(written("\xED\xA0\x80"), R"({"text":"\ufffd\ufffd\ufffd"})");
  EXPECT_EQ(written("\xF4\x90\x80\x80"), R"({"text":"\ufffd\ufffd\ufffd\ufffd"})");
  EXPECT_EQ(written("a\x80z"), R"({"text":"a\ufffdz"})");
  EXPECT_EQ(written("\xE2\x82"), R"({"text":"\ufffd\ufffd"})");
}

TEST(TableJson, EscapesAreReadBack) {
  const Result<commands::AnnotateT> read =
      FromJson<commands::AnnotateT>(R"( {"te\u0078t" : "\u0000\ud83d\ude00\/\b\f\n\r\t\u20ac" } )");
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->text, std::string_view("\0\U0001F600/\b\f\n\r\t€", 14));
}

TEST(TableJson, PayloadIsStrictBase64) {
  const std::string_view texts[] = {"", "AA==", "AAE=", "AAEC", "AAECAw==", "+/+/"};
  for (const std::string_view text : texts) {
    const Result<commands::PlanT> plan =
        FromJson<commands::PlanT>(fmt::format(R"({{"payload":"{}"}})", text));
    ASSERT_TRUE(plan.ok()) << text;
    EXPECT_EQ(ToJson(*plan),
              text.empty() ? std::string("{}") : fmt::format(R"({{"payload":"{}"}})", text));
  }
  for (const std::string_view text :
       {"A", "AA", "AAE", "AA=", "AAE==", "AAEC=", "====", "=", "A===", "AB==", "AAF=", "-_-_",
        "AA E", "AAEC\\n", "AA=A", "AA==AAAA"}) {
    const Result<commands::PlanT> plan =
        FromJson<commands::PlanT>(fmt::format(R"({{"payload":"{}"}})", text));
    ASSERT_FALSE(plan.ok()) << text;
    EXPECT_EQ(plan.status().text(), "payload: expected base64 with padding");
  }
}

TEST(TableJson, NumbersKeepAllTheirBits) {
  for (const std::string_view number :
       {"9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808",
        "18446744073709551615"}) {
    const std::string json = fmt::format(R"({{"token":{}}})", number);
    const Result<commands::CompleteT> complete = FromJson<commands::CompleteT>(json);
    ASSERT_TRUE(complete.ok()) << number;
    EXPECT_EQ(ToJson(*complete), json);
  }
}

}  // namespace
}  // namespace sagalog
