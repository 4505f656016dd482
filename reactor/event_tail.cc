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
// Pieces kept for those at the same place: followers in step need one, stragglers some more. What
// one filter lets through may be small.
constexpr std::size_t kPiecesMax = 64;
constexpr std::size_t kPiecesSizeMax = 4UL << 20;
// What an event and its JSON take together, compared with its bytes in the log.
constexpr std::size_t kRenderedFactor = 4;

}  // namespace

TailEvent::TailEvent(std::string_view bytes) : event_(std::string(bytes)) {}

const std::string& TailEvent::json() const {
  std::call_once(rendered_, [this] { json_ = EventToJson(*event_); });
  return json_;
}

EventTail::Found EventTail::Behind(Sequence seen, std::size_t bytes_max, const EventFilter& filter,
                                   Sequence through) const {
  const std::size_t saga_hash = std::hash<std::string_view>()(filter.saga);
  const std::lock_guard lock(mutex_);
  Found found;
  if (!Holds(seen) || through <= seen) {
    return found;
  }
  std::size_t bytes = 0;
  const std::size_t end = std::min<std::size_t>(rows_.size(), through.value() - First() + 1);
  std::size_t i = seen.value() + 1 - First();
  for (; i < end && bytes < bytes_max; ++i) {
    const Row& row = rows_[i];
    if (row.MayBeWanted(filter, saga_hash) && filter.Wants(row.type, row.event->saga())) {
      found.events.push_back(row.event);
      bytes += row.event->bytes().size();
    }
  }
  found.through = Sequence(First() + i - 1);
  return found;
}

Sequence EventTail::SkipUnwanted(Sequence seen, const EventFilter& filter) const {
  const std::size_t saga_hash = std::hash<std::string_view>()(filter.saga);
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !Holds(seen)) {
    return seen;
  }
  std::size_t i = seen.value() + 1 - First();
  while (i < rows_.size() && !rows_[i].MayBeWanted(filter, saga_hash)) {
    ++i;
  }
  return Sequence(First() + i - 1);
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
    const std::lock_guard pieces_lock(pieces_mutex_);
    pieces_.clear();
    pieces_bytes_ = 0;
    ++redactions_;
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

bool EventTail::Row::MayBeWanted(const EventFilter& filter, std::size_t filter_saga_hash) const {
  return (filter.types.none() || filter.types.test(static_cast<std::size_t>(type))) &&
         (filter.saga.empty() || saga_hash == filter_saga_hash);
}

std::shared_ptr<const SharedPiece> EventTail::FindPiece(Sequence seen, EventForm form,
                                                        const EventFilter& filter) const {
  const std::lock_guard lock(pieces_mutex_);
  return FindKept(seen, form, filter);
}

std::shared_ptr<const SharedPiece> EventTail::TryFindPiece(Sequence seen, EventForm form,
                                                           const EventFilter& filter) const {
  const std::unique_lock lock(pieces_mutex_, std::try_to_lock);
  return lock.owns_lock() ? FindKept(seen, form, filter) : nullptr;
}

std::shared_ptr<const SharedPiece> EventTail::FindKept(Sequence seen, EventForm form,
                                                       const EventFilter& filter) const {
  for (const KeptPiece& kept : pieces_) {
    if (kept.seen == seen && kept.form == form && kept.piece->filter == filter) {
      return kept.piece;
    }
  }
  return nullptr;
}

std::uint64_t EventTail::CountRedactions() const {
  const std::lock_guard lock(pieces_mutex_);
  return redactions_;
}

void EventTail::KeepPiece(std::shared_ptr<const SharedPiece> piece, std::uint64_t redactions) {
  std::deque<KeptPiece> dropped;  // freed when nobody waits for it
  const std::lock_guard lock(pieces_mutex_);
  if (redactions != redactions_) {
    return;
  }
  pieces_bytes_ += piece->text.size();
  pieces_.push_front({piece->seen, piece->form, std::move(piece)});
  while (pieces_.size() > kPiecesMax || (pieces_bytes_ > kPiecesSizeMax && pieces_.size() > 1)) {
    pieces_bytes_ -= pieces_.back().piece->text.size();
    dropped.push_back(std::move(pieces_.back()));
    pieces_.pop_back();
  }
}

}  // namespace sagalog
