// sagalog::Store: the embedded API. Opens a data directory and owns it.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "eventlog/event_log.h"
#include "reactor/clock.h"
#include "reactor/past_place.h"
#include "schema/answers_generated.h"
#include "schema/commands_generated.h"
#include "schema/events_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"
#include "schema/sweep_generated.h"

namespace sagalog {

struct AppendFigures;

// The reaper carries out what the policies of stale sagas say (`on_stale`).
struct ReaperOptions {
  // Whether it acts by itself. Under a manual clock it does so in PassTime alone.
  bool runs = false;
  // Of the chance that keeps it out of step with others. 0 = the store's own, or, under a manual
  // clock, always the same.
  std::uint64_t seed = 0;
};

struct StoreOptions {
  std::filesystem::path directory;
  // A one-shot command after another one is no absence; after a session it is (design: time).
  schema::OpenMode mode = schema::OpenMode::session;
  // Opens without a lock, appends nothing; a snapshot of the log as it is at opening.
  bool read_only = false;
  // Borrowed; null = the machine's.
  const Clock* clock = nullptr;
  // Accept a wall clock more than 7 days ahead of the last event.
  bool accept_clock = false;
  // A checkpoint is taken after so many events or so much time, whichever is first.
  std::uint64_t checkpoint_events = 100'000;
  std::chrono::milliseconds checkpoint_interval{30'000};
  ReaperOptions reaper;
  // Instead of a directory: a log of the caller's (tests, simulation); projections stay in memory
  // unless `directory` is set too.
  std::unique_ptr<EventLog> log;
};

// What every command may carry besides its arguments.
struct CallOptions {
  // Declared, so that this is no aggregate: g++ 12 destroys temporary aggregates of a co_await
  // expression twice.
  CallOptions() = default;

  std::optional<schema::RequestId> request_id;
  // 0 = the saga must not exist.
  std::optional<std::uint64_t> expected_version;
  std::string actor;
  std::string principal;
  std::string traceparent;
  // Whether the answer carries the whole saga as it is after the command.
  bool with_saga = false;
};

// The answer to a command, or its refusal.
class Reply {
 public:
  Reply(answers::AnswerT answer) : value_(std::move(answer)) {}     // NOLINT
  Reply(answers::RefusalT refusal) : value_(std::move(refusal)) {}  // NOLINT
  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  [[nodiscard]] const answers::AnswerT& answer() const { return std::get<0>(value_); }
  [[nodiscard]] const answers::RefusalT& refusal() const { return std::get<1>(value_); }

 private:
  std::variant<answers::AnswerT, answers::RefusalT> value_;
};

// The answers to several commands.
struct BatchReply {
  // One for each command, in their order; none when an atomic batch was refused.
  std::vector<Reply> answers;
  // Of an atomic batch: the refusal that stands for all, with the `index` of its command.
  std::optional<answers::RefusalT> refusal;
};

// Filters of a query over sagas; empty = any.
struct SagaQuery {
  std::optional<schema::State> state;
  std::string owner;
  std::string queue;
  std::string key;
  std::string label_name;
  std::string label_value;
  std::string stage;
  std::size_t limit = 100;
  std::string cursor;
};

struct PageQuery {
  std::size_t limit = 100;
  std::string cursor;
};

// A refused command, kept for forensics.
struct RefusalRecord {
  // The event that notes it; none = it is not yet noted.
  Sequence noted;
  events::NotedRefusalT facts;
};

struct SweepOptions {
  // Sagas looked at; at most kPageRowsMax.
  std::size_t limit = 100;
  // Only says what it would do.
  bool dry_run = false;
  // Who asks for it.
  std::string principal = {};
};

// What `verify` found.
struct VerifyReport {
  Sequence last;
  std::uint64_t events = 0;
  // The first thing broken, in words; empty = all is well.
  std::string broken;
};

struct BackupOptions {
  // An empty directory, one to be created, or one with earlier backups of this store.
  std::filesystem::path directory;
  // How many backups stay there, the new one included; older ones are removed when it is whole.
  std::size_t keep = 7;
};

struct BackupReport {
  // Where it is: a numbered folder of the directory.
  std::filesystem::path path;
  Sequence last;
  std::uint64_t size_bytes = 0;
  // Of those, what had to be copied; the rest is shared with the backup before.
  std::uint64_t copied_bytes = 0;
};

struct CompactOptions {
  // Only heartbeats of at least this age become stubs.
  Duration older_than = std::chrono::hours(1);
  // And none behind this sequence; none = the end of the log.
  std::optional<Sequence> through;
  // Who asks, as the `compacted` event shall say.
  std::string actor;
  std::string principal;
};

struct CompactReport {
  // The last event that was looked at.
  Sequence through;
  // How many heartbeats became stubs. With none, nothing was appended.
  std::uint64_t stubs = 0;
  // What the space could not be given back for, though all stubs are there; empty = it was.
  std::string unreclaimed;
  // The sequence this is true of: that of the `compacted` event, if there is one.
  Sequence sequence;
};

// The store of task sagas in one data directory. Thread-safe: any method from any thread. Every
// answer, refusals and reads included, is given only when the sequence it was decided on is
// durable. After a write error the store is read-only: commands are refused with `read_only` and
// the reason, reads answer for what is durable.
class Store {
 public:
  // A command under way: wait for it, or co_await it. It starts when asked for its result.
  class Call;
  // What a store is made of: nothing for callers.
  class Engine;

  // Errors in words that say what to do: kLocked (by which process), kUnsupportedVersion,
  // kInvalidArgument (no data directory, clock), kIoError. A damaged log opens for reading:
  // Health() then is kCorruption.
  [[nodiscard]] static Result<std::unique_ptr<Store>> Open(StoreOptions options);
  // Closes without a last checkpoint if Close was not called.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Finishes what is under way, refuses what comes after, takes a checkpoint, releases the
  // directory. Idempotent. Not from a callback or a coroutine that the store resumed.
  Status Close();

  // Any command, in its general form.
  [[nodiscard]] Call Execute(commands::CommandT command, bool with_saga = false);

  // Several commands in their order, kBatchCommandsMax at most; blocks. Atomic: each sees what
  // those before it did, and all are one append; when one is refused, nothing has happened.
  // Otherwise each stands by itself.
  [[nodiscard]] BatchReply ExecuteBatch(std::vector<commands::CommandT> batch, bool atomic,
                                        bool with_saga = false);

  // A method a command. Meaning and refusals: docs/guarantees.md.
  [[nodiscard]] Call Plan(std::string_view saga, commands::PlanT arguments = {},
                          CallOptions options = {});
  [[nodiscard]] Call Dispatch(std::string_view saga, commands::DispatchT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call AbortDispatch(std::string_view saga, commands::AbortDispatchT arguments,
                                   CallOptions options = {});
  [[nodiscard]] Call Acquire(std::string_view saga, commands::AcquireT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call ClaimNext(commands::ClaimNextT arguments, CallOptions options = {});
  [[nodiscard]] Call Heartbeat(std::string_view saga, commands::HeartbeatT arguments,
                               CallOptions options = {});
  [[nodiscard]] Call Release(std::string_view saga, commands::ReleaseT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call AdvanceStage(std::string_view saga, commands::AdvanceStageT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call EnterSection(std::string_view saga, commands::EnterSectionT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call LeaveSection(std::string_view saga, commands::LeaveSectionT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call BeginEffect(std::string_view saga, commands::BeginEffectT arguments,
                                 CallOptions options = {});
  [[nodiscard]] Call SettleEffect(std::string_view saga, commands::SettleEffectT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call RecordExit(std::string_view saga, commands::RecordExitT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call RegisterCompensation(std::string_view saga,
                                          commands::RegisterCompensationT arguments,
                                          CallOptions options = {});
  [[nodiscard]] Call Complete(std::string_view saga, commands::CompleteT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call Fail(std::string_view saga, commands::FailT arguments,
                          CallOptions options = {});
  [[nodiscard]] Call Compensate(std::string_view saga, commands::CompensateT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call MarkCompensated(std::string_view saga,
                                     commands::MarkCompensatedT arguments = {},
                                     CallOptions options = {});
  [[nodiscard]] Call Quarantine(std::string_view saga, commands::QuarantineT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call Cancel(std::string_view saga, commands::CancelT arguments,
                            CallOptions options = {});
  [[nodiscard]] Call Park(std::string_view saga, commands::ParkT arguments,
                          CallOptions options = {});
  [[nodiscard]] Call Unpark(std::string_view saga, CallOptions options = {});
  [[nodiscard]] Call Recover(std::string_view saga, commands::RecoverT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call ClaimCompensation(std::string_view saga,
                                       commands::ClaimCompensationT arguments,
                                       CallOptions options = {});
  [[nodiscard]] Call SettleCompensation(std::string_view saga,
                                        commands::SettleCompensationT arguments,
                                        CallOptions options = {});
  [[nodiscard]] Call ReportOwner(std::string_view saga, commands::ReportOwnerT arguments,
                                 CallOptions options = {});
  // Of every saga that the process, or an older boot of its host, holds; `reports` in the answer.
  [[nodiscard]] Call ReportOwners(commands::ReportOwnersT arguments, CallOptions options = {});
  [[nodiscard]] Call Annotate(std::string_view saga, commands::AnnotateT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call ForceRelease(std::string_view saga, commands::ForceReleaseT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call ConfigureQueue(commands::ConfigureQueueT arguments, CallOptions options = {});
  [[nodiscard]] Call ChangePolicy(commands::ChangePolicyT arguments, CallOptions options = {});

  // Reads. Each is true of the sequence it says. `min_sequence` waits until that is durable.
  [[nodiscard]] Result<answers::SagaT> Find(std::string_view saga, Sequence min_sequence = {});
  // The saga as Find showed it at a past moment (past_saga.h), from its own history and what memory
  // knows of the rest: the log is not passed through. kNotFound when it was not planned by then,
  // kInvalidArgument when the moment is to come or beyond the end.
  [[nodiscard]] Result<answers::SagaT> FindPast(std::string_view saga, const PastMoment& at);
  [[nodiscard]] Result<answers::SagaPageT> List(const SagaQuery& query);
  [[nodiscard]] Result<answers::StalePageT> Stale(const PageQuery& query);
  [[nodiscard]] Result<answers::CompensationPageT> Compensations(const PageQuery& query);
  [[nodiscard]] Result<answers::OwnerPageT> Owners(const PageQuery& query);
  [[nodiscard]] Result<answers::QueueT> Queue(std::string_view queue);
  // The store's own policy as it was set.
  [[nodiscard]] Result<answers::StorePolicyT> Policy();
  // Effects that were begun and are not settled, by the planning of their sagas.
  [[nodiscard]] Result<answers::EffectPageT> EffectsInDoubt(const PageQuery& query);
  // Open sections, by the planning of their sagas.
  [[nodiscard]] Result<answers::SectionPageT> Sections(const PageQuery& query);
  // The saga's events, oldest first; `limit` keeps the newest.
  [[nodiscard]] Result<std::vector<StoredEvent>> History(std::string_view saga,
                                                         bool transitions_only, std::size_t limit);
  // Refused commands that were about the saga, oldest first: the newest that were noted, and those
  // that wait to be.
  [[nodiscard]] Result<std::vector<RefusalRecord>> Refusals(std::string_view saga);
  // The name of the saga's owner, after its end the last one's; empty when it had none.
  [[nodiscard]] Result<std::string> OwnerName(std::string_view saga);
  // Counts a command that was refused before the store was asked, and notes it for forensics like
  // the store's own refusals.
  void NoteRefusal(const commands::CommandT& command, const answers::RefusalT& refusal);
  [[nodiscard]] answers::StatusT Describe();
  // How many operations wait for their turn.
  [[nodiscard]] std::size_t QueuedOperations() const;
  // How appends to the log went since it was opened; null = the log does not count them.
  [[nodiscard]] const AppendFigures* Appends() const;
  // OK, kReadOnly (poisoned: why) or kCorruption (where).
  [[nodiscard]] Status Health() const;

  // Folds everything again from zero beside the live copy and compares all rows.
  [[nodiscard]] Result<VerifyReport> Verify();
  // Throws the projections' rows away and writes them anew from the log.
  Status Rebuild();
  // Takes a checkpoint now.
  Status Checkpoint();

  // Has the reaper act now, on whatever is due, whether it runs by itself or not. A row for each
  // saga whose policy has it act, also for those it has to leave to people. kReadOnly when the
  // store takes no commands, unless it is a dry run.
  [[nodiscard]] Result<answers::SweepReportT> Sweep(const SweepOptions& options = {});
  // What it did since the store was opened.
  [[nodiscard]] answers::ReaperT DescribeReaper() const;
  // Moves the manual clock that the store was opened with. A reaper that runs acts at each of its
  // moments on the way, and has when this returns.
  void PassTime(ManualClock& clock, Duration by);
  // Copies the log while commands go on, and verifies the copy. It holds all that was answered when
  // it began. On an error nothing new is there, and earlier backups are as they were. Bringing one
  // back: reactor/restore.h.
  [[nodiscard]] Result<BackupReport> Backup(const BackupOptions& options);
  // Makes stubs of heartbeats that a later one of their lease or its end has superseded, and that
  // neither a request nor an answer needs. State, history, requests and the audit tree stay as they
  // are. While commands go on; interrupted at any point, it can be run again.
  [[nodiscard]] Result<CompactReport> Compact(const CompactOptions& options);

  [[nodiscard]] const EventLog& log() const;

 private:
  explicit Store(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// One command's way through the store. Move-only; ask for the result once, either way.
class Store::Call {
 public:
  Call(Engine& engine, commands::CommandT command, bool with_saga);
  Call(Call&&) noexcept;
  ~Call();

  // Blocks until the answer is durable. An idle store decides and writes on this very thread.
  [[nodiscard]] Reply Get() &&;

  // co_await store.Acquire(…): suspends, and resumes on the store's completion thread when the
  // answer is durable. The resumed code must not block it.
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  [[nodiscard]] Reply await_resume();

  // The same with a callback, from the completion thread.
  void Then(std::function<void(Reply)> callback) &&;

 private:
  struct Operation;
  std::unique_ptr<Operation> operation_;
};

}  // namespace sagalog
