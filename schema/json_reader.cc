#include "schema/json_reader.h"

#include <optional>

#include <fmt/format.h>

#include "schema/base64.h"
#include "schema/check.h"
#include "schema/json_scalars.h"
#include "schema/store_time.h"

namespace sagalog {
namespace {

bool IsNull(const JsonValue& value) { return std::holds_alternative<JsonNull>(value.is); }

const FieldForm* FindUnion(const TableForm& form) {
  for (const FieldForm& field : form.fields) {
    if (field.kind == FieldKind::kUnion) {
      return &field;
    }
  }
  return nullptr;
}

const JsonValue* FindMember(const JsonValue::Object& object, std::string_view name) {
  for (const JsonMember& member : object) {
    if (member.name == name && !IsNull(member.value)) {
      return &member.value;
    }
  }
  return nullptr;
}

// The name of a union's type in JSON.
constexpr std::string_view kTypeMember = "type";

}  // namespace

Result<JsonReader::TableOffset> JsonReader::ReadTable(const TableForm& form,
                                                      const JsonValue::Object& object,
                                                      const FieldPath& path,
                                                      const UnionValue* part) {
  ReadFields fields;
  const FieldForm* union_field = FindUnion(form);
  if (union_field != nullptr) {
    ReadField& read = fields.emplace_back();
    read.field = union_field;
    UnionValue value;
    if (part != nullptr) {
      value = *part;
    } else {
      ASSIGN_OR_RETURN(value, ReadUnion(*union_field, object, path));
    }
    read.offset = value.value.o;
    read.union_type = value.type;
  }
  for (const JsonMember& member : object) {
    const bool of_union =
        union_field != nullptr && (member.name == kTypeMember || member.name == union_field->name);
    if (of_union && part == nullptr) {
      continue;
    }
    RETURN_IF_ERROR(ReadMember(form, member, FieldPath(path, member.name), fields));
  }
  return Build(fields);
}

Status JsonReader::ReadMember(const TableForm& form, const JsonMember& member,
                              const FieldPath& path, ReadFields& fields) {
  const FieldForm* field = form.Find(member.name);
  if (field == nullptr || field->kind == FieldKind::kUnion) {
    return path.Refuse("there is no such field");
  }
  if (IsNull(member.value)) {
    return Status();
  }
  const auto* text = std::get_if<std::string>(&member.value.is);
  // No instant ends in a unit: what parses as a duration is meant as one.
  if (!field->or_duration.empty() && text != nullptr && ParseDuration(*text).ok()) {
    field = form.Find(field->or_duration);
    CHECK(field != nullptr);
  }
  for (const ReadField& earlier : fields) {
    if (earlier.field == field) {
      return path.Refuse("given more than once");
    }
  }
  ASSIGN_OR_RETURN(fields.emplace_back(), ReadValue(*field, member.value, path));
  return Status();
}

Result<JsonReader::ReadField> JsonReader::ReadValue(const FieldForm& field, const JsonValue& value,
                                                    const FieldPath& path) {
  ReadField read;
  read.field = &field;
  const auto* text = std::get_if<std::string>(&value.is);
  switch (field.kind) {
    case FieldKind::kString:
      if (text == nullptr) {
        return path.Refuse("expected a text");
      }
      read.offset = builder_.CreateString(*text).o;
      return read;
    case FieldKind::kRequestId: {
      const auto id = text == nullptr ? std::nullopt : RequestIdFromHex(*text);
      if (!id) {
        return path.Refuse("expected 32 hex digits");
      }
      read.request_id = *id;
      return read;
    }
    case FieldKind::kBase64: {
      const auto bytes = text == nullptr ? std::nullopt : DecodeBase64(*text);
      if (!bytes) {
        return path.Refuse("expected base64 with padding");
      }
      read.offset = builder_.CreateVector(*bytes).o;
      return read;
    }
    case FieldKind::kTable: {
      ASSIGN_OR_RETURN(const TableOffset table, ReadTableValue(*field.table, value, path));
      read.offset = table.o;
      return read;
    }
    case FieldKind::kMap: {
      ASSIGN_OR_RETURN(read.offset, ReadMap(value, path));
      return read;
    }
    case FieldKind::kStringList:
    case FieldKind::kTableList:
    case FieldKind::kEnumList: {
      ASSIGN_OR_RETURN(read.offset, ReadList(field, value, path));
      return read;
    }
    default: break;
  }
  Result<std::int64_t> number = ScalarFromJson(field, value);
  if (!number.ok()) {
    return path.Refuse(number.status().text());
  }
  read.number = *number;
  return read;
}

Result<JsonReader::TableOffset> JsonReader::ReadTableValue(const TableForm& form,
                                                           const JsonValue& value,
                                                           const FieldPath& path) {
  if (const auto* object = std::get_if<JsonValue::Object>(&value.is)) {
    return ReadTable(form, *object, path);
  }
  if (!form.short_form.empty() && std::holds_alternative<std::string>(value.is)) {
    return ReadTable(form, {{form.short_form, value}}, path);
  }
  return path.Refuse(form.short_form.empty() ? "expected an object"
                                             : "expected an object or a text");
}

Result<flatbuffers::uoffset_t> JsonReader::ReadMap(const JsonValue& value, const FieldPath& path) {
  const auto* object = std::get_if<JsonValue::Object>(&value.is);
  if (object == nullptr) {
    return path.Refuse("expected an object of texts");
  }
  std::vector<flatbuffers::Offset<schema::Label>> labels;
  for (const JsonMember& member : *object) {
    const auto* text = std::get_if<std::string>(&member.value.is);
    if (text == nullptr) {
      return FieldPath(path, member.name).Refuse("expected a text");
    }
    const auto name = builder_.CreateString(member.name);
    labels.push_back(schema::CreateLabel(builder_, name, builder_.CreateString(*text)));
  }
  return builder_.CreateVector(labels).o;
}

Result<flatbuffers::uoffset_t> JsonReader::ReadList(const FieldForm& field, const JsonValue& value,
                                                    const FieldPath& path) {
  const auto* array = std::get_if<JsonValue::Array>(&value.is);
  if (array == nullptr) {
    return path.Refuse("expected a list");
  }
  std::vector<flatbuffers::Offset<void>> offsets;
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const FieldPath element_path(path, i);
    const auto* text = std::get_if<std::string>(&(*array)[i].is);
    if (field.kind == FieldKind::kTableList) {
      ASSIGN_OR_RETURN(const TableOffset table,
                       ReadTableValue(*field.table, (*array)[i], element_path));
      offsets.emplace_back(table.o);
    } else if (field.kind == FieldKind::kStringList) {
      if (text == nullptr) {
        return element_path.Refuse("expected a text");
      }
      offsets.emplace_back(builder_.CreateString(*text).o);
    } else {
      const auto element =
          text == nullptr ? std::nullopt : FindEnumValue(*field.enumeration, *text);
      if (!element) {
        return element_path.Refuse(
            fmt::format("expected one of {}", ListEnumValues(*field.enumeration)));
      }
      values.push_back(*element);
    }
  }
  return field.kind == FieldKind::kEnumList ? builder_.CreateVector(values).o
                                            : builder_.CreateVector(offsets).o;
}

Result<JsonReader::UnionValue> JsonReader::ReadUnion(const FieldForm& field,
                                                     const JsonValue::Object& object,
                                                     const FieldPath& path) {
  const FieldPath type_path(path, kTypeMember);
  const FieldPath body_path(path, field.name);
  const JsonValue* type = FindMember(object, kTypeMember);
  const auto* name = type == nullptr ? nullptr : std::get_if<std::string>(&type->is);
  if (name == nullptr) {
    return type_path.Refuse("expected the name of a type");
  }
  const auto& members = field.alternatives->members;
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (members[i].name != *name) {
      continue;
    }
    const JsonValue* body = FindMember(object, field.name);
    if (body == nullptr) {
      return body_path.Refuse("expected an object");
    }
    ASSIGN_OR_RETURN(const TableOffset table, ReadTableValue(*members[i].table, *body, body_path));
    return UnionValue{static_cast<std::uint8_t>(i), table};
  }
  return type_path.Refuse("there is no such type");
}

JsonReader::TableOffset JsonReader::Build(const ReadFields& fields) {
  const flatbuffers::uoffset_t start = builder_.StartTable();
  for (const ReadField& read : fields) {
    const FieldForm& field = *read.field;
    if (field.kind == FieldKind::kRequestId) {
      builder_.AddStruct(field.offset, &read.request_id);
    } else if (field.kind == FieldKind::kUnion) {
      const auto type_offset = field.offset - sizeof(flatbuffers::voffset_t);
      builder_.AddElement(static_cast<flatbuffers::voffset_t>(type_offset), read.union_type);
      builder_.AddOffset(field.offset, flatbuffers::Offset<void>(read.offset));
    } else if (field.width == 0) {
      builder_.AddOffset(field.offset, flatbuffers::Offset<void>(read.offset));
    } else if (!field.optional && read.number == field.default_value) {
      continue;
    } else if (field.width == 1) {
      builder_.AddElement(field.offset, static_cast<std::uint8_t>(read.number));
    } else if (field.width == 4) {
      builder_.AddElement(field.offset, static_cast<std::uint32_t>(read.number));
    } else {
      builder_.AddElement(field.offset, read.number);
    }
  }
  return TableOffset(builder_.EndTable(start));
}

std::string JsonReader::Finish(TableOffset root) {
  builder_.Finish(root);
  return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
}

}  // namespace sagalog
