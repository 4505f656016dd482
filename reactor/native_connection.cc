#include "reactor/native_connection.h"

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "reactor/access.h"
#include "reactor/checked_execution.h"
#include "reactor/native_answers.h"
#include "reactor/native_follow.h"
#include "reactor/native_greeting.h"
#include "reactor/native_outbox.h"
#include "reactor/native_reads.h"
#include "reactor/native_request.h"
#include "reactor/service.h"
#include "reactor/status_refusal.h"
#include "schema/frame_bytes.h"
#include "schema/frame_limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using schema::RefusalCode;
using Phase = Connection::Phase;

// What is read at once: first, and from a peer that has more to say.
constexpr std::size_t kSmallReadSize = 1024;
constexpr std::size_t kLargeReadSize = 65536;

// The protocol's view of one connection: one coroutine reads, one writes.
class NativeConnection {
 public:
  NativeConnection(Connection& connection, asio::any_io_executor sockets)
      : connection_(connection),
        service_(connection.service()),
        sockets_(std::move(sockets)),
        greeting_(connection),
        checks_(asio::make_strand(connection.service().workers().get_executor())),
        outbox_(std::make_shared<NativeOutbox>(sockets_, connection.service().answers(),
                                               [this] { Collect(); })),
        changed_for_reader_(sockets_),
        changed_for_writer_(sockets_) {}
  ~NativeConnection() { outbox_->Abandon(); }
  NativeConnection(const NativeConnection&) = delete;
  NativeConnection& operator=(const NativeConnection&) = delete;

  asio::awaitable<void> Serve();

 private:
  asio::awaitable<void> ReadAll();
  asio::awaitable<bool> ReadPreamble();
  asio::awaitable<bool> ReadMore();
  asio::awaitable<void> WriteAll();
  asio::awaitable<void> Await(asio::steady_timer& change);

  [[nodiscard]] bool HasRoom() const;
  [[nodiscard]] bool HandleNext();
  void HandleFrame(std::string_view bytes);
  void Handle(const frames::Frame& frame, const RequestLoad& load);
  void Greet(std::uint64_t number, const frames::Hello& hello);
  void Execute(std::uint64_t number, const frames::Execute& request, RequestLoad load);
  void RunBatch(std::uint64_t number, const frames::Batch& request, RequestLoad load);
  void Read(std::uint64_t number, const frames::Read& request, RequestLoad load);
  void Answer(asio::thread_pool& where, WaitingRead read);
  void MakePage();

  void Follow(std::uint64_t number, const frames::Follow& request, RequestLoad load);
  void Credit(std::uint64_t number, std::uint32_t events, const RequestLoad& load);
  void EndFollows();

  void Begin(const RequestLoad& load);
  void Say(std::string_view frame) { outbox_->Add(frame); }
  void AnswerAtOnce(std::string_view frame, const RequestLoad& load);
  void Refuse(std::uint64_t number, RefusalCode code, std::string_view detail,
              const RequestLoad& done = {});
  // Nothing more is read; what is under way is answered.
  void End(std::string_view reason);
  void Stop();
  [[nodiscard]] RequestLoad Take();
  void Collect() { Done(Take()); }
  void Done(const RequestLoad& done);
  void Changed();

  Connection& connection_;
  Service& service_;
  const asio::any_io_executor sockets_;
  NativeGreeting greeting_;
  // Where commands of a caller wait whose right is looked up: one after the other, in their order.
  const asio::strand<asio::thread_pool::executor_type> checks_;
  const std::shared_ptr<NativeOutbox> outbox_;
  // Cancelled to wake who waits for a change.
  asio::steady_timer changed_for_reader_;
  asio::steady_timer changed_for_writer_;

  bool open_ = true;  // more may be read
  bool reading_ended_ = false;
  bool writing_ended_ = false;
  bool writing_ = false;
  bool gone_ = false;  // the peer takes nothing any more
  bool stopping_ = false;
  bool more_has_come_ = false;  // behind the frame that is being handled
  bool leaves_unread_ = false;  // the peer may be sending what is never read
  std::string goodbye_ = "the connection was closed";
  std::size_t read_size_ = kSmallReadSize;
  std::size_t large_bytes_coming_ = 0;
  std::size_t read_while_stopping_ = 0;
  RequestLoad under_way_;
  std::unordered_map<std::uint64_t, std::shared_ptr<NativeFollow>> follows_;
  std::deque<WaitingRead> waiting_pages_;
  std::size_t answers_unwritten_ = 0;  // of unwritten_, what the outbox counts
  std::string unwritten_;
  std::string being_written_;
};

asio::awaitable<void> NativeConnection::Serve() {
  connection_.OnStop([this] { Stop(); });
  asio::co_spawn(sockets_, WriteAll(), [this](const std::exception_ptr& failure) {
    writing_ended_ = true;
    gone_ = gone_ || failure != nullptr;
    Changed();
  });
  if (service_.stopping()) {
    Stop();
  }
  co_await ReadAll();
  service_.GiveBytesBack(std::exchange(large_bytes_coming_, 0));
  reading_ended_ = true;
  EndFollows();
  Changed();
  while (!writing_ended_ || under_way_.requests > 0 || !follows_.empty()) {
    co_await Await(changed_for_reader_);
  }
  connection_.OnStop(nullptr);
  if (leaves_unread_ && !gone_) {
    co_await connection_.Linger();
  }
}

// What has arrived is still taken, but for what a peer adds that does not stop sending.
void NativeConnection::Stop() {
  goodbye_ = "the server stops";
  stopping_ = true;
  EndFollows();
  connection_.EndReading();
  connection_.WriteWithin(service_.AnswerPatience());
}

asio::awaitable<void> NativeConnection::Await(asio::steady_timer& change) {
  change.expires_at(asio::steady_timer::time_point::max());
  co_await change.async_wait(kAsTuple);
}

asio::awaitable<void> NativeConnection::ReadAll() {
  connection_.Enter(Phase::kReading);
  const bool ours = co_await ReadPreamble();
  if (!ours) {
    open_ = false;
  }
  while (open_ && !gone_) {
    if (!HasRoom()) {
      co_await Await(changed_for_reader_);
      continue;
    }
    if (!HandleNext()) {
      open_ = co_await ReadMore() && open_;
    }
  }
}

asio::awaitable<bool> NativeConnection::ReadPreamble() {
  auto& buffer = connection_.buffer();
  connection_.ReadWithin(service_.options().header_patience);
  while (buffer.size() < kNativePreamble.size()) {
    const error_code error = co_await connection_.ReadMore(kSmallReadSize);
    if (error) {
      gone_ = true;
      co_return false;
    }
  }
  const std::string_view begin(static_cast<const char*>(buffer.data().data()),
                               kNativePreamble.size());
  if (begin != kNativePreamble) {
    Refuse(0, RefusalCode::invalid_argument, "this is neither HTTP nor sagalog's own protocol");
    End("no protocol");
    co_return false;
  }
  buffer.consume(kNativePreamble.size());
  co_return true;
}

asio::awaitable<bool> NativeConnection::ReadMore() {
  auto& buffer = connection_.buffer();
  // Preamble and hello have one patience together, which began with the first.
  if (greeting_.done() && buffer.size() == 0) {
    connection_.ReadWithin(service_.options().idle_patience);
    if (read_size_ == kSmallReadSize && buffer.capacity() > kSmallReadSize) {
      buffer.shrink_to_fit();
    }
  }
  const std::size_t before = buffer.size();
  const error_code error = co_await connection_.ReadMore(read_size_);
  const std::size_t came = buffer.size() - before;
  read_size_ = greeting_.done() && came >= kSmallReadSize ? kLargeReadSize : kSmallReadSize;
  if (greeting_.done() && before == 0 && came > 0) {
    connection_.ReadWithin(service_.options().body_patience);
  }
  read_while_stopping_ += stopping_ ? came : 0;
  leaves_unread_ = leaves_unread_ || read_while_stopping_ > kPipelinedBytesMax;
  co_return !error && !leaves_unread_;
}

bool NativeConnection::HasRoom() const {
  return unwritten_.size() + being_written_.size() < kUntakenBytesMax &&
         (under_way_.requests == 0 ||
          (under_way_.requests < kPipelinedRequestsMax && under_way_.bytes < kPipelinedBytesMax));
}

// False when the next frame is not whole yet.
bool NativeConnection::HandleNext() {
  auto& buffer = connection_.buffer();
  const std::string_view bytes(static_cast<const char*>(buffer.data().data()), buffer.size());
  const auto size = FrameSize(bytes, kRequestFrameSizeMax);
  if (!greeting_.done() && size.ok() && size->value_or(0) > kHelloFrameSizeMax) {
    Refuse(0, RefusalCode::unauthenticated,
           fmt::format("the first frame of a connection is hello, of at most {} bytes",
                       kHelloFrameSizeMax));
    End("the first frame was not hello");
    return true;
  }
  if (!size.ok()) {
    Refuse(0, RefusalCode::invalid_argument, size.status().text());
    End("a frame broke the rules");
    return true;
  }
  if (!*size) {
    return false;
  }
  if (**size >= kRequestLargeSizeMin && large_bytes_coming_ == 0) {
    if (!service_.TakeBytes(**size)) {
      Refuse(0, RefusalCode::overloaded, "too many large requests under way");
      End("too many large requests under way");
      return true;
    }
    large_bytes_coming_ = **size;
  }
  if (bytes.size() < **size) {
    return false;
  }
  more_has_come_ = bytes.size() > **size;
  HandleFrame(bytes.substr(0, **size));
  buffer.consume(**size);
  if (buffer.size() > 0) {
    connection_.ReadWithin(service_.options().body_patience);
  }
  return true;
}

void NativeConnection::HandleFrame(std::string_view bytes) {
  const FrameBytes received(bytes);
  const frames::Frame* const frame = received.Verify();
  const RequestLoad load{1, bytes.size(), std::exchange(large_bytes_coming_, 0)};
  if (frame == nullptr || frame->number() == 0) {
    service_.GiveBytesBack(load.large_bytes);
    Refuse(0, RefusalCode::invalid_argument,
           frame == nullptr ? "these bytes are no frame" : "number: a frame has a number, not 0");
    End("a frame broke the rules");
    return;
  }
  Begin(load);
  Handle(*frame, load);
}

// Every way through here ends what was begun, now or when the answer is there.
void NativeConnection::Handle(const frames::Frame& frame, const RequestLoad& load) {
  const std::uint64_t number = frame.number();
  if (!greeting_.done() && frame.message_type() != frames::Message::Hello) {
    Refuse(number, RefusalCode::unauthenticated, "the first frame of a connection is hello", load);
    End("the first frame was not hello");
    return;
  }
  if (greeting_.done() && !greeting_.IsStillRecognized()) {
    Refuse(number, RefusalCode::unauthenticated, "the access token of hello is nobody's any more",
           load);
    End("the access token was taken away");
    return;
  }
  switch (frame.message_type()) {
    case frames::Message::Hello:
      Greet(number, *frame.message_as_Hello());
      outbox_->Add({}, load);
      return;
    case frames::Message::Execute: Execute(number, *frame.message_as_Execute(), load); return;
    case frames::Message::Batch: RunBatch(number, *frame.message_as_Batch(), load); return;
    case frames::Message::Read: Read(number, *frame.message_as_Read(), load); return;
    case frames::Message::Follow: Follow(number, *frame.message_as_Follow(), load); return;
    case frames::Message::Credit: Credit(number, frame.message_as_Credit()->events(), load); return;
    case frames::Message::Ping:
      outbox_->Add(BuilderOfThread().Build(number, frames::PongT()), load);
      return;
    default:
      Refuse(
          number, RefusalCode::invalid_argument,
          fmt::format("message: a client does not say {}", static_cast<int>(frame.message_type())),
          load);
  }
}

void NativeConnection::Greet(std::uint64_t number, const frames::Hello& hello) {
  const auto [frame, welcome] = greeting_.Answer(BuilderOfThread(), number, hello);
  Say(frame);
  if (!welcome) {
    End("hello was refused");
  }
}

void NativeConnection::Execute(std::uint64_t number, const frames::Execute& request,
                               RequestLoad load) {
  Result<commands::CommandT> asked = CommandOf(request, greeting_.caller().principal);
  if (!asked.ok()) {
    Refuse(number, RefusalCode::invalid_argument, asked.status().text(), load);
    return;
  }
  commands::CommandT command = *std::move(asked);
  if (request.with_saga()) {
    load.bytes += kSagaAnswerBytes;
    under_way_.bytes += kSagaAnswerBytes;
  }
  const bool alone = service_.IsLonely(connection_) && under_way_.requests == 1 && !more_has_come_;
  if (alone && !MayBlockToCheck(greeting_.caller())) {
    // An idle sequencer is run by this thread: no other has to be woken, and nobody waits for it.
    const Reply reply = ExecuteNowFor(greeting_.caller(), service_.store(), service_.figures(),
                                      std::move(command), request.with_saga());
    AnswerAtOnce(BuildReply(BuilderOfThread(), number, reply), load);
    return;
  }
  auto answer = [outbox = outbox_, number, load](const Reply& reply) {
    outbox->Add(BuildReply(BuilderOfThread(), number, reply), load);
  };
  if (!MayBlockToCheck(greeting_.caller())) {
    ExecuteFor(greeting_.caller(), service_.store(), service_.figures(), std::move(command),
               request.with_saga(), std::move(answer));
    return;
  }
  asio::post(checks_,
             [&service = service_, caller = greeting_.caller(), command = std::move(command),
              with_saga = request.with_saga(), answer = std::move(answer)]() mutable {
               ExecuteFor(caller, service.store(), service.figures(), std::move(command), with_saga,
                          std::move(answer));
             });
}

void NativeConnection::RunBatch(std::uint64_t number, const frames::Batch& request,
                                RequestLoad load) {
  auto batch = CommandsOf(request, greeting_.caller().principal);
  if (!batch.ok()) {
    Refuse(number, RefusalCode::invalid_argument, batch.status().text(), load);
    return;
  }
  service_.watch().RequestHasCome();
  const std::size_t answer_bytes = request.with_saga() ? batch->size() * kSagaAnswerBytes : 0;
  load.bytes += answer_bytes;
  under_way_.bytes += answer_bytes;
  asio::post(service_.workers(),
             [&service = service_, caller = greeting_.caller(), outbox = outbox_,
              batch = *std::move(batch), number, load, atomic = request.atomic(),
              with_saga = request.with_saga()]() mutable {
               const BatchReply reply = ExecuteBatchFor(caller, service.store(), &service.figures(),
                                                        std::move(batch), atomic, with_saga);
               outbox->Add(BuildBatchReply(BuilderOfThread(), number, reply), load);
             });
}

void NativeConnection::Read(std::uint64_t number, const frames::Read& request, RequestLoad load) {
  if (const auto refusal = CheckRight(greeting_.caller(), Right::kRead)) {
    Refuse(number, refusal->code, refusal->detail, load);
    return;
  }
  service_.watch().RequestHasCome();
  load.bytes += kPageAnswerBytes;
  under_way_.bytes += kPageAnswerBytes;
  WaitingRead read{number, std::shared_ptr<frames::ReadT>(request.UnPack()), load};
  if (AsksForPage(request)) {
    waiting_pages_.push_back(std::move(read));
    MakePage();
    return;
  }
  Answer(service_.workers(), std::move(read));
}

void NativeConnection::Answer(asio::thread_pool& where, WaitingRead read) {
  asio::post(where, [&store = service_.store(), outbox = outbox_, read = std::move(read)] {
    AnswerInto(*outbox, store, read);
  });
}

// One after the other, and none beside much that was not taken: each may be large.
void NativeConnection::MakePage() {
  for (; gone_ && !waiting_pages_.empty(); waiting_pages_.pop_front()) {
    under_way_ -= waiting_pages_.front().load;
    service_.GiveBytesBack(waiting_pages_.front().load.large_bytes);
  }
  if (waiting_pages_.empty() || under_way_.pages > 0 ||
      unwritten_.size() + being_written_.size() >= kUntakenBytesMax) {
    return;
  }
  WaitingRead read = std::move(waiting_pages_.front());
  waiting_pages_.pop_front();
  read.load.pages = 1;
  ++under_way_.pages;
  Answer(service_.readers(), std::move(read));
}

void NativeConnection::Follow(std::uint64_t number, const frames::Follow& request,
                              RequestLoad load) {
  Result<EventQuery> query = EventQueryOf(request, service_.store().log().Last());
  std::optional<answers::RefusalT> refusal = CheckRight(greeting_.caller(), Right::kRead);
  if (!refusal && !query.ok()) {
    refusal = RefusalOf(query.status(), {});
  }
  if (const Status may = MayFollow(follows_.size(), follows_.contains(number));
      !refusal && !may.ok()) {
    refusal = RefusalOf(may, {});
  }
  if (refusal) {
    outbox_->Add(BuilderOfThread().Build(number, *refusal), load);
    return;
  }
  NativeFollow::Peer peer;
  peer.has_room = [this] { return unwritten_.size() + being_written_.size() < kUntakenEventsMax; };
  peer.is_recognized = [this] { return greeting_.IsStillRecognized(); };
  peer.say = [this](std::string_view bytes, const RequestLoad& done) {
    Collect();  // what was said before, such as the welcome, stands before it
    unwritten_.append(bytes);
    Done(done);
  };
  auto follow = std::make_shared<NativeFollow>(service_, number, *std::move(query),
                                               request.credit(), load, std::move(peer));
  follows_.emplace(number, follow);
  asio::co_spawn(sockets_, follow->Run(), [this, follow, number](const std::exception_ptr&) {
    follows_.erase(number);
    Changed();
  });
}

void NativeConnection::Credit(std::uint64_t number, std::uint32_t events, const RequestLoad& load) {
  const auto found = follows_.find(number);
  if (found != follows_.end()) {
    found->second->Allow(events);
  }
  // For one that has ended meanwhile it comes too late, and that was said.
  outbox_->Add({}, load);
}

void NativeConnection::EndFollows() {
  for (const auto& [number, follow] : follows_) {
    follow->End();
  }
}

void NativeConnection::Begin(const RequestLoad& load) {
  under_way_ += load;
  connection_.Enter(Phase::kAnswering);
}

void NativeConnection::Refuse(std::uint64_t number, RefusalCode code, std::string_view detail,
                              const RequestLoad& done) {
  if (code == RefusalCode::unauthenticated) {
    service_.figures().commands.CountRefusal(commands::Body::NONE, code);
  }
  outbox_->Add(BuildRefusal(BuilderOfThread(), number, code, detail), done);
}

// Where nothing stands before it the peer takes it now, and no writer is woken.
void NativeConnection::AnswerAtOnce(std::string_view frame, const RequestLoad& load) {
  const bool first = unwritten_.empty() && !writing_;
  outbox_->AddHere(frame, load);
  const RequestLoad done = Take();
  if (first && !gone_) {
    PeerStream::Parts parts{asio::buffer(unwritten_), {}, {}};
    connection_.WriteAtOnce(parts);
    unwritten_.erase(0, unwritten_.size() - asio::buffer_size(parts));
  }
  if (!first || gone_ || !unwritten_.empty()) {
    Done(done);
    return;
  }
  if (unwritten_.capacity() > kLargeReadSize) {
    unwritten_.shrink_to_fit();
  }
  outbox_->Forget(std::exchange(answers_unwritten_, 0));
  under_way_ -= done;
  service_.GiveBytesBack(done.large_bytes);
  connection_.Enter(Phase::kReading);  // it was the only request
}

void NativeConnection::End(std::string_view reason) {
  goodbye_ = reason;
  open_ = false;
  leaves_unread_ = true;
}

// Takes what the store's threads have answered.
RequestLoad NativeConnection::Take() {
  const std::size_t before = unwritten_.size();
  const RequestLoad done = outbox_->TakeInto(unwritten_);
  answers_unwritten_ += unwritten_.size() - before;
  if (outbox_->overrun()) {
    gone_ = true;
    connection_.Close();
  }
  return done;
}

void NativeConnection::Done(const RequestLoad& done) {
  under_way_ -= done;
  service_.GiveBytesBack(done.large_bytes);
  Changed();
}

void NativeConnection::Changed() {
  MakePage();
  if (under_way_.requests == 0) {
    connection_.Enter(writing_ ? Phase::kWriting : Phase::kReading);
  }
  changed_for_reader_.cancel();
  changed_for_writer_.cancel();
  for (const auto& [number, follow] : follows_) {
    follow->Wake();
  }
}

asio::awaitable<void> NativeConnection::WriteAll() {
  bool said_goodbye = false;
  for (;;) {
    if (gone_) {
      std::string().swap(unwritten_);  // with its memory
      outbox_->Forget(std::exchange(answers_unwritten_, 0));
    }
    if (unwritten_.empty()) {
      if (!reading_ended_ || under_way_.requests > 0) {
        co_await Await(changed_for_writer_);
        continue;
      }
      if (said_goodbye || gone_) {
        co_return;
      }
      said_goodbye = true;
      frames::GoodbyeT goodbye;
      goodbye.reason = goodbye_;
      unwritten_ = BuilderOfThread().Build(0, goodbye);
    }
    being_written_.swap(unwritten_);
    const std::size_t answers = std::exchange(answers_unwritten_, 0);
    writing_ = true;
    connection_.WriteWithin(service_.AnswerPatience());
    const PeerStream::Parts parts{asio::buffer(being_written_), {}, {}};
    const error_code error = co_await connection_.Write(parts);
    writing_ = false;
    being_written_.clear();
    outbox_->Forget(answers);
    if (being_written_.capacity() > kLargeReadSize) {
      being_written_.shrink_to_fit();
    }
    if (error) {
      gone_ = true;
      connection_.EndReading();
    }
    Changed();
  }
}

}  // namespace

asio::awaitable<void> ServeNative(Connection& connection) {
  NativeConnection native(connection, co_await asio::this_coro::executor);
  co_await native.Serve();
}

}  // namespace sagalog
