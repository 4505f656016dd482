#include "tools/bench_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tools/argument_checks.h"
#include "tools/bench_audit_figures.h"
#include "tools/bench_export_figures.h"
#include "tools/bench_figures.h"
#include "tools/bench_remote.h"
#include "tools/exit_code.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

struct BenchFlags {
  std::string directory;
  std::vector<std::string> only;
  bool quick = false;
};

struct Part {
  const char* name;
  const char* what;
  Status (*measure)(const BenchPlan&, Figures&);
};

constexpr Part kParts[] = {
    {"append", "many producers, and folding it all again", MeasureAppend},
    {"audit", "many producers, with and without the audit tree behind them", MeasureAudit},
    {"latency", "one lonely transition after the other", MeasureLatency},
    {"live", "memory and sweeps with live sagas", MeasureLiveSagas},
    {"stall", "commands beside a checkpoint of all live sagas", MeasureStall},
    {"reopen", "opening a long log with a checkpoint", MeasureReopen},
    {"replay", "a replay of a long log beside the scan of it", MeasureReplay},
    {"export", "writing a long log as NDJSON, and checking that", MeasureExport},
    {"verify", "verifying a long log, and scanning it", MeasureVerify},
};

// What a figure should be at least (positive) or at most (negative); 0 = nothing is asked of it.
struct Goal {
  const char* name;
  double bound;
};

constexpr Goal kGoals[] = {
    {"append_ratio", 0.6},          {"latency_ratio", -1.25},       {"rebuild_ratio", 0.5},
    {"verify_ratio", 0.3},          {"verify_peak_mib", -200},      {"bytes_per_live_saga", -512},
    {"bytes_per_terminal_saga", 0}, {"stall_ms_max", -20},          {"audit_ratio", 0.95},
    {"audit_lag_seconds", -1},      {"export_per_second", 400'000}, {"at_saga_ms", -50},
};

std::string GoalText(const std::string& name) {
  for (const Goal& goal : kGoals) {
    if (name == goal.name) {
      return goal.bound > 0 ? fmt::format("goal: at least {}", goal.bound)
                            : fmt::format("goal: at most {}", 0 - goal.bound);
    }
  }
  return {};
}

void Print(const Figures& figures, bool json) {
  if (!json) {
    for (const auto& [name, value] : figures) {
      PrintLine(fmt::format("{:<26}{:>16.3f}  {}", name, value, GoalText(name)));
    }
    return;
  }
  std::string text = "{";
  for (const auto& [name, value] : figures) {
    text += fmt::format("{}\"{}\": {:.6g}", text.size() > 1 ? ", " : "", name, value);
  }
  PrintLine(text + "}");
}

bool IsWanted(const BenchFlags& flags, const Part& part) {
  if (flags.only.empty()) {
    return true;
  }
  for (const std::string& name : flags.only) {
    if (name == part.name) {
      return true;
    }
  }
  return false;
}

Status Measure(const BenchFlags& flags, bool json, Figures& figures) {
  BenchPlan plan;
  plan.directory = flags.directory.empty() ? std::filesystem::temp_directory_path() /
                                                 fmt::format("sagalog-bench-{}", ::getpid())
                                           : std::filesystem::path(flags.directory);
  if (flags.quick) {
    plan.sagas = 20'000;
    plan.live_sagas = 100'000;
    plan.replayed_events = 400'000;
    plan.verify_events = 400'000;
    plan.large = false;
  }
  std::error_code error;
  std::filesystem::create_directories(plan.directory, error);
  if (error) {
    return {Code::kIoError, fmt::format("{}: {}", plan.directory.string(), error.message())};
  }
  Status status;
  for (const Part& part : kParts) {
    if (!IsWanted(flags, part)) {
      continue;
    }
    if (!json) {
      WriteError(fmt::format("{}: {} …\n", part.name, part.what));
    }
    status = part.measure(plan, figures);
    if (!status.ok()) {
      break;
    }
  }
  std::filesystem::remove(plan.directory, error);  // if nothing else is in it
  return status;
}

void Report(const Status& status, const Figures& figures, const GlobalOptions& global,
            int& exit_code) {
  if (!status.ok()) {
    PrintError(global, fmt::format("bench: {}", status.text()));
    exit_code = kExitUnavailable;
    return;
  }
  Print(figures, global.json);
}

struct RemoteFlags {
  RemotePlan plan;
  bool native = false;
  bool http = false;
  bool quick = false;
};

void AddRemote(CLI::App& bench, const GlobalOptions& global, int& exit_code) {
  CLI::App* remote = bench.add_subcommand(
      "remote", "A running daemon over its socket: lifecycles of four transitions, durable");
  const auto flags = std::make_shared<RemoteFlags>();
  remote->add_option("--url", flags->plan.url,
                     "unix:PATH or native://HOST:PORT (the data directory's socket)");
  remote->add_flag("--native", flags->native, "The native protocol alone");
  remote->add_flag("--http", flags->http, "HTTP and JSON alone");
  AddNumber(*remote, "--idle", flags->plan.idle_connections,
            "Idle connections to hold while all is measured again (5000)");
  AddNumber(*remote, "--followers", flags->plan.followers,
            "Followers of the log to hold meanwhile (1000)");
  AddNumber(*remote, "--sagas", flags->plan.sagas, "Sagas of a load with many connections (50000)");
  remote->add_flag("--quick", flags->quick, "Smaller loads");
  remote->callback([flags, &global, &exit_code] {
    RemotePlan& plan = flags->plan;
    if (plan.url.empty()) {
      plan.url = "unix:" + (DataDirectoryPath(global.data) / "socket").string();
    }
    plan.native = flags->native || !flags->http;
    plan.http = flags->http || !flags->native;
    if (flags->quick) {
      plan.lonely_sagas = 50;
      plan.sagas = std::min<std::uint64_t>(plan.sagas, 5'000);
      plan.idle_connections = std::min<std::uint64_t>(plan.idle_connections, 100);
      plan.followers = std::min<std::uint64_t>(plan.followers, 20);
    }
    Figures figures;
    Report(MeasureRemote(plan, figures), figures, global, exit_code);
  });
}

}  // namespace

void AddBenchCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* bench = AddDescribed(app, "bench", "Measure how fast the store is on this machine",
                                 "sagalog bench local --quick");
  bench->require_subcommand(1);
  CLI::App* local = AddDescribed(
      *bench, "local", "The embedded store against RocksDB alone, in one run on one directory",
      "sagalog bench local --quick --only latency");
  const auto flags = std::make_shared<BenchFlags>();
  local
      ->add_option("--directory", flags->directory,
                   "Where to work (a new folder in the temporary directory)")
      ->type_name("DIR");
  local
      ->add_option("--only", flags->only,
                   "Parts: append, audit, latency, live, stall, reopen, replay, export, "
                   "verify")
      ->type_name("WORD");
  local->add_flag("--quick", flags->quick, "Smaller loads, without the log of 10,000,000 events");
  local->callback([flags, &global, &exit_code] {
    Figures figures;
    Report(Measure(*flags, global.json, figures), figures, global, exit_code);
  });
  AddRemote(*bench, global, exit_code);
}

}  // namespace sagalog::tools
