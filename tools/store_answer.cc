#include "tools/store_answer.h"

#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/store_client.h"

namespace sagalog::tools {

std::string_view StoreAnswer::code() const { return TextIn(body, "code"); }

std::string StoreAnswer::Line() const {
  const std::string line = RefusalLine(body);
  const std::string facts = RefusalFacts(body);
  if (line.empty()) {
    return fmt::format("HTTP status {}", status);
  }
  return facts.empty() ? line : fmt::format("{} ({})", line, facts);
}

Result<StoreAnswer> Ask(Connection& connection, std::string_view method, std::string_view target,
                        const boost::json::object& body) {
  const std::string text = method == "GET" ? std::string() : boost::json::serialize(body);
  ASSIGN_OR_RETURN(const ApiResponse response, connection.Send(method, target, text));
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(response.body, error);
  if (error || !value.is_object()) {
    return Status(Code::kIoError,
                  fmt::format("{} was answered {} without JSON", target, response.status));
  }
  return StoreAnswer{response.status, std::move(value.get_object())};
}

Result<StoreAnswer> AskSaga(Connection& connection, std::string_view saga, std::string_view command,
                            const boost::json::object& body) {
  return Ask(connection, "POST", fmt::format("/v1/sagas/{}:{}", UrlPart(saga), command), body);
}

std::string FreshRequestId() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

}  // namespace sagalog::tools
