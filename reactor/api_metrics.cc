// /metrics: what a monitoring system asks for every few seconds.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/audit_trail.h"
#include "reactor/daemon_figures.h"
#include "reactor/kept_reserve.h"
#include "reactor/list_reading.h"
#include "reactor/machine_figures.h"
#include "reactor/metrics_text.h"
#include "reactor/past_looks.h"
#include "schema/json.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;

// Of NONE they are counted for what is no command: a path, a connection.
constexpr std::array kDenials = {RefusalCode::unauthenticated, RefusalCode::forbidden};

bool IsDenial(RefusalCode code) { return code == kDenials.front() || code == kDenials.back(); }

void AddCommands(MetricsText& text, const CommandCounts& counts) {
  text.Begin("sagalog_commands_total", "counter", "Commands by name and outcome or refusal code.");
  for (const Body type : commands::EnumValuesBody()) {
    const std::string_view name = type == Body::NONE ? "unreadable" : CommandName(type);
    for (const answers::Outcome outcome : answers::EnumValuesOutcome()) {
      if (const std::uint64_t count = counts.Answers(type, outcome); count > 0) {
        text.Add(static_cast<double>(count),
                 {{"command", name}, {"outcome", answers::EnumNameOutcome(outcome)}});
      }
    }
    for (const RefusalCode code : schema::EnumValuesRefusalCode()) {
      const std::uint64_t count = counts.Refusals(type, code);
      if (count > 0 && !(type == Body::NONE && IsDenial(code))) {
        text.Add(static_cast<double>(count),
                 {{"command", name}, {"outcome", schema::EnumNameRefusalCode(code)}});
      }
    }
  }
  text.Begin("sagalog_command_seconds", "histogram",
             "Seconds from a command, read, to its durable answer; not of batches.");
  for (const Body type : commands::EnumValuesBody()) {
    if (type != Body::NONE && counts.Seconds(type).Sum() > 0) {
      text.Add(counts.Seconds(type), {{"command", CommandName(type)}});
    }
  }
}

void AddDaemon(MetricsText& text, const DaemonFigures& figures) {
  AddCommands(text, figures.commands);
  text.One("sagalog_connections", "gauge", "Open connections.",
           static_cast<double>(figures.connections));
  text.One("sagalog_followers", "gauge", "Connections that follow the log.",
           static_cast<double>(figures.followers));
  text.One("sagalog_refused_connections_total", "counter",
           "Connections that there was no room for.",
           static_cast<double>(figures.refused_connections));
  text.Begin("sagalog_denied_requests_total", "counter",
             "Requests refused for who asked: no token or a wrong one, or a role that may not.");
  for (const RefusalCode code : kDenials) {
    std::uint64_t count = 0;
    for (const Body type : commands::EnumValuesBody()) {
      count += figures.commands.Refusals(type, code);
    }
    text.Add(static_cast<double>(count), {{"code", schema::EnumNameRefusalCode(code)}});
  }
}

void AddProcess(MetricsText& text) {
  const ProcessFigures process = ReadProcess();
  text.One("process_cpu_seconds_total", "counter", "Seconds of processors, in the kernel too.",
           process.cpu_seconds);
  text.One("process_resident_memory_bytes", "gauge", "Memory of the process.",
           static_cast<double>(process.resident_bytes));
  text.One("process_open_fds", "gauge", "Open descriptors.",
           static_cast<double>(process.open_descriptors));
  text.One("process_max_fds", "gauge", "Descriptors that the machine grants.",
           static_cast<double>(process.descriptors_max));
}

void AddDisk(MetricsText& text, Store& store) {
  const DiskFigures disk = ReadDisk(store);
  text.One("sagalog_data_bytes", "gauge", "Size of the data directory.",
           static_cast<double>(disk.used_bytes));
  text.One("sagalog_disk_free_bytes", "gauge", "Free on the disk of the data directory.",
           static_cast<double>(disk.free_bytes));
  text.One("sagalog_reserve_kept", "gauge", "1 when room is kept back for a full disk.",
           KeepsReserve(store) ? 1 : 0);
}

// One series a queue: more than this many by name are not shown, or whoever invents names of queues
// would fill the monitoring system.
constexpr std::size_t kQueuesShownMax = 500;

void AddQueues(MetricsText& text, Store& store) {
  QueuesReading reading(PageWindow{0, kQueuesShownMax});
  if (!CopyList(store, std::nullopt, reading).ok()) {
    return;
  }
  const std::vector<answers::QueueT> queues = reading.Write();
  const auto add = [&](std::string_view name, std::string_view help, auto value) {
    text.Begin(name, "gauge", help);
    for (const answers::QueueT& queue : queues) {
      if (const std::optional<double> shown = value(queue)) {
        text.Add(*shown, {{"queue", queue.queue}});
      }
    }
  };
  using Shown = std::optional<double>;
  add("sagalog_queue_planned", "Sagas of the queue that are planned.",
      [](const answers::QueueT& queue) { return Shown(static_cast<double>(queue.planned)); });
  add("sagalog_queue_slots_used", "Sagas of the queue that are dispatched or running.",
      [](const answers::QueueT& queue) { return Shown(static_cast<double>(queue.slots_used)); });
  add("sagalog_queue_limit", "How many may be, where the queue has a limit.",
      [](const answers::QueueT& queue) {
        return queue.limit ? Shown(static_cast<double>(*queue.limit)) : Shown();
      });
  add("sagalog_queue_frozen", "1 when nothing of the queue is claimed.",
      [](const answers::QueueT& queue) { return Shown(queue.frozen ? 1 : 0); });
}

void AddLog(MetricsText& text, const Store& store) {
  text.One("sagalog_queue_depth", "gauge", "Operations that wait for their turn.",
           static_cast<double>(store.QueuedOperations()));
  const AppendFigures* appends = store.Appends();
  if (appends == nullptr) {
    return;
  }
  text.Begin("sagalog_append_events", "histogram", "Events of one append.");
  text.Add(appends->events);
  text.Begin("sagalog_append_seconds", "histogram", "Seconds until an append was synced.");
  text.Add(appends->seconds);
}

void AddStates(MetricsText& text, const answers::StatusT& status) {
  text.Begin("sagalog_sagas", "gauge", "Sagas by state.");
  // Zeros too: a series that comes and goes is no series.
  std::map<schema::State, std::uint64_t> sagas;
  for (const auto* rows : {&status.live, &status.ended}) {
    for (const auto& row : *rows) {
      sagas[row->state] += row->count;
    }
  }
  for (const schema::State state : schema::EnumValuesState()) {
    text.Add(static_cast<double>(sagas[state]), {{"state", schema::EnumNameState(state)}});
  }
  std::map<schema::StaleReason, std::uint64_t> stale;
  for (const auto& row : status.stale) {
    stale[row->reason] += row->count;
  }
  text.Begin("sagalog_stale", "gauge", "Stale sagas by reason.");
  for (const schema::StaleReason reason : schema::EnumValuesStaleReason()) {
    text.Add(static_cast<double>(stale[reason]), {{"reason", schema::EnumNameStaleReason(reason)}});
  }
  text.Begin("sagalog_refusals_total", "counter", "Refusals of the store by code, batches too.");
  for (const auto& row : status.refusals) {
    text.Add(static_cast<double>(row->count), {{"code", schema::EnumNameRefusalCode(row->code)}});
  }
}

// How long the saga waits that comes first of those that somebody can act on.
double OldestStaleSeconds(Store& store, std::int64_t now) {
  PageQuery first;
  first.limit = 1;
  const auto page = store.Stale(first);
  if (!page.ok() || page->items.empty() || page->items.front()->reasons.empty()) {
    return 0;
  }
  const std::int64_t since = page->items.front()->reasons.front()->since;
  return static_cast<double>(now - since) / 1e6;
}

void AddStore(MetricsText& text, Store& store, StoreTime wall) {
  const answers::StatusT status = store.Describe();
  AddStates(text, status);
  PageQuery all;
  all.limit = kPageRowsMax;
  if (const auto in_doubt = store.EffectsInDoubt(all); in_doubt.ok()) {
    text.One("sagalog_effects_in_doubt", "gauge",
             "Effects that were begun and not settled, as many as a page holds.",
             static_cast<double>(in_doubt->items.size()));
  }
  text.One("sagalog_stale_oldest_seconds", "gauge",
           "How long the first of the stale sagas has waited for somebody to act; 0 = none.",
           OldestStaleSeconds(store, status.time));
  text.One("sagalog_clock_difference_seconds", "gauge", "Store time minus wall clock.",
           static_cast<double>(status.time - ToMicros(wall)) / 1e6);
  text.One("sagalog_last_sequence", "gauge", "The last event of the log.",
           static_cast<double>(status.last_sequence));
  text.One("sagalog_projection_lag_events", "gauge",
           "Events that an opening would fold: those behind the newest checkpoint.",
           static_cast<double>(status.last_sequence - status.checkpoint_sequence));
  text.One("sagalog_writable", "gauge", "1 when the store takes commands.",
           store.Health().ok() ? 1 : 0);
}

void AddReaper(MetricsText& text, const answers::ReaperT& reaper) {
  text.Begin("sagalog_reaper_recovered_total", "counter", "Stale sagas recovered, by decision.");
  for (const auto& row : reaper.recovered) {
    text.Add(static_cast<double>(row->count),
             {{"decision", schema::EnumNameRecoverDecision(row->decision)}});
  }
  text.Begin("sagalog_reaper_declined_total", "counter",
             "Stale sagas left as they were at a look, by what stood in the way.");
  for (const auto& row : reaper.declined) {
    text.Add(static_cast<double>(row->count), {{"code", schema::EnumNameRefusalCode(row->code)}});
  }
  text.One("sagalog_reaper_put_off_total", "counter",
           "How often its rate limit put off what was due.", static_cast<double>(reaper.put_off));
}

}  // namespace

ApiResponse ShowMetrics(const ApiCall& call) {
  if (const Status status = ApiQuery(call.target.parameters).Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  const ManualClock* manual = call.options.manual_clock;
  const StoreTime wall = manual != nullptr ? manual->Read().wall : SystemClock().Read().wall;
  MetricsText text;
  text.Begin("sagalog_build_info", "gauge", "1, with the version of the daemon.");
  text.Add(1, {{"version", SAGALOG_VERSION}});
  if (call.options.figures != nullptr) {
    AddDaemon(text, *call.options.figures);
  }
  AddLog(text, call.store);
  AddStore(text, call.store, wall);
  AddQueues(text, call.store);
  AddDisk(text, call.store);
  AddProcess(text);
  AddReaper(text, call.store.DescribeReaper());
  if (const AuditTrail* trail = AuditTrail::Of(call.store.log())) {
    text.One("sagalog_audit_lag_events", "gauge",
             "Durable events that the audit tree has not hashed.",
             static_cast<double>(trail->Lag()));
  }
  return ApiResponse{200, "text/plain; version=0.0.4; charset=utf-8", text.Take()};
}

}  // namespace sagalog
