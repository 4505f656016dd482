// The paths of the HTTP interface without HTTP: the daemon and the command line both answer
// through it, so that they cannot differ.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "reactor/access.h"
#include "reactor/clock.h"
#include "reactor/store.h"
#include "schema/limits.h"

namespace sagalog {

class EventStream;
class EventTail;
struct DaemonFigures;

struct ApiRequest {
  std::string method;     // "GET", "POST", "PUT"
  std::string target;     // path and query: "/v1/sagas/T1:acquire", "/v1/stale?limit=10"
  std::string body;       // JSON, or empty
  std::string principal;  // who asks, as the transport knows it
  Role role = Role::kAdmin;
  std::string owner_prefix = {};
  // The headers of these names.
  std::string accept = {};
  std::string last_event_id = {};
};

struct ApiResponse {
  int status = 200;
  // application/json, or application/problem+json (RFC 9457) with `code` and the refusal's facts.
  std::string content_type;
  std::string body;
  // Of a 405: the methods that the path takes, as the header `Allow` lists them.
  std::string allow = {};
  // Set instead of `body` where the answer has no end: it comes piece by piece.
  std::shared_ptr<EventStream> events = {};
};

struct ApiOptions {
  // Set for a manual clock, which /v1/clock:advance and its kin then move. Borrowed.
  ManualClock* manual_clock = nullptr;
  // What followers of the log share. Borrowed; null = each reads for itself.
  EventTail* tail = nullptr;
  // Where commands are counted, and what /metrics says of the daemon. Borrowed; null = nowhere.
  DaemonFigures* figures = nullptr;
  // How long a read waits for its `min_sequence` before it is refused as `overloaded`.
  std::chrono::milliseconds sequence_patience = kSequencePatience;
};

// Answers one request on the calling thread. Thread-safe. Never fails: what goes wrong is a
// problem document. Paths and their answers: docs/api.md.
[[nodiscard]] ApiResponse HandleApi(Store& store, const ApiRequest& request,
                                    const ApiOptions& options = {});

// The HTTP status of a refusal. What stands outside the rules has one of its own: 404 for an
// unknown path, 405 for a method that a path does not take.
[[nodiscard]] int HttpStatus(schema::RefusalCode code);

}  // namespace sagalog
