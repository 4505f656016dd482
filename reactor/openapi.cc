#include "reactor/openapi.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/api_routes.h"
#include "reactor/openapi_operations.h"
#include "reactor/openapi_schema.h"
#include "schema/check.h"
#include "schema/json.h"

namespace sagalog {
namespace {

namespace json = boost::json;
using commands::Body;
using schema::RefusalCode;

constexpr std::string_view kTablePrefix = "sagalog.";

json::object Object(std::string_view text) { return json::parse(text).get_object(); }

// "sagas/{saga_id}" as the route table writes it: "sagas/*".
std::string RoutePath(std::string_view path) {
  std::string out(path.substr(0, path.find('{')));
  const std::size_t end = path.find('}');
  return end == std::string_view::npos ? out : out + "*" + std::string(path.substr(end + 1));
}

std::string Hyphened(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

Body CommandOf(std::string_view name) {
  const auto& names = CommandNames();
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? Body::NONE : static_cast<Body>(found - names.begin() + 1);
}

json::array RolesWith(Right right) {
  json::array roles;
  for (const Role role :
       {Role::kWorker, Role::kOrchestrator, Role::kOperator, Role::kAuditor, Role::kAdmin}) {
    if (HasRight(role, right)) {
      roles.emplace_back(RoleName(role));
    }
  }
  return roles;
}

json::object Content(std::string_view media, json::object schema) {
  return {{media, {{"schema", std::move(schema)}}}};
}

struct StatusRow {
  int status;
  std::string_view name;
  std::string_view what;
};
constexpr StatusRow kStatuses[] = {
    {400, "BadRequest", "The request is wrong: `detail` and `subject` say where"},
    {401, "Unauthenticated", "Nobody has said who asks"},
    {403, "Forbidden", "The role may not"},
    {404, "NotFound", "There is no such saga, parent or path"},
    {409, "Refused", "The rules say no: the facts say why not now, or not ever"},
    {429, "Overloaded", "Wait, and send the same again"},
    {503, "Unavailable", "The store takes no commands: ask an operator"},
};

// One document of the interface, from the tables to the text.
class Document {
 public:
  std::string Write();

 private:
  void AddSchemas();
  void AddProblem();
  void AddBatch();
  // A table with a `sequence` beside what it says.
  json::object WithSequence(std::string_view table);
  static json::object OfThenToo(json::object schema);
  json::object Responses() const;
  json::object AnswerSchema(std::string_view answer);
  json::object AnswerContent(const OpenApiOperation& operation);
  json::object RequestSchema(std::string_view request);
  json::array ParametersOf(std::string_view path, std::string_view query) const;
  // What all operations have in common.
  json::object Common(std::string_view id, std::string_view summary, Right right,
                      bool changes) const;
  void AddBody(json::object& operation, json::object schema, std::string_view example) const;
  void AddOperation(const ApiRoute& route, const OpenApiOperation& described);
  void AddCommands(const ApiRoute& route);
  void AddPaths();

  OpenApiSchemas schemas_;
  json::object paths_;
};

json::object Document::WithSequence(std::string_view table) {
  json::object schema = schemas_.Table(FindTableForm(table), SchemaSide::kAnswer);
  schema["properties"].get_object()["sequence"] = OpenApiSchemas::ReferTo("Sequence");
  schema["required"].get_array().emplace_back("sequence");
  return schema;
}

// A read that takes `at` then says what the clock showed.
json::object Document::OfThenToo(json::object schema) {
  schema["properties"].get_object()["time"] = OpenApiSchemas::ReferTo("Time");
  return schema;
}

void Document::AddProblem() {
  json::object problem = WithSequence("sagalog.answers.Refusal");
  json::object& properties = problem["properties"].get_object();
  properties["type"] = Object(R"({"const": "about:blank"})");
  properties["title"] = Object(R"({"type": "string"})");
  properties["status"] = Object(R"({"type": "integer", "minimum": 400, "maximum": 599})");
  for (const char* name : {"type", "title", "status"}) {
    problem["required"].get_array().emplace_back(name);
  }
  problem["description"] = "RFC 9457: a refusal, with the facts that the caller needs to act";
  schemas_.Add("Problem", std::move(problem));
}

void Document::AddBatch() {
  json::array commands;
  for (const std::string& name : CommandNames()) {
    json::object command = schemas_.Command(CommandOf(name), true);
    json::array names{name};
    if (const std::string other = Hyphened(name); other != name) {
      names.emplace_back(other);
    }
    command["properties"].get_object()["do"] = json::object{{"enum", std::move(names)}};
    command["required"].get_array().emplace_back("do");
    commands.emplace_back(std::move(command));
  }
  schemas_.Add("BatchRequest", {{"type", "object"},
                                {"additionalProperties", false},
                                {"required", json::array{"commands"}},
                                {"properties",
                                 {{"atomic", {{"type", "boolean"}, {"default", false}}},
                                  {"commands",
                                   {{"type", "array"},
                                    {"maxItems", kBatchCommandsMax},
                                    {"items", {{"oneOf", std::move(commands)}}}}}}}});
}

void Document::AddSchemas() {
  for (auto& member : Object(OpenApiHandMadeSchemas())) {
    schemas_.Add(member.key(), std::move(member.value().get_object()));
  }
  schemas_.Add("State",
               EnumSchema(*FindTableForm("sagalog.answers.Saga").Find("state")->enumeration));
  for (const char* table :
       {"sagalog.events.Event", "sagalog.events.NotedRefusal", "sagalog.answers.Queue"}) {
    static_cast<void>(schemas_.Refer(table, SchemaSide::kAnswer));
  }
  json::object line = schemas_.Table(FindTableForm("sagalog.events.Event"), SchemaSide::kAnswer);
  line["properties"].get_object()["bytes"] =
      Object(R"({"type": "string", "contentEncoding": "base64"})");
  line["required"].get_array().emplace_back("bytes");
  line["description"] = "An Event, and at its end the bytes that are stored";
  schemas_.Add("ExportLine", std::move(line));
  schemas_.Add("QueueAnswer", OfThenToo(WithSequence("sagalog.answers.Queue")));
  schemas_.Add("PolicyAnswer", OfThenToo(WithSequence("sagalog.answers.StorePolicy")));
  for (const char* page :
       {"SagaPage", "StalePage", "CompensationPage", "OwnerPage", "EffectPage", "SectionPage"}) {
    const TableForm& form = FindTableForm("sagalog.answers." + std::string(page));
    schemas_.Add(page, OfThenToo(schemas_.Table(form, SchemaSide::kAnswer)));
  }
  json::object status = WithSequence("sagalog.answers.Status");
  status["properties"].get_object()["effects_in_doubt"] =
      Object(R"({"type": "integer", "format": "uint64", "minimum": 0})");
  status["properties"].get_object()["audit_lag_events"] =
      Object(R"({"type": "integer", "format": "uint64", "minimum": 0})");
  status["properties"].get_object()["reserve"] = Object(R"({"enum": ["kept", "none"]})");
  status["properties"].get_object()["reaper"] =
      schemas_.Refer("sagalog.answers.Reaper", SchemaSide::kAnswer);
  status["required"].get_array().emplace_back("reaper");
  schemas_.Add("StatusAnswer", std::move(status));
  AddProblem();
  AddBatch();
}

// The refusals by their statuses, each with the codes that have it.
json::object Document::Responses() const {
  json::object responses;
  for (const StatusRow& row : kStatuses) {
    json::array codes;
    for (const RefusalCode code : schema::EnumValuesRefusalCode()) {
      if (code != RefusalCode::none && HttpStatus(code) == row.status) {
        codes.emplace_back(schema::EnumNameRefusalCode(code));
      }
    }
    json::object narrowed{{"status", {{"const", row.status}}},
                          {"code", {{"enum", std::move(codes)}}}};
    json::array parts{OpenApiSchemas::ReferTo("Problem"),
                      json::object{{"properties", std::move(narrowed)}}};
    json::object problem{{"allOf", std::move(parts)}};
    responses[row.name] = {{"description", row.what},
                           {"content", Content("application/problem+json", std::move(problem))}};
  }
  return responses;
}

json::object Document::AnswerSchema(std::string_view answer) {
  return answer.starts_with(kTablePrefix) ? schemas_.Refer(answer, SchemaSide::kAnswer)
                                          : OpenApiSchemas::ReferTo(answer);
}

json::object Document::AnswerContent(const OpenApiOperation& operation) {
  if (operation.answer == "text/plain") {
    return Content(operation.answer, {{"type", "string"}});
  }
  if (operation.answer == "ExportLine") {
    return Content("application/x-ndjson", OpenApiSchemas::ReferTo(operation.answer));
  }
  json::object content;
  const bool only_streams = operation.answer == "application/x-ndjson";
  if (!only_streams) {
    content = Content("application/json", AnswerSchema(operation.answer));
  }
  if (only_streams || operation.query.find("follow") != std::string_view::npos) {
    json::object line = OpenApiSchemas::ReferTo("Event");
    line["description"] = "Of each line of the body";
    content["application/x-ndjson"] = json::object{{"schema", std::move(line)}};
    content["text/event-stream"] = json::object{
        {"schema", {{"type", "string"}, {"description", "`id` is the sequence, `data` an Event"}}}};
  }
  return content;
}

json::object Document::RequestSchema(std::string_view request) {
  if (request.starts_with(kTablePrefix)) {
    return schemas_.Refer(request, SchemaSide::kRequest);
  }
  const Body command = CommandOf(request);
  return command == Body::NONE ? OpenApiSchemas::ReferTo(request)
                               : schemas_.Command(command, command == Body::Plan);
}

json::array Document::ParametersOf(std::string_view path, std::string_view query) const {
  json::array parameters;
  const auto refer = [&](std::string_view name) {
    parameters.emplace_back(
        json::object{{"$ref", fmt::format("#/components/parameters/{}", name)}});
  };
  const json::object known = Object(OpenApiParameters());
  if (const std::size_t open = path.find('{'); open != std::string_view::npos) {
    const std::string name(path.substr(open + 1, path.find('}') - open - 1));
    refer(known.contains("path_" + name) ? "path_" + name : name);
  }
  while (!query.empty()) {
    const std::size_t end = std::min(query.find(' '), query.size());
    refer(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return parameters;
}

json::object Document::Common(std::string_view id, std::string_view summary, Right right,
                              bool changes) const {
  json::object operation{{"operationId", id}, {"summary", summary}};
  if (right == Right::kAnyone) {
    operation["security"] = json::array();
  } else {
    operation["x-sagalog-roles"] = RolesWith(right);
  }
  json::object& responses = (operation["responses"] = json::object()).get_object();
  responses["200"] = json::object();
  for (const StatusRow& row : kStatuses) {
    const bool of_rules = row.status == 409;
    const bool of_access = row.status == 401 || row.status == 403;
    if ((of_rules && !changes) || (of_access && right == Right::kAnyone)) {
      continue;
    }
    responses[std::to_string(row.status)] =
        json::object{{"$ref", fmt::format("#/components/responses/{}", row.name)}};
  }
  return operation;
}

void Document::AddBody(json::object& operation, json::object schema,
                       std::string_view example) const {
  const auto* required = schema.if_contains("required");
  const bool needed = required != nullptr && !required->get_array().empty();
  json::object content{{"schema", std::move(schema)}};
  if (!example.empty()) {
    content["example"] = json::parse(example);
  }
  operation["requestBody"] =
      json::object{{"required", needed}, {"content", {{"application/json", std::move(content)}}}};
}

void Document::AddOperation(const ApiRoute& route, const OpenApiOperation& described) {
  json::object operation =
      Common(described.id, described.summary, route.right, route.method != "GET");
  if (json::array parameters = ParametersOf(described.path, described.query); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (!described.request.empty()) {
    AddBody(operation, RequestSchema(described.request), described.example);
  }
  operation["responses"].get_object()["200"] = {{"description", "Done"},
                                                {"content", AnswerContent(described)}};
  std::string method(route.method);
  std::transform(method.begin(), method.end(), method.begin(),
                 [](unsigned char c) { return static_cast<char>(c | 0x20U); });
  const std::string path =
      fmt::format("/{}{}{}", described.path, described.action.empty() ? "" : ":", described.action);
  json::value& item = paths_[path];
  if (!item.is_object()) {
    item = json::object();
  }
  item.get_object()[method] = std::move(operation);
}

void Document::AddCommands(const ApiRoute& route) {
  for (const OpenApiCommand& command : OpenApiCommands()) {
    const Body type = SagaCommandOf(Hyphened(command.name));
    CHECK(type != Body::NONE);
    json::object operation =
        Common(command.name, command.summary, LeastRightOf(type), route.method != "GET");
    operation["parameters"] = ParametersOf("{saga_id}", "");
    AddBody(operation, schemas_.Command(type, false), command.example);
    operation["responses"].get_object()["200"] = {
        {"description", "Done, or so already"},
        {"content", Content("application/json", AnswerSchema("sagalog.answers.Answer"))}};
    paths_[fmt::format("/v1/sagas/{{saga_id}}:{}", Hyphened(command.name))] =
        json::object{{"post", std::move(operation)}};
  }
}

void Document::AddPaths() {
  for (const ApiRoute& route : ApiRoutes()) {
    if (route.action == "*") {
      AddCommands(route);
      continue;
    }
    for (const OpenApiOperation& described : OpenApiOperations()) {
      if (described.method == route.method && RoutePath(described.path) == route.path &&
          described.action == route.action) {
        AddOperation(route, described);
      }
    }
  }
}

std::string Document::Write() {
  AddSchemas();
  AddPaths();
  json::object schemas = schemas_.Take();
  for (auto& member : schemas) {
    // A page says its cursor also when it is empty.
    if (!member.key().ends_with("Page")) {
      continue;
    }
    json::array& required = member.value().get_object()["required"].get_array();
    if (std::find(required.begin(), required.end(), "cursor") == required.end()) {
      required.emplace_back("cursor");
    }
  }
  json::object document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "sagalog"},
        {"version", SAGALOG_VERSION},
        {"description",
         "An event-sourced store for task sagas. In a request, null is the same as leaving a "
         "field out. docs/api.md tells more."},
        {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
      {"servers", json::array{json::object{{"url", "/"}}}},
      {"security", json::array{json::object{{"token", json::array()}}, json::object()}},
      {"paths", std::move(paths_)}};
  document["components"] = {
      {"securitySchemes",
       {{"token",
         {{"type", "http"},
          {"scheme", "bearer"},
          {"description",
           "An access token; its role says what it may do. The user at the other end of the Unix "
           "socket needs none."}}}}},
      {"parameters", Object(OpenApiParameters())},
      {"responses", Responses()},
      {"schemas", std::move(schemas)}};
  return json::serialize(document);
}

}  // namespace

const std::string& OpenApiDocument() {
  // Never destroyed: a worker may still answer while the program ends.
  static const std::string& document = *new std::string(Document().Write());
  return document;
}

ApiResponse ShowOpenApi(const ApiCall& call) {
  if (const Status status = ApiQuery(call.target.parameters).Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  return Answer(OpenApiDocument());
}

}  // namespace sagalog
