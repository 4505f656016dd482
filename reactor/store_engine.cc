#include "reactor/store_engine.h"

#include <utility>

#include <fmt/format.h>

#include "eventlog/rocks_log.h"
#include "projections/text_hash.h"
#include "reactor/effect_facts.h"
#include "reactor/past_looks.h"
#include "reactor/random_id.h"
#include "reactor/redacting.h"
#include "reactor/replay.h"
#include "reactor/restore.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

std::vector<std::unique_ptr<answers::OwnerVerdictT>> ViewReports(
    const std::vector<HolderReport>& reports) {
  std::vector<std::unique_ptr<answers::OwnerVerdictT>> views;
  for (const HolderReport& report : reports) {
    views.push_back(std::make_unique<answers::OwnerVerdictT>());
    views.back()->saga_id = report.saga_id;
    views.back()->verdict = report.verdict;
  }
  return views;
}

// What was refused since the last note, before the store closes.
class ClosingNote final : public StoreOperation {
 public:
  bool RunWith(Decider& decider, Batch& batch) override {
    const bool fits = batch.HasRoomFor(1, kEventSizeMax);
    if (fits) {
      decider.NoteRefusals(batch);
    }
    return fits;
  }
  bool Undo(const Status& /*why*/) override { return false; }
  [[nodiscard]] bool IsUpkeep() const override { return true; }
};

}  // namespace

Store::Engine::Engine(StoreOptions options)
    : options_(std::move(options)),
      clock_(options_.clock == nullptr ? system_clock_ : *options_.clock),
      log_(std::move(options_.log)),
      read_only_(options_.read_only) {}

Result<std::unique_ptr<Store::Engine>> Store::Engine::Open(StoreOptions options) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  RETURN_IF_ERROR(engine->OpenLog());
  RETURN_IF_ERROR(engine->OpenState());
  RETURN_IF_ERROR(engine->StartDeciding());
  return engine;
}

Store::Engine::~Engine() {
  reaper_loop_.reset();
  if (keeper_) {
    keeper_->Stop();
  }
  if (sequencer_) {
    sequencer_->Stop();
  }
}

Status Store::Engine::OpenLog() {
  if (log_) {
    readers_ = LogReaders::Load({});
    return {};
  }
  if (options_.directory.empty()) {
    return {Code::kInvalidArgument, "no data directory is named"};
  }
  const auto mode = [this] { return read_only_ ? LogMode::kReadOnly : LogMode::kReadWrite; };
  ASSIGN_OR_RETURN(DataDirectory directory, DataDirectory::Open(options_.directory, mode()));
  directory_.emplace(std::move(directory));
  readers_ = LogReaders::Load(directory_->path() / kReadersFileName);
  RETURN_IF_ERROR(CheckNoUnfinishedRestore(directory_->path()));
  if (read_only_) {
    // A checkpoint is never ahead of the log at the same moment.
    rows_before_log_ = LiveState::OpenRows(directory_->projections(), true);
  }
  Result<std::unique_ptr<RocksLog>> log = RocksLog::Open(directory_->path(), {.mode = mode()});
  if (!log.ok() && log.status().code() == Code::kCorruption && !read_only_) {
    read_only_ = true;
    log = RocksLog::Open(directory_->path(), {.mode = LogMode::kReadOnly});
  }
  RETURN_IF_ERROR(log.status());
  log_ = *std::move(log);
  return {};
}

Status Store::Engine::OpenState() {
  LiveState::Options options;
  options.read_only = read_only_;
  options.checkpoint_events = options_.checkpoint_events;
  if (directory_) {
    options.directory = directory_->projections();
  } else if (!options_.directory.empty()) {
    options.directory = options_.directory / kProjectionsDirectoryName;
  }
  if (!rows_before_log_) {
    rows_before_log_ = LiveState::OpenRows(options.directory, read_only_);
  }
  ASSIGN_OR_RETURN(state_, LiveState::Open(*log_, *std::move(rows_before_log_), options));
  rows_before_log_.reset();
  if (!state_->damage().ok()) {
    read_only_ = true;
  }
  return {};
}

Status Store::Engine::StartDeciding() {
  const Projections& projections = state_->projections();
  std::optional<StoreTime> last_event;
  if (!projections.Applied().IsNone()) {
    last_event = projections.facts().last_time;
  }
  ASSIGN_OR_RETURN(const StoreClock clock,
                   StoreClock::Start(clock_, last_event, options_.accept_clock || read_only_));
  due_ = std::make_unique<CheckpointDue>(options_.checkpoint_events, options_.checkpoint_interval);
  due_->Taken(CheckpointSequence());
  Status why_read_only = state_->damage();
  if (why_read_only.ok() && read_only_) {
    why_read_only = Status(Code::kReadOnly, "the store is open for reading only");
  }
  decider_ =
      std::make_unique<Decider>(*state_, *due_, notes_, clock, why_read_only, state_->damage());
  if (!read_only_ && WasAway()) {
    RETURN_IF_ERROR(AppendStoreOpened());
  }
  past_looks_ = std::make_unique<PastLooks>(*log_);
  MakeReaper();
  std::optional<std::chrono::milliseconds> tick;
  if (clock_.RunsByItself() && !read_only_) {
    tick = kTickInterval;
  }
  sequencer_ = std::make_unique<Sequencer>(*log_, *decider_, tick);
  if (!read_only_) {
    keeper_ = std::make_unique<CheckpointKeeper>(*sequencer_, *state_, *due_);
  }
  StartReaper();
  FinishRedacting(*this).IgnoreBecause("the file stays, and the next redaction tries again");
  return {};
}

void Store::Engine::MakeReaper() {
  std::uint64_t seed = options_.reaper.seed;
  if (seed == 0 && clock_.RunsByItself()) {
    seed = TextHash(state_->projections().facts().store_id);
  }
  reaper_ = std::make_unique<Reaper>(*this, options_.reaper.runs && !read_only_, seed);
}

// Under a manual clock nothing happens between two movements of it: tests can rely on that.
void Store::Engine::StartReaper() {
  if (reaper_->runs() && clock_.RunsByItself()) {
    reaper_loop_ = std::make_unique<ReaperLoop>(clock_, [this] {
      const auto rest = reaper_->Run();
      return rest.ok() ? *rest : std::nullopt;
    });
  }
}

// A one-shot command after another one is no absence.
bool Store::Engine::WasAway() const {
  const StoreFacts& facts = state_->projections().facts();
  return options_.mode == schema::OpenMode::session || !facts.last_open ||
         *facts.last_open == schema::OpenMode::session;
}

Status Store::Engine::AppendStoreOpened() {
  const Projections& projections = state_->projections();
  const bool is_new = projections.Applied().IsNone();
  events::StoreOpenedT opened;
  opened.mode = options_.mode;
  opened.store_id =
      projections.facts().store_id.empty() ? NewRandomId() : projections.facts().store_id;
  opened.away_since = is_new ? 0 : ToMicros(projections.facts().last_time);

  Batch batch;
  batch.Clear(projections.Applied());
  decider_->BeginTurn(batch, std::nullopt);
  decider_->AddStoreOpened(batch, std::move(opened));
  RETURN_IF_ERROR(decider_->TurnHealth());
  const Status appended = log_->Append(batch.expected_last, batch.Views());
  if (!appended.ok() && is_new) {
    return appended;
  }
  if (!appended.ok()) {
    decider_->FoldAgain(appended);
  }
  return {};
}

Status Store::Engine::Close() {
  const std::lock_guard lock(close_mutex_);
  if (std::exchange(closed_, true)) {
    return close_status_;
  }
  const auto note = [this](const Status& status) {
    if (close_status_.ok() && !status.ok()) {
      close_status_ = status;
    }
  };
  if (reaper_loop_) {
    reaper_loop_->Stop();
  }
  if (keeper_) {
    keeper_->Stop();
    if (!notes_.IsEmpty()) {
      ClosingNote closing_note;
      note(sequencer_->Run(closing_note));
    }
    if (Health().ok()) {
      note(keeper_->Take().status());
    }
  }
  sequencer_->Stop();
  note(state_->Close());
  note(log_->Close());
  directory_.reset();
  return close_status_;
}

Status Store::Engine::Health() const {
  Status health = decider_->Health();
  if (const Status failure = sequencer_->Failure(); health.ok() && !failure.ok()) {
    return {Code::kReadOnly, failure.text()};  // not yet folded again
  }
  return health.ok() ? log_->Health() : health;
}

Sequence Store::Engine::CheckpointSequence() const {
  return state_->WithRows([](const CheckpointStore& rows) { return rows.CheckpointSequence(); });
}

std::uint64_t Store::Engine::CountRefusals(RefusalCode code) const {
  return refusals_[static_cast<std::size_t>(code)].load(std::memory_order_relaxed);
}

Status Store::Engine::RunInTurn(TurnFunction::Function function, TurnFunction::Kind kind) {
  TurnFunction operation(std::move(function), kind);
  RETURN_IF_ERROR(sequencer_->Run(operation));
  return operation.status();
}

Result<std::optional<SagaSnapshot>> Store::Engine::FindSaga(std::string_view saga_id) {
  std::optional<SagaSnapshot> found;
  StoreTime now;
  RETURN_IF_ERROR(RunInTurn([&](Decider& decider) {
    now = decider.now();
    const Saga* saga = decider.projections().Find(saga_id);
    found.reset();
    if (saga != nullptr) {
      found = TakeSnapshot(decider.projections(), *saga, now);
    }
  }));
  if (found) {
    return found;
  }
  // What has left memory is on disk already.
  ASSIGN_OR_RETURN(std::optional<Saga> ended, state_->WithRows([&](const CheckpointStore& rows) {
    return rows.FindSaga(saga_id);
  }));
  if (ended) {
    found = SagaSnapshot{*std::move(ended), {}, {}, now};
  }
  return found;
}

void Store::Engine::LookUp(CommandOperation& operation) {
  operation.lookups =
      std::make_unique<Lookups>(state_->LookUp(operation.command, operation.wanted));
}

bool Store::Engine::Prepare(CommandOperation& operation) {
  if (sequencer_->IsOverloaded()) {
    return operation.Undo(Status(Code::kOverloaded, "too many operations are waiting already"));
  }
  const commands::CommandT& command = operation.command;
  if (const Status valid = ValidateCommand(command); !valid.ok()) {
    operation.refusal = std::make_unique<answers::RefusalT>();
    operation.refusal->code = RefusalCode::invalid_argument;
    operation.refusal->detail = valid.text();
    operation.refusal->saga_id = command.saga_id;
    return false;
  }
  if (command.request_id) {
    operation.content = CommandContent(command);
  }
  // Other commands name a saga, which is nearly always in memory.
  const commands::Body type = command.body.type;
  if (type == commands::Body::Plan || (command.request_id && HasStoreWideRequest(type))) {
    LookUp(operation);
  }
  return true;
}

Reply Store::Engine::Run(CommandOperation& operation) {
  if (!Prepare(operation)) {
    return Finish(operation);
  }
  do {
    if (const Status taken = sequencer_->Run(operation); !taken.ok()) {
      static_cast<void>(operation.Undo(taken));
    }
    if (operation.needs_look_up) {
      LookUp(operation);
    }
  } while (operation.needs_look_up);
  return Finish(operation);
}

void Store::Engine::Submit(CommandOperation& operation) {
  if (Prepare(operation)) {
    sequencer_->Submit(operation);
  } else {
    sequencer_->Complete(operation);
  }
}

bool Store::Engine::Resume(CommandOperation& operation) {
  if (!operation.needs_look_up) {
    return true;
  }
  LookUp(operation);
  sequencer_->Submit(operation);
  return false;
}

void Store::Engine::NoteRefusal(const commands::CommandT& command,
                                const answers::RefusalT& refusal) {
  refusals_[static_cast<std::size_t>(refusal.code)].fetch_add(1, std::memory_order_relaxed);
  if (!read_only_) {
    notes_.Add(command, refusal);
  }
}

Reply Store::Engine::FinishRefused(const commands::CommandT& command, answers::RefusalT refusal) {
  NoteRefusal(command, refusal);
  return refusal;
}

Reply Store::Engine::Finish(CommandOperation& operation) {
  if (operation.refusal) {
    TellOfEffect(*log_, *operation.refusal);
    return FinishRefused(operation.command, std::move(*operation.refusal));
  }
  if (operation.replay_of) {
    return FinishReplay(operation);
  }
  answers::AnswerT answer;
  answer.outcome = operation.outcome;
  answer.sequence = operation.sequence.value();
  answer.token = operation.token.value();
  answer.cancel_pending = operation.cancel_pending;
  answer.reports = ViewReports(operation.reports);
  if (operation.snapshot) {
    // The command has happened, whatever becomes of showing it.
    if (auto view = SagaViewer(*log_).View(*operation.snapshot); view.ok()) {
      answer.saga = *std::move(view);
    }
  }
  return answer;
}

Reply Store::Engine::FinishReplay(CommandOperation& operation) {
  Result<ReplayedAnswer> replayed = ReplayAnswer(*log_, *operation.replay_of);
  if (!replayed.ok()) {
    answers::RefusalT refusal;
    refusal.code = RefusalCode::corrupt;
    refusal.detail = replayed.status().text();
    refusal.saga_id = operation.command.saga_id;
    return FinishRefused(operation.command, std::move(refusal));
  }
  answers::AnswerT answer;
  answer.replayed = true;
  answer.outcome = replayed->outcome;
  answer.sequence = replayed->sequence.value();
  answer.token = replayed->token.value();
  answer.cancel_pending = replayed->cancel_pending;
  answer.reports = ViewReports(replayed->reports);
  if (!operation.with_saga || replayed->saga.id.empty()) {
    return answer;
  }
  SagaSnapshot then{std::move(replayed->saga), {}, {}, replayed->time};
  if (operation.snapshot) {
    then.policy = operation.snapshot->policy;
    then.returns = std::move(operation.snapshot->returns);
    if (const auto& extras = operation.snapshot->saga.extras; extras && !extras->children.empty()) {
      then.saga.extras.Ensure().children = extras->children;
      KeepChildrenPlannedBy(replayed->sequence, *then.saga.extras)
          .IgnoreBecause("a child too many misleads nobody");
    }
  }
  if (auto view = SagaViewer(*log_).View(then); view.ok()) {
    answer.saga = *std::move(view);
  }
  return answer;
}

Status Store::Engine::KeepChildrenPlannedBy(Sequence sequence, SagaExtras& extras) {
  std::vector<std::string> kept;
  for (std::string& id : extras.children) {
    ASSIGN_OR_RETURN(const std::optional<SagaSnapshot> child, FindSaga(id));
    if (child && child->saga.planned_sequence <= sequence) {
      kept.push_back(std::move(id));
    }
  }
  extras.children = std::move(kept);
  return {};
}

}  // namespace sagalog
