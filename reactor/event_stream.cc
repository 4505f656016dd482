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

// Those who follow are given pieces that end at a multiple of this: whoever began elsewhere is soon
// at the same places as the others, and shares theirs.
constexpr std::uint64_t kPieceSteps = 128;

EventPiece Nothing() {
  static const auto kNothing = std::make_shared<const std::string>();
  return kNothing;
}

Status Full() { return {Code::kCancelled, "the piece is full"}; }

}  // namespace

std::optional<events::Body> EventTypeNamed(std::string_view name) {
  const auto& all = events::EnumValuesBody();
  const auto* const found = std::find_if(std::begin(all), std::end(all), [name](events::Body type) {
    return type != events::Body::NONE && EventTypeName(type) == name;
  });
  return found == std::end(all) ? std::nullopt : std::optional(*found);
}

EventStream::EventStream(const EventLog& log, EventQuery query, EventTail* tail)
    : log_(log), query_(std::move(query)), tail_(tail), seen_(query_.seen), end_(log.Last()) {
  if (!query_.through.IsNone()) {
    end_ = std::min(end_, query_.through);
  }
  for (const events::Body type : query_.types) {
    filter_.types.set(static_cast<std::size_t>(type));
  }
  filter_.saga = query_.saga;
}

template <typename Json>
void EventStream::Append(std::string& piece, Sequence sequence, std::string_view bytes,
                         const Json& json) {
  --allowed_;
  switch (query_.form) {
    case EventForm::kLines:
      piece += json();
      piece += '\n';
      return;
    case EventForm::kServerSent:
      piece += fmt::format("id: {}\ndata: {}\n\n", sequence.value(), json());
      return;
    case EventForm::kBytes:
      for (std::size_t size = bytes.size(), i = 0; i < sizeof(std::uint32_t); ++i, size >>= 8U) {
        piece += static_cast<char>(size & 0xFFU);
      }
      piece += bytes;
      return;
    case EventForm::kExport:
      AppendExportLine(piece, *events::GetEvent(bytes.data()), bytes);
      piece += '\n';
      return;
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
  const Sequence last = query_.follow ? log_.Last() : end_;
  const Sequence through(std::min(seen_.value() + kPieceEventsMax, last.value()));
  const Status scanned = log_.Scan(
      Sequence(seen_.value() + 1), std::min(through, PieceEnd()),
      [&](const events::Event& event, std::string_view bytes) {
        const std::string_view saga =
            event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
        const bool wanted = filter_.Wants(event.body_type(), saga);
        if (piece.size() >= kEventPieceSizeMax || (wanted && allowed_ == 0)) {
          return Full();
        }
        seen_ = Sequence(event.sequence());
        if (wanted) {
          Append(piece, seen_, bytes, [&] { return EventToJson(event); });
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
  while (!history_.empty() && piece.size() < kEventPieceSizeMax && allowed_ > 0) {
    ASSIGN_OR_RETURN(const StoredEvent event, log_.Read(history_.back()));
    seen_ = history_.back();
    history_.pop_back();
    if (filter_.Wants(event->body_type(), query_.saga)) {
      Append(piece, seen_, event.bytes(), [&] { return EventToJson(*event); });
    }
  }
  if (history_.empty()) {
    seen_ = std::max(seen_, history_end_);
    history_end_ = Sequence();
    history_.shrink_to_fit();
  }
  return {};
}

EventPiece EventStream::NextShared() {
  if (!MayShare()) {
    return Nothing();
  }
  if (auto piece = tail_->TryFindPiece(seen_, query_.form, filter_);
      piece != nullptr && piece->events <= allowed_) {
    return Take(std::move(piece));
  }
  if (!(filter_ == EventFilter{})) {
    seen_ = tail_->SkipUnwanted(seen_, filter_);
  }
  return Nothing();
}

Result<EventPiece> EventStream::NextOfFollower() {
  if (!MayShare()) {
    ASSIGN_OR_RETURN(std::string own, Next());
    own.shrink_to_fit();
    return std::make_shared<const std::string>(std::move(own));
  }
  // Another may have made it since this was put into the row.
  if (auto piece = tail_->FindPiece(seen_, query_.form, filter_);
      piece != nullptr && piece->events <= allowed_) {
    return Take(std::move(piece));
  }
  const std::uint64_t redactions = tail_->CountRedactions();
  const Sequence before = seen_;
  const std::uint64_t allowed_before = allowed_;
  std::string text = NextOfTail();
  if (seen_ == before) {
    ASSIGN_OR_RETURN(text, Next());
  }
  text.shrink_to_fit();
  if (text.empty()) {
    return Nothing();
  }
  if (allowed_ == 0) {
    // Others may be allowed more.
    return std::make_shared<const std::string>(std::move(text));
  }
  auto made = std::make_shared<const SharedPiece>(
      SharedPiece{before, seen_, query_.form, filter_, allowed_before - allowed_, std::move(text)});
  tail_->KeepPiece(made, redactions);
  return EventPiece(made, &made->text);
}

EventPiece EventStream::Take(std::shared_ptr<const SharedPiece> piece) {
  seen_ = piece->through;
  allowed_ -= piece->events;
  const std::string* const text = &piece->text;
  return {std::move(piece), text};
}

// Where what others are given ends too.
Sequence EventStream::PieceEnd() const {
  const std::uint64_t steps = filter_ == EventFilter{} ? kPieceSteps : kPieceEventsMax;
  return query_.follow ? Sequence((seen_.value() / steps + 1) * steps) : EventTail::kAnySequence;
}

// Empty, and at the same place, where the tail does not hold what comes next.
std::string EventStream::NextOfTail() {
  std::string piece;
  const EventTail::Found found = tail_->Behind(seen_, kEventPieceSizeMax, filter_, PieceEnd());
  for (const auto& event : found.events) {
    if (piece.size() >= kEventPieceSizeMax || allowed_ == 0) {
      return piece;
    }
    seen_ = event->sequence();
    Append(piece, seen_, event->bytes(), [&]() -> const std::string& { return event->json(); });
  }
  seen_ = std::max(seen_, found.through);
  return piece;
}

bool EventStream::CaughtUp() const {
  return history_end_.IsNone() && seen_ >= (query_.follow ? log_.Last() : end_);
}

std::string_view EventStream::content_type() const {
  return query_.form == EventForm::kServerSent ? "text/event-stream" : "application/x-ndjson";
}

std::string_view EventStream::heartbeat() const {
  return query_.form == EventForm::kServerSent ? ":\n\n" : "\n";
}

}  // namespace sagalog
