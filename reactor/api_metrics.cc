// /metrics: what a monitoring system asks for every few seconds.
#include <string>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/audit_trail.h"
#include "reactor/daemon_figures.h"
#include "reactor/metrics_text.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;

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
      if (const std::uint64_t count = counts.Refusals(type, code); count > 0) {
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
  for (const auto* rows : {&status.live, &status.ended}) {
    for (const auto& row : *rows) {
      text.Add(static_cast<double>(row->count), {{"state", schema::EnumNameState(row->state)}});
    }
  }
  text.Begin("sagalog_stale", "gauge", "Stale sagas by reason.");
  for (const auto& row : status.stale) {
    text.Add(static_cast<double>(row->count),
             {{"reason", schema::EnumNameStaleReason(row->reason)}});
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
  AddReaper(text, call.store.DescribeReaper());
  if (const AuditTrail* trail = AuditTrail::Of(call.store.log())) {
    text.One("sagalog_audit_lag_events", "gauge",
             "Durable events that the audit tree has not hashed.",
             static_cast<double>(trail->Lag()));
  }
  return ApiResponse{200, "text/plain; version=0.0.4; charset=utf-8", text.Take()};
}

}  // namespace sagalog
