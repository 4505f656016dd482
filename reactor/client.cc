#include "reactor/client.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "reactor/client_link.h"
#include "reactor/status_refusal.h"
#include "schema/check.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

using Frame = Result<const frames::Frame*>;
using flatbuffers::FlatBufferBuilder;
using Repeat = ClientLink::Repeat;

// What one thread waits for and another brings.
template <typename T>
class Awaited {
 public:
  void Bring(T value) {
    value_.emplace(std::move(value));
    // Whoever waits may be gone, and this with it, as soon as it sees the mark; waking uses nothing
    // but the address.
    std::atomic<std::uint32_t>& here = here_;
    here.store(1, std::memory_order_release);
    here.notify_one();
  }
  [[nodiscard]] T Await() {
    while (here_.load(std::memory_order_acquire) == 0) {
      here_.wait(0, std::memory_order_acquire);
    }
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
  std::atomic<std::uint32_t> here_{0};
};

Status NoSuchAnswer() { return {Code::kIoError, "the server answered something else"}; }

template <typename Table, typename Object>
Object Unpacked(const Table& table) {
  Object object;
  table.UnPackTo(&object);
  return object;
}

Result<Reply> ReplyOf(const Frame& frame) {
  if (!frame.ok()) {
    return frame.status();
  }
  if (const auto* answer = (*frame)->message_as_Answer()) {
    return Reply(Unpacked<answers::Answer, answers::AnswerT>(*answer));
  }
  if (const auto* refusal = (*frame)->message_as_Refusal()) {
    return Reply(Unpacked<answers::Refusal, answers::RefusalT>(*refusal));
  }
  return NoSuchAnswer();
}

BatchReply BatchReplyOf(const frames::BatchAnswers& table) {
  const frames::BatchAnswersT answers =
      Unpacked<frames::BatchAnswers, frames::BatchAnswersT>(table);
  BatchReply reply;
  for (const auto& item : answers.items) {
    if (item->answer) {
      reply.answers.emplace_back(std::move(*item->answer));
    } else if (item->refusal) {
      reply.answers.emplace_back(std::move(*item->refusal));
    }
  }
  if (answers.refusal) {
    reply.refusal = std::move(*answers.refusal);
  }
  return reply;
}

// Sends a read and waits for what answers it.
template <typename Take>
auto ReadFrom(ClientLink& link, const frames::ReadT& read, const Take& take) {
  using Taken = decltype(take(std::declval<const frames::Frame&>()));
  CHECK(!link.IsOwnThread());
  Awaited<Taken> awaited;
  link.Send(read, Repeat::kAsOneLikes, [&](const Frame& frame) {
    if (!frame.ok()) {
      awaited.Bring(frame.status());
    } else if (const auto* refused = (*frame)->message_as_Refusal()) {
      awaited.Bring(StatusOf(Unpacked<answers::Refusal, answers::RefusalT>(*refused)));
    } else {
      awaited.Bring(take(**frame));
    }
  });
  return awaited.Await();
}

// The same for what is answered by one object.
template <typename Object>
Result<Object> ReadObject(ClientLink& link, const frames::ReadT& read) {
  using Table = typename Object::TableType;
  return ReadFrom(link, read, [](const frames::Frame& frame) -> Result<Object> {
    const auto* const table = frame.message_as<Table>();
    if (table == nullptr) {
      return NoSuchAnswer();
    }
    return Unpacked<Table, Object>(*table);
  });
}

Result<std::vector<StoredEvent>> TakeEvents(const frames::Frame& frame) {
  const auto* const table = frame.message_as_Events();
  if (table == nullptr) {
    return NoSuchAnswer();
  }
  std::vector<StoredEvent> events;
  if (table->items() != nullptr) {
    for (const frames::EventBytes* item : *table->items()) {
      if (item->bytes() == nullptr) {
        return NoSuchAnswer();
      }
      const std::string_view bytes(reinterpret_cast<const char*>(item->bytes()->data()),
                                   item->bytes()->size());
      RETURN_IF_ERROR(VerifyEvent(bytes));
      events.emplace_back(std::string(bytes));
    }
  }
  return events;
}

frames::ReadT ReadOf(frames::ReadWhat what, std::string_view name = {}) {
  frames::ReadT read;
  read.what = what;
  read.name = name;
  return read;
}

frames::ReadT PageOf(frames::ReadWhat what, const PageQuery& query) {
  frames::ReadT read = ReadOf(what);
  read.limit = query.limit;
  read.cursor = query.cursor;
  return read;
}

}  // namespace

Client::Client(std::unique_ptr<ClientLink> link) : link_(std::move(link)) {}

Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::Connect(ClientOptions options) {
  ASSIGN_OR_RETURN(auto link, ClientLink::Open(std::move(options)));
  return std::unique_ptr<Client>(new Client(std::move(link)));
}

Client::Call Client::Execute(commands::CommandT command, bool with_saga) {
  return {*link_, std::move(command), with_saga};
}

Result<BatchReply> Client::ExecuteBatch(std::vector<commands::CommandT> batch, bool atomic,
                                        bool with_saga) {
  CHECK(!link_->IsOwnThread());
  const bool repeatable =
      std::all_of(batch.begin(), batch.end(),
                  [](const commands::CommandT& one) { return one.request_id != nullptr; });
  const auto build = [&](FlatBufferBuilder& builder) {
    std::vector<flatbuffers::Offset<commands::Command>> commands;
    for (const commands::CommandT& one : batch) {
      commands.push_back(commands::Command::Pack(builder, &one));
    }
    return frames::CreateBatch(builder, builder.CreateVector(commands), atomic, with_saga);
  };
  Awaited<Result<BatchReply>> awaited;
  link_->SendBuilt(build, repeatable ? Repeat::kByItsId : Repeat::kNever, [&](const Frame& frame) {
    if (!frame.ok()) {
      awaited.Bring(frame.status());
    } else if (const auto* answers = (*frame)->message_as_BatchAnswers()) {
      awaited.Bring(BatchReplyOf(*answers));
    } else if (const auto* refused = (*frame)->message_as_Refusal()) {
      BatchReply reply;
      reply.refusal = Unpacked<answers::Refusal, answers::RefusalT>(*refused);
      awaited.Bring(std::move(reply));
    } else {
      awaited.Bring(NoSuchAnswer());
    }
  });
  return awaited.Await();
}

Client::Call::Call(ClientLink& link, commands::CommandT command, bool with_saga)
    : link_(link), command_(std::move(command)), with_saga_(with_saga) {}

void Client::Call::Then(std::function<void(Result<Reply>)> callback) && {
  const Repeat repeat = command_.request_id ? Repeat::kByItsId : Repeat::kNever;
  const auto build = [this](FlatBufferBuilder& builder) {
    return frames::CreateExecute(builder, commands::Command::Pack(builder, &command_), with_saga_);
  };
  link_.SendBuilt(build, repeat,
                  [told = std::move(callback)](const Frame& frame) { told(ReplyOf(frame)); });
}

Result<Reply> Client::Call::Get() && {
  CHECK(!link_.IsOwnThread());
  Awaited<Result<Reply>> awaited;
  std::move(*this).Then([&](Result<Reply> reply) { awaited.Bring(std::move(reply)); });
  return awaited.Await();
}

void Client::Call::await_suspend(std::coroutine_handle<> waiting) {
  std::move(*this).Then([this, waiting](Result<Reply> reply) {
    result_ = std::make_unique<Result<Reply>>(std::move(reply));
    waiting.resume();
  });
}

Result<Reply> Client::Call::await_resume() { return *std::move(*result_); }

Result<answers::SagaT> Client::Find(std::string_view saga, Sequence min_sequence) {
  frames::ReadT read = ReadOf(frames::ReadWhat::saga, saga);
  read.min_sequence = min_sequence.value();
  return ReadObject<answers::SagaT>(*link_, read);
}

Result<answers::SagaPageT> Client::List(const SagaQuery& query) {
  frames::ReadT read = PageOf(frames::ReadWhat::sagas, {query.limit, query.cursor});
  if (query.state) {
    read.state = *query.state;
  }
  read.owner = query.owner;
  read.queue = query.queue;
  read.key = query.key;
  read.label_name = query.label_name;
  read.label_value = query.label_value;
  read.stage = query.stage;
  return ReadObject<answers::SagaPageT>(*link_, read);
}

Result<answers::StalePageT> Client::Stale(const PageQuery& query) {
  return ReadObject<answers::StalePageT>(*link_, PageOf(frames::ReadWhat::stale, query));
}

Result<answers::CompensationPageT> Client::Compensations(const PageQuery& query) {
  return ReadObject<answers::CompensationPageT>(*link_,
                                                PageOf(frames::ReadWhat::compensations, query));
}

Result<answers::OwnerPageT> Client::Owners(const PageQuery& query) {
  return ReadObject<answers::OwnerPageT>(*link_, PageOf(frames::ReadWhat::owners, query));
}

Result<answers::QueueT> Client::Queue(std::string_view queue) {
  return ReadObject<answers::QueueT>(*link_, ReadOf(frames::ReadWhat::queue, queue));
}

Result<answers::StorePolicyT> Client::Policy() {
  return ReadObject<answers::StorePolicyT>(*link_, ReadOf(frames::ReadWhat::policy));
}

Result<answers::EffectPageT> Client::EffectsInDoubt(const PageQuery& query) {
  return ReadObject<answers::EffectPageT>(*link_, PageOf(frames::ReadWhat::effects, query));
}

Result<answers::SectionPageT> Client::Sections(const PageQuery& query) {
  return ReadObject<answers::SectionPageT>(*link_, PageOf(frames::ReadWhat::sections, query));
}

Result<std::vector<StoredEvent>> Client::History(std::string_view saga, bool transitions_only,
                                                 std::size_t limit) {
  frames::ReadT read = ReadOf(frames::ReadWhat::history, saga);
  read.transitions_only = transitions_only;
  read.limit = limit;
  return ReadFrom(*link_, read, TakeEvents);
}

Result<std::vector<RefusalRecord>> Client::Refusals(std::string_view saga) {
  ASSIGN_OR_RETURN(
      frames::RefusalNotesT notes,
      ReadObject<frames::RefusalNotesT>(*link_, ReadOf(frames::ReadWhat::refusals, saga)));
  std::vector<RefusalRecord> records;
  for (const auto& note : notes.items) {
    records.push_back(
        {Sequence(note->noted), note->facts ? std::move(*note->facts) : events::NotedRefusalT()});
  }
  return records;
}

Result<answers::StatusT> Client::Describe() {
  return ReadObject<answers::StatusT>(*link_, ReadOf(frames::ReadWhat::status));
}

}  // namespace sagalog
