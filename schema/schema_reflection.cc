#include "schema/schema_reflection.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>

#include <flatbuffers/reflection.h>
#include <fmt/format.h>

#include "schema/answers_bfbs_generated.h"
#include "schema/check.h"
#include "schema/commands_bfbs_generated.h"
#include "schema/events_bfbs_generated.h"
#include "schema/sweep_bfbs_generated.h"

namespace sagalog {
namespace {

constexpr std::string_view kRequestIdName = "sagalog.schema.RequestId";
constexpr std::string_view kLabelName = "sagalog.schema.Label";

template <typename Attributed>
const ::reflection::KeyValue* FindAttribute(const Attributed& of, std::string_view name) {
  if (of.attributes() != nullptr) {
    for (const ::reflection::KeyValue* attribute : *of.attributes()) {
      if (attribute->key()->string_view() == name) {
        return attribute;
      }
    }
  }
  return nullptr;
}

template <typename Attributed>
std::string AttributeText(const Attributed& of, std::string_view name) {
  const auto* attribute = FindAttribute(of, name);
  return attribute == nullptr || attribute->value() == nullptr ? "" : attribute->value()->str();
}

// All forms by name. Pointers to them stay good: maps do not move what they hold.
class Forms {
 public:
  Forms() {
    Load(events::EventBinarySchema::data());
    Load(commands::CommandBinarySchema::data());
    Load(answers::AnswerBinarySchema::data());
    Load(answers::SweepReportBinarySchema::data());
  }

  [[nodiscard]] const TableForm& Table(std::string_view name) const {
    const auto found = tables_.find(name);
    CHECK(found != tables_.end());
    return found->second;
  }

 private:
  void Load(const std::uint8_t* bytes) {
    const ::reflection::Schema& schema = *::reflection::GetSchema(bytes);
    for (const ::reflection::Enum* definition : *schema.enums()) {
      if (!definition->is_union()) {
        LoadEnum(*definition);
      }
    }
    for (const ::reflection::Object* object : *schema.objects()) {
      // A table that was only pointed to so far has no name yet; shared ones are loaded once.
      if (!object->is_struct() && tables_[object->name()->str()].name.empty()) {
        LoadTable(schema, *object);
      }
    }
  }

  void LoadEnum(const ::reflection::Enum& definition) {
    EnumForm& form = enums_[definition.name()->str()];
    form.values.clear();
    for (const ::reflection::EnumVal* value : *definition.values()) {
      CHECK(value->value() == static_cast<std::int64_t>(form.values.size()));
      form.values.push_back(value->name()->str());
    }
  }

  void LoadTable(const ::reflection::Schema& schema, const ::reflection::Object& object) {
    TableForm& form = tables_[object.name()->str()];
    form.name = object.name()->str();
    form.short_form = AttributeText(object, "short_form");
    std::vector<const ::reflection::Field*> fields(object.fields()->begin(),
                                                   object.fields()->end());
    std::sort(fields.begin(), fields.end(),
              [](const auto* left, const auto* right) { return left->id() < right->id(); });
    for (const ::reflection::Field* field : fields) {
      if (!field->deprecated() && field->type()->base_type() != ::reflection::UType) {
        form.fields.push_back(LoadField(schema, *field));
      }
    }
  }

  FieldForm LoadField(const ::reflection::Schema& schema, const ::reflection::Field& field) {
    FieldForm form;
    form.name = field.name()->str();
    form.json_key = fmt::format("\"{}\":", form.name);
    form.offset = field.offset();
    form.optional = field.optional();
    form.default_value = field.default_integer();
    form.always = FindAttribute(field, "always") != nullptr;
    form.off = FindAttribute(field, "off") != nullptr;
    form.version_or_none = FindAttribute(field, "version_or_none") != nullptr;
    form.or_duration = AttributeText(field, "or_duration");
    const ::reflection::Type& type = *field.type();
    switch (type.base_type()) {
      case ::reflection::String: form.kind = FieldKind::kString; break;
      case ::reflection::Obj: LoadObject(schema, type, form); break;
      case ::reflection::Vector: LoadVector(schema, field, form); break;
      case ::reflection::Union: LoadUnion(schema, type, form); break;
      default: LoadScalar(schema, field, form); break;
    }
    return form;
  }

  void LoadScalar(const ::reflection::Schema& schema, const ::reflection::Field& field,
                  FieldForm& form) {
    const ::reflection::Type& type = *field.type();
    CHECK(flatbuffers::IsInteger(type.base_type()));
    form.width = flatbuffers::GetTypeSize(type.base_type());
    CHECK(form.width == 1 || form.width == 4 || form.width == 8);
    form.is_signed =
        type.base_type() == ::reflection::Int || type.base_type() == ::reflection::Long;
    if (type.index() >= 0) {
      form.kind = FieldKind::kEnum;
      form.enumeration = FindEnum(schema, type);
    } else if (type.base_type() == ::reflection::Bool) {
      form.kind = FieldKind::kBool;
    } else if (FindAttribute(field, "time") != nullptr) {
      form.kind = FieldKind::kTime;
    } else if (FindAttribute(field, "duration") != nullptr) {
      form.kind = FieldKind::kDuration;
    } else {
      form.kind = FieldKind::kInteger;
    }
  }

  void LoadObject(const ::reflection::Schema& schema, const ::reflection::Type& type,
                  FieldForm& form) {
    const ::reflection::Object& object = *schema.objects()->Get(ToIndex(type));
    if (object.is_struct()) {
      CHECK(object.name()->string_view() == kRequestIdName);
      form.kind = FieldKind::kRequestId;
    } else {
      form.kind = FieldKind::kTable;
      form.table = &tables_[object.name()->str()];
    }
  }

  void LoadVector(const ::reflection::Schema& schema, const ::reflection::Field& field,
                  FieldForm& form) {
    const ::reflection::Type& type = *field.type();
    if (type.element() == ::reflection::String) {
      form.kind = FieldKind::kStringList;
    } else if (type.element() == ::reflection::Obj) {
      const ::reflection::Object& object = *schema.objects()->Get(ToIndex(type));
      const bool is_map = FindAttribute(field, "map") != nullptr;
      CHECK(!is_map || object.name()->string_view() == kLabelName);
      form.kind = is_map ? FieldKind::kMap : FieldKind::kTableList;
      form.table = &tables_[object.name()->str()];
    } else {
      CHECK(type.element() == ::reflection::UByte);
      const bool is_enum = type.index() >= 0;
      CHECK(is_enum || FindAttribute(field, "base64") != nullptr);
      form.kind = is_enum ? FieldKind::kEnumList : FieldKind::kBase64;
      form.enumeration = is_enum ? FindEnum(schema, type) : nullptr;
    }
  }

  void LoadUnion(const ::reflection::Schema& schema, const ::reflection::Type& type,
                 FieldForm& form) {
    const ::reflection::Enum& definition = *schema.enums()->Get(ToIndex(type));
    UnionForm& alternatives = unions_[definition.name()->str()];
    for (const ::reflection::EnumVal* value : *definition.values()) {
      CHECK(value->value() == static_cast<std::int64_t>(alternatives.members.size()));
      UnionMember& member = alternatives.members.emplace_back();
      if (value->value() != 0) {
        const ::reflection::Object& object = *schema.objects()->Get(ToIndex(*value->union_type()));
        member.name = ToSnakeCase(value->name()->string_view());
        member.table = &tables_[object.name()->str()];
      }
    }
    form.kind = FieldKind::kUnion;
    form.alternatives = &alternatives;
  }

  const EnumForm* FindEnum(const ::reflection::Schema& schema, const ::reflection::Type& type) {
    return &enums_[schema.enums()->Get(ToIndex(type))->name()->str()];
  }

  static flatbuffers::uoffset_t ToIndex(const ::reflection::Type& type) {
    return static_cast<flatbuffers::uoffset_t>(type.index());
  }

  std::map<std::string, TableForm, std::less<>> tables_;
  std::map<std::string, EnumForm, std::less<>> enums_;
  std::map<std::string, UnionForm, std::less<>> unions_;
};

}  // namespace

const FieldForm* TableForm::Find(std::string_view field) const {
  for (const FieldForm& candidate : fields) {
    if (candidate.name == field) {
      return &candidate;
    }
  }
  return nullptr;
}

const TableForm& FindTableForm(std::string_view name) {
  // Never destroyed: other threads may still write JSON while the program ends.
  static const Forms& forms = *new Forms();
  return forms.Table(name);
}

std::string ToSnakeCase(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) {
      snake += snake.empty() ? "" : "_";
      snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else {
      snake += c;
    }
  }
  return snake;
}

}  // namespace sagalog
