// JSON Schemas (2020-12, as OpenAPI 3.1 has them) of the tables of the FlatBuffers schema, made by
// the same reflection that writes and reads their JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/commands_generated.h"
#include "schema/schema_reflection.h"

namespace sagalog {

// What a schema describes: the JSON that the store writes, or the JSON that it takes.
enum class SchemaSide : std::uint8_t { kAnswer, kRequest };

// The members of `components.schemas`, each there as soon as something refers to it. One thread.
class OpenApiSchemas {
 public:
  // {"$ref": …} to a table by its full name ("sagalog.answers.Saga").
  [[nodiscard]] boost::json::object Refer(std::string_view table, SchemaSide side);
  // {"$ref": …} to a component that was added by hand.
  [[nodiscard]] static boost::json::object ReferTo(std::string_view component);
  // A table's own schema, closed: whoever adds members to it adds them to `properties`.
  [[nodiscard]] boost::json::object Table(const TableForm& form, SchemaSide side);
  // The flat object of a command: its own fields and those of its envelope, with what it cannot do
  // without. `names_itself`: no path says which saga or queue it is about.
  [[nodiscard]] boost::json::object Command(commands::Body type, bool names_itself);

  void Add(std::string_view component, boost::json::object schema);
  // All of them, by name.
  [[nodiscard]] boost::json::object Take();

 private:
  boost::json::object Refer(const TableForm& form, SchemaSide side);
  boost::json::object Field(const FieldForm& field, SchemaSide side);
  boost::json::object Integer(const FieldForm& field);
  boost::json::object Time(const FieldForm& field, SchemaSide side);
  void AddUnion(const FieldForm& field, boost::json::object& schema);

  boost::json::object schemas_;
};

// {"type": "string", "enum": […]} of an enum's values.
[[nodiscard]] boost::json::object EnumSchema(const EnumForm& form);

}  // namespace sagalog
