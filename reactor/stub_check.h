// Whether a record itself vouches for the events of which only a hash is left. A leaf hash covers
// the bytes that are gone, not those that took their place. docs/audit.md, "What only has a hash".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "schema/event_stub.h"
#include "schema/status.h"

namespace sagalog {

// Sees all events of a record in order. A compacted heartbeat is vouched for by the next whole
// event of its saga, which names its place, its version and the last transition before it; a
// redacted event by the `redacted` event that names both hashes. Its memory grows with the sagas
// that wait for such an event and the redacted events that do, not with the record. One thread.
class StubCheck {
 public:
  // Of the record's events, the first `signed_size` are those of a signed checkpoint.
  explicit StubCheck(std::uint64_t signed_size) : signed_size_(signed_size) {}

  // kCorruption when what is left of an event is not what the record says was left of it.
  [[nodiscard]] Status Pass(const events::Event& event, std::string_view bytes);

  // How many are vouched for only by events behind those that were signed.
  [[nodiscard]] std::uint64_t vouched_unsigned() const { return vouched_unsigned_; }
  // The first that nothing vouches for so far.
  [[nodiscard]] std::optional<std::uint64_t> FirstUnvouched() const;

 private:
  // The newest of a saga's heartbeats that wait, and how many do.
  struct Waiting {
    std::uint64_t sequence = 0;
    std::uint64_t version = 0;
    std::uint64_t transition = 0;
    std::uint64_t count = 0;
  };
  struct Left {
    EventHash leaf;
    EventHash left;
  };

  Status PassSaga(const events::Event& event);
  Status PassRedacted(const events::Event& event, const events::Redacted& redacted);

  std::uint64_t signed_size_;
  std::unordered_map<std::string, Waiting> heartbeats_;  // by saga
  std::map<std::uint64_t, Left> unexplained_;            // by sequence
  std::uint64_t vouched_unsigned_ = 0;
};

}  // namespace sagalog
