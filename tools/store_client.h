// One command line's talk with the store: says what went wrong, and how the program exits.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/store_time.h"
#include "tools/connection.h"
#include "tools/global_options.h"

namespace sagalog::tools {

class StoreClient {
 public:
  enum class Access {
    kRead,    // a directory opened by ourselves is opened read-only
    kChange,  // names what is there already: a missing directory is not created for it
    kCreate,  // may be the first command ever
  };

  // Null, with `exit_code` set and the reason on standard error, when the store is not to be had.
  // `patience`: how long a daemon may take for one answer.
  [[nodiscard]] static std::unique_ptr<StoreClient> Open(
      const GlobalOptions& global, Access access, int& exit_code,
      std::chrono::milliseconds patience = kClientPatience);

  // The answer. Nothing, with the exit code set and the refusal on standard error (with --json
  // also as it came on standard output), when the store said no.
  [[nodiscard]] std::optional<boost::json::object> Ask(std::string_view method,
                                                       std::string_view target,
                                                       std::string_view body = {});
  // The bytes of a stream as they come, to its end; the exit code and what is said of errors are
  // as for Ask.
  void Follow(std::string_view target, const Connection::Sink& sink);
  // The answer to a read that may well be refused: then nothing, and nothing is said.
  [[nodiscard]] std::optional<boost::json::object> Look(std::string_view target);
  // The last answer of Ask as it came.
  [[nodiscard]] const std::string& raw() const { return raw_; }

  // The store's time, to say how long ago things were; nothing when it cannot be had.
  [[nodiscard]] std::optional<StoreTime> Now();

  [[nodiscard]] bool IsDaemon() const { return connection_->IsDaemon(); }

 private:
  // Says, before the first answer, that what is read is not all that ever was.
  void WarnOfDamage();

  StoreClient(std::unique_ptr<Connection> connection, const GlobalOptions& global, int& exit_code)
      : connection_(std::move(connection)), global_(global), exit_code_(exit_code) {}

  std::optional<boost::json::object> Take(ApiResponse response);

  std::unique_ptr<Connection> connection_;
  const GlobalOptions& global_;
  int& exit_code_;
  std::string raw_;
};

// Prints "sagalog: TEXT" on standard error.
void PrintError(const GlobalOptions& global, std::string_view text);

// Prints a line on standard output.
void PrintLine(std::string_view line);

// One part of a path, or a value of a query, percent-encoded.
[[nodiscard]] std::string UrlPart(std::string_view text);

// Collects the query of a path: "?state=running&limit=10".
class UrlQuery {
 public:
  // Nothing is added when `value` is empty.
  void Add(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace sagalog::tools
