#include "schema/json_writer.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <span>

#include "schema/base64.h"
#include "schema/saga_generated.h"
#include "schema/store_time.h"
#include "schema/utf8.h"

namespace sagalog {
namespace {

using flatbuffers::Offset;
using flatbuffers::String;
using flatbuffers::Table;
using flatbuffers::Vector;

// What stands between two members: nothing before the first.
class Separator {
 public:
  void AppendTo(std::string& out) {
    if (!first_) {
      out += ',';
    }
    first_ = false;
  }

 private:
  bool first_ = true;
};

template <typename Number>
void AppendNumber(std::string& out, Number number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

void AppendHex(std::string& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[number >> shift & 15U];
  }
}

// The scalar at `place` bytes in a table, sign-extended when it has a sign.
std::int64_t LoadNumber(const FieldForm& field, const std::uint8_t* place) {
  switch (field.width) {
    case 1: return *place;
    case 4:
      return field.is_signed ? flatbuffers::ReadScalar<std::int32_t>(place)
                             : std::int64_t{flatbuffers::ReadScalar<std::uint32_t>(place)};
    default: return flatbuffers::ReadScalar<std::int64_t>(place);
  }
}

void AppendEnumValue(std::string& out, const EnumForm& form, std::uint8_t value) {
  if (value < form.values.size()) {
    AppendJsonString(out, form.values[value]);
  } else {
    AppendNumber(out, value);
  }
}

void AppendDuration(std::string& out, std::int64_t micros) {
  out += '"';
  out += FormatDuration(Duration(micros));
  out += '"';
}

void AppendScalar(std::string& out, const FieldForm& field, std::int64_t value) {
  if (field.off && value == kOff) {
    out += R"("off")";
    return;
  }
  switch (field.kind) {
    case FieldKind::kBool: out += value != 0 ? "true" : "false"; return;
    case FieldKind::kEnum:
      AppendEnumValue(out, *field.enumeration, static_cast<std::uint8_t>(value));
      return;
    case FieldKind::kTime:
      out += '"';
      AppendTime(out, TimeFromMicros(value));
      out += '"';
      return;
    case FieldKind::kDuration: AppendDuration(out, value); return;
    default: break;
  }
  if (field.version_or_none && value == 0) {
    out += R"("none")";
  } else if (field.is_signed) {
    AppendNumber(out, value);
  } else {
    AppendNumber(out, static_cast<std::uint64_t>(value));
  }
}

void AppendLabels(std::string& out, const Vector<Offset<schema::Label>>* labels) {
  out += '{';
  Separator separator;
  if (labels != nullptr) {
    for (const schema::Label* label : *labels) {
      separator.AppendTo(out);
      AppendJsonString(out, flatbuffers::GetStringView(label->name()));
      out += ':';
      AppendJsonString(out, flatbuffers::GetStringView(label->value()));
    }
  }
  out += '}';
}

template <typename Element, typename AppendElement>
void AppendList(std::string& out, const Vector<Element>* list, AppendElement append) {
  out += '[';
  Separator separator;
  if (list != nullptr) {
    for (const auto& element : *list) {
      separator.AppendTo(out);
      append(element);
    }
  }
  out += ']';
}

void AppendVector(std::string& out, const FieldForm& field, const Table& table) {
  switch (field.kind) {
    case FieldKind::kMap:
      AppendLabels(out, table.GetPointer<const Vector<Offset<schema::Label>>*>(field.offset));
      return;
    case FieldKind::kStringList:
      AppendList(out, table.GetPointer<const Vector<Offset<String>>*>(field.offset),
                 [&](const String* text) { AppendJsonString(out, text->string_view()); });
      return;
    case FieldKind::kTableList:
      AppendList(out, table.GetPointer<const Vector<Offset<Table>>*>(field.offset),
                 [&](const Table* element) { AppendJson(out, *field.table, *element); });
      return;
    case FieldKind::kEnumList:
      AppendList(out, table.GetPointer<const Vector<std::uint8_t>*>(field.offset),
                 [&](std::uint8_t value) { AppendEnumValue(out, *field.enumeration, value); });
      return;
    default: break;
  }
  const auto* bytes = table.GetPointer<const Vector<std::uint8_t>*>(field.offset);
  out += '"';
  if (bytes != nullptr) {
    AppendBase64(out, std::span(bytes->data(), bytes->size()));
  }
  out += '"';
}

void AppendUnion(std::string& out, const FieldForm& field, const Table& table) {
  // The type is the field before the value.
  const auto type = table.GetField<std::uint8_t>(
      static_cast<flatbuffers::voffset_t>(field.offset - sizeof(flatbuffers::voffset_t)), 0);
  const auto& members = field.alternatives->members;
  const auto* value = table.GetPointer<const Table*>(field.offset);
  out += R"("type":)";
  AppendJsonString(out, type < members.size() ? std::string_view(members[type].name) : "");
  out += ',';
  out += field.json_key;
  if (type < members.size() && members[type].table != nullptr && value != nullptr) {
    AppendJson(out, *members[type].table, *value);
  } else {
    out += "{}";
  }
}

bool IsList(FieldKind kind) {
  return kind == FieldKind::kMap || kind == FieldKind::kStringList ||
         kind == FieldKind::kTableList || kind == FieldKind::kEnumList ||
         kind == FieldKind::kBase64;
}

bool IsScalar(const FieldForm& field) { return field.width != 0; }

// Whether the field has nothing to say: it is absent, empty, or a number that has its default.
bool IsLeftOut(const FieldForm& field, const Table& table) {
  const std::uint8_t* place = table.GetAddressOf(field.offset);
  if (place == nullptr) {
    return true;
  }
  if (IsScalar(field)) {
    return !field.optional && LoadNumber(field, place) == field.default_value;
  }
  if (field.kind == FieldKind::kString) {
    return table.GetPointer<const String*>(field.offset)->size() == 0;
  }
  // Vectors of all elements start with their size.
  return IsList(field.kind) &&
         table.GetPointer<const Vector<std::uint8_t>*>(field.offset)->size() == 0;
}

void AppendField(std::string& out, const FieldForm& field, const Table& table) {
  if (field.kind == FieldKind::kUnion) {
    AppendUnion(out, field, table);
    return;
  }
  out += field.json_key;
  const std::uint8_t* place = table.GetAddressOf(field.offset);
  if (IsScalar(field)) {
    AppendScalar(out, field, place == nullptr ? field.default_value : LoadNumber(field, place));
  } else if (IsList(field.kind)) {
    AppendVector(out, field, table);
  } else if (field.kind == FieldKind::kString) {
    AppendJsonString(out,
                     flatbuffers::GetStringView(table.GetPointer<const String*>(field.offset)));
  } else if (place == nullptr) {
    out += "null";
  } else if (field.kind == FieldKind::kTable) {
    AppendJson(out, *field.table, *table.GetPointer<const Table*>(field.offset));
  } else {
    const auto& id = *reinterpret_cast<const schema::RequestId*>(place);
    out += '"';
    AppendHex(out, id.high());
    AppendHex(out, id.low());
    out += '"';
  }
}

// Which bytes cannot stand for themselves in a JSON string.
constexpr std::array<bool, 256> EscapedBytes() {
  std::array<bool, 256> escaped{};
  for (std::size_t byte = 0; byte < escaped.size(); ++byte) {
    escaped[byte] = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
  }
  return escaped;
}

constexpr std::array<bool, 256> kEscapedBytes = EscapedBytes();

// Appends the character at `at` in its JSON form; how many bytes it has.
std::size_t AppendSpecial(std::string& out, std::string_view text, std::size_t at) {
  const auto byte = static_cast<std::uint8_t>(text[at]);
  if (byte >= 0x80) {
    const std::size_t size = Utf8CharacterSize(text, at);
    if (size == 0) {
      out += R"(\ufffd)";
      return 1;
    }
    out.append(text.substr(at, size));
    return size;
  }
  switch (byte) {
    case '"': out += R"(\")"; break;
    case '\\': out += R"(\\)"; break;
    case '\n': out += R"(\n)"; break;
    case '\r': out += R"(\r)"; break;
    case '\t': out += R"(\t)"; break;
    default:
      out += R"(\u00)";
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15U];
      break;
  }
  return 1;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (!kEscapedBytes[static_cast<std::uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    out.append(text.substr(plain, at - plain));
    at += AppendSpecial(out, text, at);
    plain = at;
  }
  out.append(text.substr(plain));
  out += '"';
}

void AppendJson(std::string& out, const TableForm& form, const flatbuffers::Table& table) {
  out += '{';
  Separator separator;
  for (const FieldForm& field : form.fields) {
    if (!field.always && field.kind != FieldKind::kUnion && IsLeftOut(field, table)) {
      continue;
    }
    separator.AppendTo(out);
    AppendField(out, field, table);
  }
  out += '}';
}

}  // namespace sagalog
