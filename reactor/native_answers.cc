#include "reactor/native_answers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reactor/sequence_waiting.h"
#include "reactor/status_refusal.h"
#include "schema/frame_limits.h"

namespace sagalog {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using schema::RefusalCode;

// One read on its way to a frame.
class NativeRead {
 public:
  NativeRead(FrameBuilder& builder, std::uint64_t number, Store& store, const frames::ReadT& read)
      : builder_(builder), number_(number), store_(store), read_(read) {}

  [[nodiscard]] std::string_view Answer() {
    switch (read_.what) {
      case frames::ReadWhat::saga: return FindSaga();
      case frames::ReadWhat::sagas: return List();
      case frames::ReadWhat::stale: return Pack(store_.Stale(Page()));
      case frames::ReadWhat::compensations: return Pack(store_.Compensations(Page()));
      case frames::ReadWhat::owners: return Pack(store_.Owners(Page()));
      case frames::ReadWhat::queue: return Pack(store_.Queue(read_.name));
      case frames::ReadWhat::policy: return Pack(store_.Policy());
      case frames::ReadWhat::effects: return Pack(store_.EffectsInDoubt(Page()));
      case frames::ReadWhat::sections: return Pack(store_.Sections(Page()));
      case frames::ReadWhat::history: return History();
      case frames::ReadWhat::refusals: return Refusals();
      case frames::ReadWhat::status: return builder_.Build(number_, store_.Describe());
    }
    return BuildRefusal(builder_, number_, RefusalCode::invalid_argument,
                        fmt::format("what: there is no value {}", static_cast<int>(read_.what)));
  }

 private:
  [[nodiscard]] std::size_t Limit() const {
    return read_.limit == 0 ? kPageRowsDefault : static_cast<std::size_t>(read_.limit);
  }
  [[nodiscard]] PageQuery Page() const { return {Limit(), read_.cursor}; }

  [[nodiscard]] std::string_view Refuse(const Status& status) {
    return builder_.Build(number_, RefusalOf(status, {}));
  }
  [[nodiscard]] std::string_view TooLarge() {
    return BuildRefusal(
        builder_, number_, RefusalCode::invalid_argument,
        fmt::format("limit: the answer takes more than {} bytes; ask for less at a time",
                    kAnswerFrameSizeMax));
  }

  template <typename Object>
  [[nodiscard]] std::string_view Pack(const Result<Object>& result) {
    if (!result.ok()) {
      return Refuse(result.status());
    }
    const std::string_view frame = builder_.Build(number_, *result);
    return frame.size() > kAnswerFrameSizeMax ? TooLarge() : frame;
  }

  [[nodiscard]] std::string_view FindSaga() {
    const Status reached = AwaitSequence(store_.log(), read_.min_sequence, kSequencePatience);
    return reached.ok() ? Pack(store_.Find(read_.name)) : Refuse(reached);
  }

  // Each saga may be large: the frame never grows far beyond what it may be.
  [[nodiscard]] std::string_view List() {
    SagaQuery query;
    query.state = read_.state ? std::optional(*read_.state) : std::nullopt;
    query.owner = read_.owner;
    query.queue = read_.queue;
    query.key = read_.key;
    query.label_name = read_.label_name;
    query.label_value = read_.label_value;
    query.stage = read_.stage;
    query.limit = Limit();
    query.cursor = read_.cursor;
    const Result<answers::SagaPageT> page = store_.List(query);
    if (!page.ok()) {
      return Refuse(page.status());
    }
    FlatBufferBuilder& builder = builder_.Begin();
    std::vector<Offset<answers::Saga>> items;
    for (const auto& saga : page->items) {
      items.push_back(answers::Saga::Pack(builder, saga.get()));
      if (builder.GetSize() > kAnswerFrameSizeMax / 2) {
        return TooLarge();
      }
    }
    const auto rows = builder.CreateVector(items);
    const auto cursor = builder.CreateString(page->cursor);
    return builder_.Finish(number_, answers::CreateSagaPage(builder, rows, cursor, page->sequence));
  }

  [[nodiscard]] std::string_view History() {
    const auto newest = store_.History(read_.name, read_.transitions_only, 1);
    if (!newest.ok()) {
      return Refuse(newest.status());
    }
    FlatBufferBuilder& builder = builder_.Begin();
    std::vector<Offset<frames::EventBytes>> items;
    const Status enough(Code::kCancelled, "as many as were asked for, or as fit");
    const auto add = [&](const events::Event&, std::string_view bytes) {
      if (items.size() >= Limit() || builder.GetSize() > kAnswerFrameSizeMax / 2) {
        return enough;
      }
      items.push_back(frames::CreateEventBytes(
          builder,
          builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())));
      return Status();
    };
    // Newest first, straight into the frame: nothing is gathered beside it.
    if (!newest->empty()) {
      const Status walked =
          store_.log().WalkBack(Sequence(newest->back()->sequence()), read_.transitions_only, add);
      if (!walked.ok() && walked.code() != Code::kCancelled) {
        return Refuse(walked);
      }
    }
    if (builder.GetSize() > kAnswerFrameSizeMax / 2) {
      return TooLarge();
    }
    std::reverse(items.begin(), items.end());
    return builder_.Finish(number_, frames::CreateEvents(builder, builder.CreateVector(items)));
  }

  [[nodiscard]] std::string_view Refusals() {
    const auto records = store_.Refusals(read_.name);
    if (!records.ok()) {
      return Refuse(records.status());
    }
    frames::RefusalNotesT notes;
    for (const RefusalRecord& record : *records) {
      auto& note = *notes.items.emplace_back(std::make_unique<frames::RefusalNoteT>());
      note.noted = record.noted.value();
      note.facts = std::make_unique<events::NotedRefusalT>(record.facts);
    }
    return builder_.Build(number_, notes);
  }

  FrameBuilder& builder_;
  const std::uint64_t number_;
  Store& store_;
  const frames::ReadT& read_;
};

}  // namespace

FrameBuilder& BuilderOfThread() {
  thread_local FrameBuilder builder;
  return builder;
}

std::string_view BuildReply(FrameBuilder& builder, std::uint64_t number, const Reply& reply) {
  return reply.ok() ? builder.Build(number, reply.answer())
                    : builder.Build(number, reply.refusal());
}

std::string_view BuildBatchReply(FrameBuilder& builder, std::uint64_t number,
                                 const BatchReply& reply) {
  FlatBufferBuilder& buffer = builder.Begin();
  std::vector<Offset<frames::BatchItem>> items;
  for (const Reply& one : reply.answers) {
    Offset<answers::Answer> answer;
    Offset<answers::Refusal> refusal;
    if (one.ok()) {
      answer = answers::Answer::Pack(buffer, &one.answer());
    } else {
      refusal = answers::Refusal::Pack(buffer, &one.refusal());
    }
    items.push_back(frames::CreateBatchItem(buffer, answer, refusal));
  }
  Offset<answers::Refusal> refusal;
  if (reply.refusal) {
    refusal = answers::Refusal::Pack(buffer, &*reply.refusal);
  }
  return builder.Finish(number,
                        frames::CreateBatchAnswers(buffer, buffer.CreateVector(items), refusal));
}

std::string_view BuildRefusal(FrameBuilder& builder, std::uint64_t number, RefusalCode code,
                              std::string_view detail) {
  answers::RefusalT refusal;
  refusal.code = code;
  refusal.detail = detail;
  return builder.Build(number, refusal);
}

std::string_view AnswerRead(FrameBuilder& builder, std::uint64_t number, Store& store,
                            const frames::ReadT& read) {
  return NativeRead(builder, number, store, read).Answer();
}

}  // namespace sagalog
