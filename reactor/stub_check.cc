#include "reactor/stub_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "projections/merkle_tree.h"

namespace sagalog {
namespace {

std::string Text(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

}  // namespace

Status StubCheck::Pass(const events::Event& event, std::string_view bytes) {
  if (const events::Redacted* redacted = event.body_as_Redacted()) {
    RETURN_IF_ERROR(PassRedacted(event, *redacted));
  }
  if (IsStub(event) && !IsHeartbeatStub(event)) {
    unexplained_[event.sequence()] = {LeafHash(event, bytes), LeafHash(bytes)};
  }
  if (event.version() == 0 || (heartbeats_.empty() && !IsHeartbeatStub(event))) {
    return {};
  }
  return PassSaga(event);
}

Status StubCheck::PassSaga(const events::Event& event) {
  const auto waiting = heartbeats_.find(Text(event.saga_id()));
  std::uint64_t count = 0;
  if (waiting != heartbeats_.end()) {
    const Waiting& before = waiting->second;
    if (event.previous() != before.sequence || event.version() != before.version + 1 ||
        event.previous_transition() != before.transition) {
      return {Code::kCorruption,
              fmt::format("what is left of event {} is not true: event {} is the next of its saga, "
                          "and says something else of it",
                          before.sequence, event.sequence())};
    }
    count = before.count;
  }
  if (IsHeartbeatStub(event)) {
    heartbeats_[Text(event.saga_id())] = {event.sequence(), event.version(),
                                          event.previous_transition(), count + 1};
  } else if (waiting != heartbeats_.end()) {
    vouched_unsigned_ += event.sequence() > signed_size_ ? count : 0;
    heartbeats_.erase(waiting);
  }
  return {};
}

Status StubCheck::PassRedacted(const events::Event& event, const events::Redacted& redacted) {
  const auto found = unexplained_.find(redacted.redacted_sequence());
  if (found == unexplained_.end()) {
    return {};  // still whole, as in an export that was made before
  }
  if (ToBase64(found->second.leaf) != Text(redacted.hash()) ||
      ToBase64(found->second.left) != Text(redacted.left_hash())) {
    return {Code::kCorruption,
            fmt::format("what is left of event {} is not what event {} says was left of it",
                        found->first, event.sequence())};
  }
  unexplained_.erase(found);
  vouched_unsigned_ += event.sequence() > signed_size_ ? 1 : 0;
  return {};
}

std::optional<std::uint64_t> StubCheck::FirstUnvouched() const {
  std::optional<std::uint64_t> first;
  if (!unexplained_.empty()) {
    first = unexplained_.begin()->first;
  }
  for (const auto& [saga, waiting] : heartbeats_) {
    first = std::min(first.value_or(waiting.sequence), waiting.sequence);
  }
  return first;
}

}  // namespace sagalog
