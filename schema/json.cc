#include "schema/json.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "schema/json_reader.h"
#include "schema/json_text.h"
#include "schema/json_writer.h"
#include "schema/limits.h"
#include "schema/schema_reflection.h"

namespace sagalog {
namespace {

const FieldForm& FindBody(const TableForm& form) {
  const FieldForm* body = form.Find("body");
  CHECK(body != nullptr && body->kind == FieldKind::kUnion);
  return *body;
}

const TableForm& EventForm() {
  static const TableForm& form = FindTableForm(events::Event::GetFullyQualifiedName());
  return form;
}

const TableForm& CommandForm() {
  static const TableForm& form = FindTableForm(commands::Command::GetFullyQualifiedName());
  return form;
}

template <typename Body>
std::string_view MemberName(const TableForm& form, Body type) {
  const auto& members = FindBody(form).alternatives->members;
  const auto index = static_cast<std::size_t>(type);
  CHECK(index < members.size());
  return members[index].name;
}

Result<JsonValue::Object> ParseObject(std::string_view text) {
  ASSIGN_OR_RETURN(JsonValue value, ParseJsonText(text));
  auto* object = std::get_if<JsonValue::Object>(&value.is);
  if (object == nullptr) {
    return FieldPath().Refuse("expected an object");
  }
  return std::move(*object);
}

// What a caller may say of a command beside its body: all of its table but who is asking, which the
// server knows better, and the body itself.
bool IsEnvelopeField(std::string_view name) {
  const FieldForm* field = CommandForm().Find(name);
  return field != nullptr && field->kind != FieldKind::kUnion && name != "principal";
}

std::optional<std::uint8_t> FindCommand(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  const auto& members = FindBody(CommandForm()).alternatives->members;
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (members[i].name == wanted) {
      return static_cast<std::uint8_t>(i);
    }
  }
  return std::nullopt;
}

// A command from the flat object of its fields and those of its envelope.
Result<commands::CommandT> ReadCommand(std::uint8_t type, JsonValue::Object arguments,
                                       const FieldPath& path) {
  const auto envelope_begin =
      std::stable_partition(arguments.begin(), arguments.end(),
                            [](const JsonMember& member) { return !IsEnvelopeField(member.name); });
  const JsonValue::Object envelope(std::make_move_iterator(envelope_begin),
                                   std::make_move_iterator(arguments.end()));
  arguments.erase(envelope_begin, arguments.end());

  JsonReader reader;
  JsonReader::UnionValue body;
  body.type = type;
  const TableForm& body_form = *FindBody(CommandForm()).alternatives->members[type].table;
  ASSIGN_OR_RETURN(body.value, reader.ReadTable(body_form, arguments, path));
  ASSIGN_OR_RETURN(const JsonReader::TableOffset root,
                   reader.ReadTable(CommandForm(), envelope, path, &body));
  const std::string bytes = reader.Finish(root);
  commands::CommandT command;
  flatbuffers::GetRoot<commands::Command>(bytes.data())->UnPackTo(&command);
  return command;
}

// One that names itself: {"do": "complete", …}.
Result<commands::CommandT> ReadBatchCommand(JsonValue value, const FieldPath& path) {
  auto* object = std::get_if<JsonValue::Object>(&value.is);
  if (object == nullptr) {
    return path.Refuse("expected an object");
  }
  const auto named = std::find_if(object->begin(), object->end(),
                                  [](const JsonMember& member) { return member.name == "do"; });
  const FieldPath name_path(path, "do");
  if (named == object->end()) {
    return name_path.Refuse("is required");
  }
  const auto* name = std::get_if<std::string>(&named->value.is);
  if (name == nullptr) {
    return name_path.Refuse("expected a string");
  }
  const auto type = FindCommand(*name);
  if (!type) {
    return name_path.Refuse(fmt::format("there is no command \"{}\"", *name));
  }
  object->erase(named);
  return ReadCommand(*type, std::move(*object), path);
}

}  // namespace

std::string TableToJson(std::string_view type, const flatbuffers::Table& table) {
  std::string out;
  AppendJson(out, FindTableForm(type), table);
  return out;
}

Result<std::string> TableFromJson(std::string_view type, std::string_view json) {
  ASSIGN_OR_RETURN(const JsonValue::Object object, ParseObject(json));
  JsonReader reader;
  ASSIGN_OR_RETURN(const JsonReader::TableOffset root,
                   reader.ReadTable(FindTableForm(type), object, FieldPath()));
  return reader.Finish(root);
}

std::string EventToJson(const events::Event& event) {
  std::string out;
  AppendEventJson(out, event);
  return out;
}

void AppendEventJson(std::string& out, const events::Event& event) {
  AppendJson(out, EventForm(), reinterpret_cast<const flatbuffers::Table&>(event));
}

Result<events::EventT> EventFromJson(std::string_view json) {
  return FromJson<events::EventT>(json);
}

std::string_view EventTypeName(events::Body type) { return MemberName(EventForm(), type); }

std::string_view CommandName(commands::Body type) { return MemberName(CommandForm(), type); }

const std::vector<std::string>& CommandNames() {
  static const std::vector<std::string>& names = *[] {
    auto* list = new std::vector<std::string>();
    for (const UnionMember& member : FindBody(CommandForm()).alternatives->members) {
      if (member.table != nullptr) {
        list->push_back(member.name);
      }
    }
    return list;
  }();
  return names;
}

Result<commands::CommandT> CommandFromJson(std::string_view name, std::string_view saga_id,
                                           std::string_view json) {
  const auto type = FindCommand(name);
  if (!type) {
    return Status(Code::kInvalidArgument, fmt::format("there is no command \"{}\"", name));
  }
  JsonValue::Object arguments;
  if (!json.empty()) {
    ASSIGN_OR_RETURN(arguments, ParseObject(json));
  }
  ASSIGN_OR_RETURN(commands::CommandT command,
                   ReadCommand(*type, std::move(arguments), FieldPath()));
  if (!saga_id.empty()) {
    if (!command.saga_id.empty() && command.saga_id != saga_id) {
      return Status(
          Code::kInvalidArgument,
          fmt::format("saga_id: \"{}\" is not the one the request is for", command.saga_id));
    }
    command.saga_id = saga_id;
  }
  return command;
}

Result<CommandBatch> BatchFromJson(std::string_view json) {
  ASSIGN_OR_RETURN(JsonValue::Object document, ParseObject(json));
  CommandBatch batch;
  JsonValue::Array* commands = nullptr;
  for (JsonMember& member : document) {
    const FieldPath path(member.name);
    if (member.name == "atomic") {
      const bool* atomic = std::get_if<bool>(&member.value.is);
      if (atomic == nullptr) {
        return path.Refuse("expected true or false");
      }
      batch.atomic = *atomic;
    } else if (member.name == "commands") {
      commands = std::get_if<JsonValue::Array>(&member.value.is);
      if (commands == nullptr) {
        return path.Refuse("expected a list");
      }
    } else {
      return path.Refuse("there is no such field");
    }
  }
  const FieldPath path("commands");
  if (commands == nullptr) {
    return path.Refuse("is required");
  }
  if (commands->size() > kBatchCommandsMax) {
    return path.Refuse(
        fmt::format("has {} elements, allowed are {}", commands->size(), kBatchCommandsMax));
  }
  for (std::size_t i = 0; i < commands->size(); ++i) {
    batch.commands.push_back(ReadBatchCommand(std::move((*commands)[i]), FieldPath(path, i)));
  }
  return batch;
}

}  // namespace sagalog
