#include "eventlog/read_back.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "schema/limits.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

// The previous event of a saga is rarely further back: 65,536 links are 1.5 MB.
constexpr std::uint64_t kLinksMax = 1U << 16;

template <typename T>
std::optional<T> Load(std::string_view bytes, std::size_t offset) {
  T value{};
  if (offset > bytes.size() || bytes.size() - offset < sizeof(value)) {
    return std::nullopt;
  }
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

Status BrokenChain(const events::Event& event, std::string_view why) {
  return {Code::kCorruption, fmt::format("event {} is damaged: {}", event.sequence(), why)};
}

std::string_view SagaId(const events::Event& event) {
  return event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
}

}  // namespace

std::optional<Sequence> PeekSequence(std::string_view bytes) {
  constexpr std::size_t kSequenceEntry = 4;  // of the vtable: behind its own two sizes
  const auto table = Load<std::uint32_t>(bytes, 0);
  const auto to_vtable = table ? Load<std::int32_t>(bytes, *table) : std::nullopt;
  if (!to_vtable) {
    return std::nullopt;
  }
  const std::int64_t vtable = std::int64_t{*table} - *to_vtable;
  if (vtable < 0) {
    return std::nullopt;
  }
  const auto vtable_offset = static_cast<std::size_t>(vtable);
  const auto vtable_size = Load<std::uint16_t>(bytes, vtable_offset);
  if (!vtable_size) {
    return std::nullopt;
  }
  if (*vtable_size <= kSequenceEntry) {
    return Sequence();
  }
  const auto field = Load<std::uint16_t>(bytes, vtable_offset + kSequenceEntry);
  if (!field || *field == 0) {
    return field ? std::optional(Sequence()) : std::nullopt;
  }
  const auto value = Load<std::uint64_t>(bytes, *table + std::size_t{*field});
  return value ? std::optional(Sequence(*value)) : std::nullopt;
}

Status CheckBatch(Sequence last, std::span<const std::string_view> events) {
  std::size_t size_bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(PeekSequence(events[i]) == Sequence(last.value() + i + 1));
    DCHECK(VerifyEvent(events[i]).ok());
    size_bytes += events[i].size();
  }
  if (events.size() > kBatchEventsMax || size_bytes > kBatchBytesMax) {
    return {Code::kInvalidArgument,
            fmt::format("{} events of {} bytes are more than one append takes ({} of {})",
                        events.size(), size_bytes, kBatchEventsMax, kBatchBytesMax)};
  }
  return {};
}

void CheckReplacements(Sequence last, std::span<const std::string_view> events) {
  for (const std::string_view event : events) {
    const std::optional<Sequence> sequence = PeekSequence(event);
    CHECK(sequence && !sequence->IsNone() && *sequence <= last);
    DCHECK(VerifyEvent(event).ok());
  }
}

Status Conflict(Sequence last, Sequence expected_last) {
  return {Code::kConflict, fmt::format("the log ends at {}, the caller expected {}", last.value(),
                                       expected_last.value())};
}

Status VerifyReadBack(Sequence sequence, std::string_view bytes) {
  const Status verified = VerifyEvent(bytes);
  if (!verified.ok()) {
    return {Code::kCorruption,
            fmt::format("event {} is damaged: {}", sequence.value(), verified.text())};
  }
  const std::uint64_t found = events::GetEvent(bytes.data())->sequence();
  if (found != sequence.value()) {
    return {Code::kCorruption,
            fmt::format("event {} is damaged: in its place is event {}", sequence.value(), found)};
  }
  return {};
}

ChainCheck::ChainCheck(Sequence first, std::uint64_t events_expected)
    : first_(first.value()),
      links_(std::bit_ceil(std::clamp<std::uint64_t>(events_expected, 1, kLinksMax))) {}

Status ChainCheck::Pass(const events::Event& event) {
  const std::uint64_t sequence = event.sequence();
  const std::uint64_t previous = event.previous();
  const std::uint64_t saga_hash = std::hash<std::string_view>()(SagaId(event));
  if ((previous == 0) != (event.version() <= 1)) {
    return BrokenChain(event, fmt::format("it is version {} of its saga, and names {} as the "
                                          "event before it",
                                          event.version(), previous));
  }
  if (previous != 0 && previous >= first_ && sequence - previous < links_.size()) {
    const Link& link = links_[previous % links_.size()];
    if (link.saga_hash != saga_hash) {
      return BrokenChain(
          event, fmt::format("the previous event it names, {}, is of another saga", previous));
    }
    if (link.version + 1 != event.version()) {
      return BrokenChain(event, fmt::format("it is version {} of its saga, behind version {}",
                                            event.version(), link.version));
    }
    if (link.transition != event.previous_transition()) {
      return BrokenChain(event, fmt::format("it names {} as the previous transition, not {}",
                                            event.previous_transition(), link.transition));
    }
  }
  const bool heartbeat = event.body_type() == events::Body::Heartbeated;
  links_[sequence % links_.size()] = {saga_hash, event.version(),
                                      heartbeat ? event.previous_transition() : sequence};
  return {};
}

}  // namespace sagalog
