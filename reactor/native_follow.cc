#include "reactor/native_follow.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "reactor/connection_limits.h"
#include "reactor/native_answers.h"
#include "reactor/peer_stream.h"
#include "reactor/spare_time.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using schema::RefusalCode;

constexpr std::size_t kSizeBytes = sizeof(std::uint32_t);

asio::awaitable<EventPiece> ReadOnWorker(EventStream& events) {
  Result<EventPiece> piece = events.NextOfFollower();
  co_return piece.ok() ? *std::move(piece) : nullptr;
}

// Of EventForm::kBytes: takes the first event away.
std::string_view TakeEvent(std::string_view& piece) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kSizeBytes; ++i) {
    size |= static_cast<std::size_t>(static_cast<unsigned char>(piece[i])) << (8 * i);
  }
  const std::string_view event = piece.substr(kSizeBytes, size);
  piece.remove_prefix(kSizeBytes + size);
  return event;
}

}  // namespace

Result<EventQuery> EventQueryOf(const frames::Follow& follow, Sequence last) {
  EventQuery query;
  query.form = EventForm::kBytes;
  query.follow = true;
  query.seen = Sequence(follow.seen());
  if (query.seen > last) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("seen: the log ends at {}; was it restored from a backup?", last.value()));
  }
  if (follow.credit() == 0) {
    return Status(Code::kInvalidArgument, "credit: how many events may be sent? At least 1");
  }
  if (follow.saga() != nullptr) {
    query.saga = follow.saga()->str();
  }
  if (follow.types() == nullptr) {
    return query;
  }
  constexpr std::size_t kTypes = static_cast<std::size_t>(events::Body::MAX);
  if (follow.types()->size() > kTypes) {
    return Status(Code::kInvalidArgument, fmt::format("types: has {} elements, there are {} types",
                                                      follow.types()->size(), kTypes));
  }
  for (const flatbuffers::String* const name : *follow.types()) {
    const auto type = EventTypeNamed(name->string_view());
    if (!type) {
      return Status(Code::kInvalidArgument,
                    fmt::format("types: \"{}\" is no type of event", name->string_view()));
    }
    query.types.push_back(*type);
  }
  return query;
}

Status MayFollow(std::size_t follows, bool number_taken) {
  if (number_taken) {
    return {Code::kInvalidArgument, "number: a follow of this connection has it; take another"};
  }
  if (follows >= kFollowsMax) {
    return {Code::kOverloaded,
            fmt::format("a connection follows {} times at most; end one of them", kFollowsMax)};
  }
  return {};
}

NativeFollow::NativeFollow(Service& service, std::uint64_t number, EventQuery query,
                           std::uint32_t credit, RequestLoad load, Peer peer)
    : service_(service),
      number_(number),
      load_(load),
      peer_(std::move(peer)),
      events_(service.store().log(), std::move(query), &service.tail()),
      follower_(service.watch()),
      changed_(service.context()) {
  events_.AllowOnly(credit);
}

asio::awaitable<void> NativeFollow::Run() {
  while (!ended_ && !service_.stopping()) {
    if (!peer_.is_recognized()) {
      FrameBuilder builder;
      peer_.say(BuildRefusal(builder, number_, RefusalCode::unauthenticated,
                             "the access token of hello is nobody's any more"),
                load_);
      co_return;
    }
    if (events_.allowed() == 0 || !peer_.has_room()) {
      changed_.expires_at(asio::steady_timer::time_point::max());
      co_await changed_.async_wait(kAsTuple);
      continue;
    }
    const EventPiece piece = co_await Next();
    if (!piece) {
      FrameBuilder builder;
      peer_.say(
          BuildRefusal(builder, number_, RefusalCode::corrupt,
                       fmt::format("the log cannot be read behind {}", events_.seen().value())),
          load_);
      co_return;
    }
    if (!piece->empty()) {
      const auto before = ThreadTime();
      Say(*piece);
      // It is written together with what else the connection has to say.
      follower_.Took(ThreadTime() - before + piece->size() * kUnmeasuredByteCost);
    }
    if (!ended_ && events_.allowed() > 0) {
      static_cast<void>(
          co_await follower_.AwaitTurn(events_.seen(), service_.options().event_heartbeat));
    }
  }
  SayEnd();
}

// What others have been given already, else what a worker makes; null when the log is damaged.
asio::awaitable<EventPiece> NativeFollow::Next() {
  const auto before = ThreadTime();
  EventPiece shared = events_.NextShared();
  follower_.Took(ThreadTime() - before);
  if (!shared->empty() || events_.CaughtUp() || !follower_.IsAnnounced(events_.seen())) {
    co_return shared;
  }
  co_return co_await asio::co_spawn(follower_.reader(), ReadOnWorker(events_), asio::use_awaitable);
}

void NativeFollow::Say(std::string_view piece) {
  FrameBuilder frame;
  FlatBufferBuilder& builder = frame.Begin();
  std::vector<Offset<frames::EventBytes>> items;
  while (!piece.empty()) {
    const std::string_view bytes = TakeEvent(piece);
    items.push_back(frames::CreateEventBytes(
        builder,
        builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())));
  }
  const auto all = builder.CreateVector(items);
  peer_.say(
      frame.Finish(number_, frames::CreateEvents(builder, all, events_.seen().value(), false)), {});
}

void NativeFollow::SayEnd() {
  frames::EventsT last;
  last.through = events_.seen().value();
  last.ended = true;
  FrameBuilder builder;
  peer_.say(builder.Build(number_, last), load_);
}

void NativeFollow::Allow(std::uint32_t events) {
  if (events == 0) {
    End();
    return;
  }
  events_.Allow(events);
  Wake();
}

void NativeFollow::End() {
  ended_ = true;
  Wake();
  follower_.Wake();
}

void NativeFollow::Wake() { changed_.cancel(); }

}  // namespace sagalog
