// POST /v1/admin/redact.
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/redacting.h"
#include "schema/json_scalars.h"
#include "schema/json_writer.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

Status NoSuchField(const JsonMember& argument) {
  return {Code::kInvalidArgument,
          fmt::format("{}: there is no such field here, or it is of another type", argument.name)};
}

Status TakeText(const JsonMember& argument, const std::string& text, RedactOptions& options) {
  if (argument.name == "reason") {
    options.reason = text;
  } else if (argument.name == "actor") {
    options.actor = text;
  } else if (argument.name == "request_id") {
    const auto id = RequestIdFromHex(text);
    if (!id) {
      return {Code::kInvalidArgument, "request_id: 32 hex digits are needed"};
    }
    options.request_id = *id;
  } else {
    return NoSuchField(argument);
  }
  return {};
}

Result<RedactOptions> ReadRedact(const ApiCall& call) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  RedactOptions options;
  options.principal = call.request.principal;
  for (const JsonMember& argument : arguments) {
    const auto* text = std::get_if<std::string>(&argument.value.is);
    const auto* number = std::get_if<std::int64_t>(&argument.value.is);
    if (argument.name == "sequence" && number != nullptr) {
      if (*number < 1) {
        return Status(Code::kInvalidArgument,
                      fmt::format("sequence: {} is none, the first event is 1", *number));
      }
      options.sequence = Sequence(static_cast<std::uint64_t>(*number));
    } else if (text != nullptr) {
      RETURN_IF_ERROR(TakeText(argument, *text, options));
    } else {
      return NoSuchField(argument);
    }
  }
  if (options.sequence.IsNone()) {
    return Status(Code::kInvalidArgument, "sequence: which event?");
  }
  return options;
}

}  // namespace

ApiResponse RedactEvent(const ApiCall& call) {
  const auto options = ReadRedact(call);
  if (!options.ok()) {
    return Problem(call.Last(), options.status());
  }
  const auto report = RedactOne(call.store, *options);
  if (!report.ok()) {
    return report.status().code() == Code::kConflict
               ? Problem(call.Last(), RefusalCode::request_conflict, report.status().text())
               : Problem(call.Last(), report.status());
  }
  return Answer(
      WithSequence(fmt::format(R"({{"outcome":"{}","replayed":{},"redacted":{},"hash":"{}"}})",
                               report->done ? "ok" : "unchanged", report->replayed,
                               options->sequence.value(), report->hash),
                   report->sequence));
}

}  // namespace sagalog
