#include "tools/bench_export_figures.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "eventlog/raw_baseline.h"
#include "tools/audit_export.h"
#include "tools/bench_load.h"
#include "tools/export_record.h"
#include "tools/record.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;
using Timer = std::chrono::steady_clock;

constexpr std::uint64_t kLargeSagas = 1'250'000;  // 5,000,000 events
constexpr std::uint64_t kSmallSagas = 50'000;
constexpr int kExportRounds = 3;

double RateSince(Timer::time_point start, std::uint64_t events) {
  return static_cast<double>(events) / std::chrono::duration<double>(Timer::now() - start).count();
}

Status FillStore(const fs::path& directory, std::uint64_t sagas) {
  StoreOptions options;
  options.directory = directory;
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  RETURN_IF_ERROR(RunLifecycles(*store, {"saga-", sagas, kManyProducers, true}).status());
  return store->Close();
}

// One scan and one export after the other, so that both meet the same machine.
Status MeasurePair(const fs::path& store, const fs::path& out, Figures& figures) {
  ASSIGN_OR_RETURN(const RawScan scan, TimeRawVerifiedScan(store / "log"));
  const double scanned = static_cast<double>(scan.values) / scan.seconds;
  ASSIGN_OR_RETURN(const Record record, OpenRecord(store));
  ExportRequest request;
  request.out = out;
  const Timer::time_point start = Timer::now();
  ASSIGN_OR_RETURN(const ExportReport report, ExportRecord(record, request));
  const double exported = RateSince(start, report.added);
  const Timer::time_point check_start = Timer::now();
  RETURN_IF_ERROR(CheckExport(out, {}).status());
  const double checked = RateSince(check_start, report.added);
  const auto best = [&figures](const char* name, double value) {
    figures[name] = std::max(figures[name], value);
  };
  best("export_per_second", exported);
  best("export_ratio", exported / scanned);
  best("export_scan_per_second", scanned);
  best("export_check_per_second", checked);
  figures["export_event_bytes"] =
      static_cast<double>(scan.bytes) / static_cast<double>(scan.values);
  figures["export_line_bytes"] = static_cast<double>(report.manifest.files.front().size_bytes) /
                                 static_cast<double>(report.added);
  return {};
}

}  // namespace

Status MeasureExport(const BenchPlan& plan, Figures& figures) {
  const fs::path store = plan.directory / "export-store";
  const fs::path out = plan.directory / "export";
  std::error_code error;
  fs::remove_all(store, error);
  RETURN_IF_ERROR(FillStore(store, plan.large ? kLargeSagas : kSmallSagas));
  for (int round = 0; round < kExportRounds; ++round) {
    fs::remove_all(out, error);
    RETURN_IF_ERROR(MeasurePair(store, out, figures));
  }
  fs::remove_all(out, error);
  fs::remove_all(store, error);
  return {};
}

}  // namespace sagalog::tools
