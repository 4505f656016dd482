#include "projections/checkpoint.h"
#include "projections/read_models.h"
#include "schema/check.h"

namespace sagalog {
namespace {

// Finish lets go of so many at once; each event after it takes a few more (read_models.cc).
constexpr std::size_t kLetGoAtFinish = 1000;
constexpr std::size_t kAll = static_cast<std::size_t>(-1);

}  // namespace

struct Checkpointer::State {
  enum class Phase { kIdle, kSerializing, kSerialized, kCommitted };

  ReadModels& models;
  CheckpointStore& store;
  Phase phase = Phase::kIdle;
  Sequence sequence{};
  std::uint64_t epoch = 0;
};

Checkpointer::Checkpointer(Projections& projections, CheckpointStore& store)
    : state_(new State{projections.models(), store}) {}

Checkpointer::~Checkpointer() {
  // What was begun goes on: its rows stay with the projections, for whoever takes the next one.
  if (state_->phase == State::Phase::kSerializing) {
    static_cast<void>(Serialize(kAll));
  }
}

void Checkpointer::Begin() {
  CHECK(state_->phase == State::Phase::kIdle || state_->phase == State::Phase::kSerialized);
  ChangedSagas& changed = state_->models.changed();
  state_->sequence = state_->models.applied();
  changed.batch().SetMeta(state_->sequence, state_->models.EncodeStore());
  changed.Freeze();
  state_->phase = State::Phase::kSerializing;
}

bool Checkpointer::Serialize(std::size_t sagas_max) {
  CHECK(state_->phase == State::Phase::kSerializing);
  if (!state_->models.changed().Serialize(sagas_max)) {
    return false;
  }
  state_->phase = State::Phase::kSerialized;
  return true;
}

Sequence Checkpointer::sequence() const { return state_->sequence; }

Status Checkpointer::Commit() {
  CHECK(state_->phase == State::Phase::kSerialized);
  RETURN_IF_ERROR(state_->store.Commit(state_->models.changed().batch()));
  state_->phase = State::Phase::kCommitted;
  return {};
}

void Checkpointer::Finish() {
  if (state_->phase != State::Phase::kCommitted) {
    return;
  }
  // Those of the checkpoint before are mostly gone by now.
  state_->models.LetGo(kAll);
  state_->models.changed().NoteCommitted();
  state_->models.LetGo(kLetGoAtFinish);
  ++state_->epoch;
  state_->phase = State::Phase::kIdle;
}

std::uint64_t Checkpointer::Epoch() const { return state_->epoch; }

Status Checkpointer::TakeNow() {
  Begin();
  static_cast<void>(Serialize(kAll));
  RETURN_IF_ERROR(Commit());
  Finish();
  state_->models.LetGo(kAll);
  return {};
}

}  // namespace sagalog
