#include "reactor/event_stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "schema/export_line.h"
#include "schema/json.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

// What is looked at for one piece: a filter that lets little through does not hold a thread.
constexpr std::uint64_t kPieceEventsMax = 8192;

Status Full() { return {Code::kCancelled, "the piece is full"}; }

}  // namespace

EventStream::EventStream(const EventLog& log, EventQuery query, const EventTail* tail)
    : log_(log), query_(std::move(query)), tail_(tail), seen_(query_.seen), end_(log.Last()) {
  if (!query_.through.IsNone()) {
    end_ = std::min(end_, query_.through);
  }
  for (const events::Body type : query_.types) {
    types_.set(static_cast<std::size_t>(type));
  }
}

Status EventStream::FindHistory(Sequence newest, Sequence last) {
  const Status walked =
      log_.WalkBack(newest, false, [this](const events::Event& event, std::string_view) {
        if (Sequence(event.sequence()) <= seen_) {
          return Full();
        }
        history_.emplace_back(event.sequence());
        return Status();
      });
  history_end_ = std::max(newest, last);
  end_ = history_end_;
  return walked.code() == Code::kCancelled ? Status() : walked;
}

Result<std::string> EventStream::Next() {
  std::string piece;
  if (!history_end_.IsNone()) {
    RETURN_IF_ERROR(AppendHistory(piece));
    return piece;
  }
  const std::uint64_t through =
      std::min(seen_.value() + kPieceEventsMax, query_.follow ? log_.Last().value() : end_.value());
  const Status scanned = log_.Scan(
      Sequence(seen_.value() + 1), Sequence(through),
      [&](const events::Event& event, std::string_view bytes) {
        if (piece.size() >= kEventPieceSizeMax) {
          return Full();
        }
        seen_ = Sequence(event.sequence());
        const std::string_view saga =
            event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
        if (Wants(event.body_type(), saga)) {
          AppendEvent(piece, event, bytes);
        }
        return Status();
      });
  if (!scanned.ok() && scanned.code() != Code::kCancelled) {
    return scanned;
  }
  return piece;
}

// The saga's own chain, oldest first; behind it the log goes on.
Status EventStream::AppendHistory(std::string& piece) {
  while (!history_.empty() && piece.size() < kEventPieceSizeMax) {
    ASSIGN_OR_RETURN(const StoredEvent event, log_.Read(history_.back()));
    seen_ = history_.back();
    history_.pop_back();
    if (Wants(event->body_type(), query_.saga)) {
      AppendEvent(piece, *event, event.bytes());
    }
  }
  if (history_.empty()) {
    seen_ = std::max(seen_, history_end_);
    history_end_ = Sequence();
    history_.shrink_to_fit();
  }
  return {};
}

std::string EventStream::NextShared() {
  std::string piece;
  if (tail_ == nullptr || !query_.follow || !history_end_.IsNone()) {
    return piece;
  }
  // Several times the piece is looked at, because a filter may let little through.
  for (const auto& event : tail_->Behind(seen_, 4 * kEventPieceSizeMax)) {
    if (piece.size() >= kEventPieceSizeMax) {
      break;
    }
    seen_ = event->sequence;
    if (Wants(event->type, event->saga)) {
      Append(piece, seen_, event->json);
    }
  }
  return piece;
}

bool EventStream::CaughtUp() const {
  return history_end_.IsNone() && seen_ >= (query_.follow ? log_.Last() : end_);
}

std::string_view EventStream::content_type() const {
  return query_.server_sent ? "text/event-stream" : "application/x-ndjson";
}

std::string_view EventStream::heartbeat() const { return query_.server_sent ? ":\n\n" : "\n"; }

bool EventStream::Wants(events::Body type, std::string_view saga) const {
  return (query_.types.empty() || types_.test(static_cast<std::size_t>(type))) &&
         (query_.saga.empty() || query_.saga == saga);
}

void EventStream::Append(std::string& piece, Sequence sequence, std::string_view json) const {
  if (query_.server_sent) {
    piece += fmt::format("id: {}\ndata: {}\n\n", sequence.value(), json);
  } else {
    piece += json;
    piece += '\n';
  }
}

void EventStream::AppendEvent(std::string& piece, const events::Event& event,
                              std::string_view bytes) const {
  if (query_.stored) {
    AppendExportLine(piece, event, bytes);
    piece += '\n';
  } else {
    Append(piece, Sequence(event.sequence()), EventToJson(event));
  }
}

}  // namespace sagalog
