// How fast a whole store is verified, beside a bare scan of the same log, and in how much memory.
#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "eventlog/raw_baseline.h"
#include "reactor/verification.h"
#include "tools/bench_figures.h"
#include "tools/bench_load.h"
#include "tools/bench_process.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;
using Timer = std::chrono::steady_clock;

constexpr int kVerifyRounds = 3;

Status MeasureOneRound(const fs::path& directory, Figures& figures, std::vector<double>& ratios) {
  ASSIGN_OR_RETURN(const RawScan scan, TimeRawVerifiedScan(directory / "log"));
  const double scanned = static_cast<double>(scan.values) / scan.seconds;
  StoreOptions options;
  options.directory = directory;
  options.read_only = true;
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  ForgetPeak();
  const Timer::time_point start = Timer::now();
  ASSIGN_OR_RETURN(const Verification found, VerifyAll(*store));
  const std::chrono::duration<double> taken = Timer::now() - start;
  if (!found.report.broken.empty()) {
    return {Code::kCorruption, found.report.broken};
  }
  const double verified = static_cast<double>(found.report.events) / taken.count();
  ratios.push_back(verified / scanned);
  figures["verified_per_second"] = std::max(figures["verified_per_second"], verified);
  figures["verify_scan_per_second"] = std::max(figures["verify_scan_per_second"], scanned);
  figures["verify_peak_mib"] =
      std::max(figures["verify_peak_mib"], static_cast<double>(PeakBytes()) / (1 << 20));
  return store->Close();
}

}  // namespace

Status MeasureVerify(const BenchPlan& plan, Figures& figures) {
  const fs::path directory = plan.directory / "verify";
  std::error_code error;
  fs::remove_all(directory, error);
  {
    StoreOptions options;
    options.directory = directory;
    ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
    RETURN_IF_ERROR(RunLifecycles(*store, {"saga-", plan.verify_events / kLifecycleEvents,
                                           kManyProducers, true})
                        .status());
    RETURN_IF_ERROR(store->Close());
  }
  std::vector<double> ratios;
  for (int round = 0; round < kVerifyRounds; ++round) {
    RETURN_IF_ERROR(MeasureOneRound(directory, figures, ratios));
  }
  std::sort(ratios.begin(), ratios.end());
  figures["verify_ratio"] = Quantile(ratios, 0.5);
  fs::remove_all(directory, error);
  return {};
}

}  // namespace sagalog::tools
