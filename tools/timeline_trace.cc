// The trace format of Chrome and Perfetto: a list of events with a phase, microseconds, and the
// process and thread they belong to.
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/timeline_render.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr int kStoreProcess = 1;

class Trace {
 public:
  void Name(const char* what, int process, std::uint32_t thread, std::string_view name) {
    events_.push_back(json::object{{"ph", "M"},
                                   {"name", what},
                                   {"pid", process},
                                   {"tid", thread},
                                   {"args", json::object{{"name", name}}}});
  }

  void Add(const TimelineItem& item, int process) {
    json::object row{{"name", TimelineKindName(item.kind)},
                     {"cat", "sagalog"},
                     {"pid", process},
                     {"tid", item.lane},
                     {"ts", ToMicros(item.from)}};
    if (item.from == item.to) {
      row["ph"] = "i";
      row["s"] = "t";
    } else {
      row["ph"] = "X";
      row["dur"] = (item.to - item.from).count();
    }
    json::object arguments{{"text", item.text}};
    if (!item.sequence.IsNone()) {
      arguments["sequence"] = item.sequence.value();
    }
    row["args"] = std::move(arguments);
    events_.push_back(std::move(row));
  }

  void AddTick(StoreTime at, int process, std::uint32_t thread) {
    events_.push_back(json::object{{"ph", "i"},
                                   {"s", "t"},
                                   {"name", "heartbeat"},
                                   {"cat", "sagalog"},
                                   {"pid", process},
                                   {"tid", thread},
                                   {"ts", ToMicros(at)}});
  }

  [[nodiscard]] json::array Take() { return std::move(events_); }

 private:
  json::array events_;
};

}  // namespace

std::string TimelineTrace(const Timeline& timeline) {
  Trace trace;
  trace.Name("process_name", kStoreProcess, 0, "store");
  for (const TimelineItem& item : timeline.store) {
    trace.Add(item, kStoreProcess);
  }
  int process = kStoreProcess;
  for (const TimelineSaga& saga : timeline.sagas) {
    ++process;
    trace.Name("process_name", process, 0, "saga " + saga.id);
    for (std::uint32_t lane = 0; lane < saga.lanes.size(); ++lane) {
      const TimelineLane& row = saga.lanes[lane];
      trace.Name("thread_name", process, lane, lane == 0 ? "ownership" : row.name);
      for (const StoreTime tick : row.ticks) {
        trace.AddTick(tick, process, lane);
      }
    }
    for (const TimelineItem& item : saga.items) {
      trace.Add(item, process);
    }
  }
  json::object document{{"displayTimeUnit", "ms"},
                        {"otherData", json::object{{"sequence", timeline.last.value()},
                                                   {"ticks_left_out", timeline.ticks_left_out},
                                                   {"damage", timeline.damage}}}};
  document["traceEvents"] = trace.Take();
  return json::serialize(document) + "\n";
}

}  // namespace sagalog::tools
