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
  const Sequence before = seen_;
  const std::uint64_t through =
      std::min(seen_.value() + kPieceEventsMax, query_.follow ? log_.Last().value() : end_.value());
  const Status scanned = log_.Scan(
      Sequence(seen_.value() + 1), Sequence(through),
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
  if (SharesPieces() && !piece.empty()) {
    // Others may have begun at the same place.
    tail_->KeepPiece(
        std::make_shared<const SharedPiece>(SharedPiece{before, seen_, query_.form, piece}));
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

std::shared_ptr<const std::string> EventStream::NextShared() {
  static const auto kNothing = std::make_shared<const std::string>();
  if (tail_ == nullptr || !query_.follow || !history_end_.IsNone() || allowed_ == 0) {
    return kNothing;
  }
  if (SharesPieces()) {
    return NextOfAll();
  }
  std::string piece = NextFiltered();
  return piece.empty() ? kNothing : std::make_shared<const std::string>(std::move(piece));
}

// Followers in step are given one text, which the first of them makes.
std::shared_ptr<const std::string> EventStream::NextOfAll() {
  std::shared_ptr<const SharedPiece> piece = tail_->FindPiece(seen_, query_.form);
  if (piece == nullptr) {
    const Sequence before = seen_;
    std::string text = NextFiltered();
    text.shrink_to_fit();
    piece = std::make_shared<const SharedPiece>(
        SharedPiece{before, seen_, query_.form, std::move(text)});
    if (!piece->text.empty()) {
      tail_->KeepPiece(piece);
    }
  }
  seen_ = piece->through;
  return {piece, &piece->text};
}

std::string EventStream::NextFiltered() {
  std::string piece;
  const EventTail::Found found = tail_->Behind(seen_, kEventPieceSizeMax, filter_);
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
