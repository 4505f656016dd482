#include "tests/schema/sample_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/event_encoder.h"
#include "schema/json.h"

namespace sagalog {
namespace {

std::string SampleNumber(const FieldForm& field) {
  if (field.off) {
    return R"("off")";
  }
  if (field.version_or_none) {
    return R"("none")";
  }
  if (field.is_signed) {
    return field.width == 4 ? "-2147483648" : "-9223372036854775808";
  }
  return field.width == 4 ? "4294967295" : "18446744073709551615";
}

std::string SampleValue(const FieldForm& field) {
  switch (field.kind) {
    case FieldKind::kBool: return field.default_value == 0 ? "true" : "false";
    case FieldKind::kInteger: return SampleNumber(field);
    case FieldKind::kEnum: return fmt::format("\"{}\"", field.enumeration->values.back());
    case FieldKind::kTime: return R"("2026-11-21T03:18:00.123456Z")";
    case FieldKind::kDuration: return field.off ? R"("off")" : R"("90s")";
    case FieldKind::kRequestId: return R"("000102030405060708090a0b0c0d0eff")";
    case FieldKind::kString: return fmt::format(R"("{} é\"\\\n\u0001")", field.name);
    case FieldKind::kBase64: return R"("AAH/")";
    case FieldKind::kMap: return R"({"one":"1","two":""})";
    case FieldKind::kTable: return SampleObject(*field.table);
    case FieldKind::kTableList: return fmt::format("[{0},{0}]", SampleObject(*field.table));
    case FieldKind::kStringList: return R"(["first","second"])";
    case FieldKind::kEnumList:
      return fmt::format("[\"{}\",\"{}\"]", field.enumeration->values.back(),
                         field.enumeration->values.front());
    case FieldKind::kUnion: break;
  }
  ADD_FAILURE() << "no sample for " << field.name;
  return "null";
}

const std::vector<UnionMember>& Members(std::string_view table) {
  return FindTableForm(table).Find("body")->alternatives->members;
}

}  // namespace

std::string SampleMembers(const TableForm& form) {
  std::string out;
  for (const FieldForm& field : form.fields) {
    out += fmt::format("{}{}{}", out.empty() ? "" : ",", field.json_key, SampleValue(field));
  }
  return out;
}

std::string SampleObject(const TableForm& form) {
  return fmt::format("{{{}}}", SampleMembers(form));
}

std::vector<events::Body> AllEventTypes() {
  const auto& values = events::EnumValuesBody();
  return {std::begin(values) + 1, std::end(values)};
}

std::vector<commands::Body> AllCommandTypes() {
  const auto& values = commands::EnumValuesBody();
  return {std::begin(values) + 1, std::end(values)};
}

const TableForm& BodyForm(events::Body type) {
  return *Members("sagalog.events.Event")[static_cast<std::size_t>(type)].table;
}

const TableForm& BodyForm(commands::Body type) {
  return *Members("sagalog.commands.Command")[static_cast<std::size_t>(type)].table;
}

std::string SampleEvent(events::Body type) {
  const bool of_store = type >= events::Body::StoreOpened;
  return fmt::format(
      R"({{"sequence":9007199254740993,"saga_id":"{}","version":{},"previous":41,)"
      R"("previous_transition":40,"time":"2026-11-21T03:18:00.000000Z",)"
      R"("wall_time":"2026-11-21T03:18:00.000001Z","actor":"someone","principal":"uid 1000",)"
      R"("request_id":"000102030405060708090a0b0c0d0e0f","request_content":18446744073709551615,)"
      R"("traceparent":"00-1-2-01","type":"{}","body":{}}})",
      of_store ? "" : "saga-1", of_store ? 0 : 3, EventTypeName(type),
      SampleObject(BodyForm(type)));
}

std::string SampleEnvelope() {
  return R"("saga_id":"saga-1","request_id":"000102030405060708090a0b0c0d0e0f",)"
         R"("expected_version":9007199254740993,"actor":"someone","traceparent":"00-1-2-01")";
}

std::string SampleEventBytes(events::Body type) {
  const Result<events::EventT> event = EventFromJson(SampleEvent(type));
  EXPECT_TRUE(event.ok()) << event.status().text();
  EventEncoder encoder;
  return std::string(encoder.Encode(*event));
}

std::string EncodeCommand(const commands::CommandT& command) {
  flatbuffers::FlatBufferBuilder builder;
  commands::FinishCommandBuffer(builder, commands::Command::Pack(builder, &command));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

commands::CommandT SampleCommand(commands::Body type) {
  const std::string members = SampleMembers(BodyForm(type));
  const std::string json =
      fmt::format("{{{}{}{}}}", SampleEnvelope(), members.empty() ? "" : ",", members);
  const Result<commands::CommandT> command = CommandFromJson(CommandName(type), "", json);
  EXPECT_TRUE(command.ok()) << CommandName(type) << ": " << command.status().text();
  return *command;
}

std::string SampleCommandBytes(commands::Body type) { return EncodeCommand(SampleCommand(type)); }

}  // namespace sagalog
