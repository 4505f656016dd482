#include "tools/bench_audit_figures.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

#include "reactor/audit_trail.h"
#include "tools/bench_load.h"

namespace sagalog::tools {
namespace {

using Timer = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{1};

struct AuditRound {
  double per_second = 0;
  double lag_seconds = 0;
  double lag_events = 0;
};

Result<AuditRound> RunRound(const BenchPlan& plan, bool with_tree) {
  const std::filesystem::path directory = plan.directory / "audit";
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  StoreOptions options;
  options.directory = directory;
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  std::unique_ptr<AuditTrail> trail;
  if (with_tree) {
    ASSIGN_OR_RETURN(trail, AuditTrail::Open(store->log(), directory));
  }
  ASSIGN_OR_RETURN(const double seconds,
                   RunLifecycles(*store, {"saga-", plan.sagas, kManyProducers, true}));
  AuditRound round;
  round.per_second = static_cast<double>(plan.sagas * kLifecycleEvents) / seconds;
  if (trail) {
    const Timer::time_point end = Timer::now();
    round.lag_events = static_cast<double>(trail->Lag());
    while (trail->Lag() > 0 && Timer::now() - end < std::chrono::minutes(1)) {
      std::this_thread::sleep_for(kLook);
    }
    round.lag_seconds = std::chrono::duration<double>(Timer::now() - end).count();
    trail.reset();
  }
  RETURN_IF_ERROR(store->Close());
  std::filesystem::remove_all(directory, error);
  return round;
}

}  // namespace

Status MeasureAudit(const BenchPlan& plan, Figures& figures) {
  constexpr int kRounds = 5;
  std::vector<double> ratios;
  for (int i = 0; i < kRounds; ++i) {
    // By turns, so that what a machine does meanwhile falls on both.
    const bool tree_first = i % 2 == 1;
    ASSIGN_OR_RETURN(const AuditRound one, RunRound(plan, tree_first));
    ASSIGN_OR_RETURN(const AuditRound two, RunRound(plan, !tree_first));
    const AuditRound& with = tree_first ? one : two;
    const AuditRound& without = tree_first ? two : one;
    ratios.push_back(with.per_second / without.per_second);
    figures["audit_on_per_second"] = std::max(figures["audit_on_per_second"], with.per_second);
    figures["audit_off_per_second"] = std::max(figures["audit_off_per_second"], without.per_second);
    figures["audit_lag_seconds"] = std::max(figures["audit_lag_seconds"], with.lag_seconds);
    figures["audit_lag_events"] = std::max(figures["audit_lag_events"], with.lag_events);
  }
  std::sort(ratios.begin(), ratios.end());
  figures["audit_ratio"] = Quantile(ratios, 0.5);
  return {};
}

}  // namespace sagalog::tools
