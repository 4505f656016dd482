// The schema as the JSON writer and reader walk it: one form for each table and enum, taken from
// the reflection data that flatc embeds. What the attributes mean: schema/saga.fbs.
//
// Thread-safe: all functions are pure, and a form lives as long as the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

namespace sagalog {

struct TableForm;

// The names of an enum's values; the position is the value.
struct EnumForm {
  std::vector<std::string> values;
};

// A member of a union.
struct UnionMember {
  std::string name;  // in snake case: "dispatch_aborted"
  const TableForm* table = nullptr;
};

// The members of a union; the position is the type, 0 is NONE and has no table.
struct UnionForm {
  std::vector<UnionMember> members;
};

// How a field is kept and written.
enum class FieldKind : std::uint8_t {
  kBool,
  kInteger,
  kEnum,
  kTime,
  kDuration,
  kRequestId,
  kString,
  kBase64,
  kMap,
  kTable,
  kTableList,
  kStringList,
  kEnumList,
  kUnion,
};

struct FieldForm {
  std::string name;
  std::string json_key;  // "\"name\":", as it is written
  FieldKind kind = FieldKind::kBool;
  flatbuffers::voffset_t offset = 0;
  // Of a number: its size in bytes, its sign, and what is not written when it is not optional.
  std::size_t width = 0;
  bool is_signed = false;
  bool optional = false;
  std::int64_t default_value = 0;
  // The attributes.
  bool always = false;
  bool off = false;
  bool version_or_none = false;
  std::string or_duration;
  // Of an enum, a table or list of tables, a union.
  const EnumForm* enumeration = nullptr;
  const TableForm* table = nullptr;
  const UnionForm* alternatives = nullptr;
};

// A table's fields in schema order, without the deprecated ones. A union's type is no field of its
// own.
struct TableForm {
  std::string name;
  std::vector<FieldForm> fields;
  std::string short_form;

  [[nodiscard]] const FieldForm* Find(std::string_view field) const;
};

// The form of the table with a full name like "sagalog.schema.Owner", which must be one of the
// schema's.
[[nodiscard]] const TableForm& FindTableForm(std::string_view name);

// "DispatchAborted" as "dispatch_aborted".
[[nodiscard]] std::string ToSnakeCase(std::string_view name);

}  // namespace sagalog
