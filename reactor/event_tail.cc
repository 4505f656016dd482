#include "reactor/event_tail.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "schema/json.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

// Further back than this nobody is expected who follows the end of the log.
constexpr std::uint64_t kTailEventsMax = 16384;
// Pieces kept for those at the same place: followers in step need one, stragglers some more.
constexpr std::size_t kPiecesMax = 8;
// What an event and its JSON take together, compared with its bytes in the log.
constexpr std::size_t kRenderedFactor = 4;

}  // namespace

TailEvent::TailEvent(std::string_view bytes) : event_(std::string(bytes)) {}

const std::string& TailEvent::json() const {
  std::call_once(rendered_, [this] { json_ = EventToJson(*event_); });
  return json_;
}

EventTail::Found EventTail::Behind(Sequence seen, std::size_t bytes_max,
                                   const EventFilter& filter) const {
  const bool any_type = filter.types.none();
  const std::size_t saga_hash = std::hash<std::string_view>()(filter.saga);
  const std::lock_guard lock(mutex_);
  Found found;
  if (rows_.empty() || seen < Sequence(First() - 1) || seen.value() >= First() + rows_.size()) {
    return found;
  }
  std::size_t bytes = 0;
  std::size_t i = seen.value() + 1 - First();
  for (; i < rows_.size() && bytes < bytes_max; ++i) {
    const Row& row = rows_[i];
    const bool maybe = (any_type || filter.types.test(static_cast<std::size_t>(row.type))) &&
                       (filter.saga.empty() || row.saga_hash == saga_hash);
    if (maybe && filter.Wants(row.type, row.event->saga())) {
      found.events.push_back(row.event);
      bytes += row.event->bytes().size();
    }
  }
  found.through = Sequence(First() + i - 1);
  return found;
}

Status EventTail::CatchUp(const EventLog& log) {
  const std::uint64_t end = log.Last().value();
  const std::uint64_t oldest = end < kTailEventsMax ? 1 : end - kTailEventsMax + 1;
  const Sequence from(std::max(Last().value() + 1, oldest));
  return log.Scan(from, Sequence(end), [this](const events::Event&, std::string_view bytes) {
    Add(bytes);
    return Status();
  });
}

Sequence EventTail::Last() const {
  const std::lock_guard lock(mutex_);
  return rows_.empty() ? Sequence() : Sequence(First() + rows_.size() - 1);
}

void EventTail::Add(std::string_view bytes) {
  auto event = std::make_shared<const TailEvent>(bytes);
  const std::lock_guard lock(mutex_);
  // What was rendered before may hold what this event takes away.
  const bool redacts = event->type() == events::Body::Redacted;
  if (redacts) {
    pieces_.clear();
  }
  if (redacts || (!rows_.empty() && event->sequence().value() != First() + rows_.size())) {
    rows_.clear();
    bytes_ = 0;
  }
  bytes_ += bytes.size() * kRenderedFactor;
  const std::size_t saga_hash = std::hash<std::string_view>()(event->saga());
  const events::Body type = event->type();
  rows_.push_back({std::move(event), saga_hash, type});
  while (rows_.size() > 1 && (bytes_ > kEventTailSizeMax || rows_.size() > kTailEventsMax)) {
    bytes_ -= rows_.front().event->bytes().size() * kRenderedFactor;
    rows_.pop_front();
  }
}

std::shared_ptr<const SharedPiece> EventTail::FindPiece(Sequence seen, EventForm form) const {
  const std::lock_guard lock(mutex_);
  for (const auto& piece : pieces_) {
    if (piece->seen == seen && piece->form == form) {
      return piece;
    }
  }
  return nullptr;
}

void EventTail::KeepPiece(std::shared_ptr<const SharedPiece> piece) {
  const std::lock_guard lock(mutex_);
  pieces_.push_front(std::move(piece));
  if (pieces_.size() > kPiecesMax) {
    pieces_.pop_back();
  }
}

}  // namespace sagalog
