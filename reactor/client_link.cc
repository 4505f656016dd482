#include "reactor/client_link.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "reactor/repeated_request.h"
#include "schema/frame_limits.h"

namespace sagalog {
namespace {

// An idle client lets the server know that it is there, well within the server's patience.
constexpr std::chrono::milliseconds kPingInterval = std::chrono::seconds(60);
static_assert(kPingInterval * 3 < kIdlePatience, "a ping may be late");
// Between two attempts to connect again: from the first to the last, doubling.
constexpr std::chrono::milliseconds kPauseFirst{5};
constexpr std::chrono::milliseconds kPauseMax{500};

}  // namespace

Result<std::unique_ptr<ClientLink>> ClientLink::Open(ClientOptions options) {
  ASSIGN_OR_RETURN(ClientSocket socket, ClientSocket::Connect(options));
  return std::unique_ptr<ClientLink>(new ClientLink(std::move(options), std::move(socket)));
}

ClientLink::ClientLink(ClientOptions options, ClientSocket socket)
    : options_(std::move(options)),
      socket_(std::move(socket)),
      last_number_(1),
      pause_(kPauseFirst),
      thread_([this] { Loop(); }) {}

ClientLink::~ClientLink() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.Wake();
  thread_.join();
}

Status ClientLink::CheckRoom() const {
  return requests_.size() < options_.requests_max
             ? Status()
             : Status(Code::kOverloaded,
                      fmt::format("{} requests are under way already: wait for an answer",
                                  options_.requests_max));
}

// The server would end the connection, and with it what else is on its way.
Status ClientLink::CheckSize(std::string_view frame) {
  return frame.size() <= kRequestFrameSizeMax
             ? Status()
             : Status(Code::kInvalidArgument,
                      fmt::format("the request takes {} bytes, allowed are {}: send less at a time",
                                  frame.size(), kRequestFrameSizeMax));
}

void ClientLink::Enqueue(std::uint64_t number, Request request) {
  const bool was_empty = requests_.empty();
  request.begin = sent_ + outgoing_.size();
  const std::string& frame = requests_.emplace(number, std::move(request)).first->second.frame;
  if (!connected_) {
    if (was_empty) {
      wake_.Wake();
    }
    return;
  }
  EnqueueBytes(frame);
}

void ClientLink::EnqueueBytes(std::string_view frame) {
  if (!connected_) {
    return;
  }
  outgoing_.append(frame);
  // What answers bring about leaves together.
  if (IsOwnThread()) {
    return;
  }
  Flush();
  if (!outgoing_.empty() || socket_.HasUnsent()) {
    wake_.Wake();
  }
}

void ClientLink::Flush() {
  if (!connected_ || (outgoing_.empty() && !socket_.HasUnsent())) {
    return;
  }
  const auto sent = socket_.SendSome(outgoing_);
  if (sent.ok()) {
    outgoing_.erase(0, *sent);
    sent_ += *sent;
  }
  // That the connection is gone is seen by reading, when what was answered has been read.
}

void ClientLink::EndStream(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (requests_.erase(number) > 0) {
    EnqueueBytes(builder_.Build(number, frames::CreditT()));
  }
}

bool ClientLink::IsClosing() {
  const std::lock_guard lock(mutex_);
  return closing_;
}

ClientLink::Requests ClientLink::TakeAllRequests() {
  Requests all;
  for (auto& [number, request] : requests_) {
    all.push_back(std::move(request));
  }
  requests_.clear();
  outgoing_.clear();
  return all;
}

// What was on its way and cannot be repeated; of the others it is noted.
ClientLink::Requests ClientLink::TakeLost() {
  Requests lost;
  for (auto it = requests_.begin(); it != requests_.end();) {
    Request& request = it->second;
    // The server answers all that it has taken before it says goodbye.
    const bool left = request.begin < sent_ && (!told_goodbye_ || request.streams);
    if (left && request.repeat == Repeat::kNever) {
      lost.push_back(std::move(request));
      it = requests_.erase(it);
    } else {
      request.may_have_happened = request.may_have_happened || left;
      ++it;
    }
  }
  return lost;
}

void ClientLink::Loop() {
  while (!IsClosing()) {
    Exchange();
    Drop();
    if (!Reconnect()) {
      break;
    }
  }
  Requests unanswered;
  {
    const std::lock_guard lock(mutex_);
    unanswered = TakeAllRequests();
  }
  const Status closed(Code::kIndeterminate, "the client was closed before the answer came");
  for (Request& request : unanswered) {
    request.told(closed);
  }
}

// Until the connection ends, or the client is closed.
void ClientLink::Exchange() {
  // Also beside a stream, which brings much and asks for nothing.
  auto pinged = std::chrono::steady_clock::now();
  for (;;) {
    bool wants_to_write = false;
    {
      const std::lock_guard lock(mutex_);
      if (closing_) {
        return;
      }
      Flush();
      wants_to_write = !outgoing_.empty() || socket_.HasUnsent();
    }
    const Readiness ready = socket_.Await(wants_to_write, wake_, kPingInterval);
    if (const auto now = std::chrono::steady_clock::now(); now - pinged >= kPingInterval) {
      pinged = now;
      Send(frames::PingT(), Repeat::kAsOneLikes, [](const Result<const frames::Frame*>&) {});
    }
    if (ready.readable && !TakeIn()) {
      return;
    }
  }
}

// False when the connection has ended.
bool ClientLink::TakeIn() {
  const bool open = socket_.ReceiveInto(incoming_);
  std::size_t taken = 0;
  for (;;) {
    const std::string_view rest = std::string_view(incoming_).substr(taken);
    const auto size = FrameSize(rest, kAnswerFrameSizeMax);
    if (!size.ok()) {
      last_words_ = "the server sent what is no frame";
      return false;
    }
    if (!*size || rest.size() < **size) {
      break;
    }
    const FrameBytes bytes(rest.substr(0, **size));
    const frames::Frame* const frame = bytes.Verify();
    if (frame == nullptr) {
      last_words_ = "the server sent what is no frame";
      return false;
    }
    Dispatch(*frame);
    taken += **size;
  }
  incoming_.erase(0, taken);
  return open && !told_goodbye_;
}

void ClientLink::Dispatch(const frames::Frame& frame) {
  if (frame.number() == 0) {
    if (const auto* goodbye = frame.message_as_Goodbye()) {
      told_goodbye_ = true;
      last_words_ = goodbye->reason() != nullptr ? goodbye->reason()->str() : "goodbye";
    }
    return;
  }
  answered_ = true;
  Told told;
  bool may_have_happened = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(frame.number());
    if (found == requests_.end()) {
      return;
    }
    const auto* const events = frame.message_as_Events();
    if (found->second.streams && events != nullptr && !events->ended()) {
      told = found->second.told;
    } else {
      told = std::move(found->second.told);
      may_have_happened =
          found->second.may_have_happened && found->second.repeat == Repeat::kByItsId;
      requests_.erase(found);
    }
  }
  if (may_have_happened) {
    if (const Status unknown = JudgeRepeatedAnswer(frame); !unknown.ok()) {
      told(unknown);
      return;
    }
  }
  told(&frame);
}

void ClientLink::Drop() {
  Requests lost;
  {
    const std::lock_guard lock(mutex_);
    connected_ = false;
    socket_.Close();
    lost = TakeLost();
    outgoing_.clear();
  }
  incoming_.clear();
  const Status why(Code::kIndeterminate,
                   "the connection to the daemon was dropped: the command may have been carried "
                   "out or not; one with a request id would have been repeated");
  for (Request& request : lost) {
    request.told(why);
  }
}

void ClientLink::BeginPatience() {
  pause_ = kPauseFirst;
  paused_ = {};
}

// Waits for a request when there is none. False when the client is closed.
bool ClientLink::Reconnect() {
  Status failed;
  if (answered_) {
    BeginPatience();
  } else {
    failed = Status(Code::kIoError, fmt::format("the daemon answers nothing and ends the "
                                                "connection: {}",
                                                last_words_));
  }
  for (;;) {
    bool wanted = false;
    {
      const std::lock_guard lock(mutex_);
      if (closing_) {
        return false;
      }
      wanted = !requests_.empty();
    }
    if (!wanted) {
      static_cast<void>(wake_.Await(kPingInterval));
      wake_.Clear();
      BeginPatience();
      failed = Status();
      continue;
    }
    if (failed.ok()) {
      Result<ClientSocket> socket = ClientSocket::Connect(options_);
      if (socket.ok()) {
        socket_ = *std::move(socket);
        Resend();
        return true;
      }
      failed = socket.status();
    }
    const Code code = failed.code();
    const bool hopeless = code == Code::kInvalidArgument || code == Code::kUnsupportedVersion;
    if (paused_ >= options_.patience || hopeless) {
      Abandon(std::exchange(failed, {}));
      BeginPatience();
      continue;
    }
    failed = Status();
    wake_.Clear();
    if (!wake_.Await(pause_)) {
      paused_ += pause_;
    }
    pause_ = std::min(pause_ * 2, kPauseMax);
  }
}

// Nobody answers: what had left may have happened, what had not did not.
void ClientLink::Abandon(const Status& why) {
  Requests all;
  std::uint64_t sent = 0;
  {
    const std::lock_guard lock(mutex_);
    sent = told_goodbye_ ? 0 : sent_;
    all = TakeAllRequests();
  }
  const Status unknown(
      Code::kIndeterminate,
      fmt::format("{}; what was sent before may have been carried out", why.text()));
  for (Request& request : all) {
    const bool left = request.may_have_happened || request.begin < sent;
    request.told(left ? unknown : why);
  }
}

void ClientLink::Resend() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::uint64_t, Request*>> again;
  for (auto& [number, request] : requests_) {
    again.emplace_back(number, &request);
  }
  // In the order in which they were asked for.
  std::sort(again.begin(), again.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  sent_ = 0;
  outgoing_.clear();
  for (auto& [number, request] : again) {
    request->begin = outgoing_.size();
    outgoing_.append(request->frame);
  }
  told_goodbye_ = false;
  answered_ = false;
  last_words_ = "no word of why";
  connected_ = true;
}

}  // namespace sagalog
