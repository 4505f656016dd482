#include "reactor/openapi_schema.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/answers_generated.h"
#include "schema/check.h"
#include "schema/events_generated.h"
#include "schema/json.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

namespace json = boost::json;

constexpr std::string_view kCommandRoom = "sagalog.commands.";

const TableForm& EventForm() { return FindTableForm(events::Event::GetFullyQualifiedName()); }

const TableForm& CommandForm() { return FindTableForm(commands::Command::GetFullyQualifiedName()); }

const UnionForm& BodiesOf(const TableForm& form) { return *form.Find("body")->alternatives; }

bool IsEventBody(const TableForm& form) {
  const auto& members = BodiesOf(EventForm()).members;
  return std::any_of(members.begin(), members.end(),
                     [&](const UnionMember& member) { return member.table == &form; });
}

// The name of a table as a component. Those of different rooms must not meet: an event `planned`
// has a body PlannedEvent, the command a PlanCommand; what is sent may be shorter than what comes.
std::string ComponentName(const TableForm& form, SchemaSide side) {
  const std::string_view full = form.name;
  std::string name(full.substr(full.rfind('.') + 1));
  if (full.starts_with(kCommandRoom)) {
    return name + "Command";
  }
  if (IsEventBody(form)) {
    return name + "Event";
  }
  return side == SchemaSide::kRequest ? name + "Argument" : name;
}

json::object Text(std::string_view pattern = {}) {
  json::object schema{{"type", "string"}};
  if (!pattern.empty()) {
    schema["pattern"] = pattern;
  }
  return schema;
}

json::object AnyOf(json::object first, json::object second) {
  return {{"anyOf", json::array{std::move(first), std::move(second)}}};
}

json::object ListOf(json::object items) { return {{"type", "array"}, {"items", std::move(items)}}; }

// No refusal has the code `none`.
bool IsRefusalCode(const EnumForm& form) {
  static const EnumForm& codes =
      *FindTableForm(answers::Refusal::GetFullyQualifiedName()).Find("code")->enumeration;
  return &form == &codes;
}

// A value that a field takes, to find out what else is asked for.
json::value SampleOf(const FieldForm& field) {
  switch (field.kind) {
    case FieldKind::kInteger: return 1;
    case FieldKind::kDuration: return "1s";
    default: return "x";
  }
}

// The others are about a queue or the store, and refuse what is said of a saga.
bool IsAboutOneSaga(commands::Body type) {
  return type != commands::Body::ClaimNext && type != commands::Body::ConfigureQueue &&
         type != commands::Body::ChangePolicy && type != commands::Body::ReportOwners;
}

bool IsTakenBy(commands::Body type, const FieldForm& of_every_command) {
  const std::string_view name = of_every_command.name;
  const bool says_a_saga = name == "saga_id" || name == "expected_version";
  return of_every_command.kind != FieldKind::kUnion && name != "principal" &&
         (IsAboutOneSaga(type) || !says_a_saga);
}

// The field that the store misses in these arguments, if it misses one.
std::string MissingField(commands::Body type, const json::object& arguments, bool names_itself) {
  auto command = CommandFromJson(CommandName(type), "", json::serialize(arguments));
  if (!command.ok()) {
    return {};
  }
  if (!names_itself && IsAboutOneSaga(type)) {
    command->saga_id = "x";  // as the path says
  }
  const Status status = ValidateCommand(*command);
  constexpr std::string_view kMissing = ": is required";
  const std::string text(status.text());
  return !status.ok() && text.ends_with(kMissing) ? text.substr(0, text.size() - kMissing.size())
                                                  : std::string();
}

// The fields that no command of the type does without, as the validation says that names one after
// the other; of an enum, what all of its values ask for.
std::set<std::string> RequiredFields(commands::Body type, json::object arguments,
                                     bool names_itself) {
  const std::string missing = MissingField(type, arguments, names_itself);
  const TableForm& body = *BodiesOf(CommandForm()).members[static_cast<std::size_t>(type)].table;
  const FieldForm* field = body.Find(missing);
  field = field == nullptr ? CommandForm().Find(missing) : field;
  if (missing.empty() || field == nullptr || arguments.contains(missing)) {
    return {};
  }
  std::vector<json::value> samples{SampleOf(*field)};
  if (field->kind == FieldKind::kEnum) {
    samples.assign(field->enumeration->values.begin(), field->enumeration->values.end());
  }
  std::set<std::string> required;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    arguments[missing] = samples[i];
    const std::set<std::string> more = RequiredFields(type, arguments, names_itself);
    if (i == 0) {
      required = more;
    } else {
      std::erase_if(required, [&](const std::string& name) { return !more.contains(name); });
    }
  }
  required.insert(missing);
  return required;
}

}  // namespace

json::object EnumSchema(const EnumForm& form) {
  json::array values(form.values.begin(), form.values.end());
  if (IsRefusalCode(form)) {
    values.erase(values.begin());
  }
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json::object OpenApiSchemas::ReferTo(std::string_view component) {
  return {{"$ref", fmt::format("#/components/schemas/{}", component)}};
}

json::object OpenApiSchemas::Refer(std::string_view table, SchemaSide side) {
  return Refer(FindTableForm(table), side);
}

json::object OpenApiSchemas::Refer(const TableForm& form, SchemaSide side) {
  const std::string name = ComponentName(form, side);
  if (!schemas_.contains(name)) {
    schemas_[name] = nullptr;  // a table may hold tables of its own kind
    schemas_[name] = Table(form, side);
  }
  json::object reference = ReferTo(name);
  return side == SchemaSide::kRequest && !form.short_form.empty()
             ? AnyOf(std::move(reference), Text())
             : reference;
}

void OpenApiSchemas::Add(std::string_view component, json::object schema) {
  CHECK(!schemas_.contains(component));
  schemas_[component] = std::move(schema);
}

json::object OpenApiSchemas::Take() {
  std::vector<std::string> names;
  for (const auto& member : schemas_) {
    names.emplace_back(member.key());
  }
  std::sort(names.begin(), names.end());
  json::object sorted;
  for (const std::string& name : names) {
    sorted[name] = std::move(schemas_[name]);
  }
  return sorted;
}

json::object OpenApiSchemas::Integer(const FieldForm& field) {
  json::object schema{
      {"type", "integer"},
      {"format", fmt::format("{}int{}", field.is_signed ? "" : "u", field.width * 8)}};
  // A count that may be off is not negative.
  if (!field.is_signed || field.off) {
    schema["minimum"] = 0;
  }
  return schema;
}

json::object OpenApiSchemas::Time(const FieldForm& field, SchemaSide side) {
  if (side == SchemaSide::kAnswer) {
    return ReferTo("Time");
  }
  json::object instant{{"type", "string"}, {"format", "date-time"}};
  return field.or_duration.empty() ? instant : AnyOf(std::move(instant), ReferTo("Duration"));
}

json::object OpenApiSchemas::Field(const FieldForm& field, SchemaSide side) {
  json::object schema;
  switch (field.kind) {
    case FieldKind::kBool: return {{"type", "boolean"}};
    case FieldKind::kInteger: schema = Integer(field); break;
    case FieldKind::kEnum: return EnumSchema(*field.enumeration);
    case FieldKind::kTime: return Time(field, side);
    case FieldKind::kDuration: schema = ReferTo("Duration"); break;
    case FieldKind::kRequestId: return ReferTo("RequestId");
    case FieldKind::kString: return Text();
    case FieldKind::kBase64: return {{"type", "string"}, {"contentEncoding", "base64"}};
    case FieldKind::kMap: return {{"type", "object"}, {"additionalProperties", Text()}};
    case FieldKind::kTable: return Refer(*field.table, side);
    case FieldKind::kTableList: return ListOf(Refer(*field.table, side));
    case FieldKind::kStringList: return ListOf(Text());
    case FieldKind::kEnumList: return ListOf(EnumSchema(*field.enumeration));
    case FieldKind::kUnion: break;
  }
  if (field.off) {
    return AnyOf(std::move(schema), {{"const", "off"}});
  }
  return field.version_or_none ? AnyOf(std::move(schema), {{"const", "none"}}) : schema;
}

// A union is two members: what it is, and the body of that.
void OpenApiSchemas::AddUnion(const FieldForm& field, json::object& schema) {
  json::array names;
  json::array alternatives;
  for (const UnionMember& member : field.alternatives->members) {
    if (member.table == nullptr) {
      continue;
    }
    names.emplace_back(member.name);
    const json::object body = Refer(*member.table, SchemaSide::kAnswer);
    alternatives.push_back(
        json::object{{"properties", {{"type", {{"const", member.name}}}, {field.name, body}}}});
  }
  json::object& properties = schema["properties"].get_object();
  properties["type"] = json::object{{"type", "string"}, {"enum", std::move(names)}};
  properties[field.name] = json::object{{"type", "object"}};
  schema["required"].get_array().emplace_back("type");
  schema["required"].get_array().emplace_back(field.name);
  schema["oneOf"] = std::move(alternatives);
}

json::object OpenApiSchemas::Table(const TableForm& form, SchemaSide side) {
  json::object schema{{"type", "object"},
                      {"additionalProperties", false},
                      {"properties", json::object()},
                      {"required", json::array()}};
  for (const FieldForm& field : form.fields) {
    if (field.kind == FieldKind::kUnion) {
      AddUnion(field, schema);
      continue;
    }
    json::object value = Field(field, side);
    schema["properties"].get_object()[field.name] = std::move(value);
    if (side == SchemaSide::kAnswer && field.always) {
      schema["required"].get_array().emplace_back(field.name);
    }
  }
  return schema;
}

json::object OpenApiSchemas::Command(commands::Body type, bool names_itself) {
  const TableForm& body = *BodiesOf(CommandForm()).members[static_cast<std::size_t>(type)].table;
  json::object schema = Table(body, SchemaSide::kRequest);
  for (const FieldForm& field : CommandForm().fields) {
    if (IsTakenBy(type, field)) {
      json::object value = Field(field, SchemaSide::kRequest);
      schema["properties"].get_object()[field.name] = std::move(value);
    }
  }
  json::object given;
  if (!names_itself &&
      (type == commands::Body::ClaimNext || type == commands::Body::ConfigureQueue)) {
    given["queue"] = "x";
  }
  json::array& required = schema["required"].get_array();
  for (const std::string& name : RequiredFields(type, given, names_itself)) {
    required.emplace_back(name);
  }
  return schema;
}

}  // namespace sagalog
