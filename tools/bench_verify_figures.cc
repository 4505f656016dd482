// How fast a whole store is verified, beside a bare scan of the same log, and in how much memory.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "eventlog/raw_baseline.h"
#include "reactor/verification.h"
#include "tools/bench_figures.h"
#include "tools/bench_load.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;
using Timer = std::chrono::steady_clock;

constexpr std::uint64_t kEventsPerSaga = 4;
constexpr std::uint64_t kProducers = 8192;
constexpr int kRounds = 3;

// Of this process, in MiB: the most since ForgetPeak.
double PeakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      double kibibytes = 0;
      status >> kibibytes;
      return kibibytes / 1024;
    }
  }
  return 0;
}

// What the load before has left to the allocator is none of the verification's.
void ForgetPeak() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

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
  figures["verify_peak_mib"] = std::max(figures["verify_peak_mib"], PeakMemory());
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
    RETURN_IF_ERROR(
        RunLifecycles(*store, {"saga-", plan.verify_events / kEventsPerSaga, kProducers, true})
            .status());
    RETURN_IF_ERROR(store->Close());
  }
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    RETURN_IF_ERROR(MeasureOneRound(directory, figures, ratios));
  }
  std::sort(ratios.begin(), ratios.end());
  figures["verify_ratio"] = Quantile(ratios, 0.5);
  fs::remove_all(directory, error);
  return {};
}

}  // namespace sagalog::tools
