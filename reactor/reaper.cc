#include "reactor/reaper.h"

#include <algorithm>
#include <latch>
#include <utility>

#include "reactor/reaping.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

using answers::SweepOutcome;
using schema::RefusalCode;

constexpr const char* kActor = "reaper";

// Why the store takes no commands; OK when it does.
Status MayAppend(Store::Engine& engine) {
  if (engine.keeper() == nullptr) {
    return {Code::kReadOnly, "the store is open for reading only"};
  }
  return engine.Health();
}

std::optional<StoreTime> Earlier(std::optional<StoreTime> a, std::optional<StoreTime> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

void Decline(answers::SweepRowT& row, RefusalCode code, std::string detail) {
  row.outcome = SweepOutcome::declined;
  row.decision = flatbuffers::nullopt;
  row.code = code;
  row.detail = std::move(detail);
}

std::unique_ptr<commands::CommandT> RecoverCommand(const Saga& saga, commands::RecoverT recover) {
  auto command = std::make_unique<commands::CommandT>();
  command->saga_id = saga.id;
  command->actor = kActor;
  command->body.Set(std::move(recover));
  return command;
}

template <typename Row, typename Kind, std::size_t kSize>
void AddCounts(std::vector<std::unique_ptr<Row>>& rows, Kind Row::*kind,
               const std::array<std::uint64_t, kSize>& counts) {
  for (std::size_t i = 0; i < kSize; ++i) {
    if (counts[i] > 0) {
      rows.push_back(std::make_unique<Row>());
      (*rows.back()).*kind = static_cast<Kind>(i);
      rows.back()->count = counts[i];
    }
  }
}

template <std::size_t kSize>
std::array<std::uint64_t, kSize> Loaded(
    const std::array<std::atomic<std::uint64_t>, kSize>& counters) {
  std::array<std::uint64_t, kSize> counts{};
  for (std::size_t i = 0; i < kSize; ++i) {
    counts[i] = counters[i].load(std::memory_order_relaxed);
  }
  return counts;
}

void Summarise(answers::SweepReportT& report) {
  std::array<std::uint64_t, 8> recovered{};
  std::array<std::uint64_t, 64> declined{};
  for (const auto& row : report.items) {
    if (row->outcome == SweepOutcome::declined) {
      ++declined[static_cast<std::size_t>(*row->code)];
    } else {
      ++recovered[static_cast<std::size_t>(*row->decision)];
    }
  }
  AddCounts(report.recovered, &answers::DecisionCountT::decision, recovered);
  AddCounts(report.declined, &answers::CodeCountT::code, declined);
}

}  // namespace

Reaper::Reaper(Store::Engine& engine, bool runs, std::uint64_t seed)
    : engine_(engine), runs_(runs), pace_(seed) {}

Result<std::optional<Duration>> Reaper::Run() {
  const std::lock_guard lock(sweeping_mutex_);
  return RunExcluded();
}

Result<std::optional<Duration>> Reaper::RunExcluded() {
  RETURN_IF_ERROR(MayAppend(engine_));
  Round round;
  for (int rounds = 0; rounds < kReaperRoundsMax; ++rounds) {
    ASSIGN_OR_RETURN(round, Look(Bounds()));
    pace_.Spend(CarryOut(round, ""));
    if (!round.progress) {
      break;
    }
  }
  const bool due = round.more || round.progress || (round.next && *round.next <= round.now);
  const std::optional<StoreTime> next = due ? pace_.Rest(round.now) : round.next;
  put_off_.store(pace_.rests(), std::memory_order_relaxed);
  next_.store(next ? ToMicros(*next) : 0, std::memory_order_relaxed);
  return next ? std::optional<Duration>(*next - round.now) : std::nullopt;
}

Result<answers::SweepReportT> Reaper::Sweep(const SweepOptions& options) {
  if (!options.dry_run) {
    RETURN_IF_ERROR(MayAppend(engine_));
  }
  const std::lock_guard lock(sweeping_mutex_);
  const std::size_t limit = std::clamp<std::size_t>(options.limit, 1, kPageRowsMax);
  if (!options.dry_run) {
    RETURN_IF_ERROR(engine_.RunInTurn([&](Decider& decider) {
      Projections& state = decider.state().projections();
      for (const Saga* saga : state.AsideForReaper(decider.now(), limit)) {
        state.BringBack(saga->id);
      }
    }));
  }
  answers::SweepReportT report;
  report.dry_run = options.dry_run;
  Round round;
  do {
    const std::size_t left = limit - report.items.size();
    Bounds bounds;
    bounds.dry_run = options.dry_run;
    bounds.looks = options.dry_run ? left : std::min(left, kReaperLooksMax);
    bounds.recoveries = bounds.looks;
    ASSIGN_OR_RETURN(round, Look(bounds));
    if (!options.dry_run) {
      CarryOut(round, options.principal);
    }
    for (Finding& finding : round.findings) {
      report.items.push_back(std::move(finding.row));
    }
  } while (round.progress && report.items.size() < limit);
  Summarise(report);
  report.more = round.more;
  if (round.next && *round.next > round.now) {
    report.next = ToMicros(*round.next);
  }
  report.sequence = engine_.log().Last().value();
  return report;
}

void Reaper::PassTime(ManualClock& clock, Duration by) {
  const std::lock_guard lock(sweeping_mutex_);
  for (;;) {
    const auto rest = RunExcluded();
    if (!rest.ok() || !*rest || **rest > by) {
      break;
    }
    const Duration step = std::max(**rest, Duration(1));
    clock.Advance(step);
    by -= step;
  }
  clock.Advance(std::max(by, Duration::zero()));
  RunExcluded().status().IgnoreBecause("time passes also while the store takes no commands");
}

answers::ReaperT Reaper::Describe() const {
  answers::ReaperT reaper;
  reaper.running = runs_;
  AddCounts(reaper.recovered, &answers::DecisionCountT::decision, Loaded(recovered_));
  AddCounts(reaper.declined, &answers::CodeCountT::code, Loaded(declined_));
  reaper.put_off = put_off_.load(std::memory_order_relaxed);
  reaper.next = next_.load(std::memory_order_relaxed);
  return reaper;
}

Result<Reaper::Round> Reaper::Look(const Bounds& bounds) {
  Round round;
  RETURN_IF_ERROR(engine_.RunInTurn(
      [&](Decider& decider) {
        round = Round();
        LookInTurn(decider, bounds, round);
      },
      TurnFunction::Kind::kUpkeep));
  return round;
}

void Reaper::LookInTurn(Decider& decider, const Bounds& bounds, Round& round) {
  Projections& state = decider.state().projections();
  round.now = decider.now();
  if (!bounds.dry_run) {
    BringBackDue(state, round.now);
  }
  std::vector<const Saga*> due = state.DueForReaper(round.now, bounds.looks + 1);
  if (bounds.dry_run) {
    const auto aside = state.AsideForReaper(round.now, bounds.looks + 1 - due.size());
    due.insert(due.end(), aside.begin(), aside.end());
  }
  std::size_t permits = bounds.recoveries ? *bounds.recoveries : pace_.Permits(round.now);
  for (const Saga* saga : due) {
    Finding finding = LookAt(state, *saga, round.now);
    const bool recovers = finding.recover != nullptr;
    if (round.findings.size() == bounds.looks || (recovers && permits == 0)) {
      round.more = true;
      break;
    }
    permits -= recovers ? 1 : 0;
    if (bounds.dry_run) {
      finding.recover.reset();
    } else if (!recovers) {
      state.PutAside(saga->id);
      round.progress = true;
      if (finding.row->again_at != 0) {
        again_.emplace(TimeFromMicros(finding.row->again_at), saga->id);
      }
    }
    round.findings.push_back(std::move(finding));
  }
  round.next = state.NextForReaper();
  if (!again_.empty()) {
    round.next = Earlier(round.next, again_.begin()->first);
  }
}

void Reaper::BringBackDue(Projections& state, StoreTime now) {
  for (std::size_t i = 0; i < kReaperLooksMax && !again_.empty(); ++i) {
    if (again_.begin()->first > now) {
      return;
    }
    state.BringBack(again_.begin()->second);
    again_.erase(again_.begin());
  }
}

Reaper::Finding Reaper::LookAt(const Projections& state, const Saga& saga, StoreTime now) {
  const StalenessContext context = state.ContextOf(saga);
  Reaping reaping = ReapingOf(saga, context, now);
  Finding finding;
  finding.row = std::make_unique<answers::SweepRowT>();
  answers::SweepRowT& row = *finding.row;
  row.saga_id = saga.id;
  row.version = saga.version.value();
  row.state = saga.state;
  row.reasons = ViewReasons(StaleReasons(saga, context, now));
  row.on_stale = context.policy.on_stale;
  if (saga.IsHeld()) {
    row.owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(saga.owner));
  }
  row.outcome = SweepOutcome::would_recover;
  row.decision = reaping.choice.decision;
  row.detail = std::move(reaping.detail);
  if (reaping.choice.act != ReaperAct::kRecover) {
    Decline(row, reaping.choice.code, std::move(row.detail));
  } else {
    finding.recover = RecoverCommand(saga, std::move(reaping.recover));
    Decision decision =
        Decide(state, Lookups(), *finding.recover, 0, DecideContext{now, Token(), nullptr});
    if (decision.refusal) {
      finding.recover.reset();
      Decline(row, decision.refusal->code, std::move(decision.refusal->detail));
    }
  }
  if (finding.recover == nullptr) {
    const auto again = LookAgainAt(saga, context, now, *row.code);
    row.again_at = again ? ToMicros(*again) : 0;
  }
  return finding;
}

std::size_t Reaper::CarryOut(Round& round, const std::string& principal) {
  std::vector<Finding*> recoveries;
  for (Finding& finding : round.findings) {
    if (finding.recover != nullptr) {
      recoveries.push_back(&finding);
    }
  }
  std::latch answered(static_cast<std::ptrdiff_t>(recoveries.size()));
  for (Finding* finding : recoveries) {
    finding->recover->principal = principal;
    Store::Call(engine_, std::move(*finding->recover), false)
        .Then([finding, &answered, &round](const Reply& reply) {
          if (reply.ok()) {
            finding->row->outcome = SweepOutcome::recovered;
            round.progress = true;
          } else {
            Decline(*finding->row, reply.refusal().code, reply.refusal().detail);
          }
          answered.count_down();
        });
  }
  answered.wait();
  for (const Finding& finding : round.findings) {
    Count(*finding.row);
  }
  return recoveries.size();
}

void Reaper::Count(const answers::SweepRowT& row) {
  if (row.outcome == SweepOutcome::recovered) {
    recovered_[static_cast<std::size_t>(*row.decision)].fetch_add(1, std::memory_order_relaxed);
  } else if (row.outcome == SweepOutcome::declined) {
    declined_[static_cast<std::size_t>(*row.code)].fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace sagalog
