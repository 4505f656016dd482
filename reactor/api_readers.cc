// Who reads the log, and how far they have come.
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/reader_places.h"
#include "schema/json_writer.h"
#include "schema/store_time.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

Result<Sequence> ReadPosition(const ApiCall& call) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  std::optional<Sequence> position;
  for (const JsonMember& argument : arguments) {
    const auto* number = std::get_if<std::int64_t>(&argument.value.is);
    if (argument.name != "position" || number == nullptr || *number < 1) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: only \"position\" is taken here, the sequence that is read "
                                "next",
                                argument.name));
    }
    position = Sequence(static_cast<std::uint64_t>(*number));
  }
  if (!position) {
    return Status(Code::kInvalidArgument, "position: which sequence is read next?");
  }
  return *position;
}

std::string ReaderJson(const LogReader& reader) {
  std::string json = R"({"reader":)";
  AppendJsonString(json, reader.name);
  return json + fmt::format(R"(,"position":{},"moved_at":"{}"}})", reader.position.value(),
                            FormatTime(reader.moved_at));
}

ApiResponse ReaderProblem(const ApiCall& call, const Status& status) {
  return status.code() == Code::kOverloaded
             ? Problem(call.Last(), RefusalCode::limit_reached, status.text())
             : Problem(call.Last(), status);
}

}  // namespace

ApiResponse ListReaders(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  const auto readers = ReadReaders(call.store);
  if (!readers.ok()) {
    return ReaderProblem(call, readers.status());
  }
  std::string json = R"({"items":[)";
  for (const LogReader& reader : *readers) {
    json += (json.back() == '[' ? "" : ",") + ReaderJson(reader);
  }
  return Answer(WithSequence(json + R"(],"cursor":""})", call.Last()));
}

ApiResponse PlaceReader(const ApiCall& call) {
  const auto position = ReadPosition(call);
  if (!position.ok()) {
    return Problem(call.Last(), position.status());
  }
  const auto moved = MoveReader(call.store, call.name, *position);
  if (!moved.ok()) {
    return ReaderProblem(call, moved.status());
  }
  std::string json = fmt::format(R"({{"outcome":"{}","reader":)", *moved ? "ok" : "unchanged");
  AppendJsonString(json, call.name);
  json += fmt::format(R"(,"position":{}}})", position->value());
  return Answer(WithSequence(std::move(json), call.Last()));
}

ApiResponse RemoveReader(const ApiCall& call) {
  const auto arguments = ReadObject(call);
  if (!arguments.ok()) {
    return Problem(call.Last(), arguments.status());
  }
  if (!arguments->empty()) {
    return Problem(call.Last(), RefusalCode::invalid_argument, "a DELETE takes no fields");
  }
  const auto removed = ForgetReader(call.store, call.name);
  if (!removed.ok()) {
    return ReaderProblem(call, removed.status());
  }
  if (!*removed) {
    return Problem(call.Last(), RefusalCode::not_found,
                   fmt::format("there is no reader {}", call.name));
  }
  return Answer(WithSequence(R"({"outcome":"ok"})", call.Last()));
}

}  // namespace sagalog
