// Tables from JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "schema/field_path.h"
#include "schema/json_text.h"
#include "schema/saga_generated.h"
#include "schema/schema_reflection.h"
#include "schema/status.h"

namespace sagalog {

// Builds tables from JSON objects. One thread.
class JsonReader {
 public:
  // The value of a table's union that was read elsewhere.
  struct UnionValue {
    std::uint8_t type = 0;
    flatbuffers::Offset<flatbuffers::Table> value;
  };
  using TableOffset = flatbuffers::Offset<flatbuffers::Table>;

  // `object` as a table in the builder. kInvalidArgument, by path, for a member that the form does
  // not have, or of another type, or out of range. A union is read from the members "type" and
  // "body" unless it is given in `part`.
  [[nodiscard]] Result<TableOffset> ReadTable(const TableForm& form,
                                              const JsonValue::Object& object,
                                              const FieldPath& path,
                                              const UnionValue* part = nullptr);

  // The bytes of a buffer with this root. The reader is used up.
  [[nodiscard]] std::string Finish(TableOffset root);

 private:
  // A field that was read and waits for its table to be started.
  struct ReadField {
    const FieldForm* field = nullptr;
    std::int64_t number = 0;
    flatbuffers::uoffset_t offset = 0;
    schema::RequestId request_id;
    std::uint8_t union_type = 0;
  };
  using ReadFields = std::vector<ReadField>;

  [[nodiscard]] Status ReadMember(const TableForm& form, const JsonMember& member,
                                  const FieldPath& path, ReadFields& fields);
  [[nodiscard]] Result<ReadField> ReadValue(const FieldForm& field, const JsonValue& value,
                                            const FieldPath& path);
  [[nodiscard]] Result<TableOffset> ReadTableValue(const TableForm& form, const JsonValue& value,
                                                   const FieldPath& path);
  [[nodiscard]] Result<flatbuffers::uoffset_t> ReadList(const FieldForm& field,
                                                        const JsonValue& value,
                                                        const FieldPath& path);
  [[nodiscard]] Result<flatbuffers::uoffset_t> ReadMap(const JsonValue& value,
                                                       const FieldPath& path);
  [[nodiscard]] Result<UnionValue> ReadUnion(const FieldForm& field,
                                             const JsonValue::Object& object,
                                             const FieldPath& path);
  TableOffset Build(const ReadFields& fields);

  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace sagalog
