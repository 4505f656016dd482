#include <optional>

#include <fmt/format.h>

#include "schema/field_path.h"
#include "schema/flatbuffer_bytes.h"
#include "schema/schema_reflection.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

using flatbuffers::Offset;
using flatbuffers::String;
using flatbuffers::Table;
using flatbuffers::Vector;

// Walks verified bytes along the schema: enum values must be known, and what is unpacked may not be
// larger than a request may be. Strings may legally share bytes, so that 8 MB could unpack to
// terabytes.
class CommandWalk {
 public:
  [[nodiscard]] Status Check(const TableForm& form, const Table& table, const FieldPath& path) {
    for (const FieldForm& field : form.fields) {
      if (table.GetAddressOf(field.offset) != nullptr) {
        RETURN_IF_ERROR(CheckField(field, table, FieldPath(path, field.name)));
      }
    }
    return Status();
  }

 private:
  // An element's offset and the size before it: what it takes at least when nothing is shared.
  static constexpr std::size_t kElementSize = 8;

  Status CheckField(const FieldForm& field, const Table& table, const FieldPath& path) {
    switch (field.kind) {
      case FieldKind::kEnum: {
        const auto value = table.GetField<std::uint8_t>(field.offset, 0);
        return value < field.enumeration->values.size()
                   ? Status()
                   : path.Refuse(fmt::format("there is no value {}", value));
      }
      case FieldKind::kString:
        return Count(path, table.GetPointer<const String*>(field.offset)->size());
      case FieldKind::kBase64:
        return Count(path, table.GetPointer<const Vector<std::uint8_t>*>(field.offset)->size());
      case FieldKind::kStringList:
        for (const String* text : *table.GetPointer<const Vector<Offset<String>>*>(field.offset)) {
          RETURN_IF_ERROR(Count(path, kElementSize + text->size()));
        }
        return Status();
      case FieldKind::kTable:
        return Check(*field.table, *table.GetPointer<const Table*>(field.offset), path);
      case FieldKind::kMap:
      case FieldKind::kTableList:
        for (const Table* element : *table.GetPointer<const Vector<Offset<Table>>*>(field.offset)) {
          RETURN_IF_ERROR(Count(path, kElementSize));
          RETURN_IF_ERROR(Check(*field.table, *element, path));
        }
        return Status();
      default: return Status();
    }
  }

  Status Count(const FieldPath& path, std::size_t size) {
    unpacked_ += size;
    return unpacked_ <= kRequestSizeMax ? Status() : path.Refuse("the command is too large");
  }

  std::size_t unpacked_ = 0;
};

const TableForm* FindBodyForm(commands::Body type) {
  static const TableForm& form = FindTableForm(commands::Command::GetFullyQualifiedName());
  static const auto& members = form.Find("body")->alternatives->members;
  const auto index = static_cast<std::size_t>(type);
  return index < members.size() ? members[index].table : nullptr;
}

}  // namespace

Status VerifyCommand(std::string_view bytes) {
  if (bytes.size() > kRequestSizeMax) {
    return Status(Code::kInvalidArgument, fmt::format("a command of {} bytes, allowed are {}",
                                                      bytes.size(), kRequestSizeMax));
  }
  const FlatbufferBytes buffer(bytes);
  if (!buffer.Verify<commands::Command>(commands::CommandIdentifier())) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} bytes that are no command", bytes.size()));
  }
  const commands::Command* const command = &buffer.GetRoot<commands::Command>();
  return VerifyCommands({&command, 1});
}

Status VerifyCommands(std::span<const commands::Command* const> commands) {
  static const TableForm& form = FindTableForm(commands::Command::GetFullyQualifiedName());
  CommandWalk walk;
  for (const commands::Command* const command : commands) {
    const TableForm* body_form = FindBodyForm(command->body_type());
    if (body_form == nullptr) {
      return FieldPath("body").Refuse(
          fmt::format("there is no command {}", static_cast<int>(command->body_type())));
    }
    RETURN_IF_ERROR(walk.Check(form, reinterpret_cast<const Table&>(*command), FieldPath()));
    RETURN_IF_ERROR(
        walk.Check(*body_form, *static_cast<const Table*>(command->body()), FieldPath()));
  }
  return Status();
}

}  // namespace sagalog
