#include "schema/verify.h"

#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/event_encoder.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "schema/schema_reflection.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

using flatbuffers::Offset;
using flatbuffers::Table;
using flatbuffers::Vector;

TEST(VerifyEvent, EveryTypeWithEveryFieldIsAnEvent) {
  for (const events::Body type : AllEventTypes()) {
    const Status status = VerifyEvent(SampleEventBytes(type));
    EXPECT_TRUE(status.ok()) << EventTypeName(type) << ": " << status.text();
  }
}

TEST(VerifyCommand, EveryCommandWithEveryFieldIsACommand) {
  for (const commands::Body type : AllCommandTypes()) {
    const Status status = VerifyCommand(SampleCommandBytes(type));
    EXPECT_TRUE(status.ok()) << CommandName(type) << ": " << status.text();
  }
}

TEST(VerifyEvent, BytesMayStandAtAnyAddress) {
  const std::string bytes = SampleEventBytes(events::Body::Planned);
  for (std::size_t shift = 0; shift < 16; ++shift) {
    const std::string shifted = std::string(shift, 'x') + bytes;
    EXPECT_TRUE(VerifyEvent(std::string_view(shifted).substr(shift)).ok()) << shift;
  }
}

// The places of all enum values below `table`, with what is the first unknown value there.
using EnumPlaces = std::vector<std::pair<const std::uint8_t*, std::uint8_t>>;

void FindEnums(const TableForm& form, const Table& table, EnumPlaces& places) {
  for (const FieldForm& field : form.fields) {
    if (field.kind == FieldKind::kEnum) {
      places.emplace_back(table.GetAddressOf(field.offset), field.enumeration->values.size());
    } else if (field.kind == FieldKind::kEnumList) {
      for (const std::uint8_t& value :
           std::span(table.GetPointer<const Vector<std::uint8_t>*>(field.offset)->data(), 2)) {
        places.emplace_back(&value, field.enumeration->values.size());
      }
    } else if (field.kind == FieldKind::kTable) {
      FindEnums(*field.table, *table.GetPointer<const Table*>(field.offset), places);
    } else if (field.kind == FieldKind::kTableList) {
      for (const Table* element : *table.GetPointer<const Vector<Offset<Table>>*>(field.offset)) {
        FindEnums(*field.table, *element, places);
      }
    }
  }
}

// Sets each enum value of `bytes` to the first unknown one; how many there were.
int BreakEachEnum(const std::string& bytes, const TableForm& form, const void* body,
                  const std::function<Status(std::string_view)>& verify) {
  EnumPlaces places;
  FindEnums(form, *static_cast<const Table*>(body), places);
  for (const auto& [place, unknown] : places) {
    for (const std::uint8_t value : {unknown, std::uint8_t{255}}) {
      std::string broken = bytes;
      broken[static_cast<std::size_t>(reinterpret_cast<const char*>(place) - bytes.data())] =
          static_cast<char>(value);
      EXPECT_FALSE(verify(broken).ok()) << form.name << " with " << int{value};
    }
  }
  return static_cast<int>(places.size());
}

TEST(VerifyEvent, NoEnumValueIsUnknown) {
  int enums = 0;
  for (const events::Body type : AllEventTypes()) {
    const std::string bytes = SampleEventBytes(type);
    enums +=
        BreakEachEnum(bytes, BodyForm(type), events::GetEvent(bytes.data())->body(), VerifyEvent);
  }
  EXPECT_GE(enums, 20);
}

TEST(VerifyCommand, NoEnumValueIsUnknown) {
  int enums = 0;
  for (const commands::Body type : AllCommandTypes()) {
    const std::string bytes = SampleCommandBytes(type);
    enums += BreakEachEnum(bytes, BodyForm(type), commands::GetCommand(bytes.data())->body(),
                           VerifyCommand);
  }
  EXPECT_GE(enums, 15);
}

// `bytes` with the type of its body set to `type`.
template <typename Root>
std::string WithBodyType(std::string bytes, int type) {
  const auto& table = *flatbuffers::GetRoot<Table>(bytes.data());
  const auto* place = reinterpret_cast<const char*>(table.GetAddressOf(Root::VT_BODY_TYPE));
  bytes[static_cast<std::size_t>(place - bytes.data())] = static_cast<char>(type);
  return bytes;
}

TEST(VerifyEvent, UnknownTypesAreNoEvents) {
  const std::string bytes = SampleEventBytes(events::Body::Parked);
  for (const int type : {0, static_cast<int>(events::Body::MAX) + 1, 200, 255}) {
    const Status status = VerifyEvent(WithBodyType<events::Event>(bytes, type));
    EXPECT_EQ(status.code(), Code::kCorruption) << type;
    EXPECT_EQ(status.text(), "event 9007199254740993 has an unknown type of event");
  }
}

TEST(VerifyCommand, UnknownTypesAreNoCommands) {
  const std::string bytes = SampleCommandBytes(commands::Body::Park);
  for (const int type : {0, static_cast<int>(commands::Body::MAX) + 1, 200, 255}) {
    const Status status = VerifyCommand(WithBodyType<commands::Command>(bytes, type));
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << type;
    EXPECT_EQ(status.text(), fmt::format("body: there is no command {}", type));
  }
}

struct BrokenEvent {
  std::string_view json;
  std::string_view text;
};

TEST(VerifyEvent, WhatTheTypeNeedsIsThere) {
  const BrokenEvent cases[] = {
      {R"({"saga_id":"a","version":1,"type":"parked","body":{}})", "event 0 has no sequence"},
      {R"({"sequence":5,"saga_id":"a","type":"parked","body":{}})", "event 5 has no version"},
      {R"({"sequence":5,"version":1,"type":"parked","body":{}})", "event 5 has no saga"},
      {R"({"sequence":5,"version":1,"type":"clock_stepped","body":{}})",
       "event 5 has a version at store level"},
      {R"({"sequence":5,"saga_id":"a","type":"clock_stepped","body":{}})",
       "event 5 has a saga at store level"},
      {R"({"sequence":5,"version":2,"saga_id":"a","previous":5,"type":"parked","body":{}})",
       "event 5 has a previous event that is not before it"},
      {R"({"sequence":5,"version":2,"saga_id":"a","previous_transition":6,)"
       R"("type":"parked","body":{}})",
       "event 5 has a previous event that is not before it"},
      {R"("type":"dispatched","body":{})", "no owner"},
      {R"("type":"dispatched","body":{"owner":{"host":"h"}})", "an owner without a name"},
      {R"("type":"leased","body":{})", "no owner"},
      {R"("type":"leased","body":{"owner":"w","taken_from":{}})", "an owner without a name"},
      {R"("type":"recovered","body":{"owner":{}})", "an owner without a name"},
      {R"("type":"force_released","body":{"owner":{}})", "an owner without a name"},
      {R"("type":"section_entered","body":{})", "a section without a name"},
      {R"("type":"effect_begun","body":{})", "no effect"},
      {R"("type":"effect_settled","body":{"effect":""})", "no effect"},
      {R"("type":"terminal","body":{})", "no terminal state"},
      {R"("type":"terminal","body":{"state":"compensating"})", "no terminal state"},
      {R"("type":"planned","body":{"labels":{"":"v"}})", "a label without a name"},
      {R"("type":"planned","body":{"compensations":[{"id":"a"},{"kind":"k"}]})",
       "a compensation without an id"},
      {R"("type":"planned","body":{"inherited_effects":[{"effect":"e"},{}]})",
       "an inherited effect without a name"},
      {R"("type":"compensation_registered","body":{})", "a compensation without an id"},
      {R"("type":"compensation_registered","body":{"compensation":{"id":"c","params":{"":""}}})",
       "a label without a name"},
      {R"("type":"compensation_claimed","body":{})", "a compensation without an id"},
      {R"("type":"compensation_settled","body":{})", "a compensation without an id"},
  };
  EventEncoder encoder;
  for (const BrokenEvent& one : cases) {
    const bool whole = one.json.front() == '{';
    const std::string json =
        whole ? std::string(one.json)
              : fmt::format(R"({{"sequence":5,"saga_id":"a","version":2,"previous":4,{}}})",
                            one.json);
    const Result<events::EventT> event = EventFromJson(json);
    ASSERT_TRUE(event.ok()) << json << event.status().text();
    const Status status = VerifyEvent(encoder.Encode(*event));
    EXPECT_EQ(status.code(), Code::kCorruption) << json;
    EXPECT_EQ(status.text(),
              whole ? std::string(one.text) : fmt::format("event 5 has {}", one.text))
        << json;
  }
}

TEST(VerifyEvent, AQueueHasAName) {
  events::EventT event;
  event.sequence = 1;
  event.body.Set(events::QueueConfiguredT());
  EventEncoder encoder;
  EXPECT_EQ(VerifyEvent(encoder.Encode(event)).text(), "event 1 has no queue");
}

TEST(VerifyEvent, OtherBuffersAreNoEvents) {
  EXPECT_EQ(VerifyEvent("").code(), Code::kCorruption);
  EXPECT_EQ(VerifyEvent("{}").code(), Code::kCorruption);
  EXPECT_EQ(VerifyEvent(SampleCommandBytes(commands::Body::Park)).code(), Code::kCorruption);
  EXPECT_EQ(VerifyEvent(std::string(kEventSizeMax + 1, '\0')).text(),
            fmt::format("an event of {} bytes, allowed are {}", kEventSizeMax + 1, kEventSizeMax));
  EXPECT_EQ(VerifyCommand("").code(), Code::kInvalidArgument);
  EXPECT_EQ(VerifyCommand(SampleEventBytes(events::Body::Parked)).code(), Code::kInvalidArgument);
  EXPECT_EQ(VerifyCommand(std::string(kRequestSizeMax + 1, '\0')).code(), Code::kInvalidArgument);
}

TEST(VerifyEvent, NoPrefixOfAnEventIsRead) {
  for (const events::Body type : AllEventTypes()) {
    const std::string bytes = SampleEventBytes(type);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own, so that a sanitizer sees the first byte that is read too far.
      const std::vector<char> prefix(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const std::string_view view(prefix.data(), prefix.size());
      if (VerifyEvent(view).ok()) {
        // Only the padding at the end can be missing.
        EXPECT_EQ(EventToJson(*events::GetEvent(view.data())), SampleEvent(type));
      }
    }
  }
}

// Changes, removes or doubles a few bytes.
std::string Damaged(const std::string& bytes, std::mt19937_64& random) {
  std::string damaged = bytes;
  const std::size_t changes = 1 + random() % 4;
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = random() % damaged.size();
    switch (random() % 5) {
      case 0: damaged[at] = static_cast<char>(random()); break;
      case 1: damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8)); break;
      case 2: damaged[at] = static_cast<char>(random() % 2 == 0 ? 0xFF : 0x00); break;
      case 3: damaged.erase(at, 1 + random() % 8); break;
      default: damaged.insert(at, damaged.substr(at, 1 + random() % 8)); break;
    }
    if (damaged.empty()) {
      damaged = "x";
    }
  }
  return damaged;
}

TEST(VerifyEvent, WhatIsTakenCanBeUsed) {
  std::mt19937_64 random(1);
  EventEncoder encoder;
  int taken = 0;
  for (const events::Body type : AllEventTypes()) {
    const std::string bytes = SampleEventBytes(type);
    for (int i = 0; i < 800; ++i) {
      const std::string damaged = Damaged(bytes, random);
      const std::vector<std::uint64_t> aligned = [&] {
        std::vector<std::uint64_t> copy((damaged.size() + 7) / 8);
        std::memcpy(copy.data(), damaged.data(), damaged.size());
        return copy;
      }();
      const std::string_view view(reinterpret_cast<const char*>(aligned.data()), damaged.size());
      if (!VerifyEvent(view).ok()) {
        continue;
      }
      ++taken;
      const events::Event& event = *events::GetEvent(view.data());
      EXPECT_FALSE(EventToJson(event).empty());
      const std::unique_ptr<events::EventT> unpacked(event.UnPack());
      EXPECT_TRUE(VerifyEvent(encoder.Encode(*unpacked)).ok());
    }
  }
  // Damage in a text or number cannot be seen here: that is what checksums are for.
  EXPECT_GT(taken, 1000);
}

TEST(VerifyCommand, WhatIsTakenCanBeUsed) {
  std::mt19937_64 random(2);
  int taken = 0;
  for (const commands::Body type : AllCommandTypes()) {
    const std::string bytes = SampleCommandBytes(type);
    for (int i = 0; i < 800; ++i) {
      const std::string damaged = Damaged(bytes, random);
      if (!VerifyCommand(damaged).ok()) {
        continue;
      }
      ++taken;
      const std::unique_ptr<commands::CommandT> unpacked(
          commands::GetCommand(damaged.data())->UnPack());
      EXPECT_TRUE(VerifyCommand(EncodeCommand(*unpacked)).ok());
      EXPECT_EQ(CommandContent(*unpacked), CommandContent(*unpacked));
      ValidateCommand(*unpacked).IgnoreBecause("damaged, so either answer is right");
    }
  }
  EXPECT_GT(taken, 1000);
}

TEST(VerifyCommand, SharedBytesDoNotUnpackToMoreThanARequest) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(1U << 20, 'a'));
  const std::vector<flatbuffers::Offset<flatbuffers::String>> texts(1000, text);
  const auto depends_on = builder.CreateVector(texts);
  commands::PlanBuilder plan(builder);
  plan.add_depends_on(depends_on);
  const auto body = plan.Finish();
  commands::CommandBuilder command(builder);
  command.add_body_type(commands::Body::Plan);
  command.add_body(body.Union());
  commands::FinishCommandBuffer(builder, command.Finish());
  EXPECT_EQ(
      VerifyCommand({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()})
          .text(),
      "depends_on: the command is too large");
}

TEST(VerifyCommand, SharedTablesAreCounted) {
  flatbuffers::FlatBufferBuilder builder;
  const auto label = schema::CreateLabelDirect(builder, "n", "v");
  const std::vector<flatbuffers::Offset<schema::Label>> labels(100'000, label);
  const auto list = builder.CreateVector(labels);
  commands::PlanBuilder plan(builder);
  plan.add_labels(list);
  const auto body = plan.Finish();
  commands::CommandBuilder command(builder);
  command.add_body_type(commands::Body::Plan);
  command.add_body(body.Union());
  commands::FinishCommandBuffer(builder, command.Finish());
  EXPECT_FALSE(
      VerifyCommand({reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()})
          .ok());
}

}  // namespace
}  // namespace sagalog
