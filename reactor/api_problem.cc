#include "reactor/api_problem.h"

#include <utility>

#include <fmt/format.h>

#include "reactor/status_refusal.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// The status phrase: with the type "about:blank", RFC 9457 wants it as the title.
std::string_view Title(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 429: return "Too Many Requests";
    default: return "Service Unavailable";
  }
}

// "owner.pid" of "owner.pid: is no number"; empty when the text does not begin with a path.
std::string_view FieldPath(std::string_view text) {
  const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.[]");
  if (end == std::string_view::npos || end == 0 || !text.substr(end).starts_with(": ")) {
    return {};
  }
  return text.substr(0, end);
}

}  // namespace

int HttpStatus(RefusalCode code) {
  switch (code) {
    case RefusalCode::invalid_argument: return 400;
    case RefusalCode::unauthenticated: return 401;
    case RefusalCode::forbidden: return 403;
    case RefusalCode::not_found: return 404;
    case RefusalCode::overloaded: return 429;
    case RefusalCode::read_only:
    case RefusalCode::corrupt: return 503;
    default: return 409;
  }
}

std::string WithSequence(std::string object, Sequence sequence) {
  object.pop_back();
  object += fmt::format("{}\"sequence\":{}}}", object.size() > 1 ? "," : "", sequence.value());
  return object;
}

ApiResponse Answer(std::string json) {
  return ApiResponse{200, "application/json", std::move(json)};
}

ApiResponse ProblemWithHttpStatus(int status, Sequence sequence, const answers::RefusalT& refusal) {
  std::string facts = ToJson(refusal);
  facts.erase(0, 1);
  if (refusal.code == RefusalCode::stage_conflict && refusal.actual_stage.empty()) {
    facts.insert(0, R"("actual_stage":"",)");  // an unset stage is a fact too
  }
  std::string document = fmt::format(R"({{"type":"about:blank","title":"{}","status":{},{})",
                                     Title(status), status, facts);
  return ApiResponse{status, "application/problem+json",
                     WithSequence(std::move(document), sequence)};
}

ApiResponse Problem(Sequence sequence, answers::RefusalT refusal) {
  if (refusal.code == RefusalCode::invalid_argument && refusal.subject.empty()) {
    refusal.subject = FieldPath(refusal.detail);
  }
  return ProblemWithHttpStatus(HttpStatus(refusal.code), sequence, refusal);
}

ApiResponse Problem(Sequence sequence, RefusalCode code, std::string_view detail,
                    std::string_view saga) {
  answers::RefusalT refusal;
  refusal.code = code;
  refusal.detail = detail;
  refusal.saga_id = saga;
  return Problem(sequence, std::move(refusal));
}

ApiResponse Problem(Sequence sequence, const Status& status, std::string_view saga) {
  return Problem(sequence, RefusalOf(status, saga));
}

}  // namespace sagalog
