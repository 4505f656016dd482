// One request and what the store said to it, for programs that act on the answer themselves.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"
#include "tools/connection.h"

namespace sagalog::tools {

// An answer, or a refusal with its facts.
struct StoreAnswer {
  int status = 0;
  boost::json::object body;

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  // Of a refusal: "stale_token", …
  [[nodiscard]] std::string_view code() const;
  // A refusal in one line.
  [[nodiscard]] std::string Line() const;
};

// Sends a command or a query. An error is about reaching the store or about what came back.
[[nodiscard]] Result<StoreAnswer> Ask(Connection& connection, std::string_view method,
                                      std::string_view target,
                                      const boost::json::object& body = {});

// POST /v1/sagas/SAGA:COMMAND.
[[nodiscard]] Result<StoreAnswer> AskSaga(Connection& connection, std::string_view saga,
                                          std::string_view command,
                                          const boost::json::object& body);

// 32 hex digits that nobody else chooses: a request that is sent twice then counts once.
[[nodiscard]] std::string FreshRequestId();

}  // namespace sagalog::tools
