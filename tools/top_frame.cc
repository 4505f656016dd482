#include "tools/top_frame.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// What a terminal without a size is taken for.
constexpr std::size_t kOpenRows = 1'000;
// Of the lines that are left for both, so many at most are queues'.
constexpr std::size_t kQueueShare = 3;
constexpr std::size_t kBarWidth = 10;

using Lines = std::vector<std::string>;

std::string Count(double value) {
  return value < 10 && value != static_cast<double>(static_cast<std::int64_t>(value))
             ? fmt::format("{:.1f}", value)
             : fmt::format("{:.0f}", value);
}

std::string Count(std::optional<double> value) { return value ? Count(*value) : "-"; }

// A text cut to the screen, and then painted: colours take no columns.
class LineBuilder {
 public:
  explicit LineBuilder(const TopView& view) : view_(view) {}

  LineBuilder& Add(std::string_view text, Style style = Style::kPlain) {
    std::string shown = Printable(text);
    const std::size_t width = DisplayWidth(shown);
    if (view_.columns != 0 && used_ + width > view_.columns) {
      if (used_ >= view_.columns) {
        return *this;
      }
      shown = CutToWidth(shown, view_.columns - used_);
    }
    used_ += std::min(width, DisplayWidth(shown));
    line_ += Paint(shown, style, view_.color);
    return *this;
  }

  // "running 3", its name quiet.
  LineBuilder& Named(std::string_view name, std::string_view value, Style style = Style::kStrong) {
    if (used_ > 0) {
      Add("  ");
    }
    return Add(fmt::format("{} ", name), Style::kDim).Add(value, style);
  }

  // Fills up to the right edge, where the screen has one.
  LineBuilder& Right(std::string_view text) {
    const std::size_t width = DisplayWidth(text);
    if (view_.columns > used_ + width) {
      Add(std::string(view_.columns - used_ - width, ' '));
    } else {
      Add("  ");
    }
    return Add(text, Style::kDim);
  }

  [[nodiscard]] std::string Take() { return std::move(line_); }

 private:
  const TopView& view_;
  std::string line_;
  std::size_t used_ = 0;
};

Style HealthStyle(std::string_view health) { return health == "open" ? Style::kGood : Style::kBad; }

std::string TitleLine(const TopSample& sample, const TopView& view) {
  const std::string_view health = TextIn(sample.status, "health");
  LineBuilder line(view);
  line.Add("sagalog ", Style::kStrong).Add(view.place).Add("  ");
  line.Add(health, HealthStyle(health));
  line.Add(sample.daemon ? "" : "  no daemon runs", Style::kBusy);
  line.Right(ToTheSecond(TextIn(sample.status, "time")));
  return line.Take();
}

std::string FlowLine(const TopSample& sample, const std::optional<TopRates>& rates,
                     const TopView& view) {
  double commands = 0;
  for (const auto& [outcome, rate] : rates ? rates->commands : std::map<std::string, double>()) {
    commands += rate;
  }
  LineBuilder line(view);
  line.Named("events", InWords(sample.status, "last_sequence"));
  line.Named("events/s", rates ? Count(rates->events) : "-");
  line.Named("commands/s", rates && sample.daemon ? Count(commands) : "-");
  line.Named("lag", Count(sample.Figure("sagalog_projection_lag_events")));
  line.Named("waiting", Count(sample.Figure("sagalog_queue_depth")));
  line.Named("connections", Count(sample.Figure("sagalog_connections")));
  line.Named("followers", Count(sample.Figure("sagalog_followers")));
  return line.Take();
}

// What became of commands: good ones first, then refusals, the most frequent first.
std::string OutcomeLine(const std::optional<TopRates>& rates, const TopView& view) {
  LineBuilder line(view);
  line.Add("commands/s by outcome", Style::kDim);
  if (!rates || rates->commands.empty()) {
    return line.Named("", rates ? "none" : "-", Style::kPlain).Take();
  }
  const auto is_good = [](std::string_view name) {
    return name == "ok" || name == "unchanged" || name == "deferred" || name == "alive" ||
           name == "dead" || name == "unknown";
  };
  std::vector<std::pair<std::string, double>> all(rates->commands.begin(), rates->commands.end());
  std::stable_sort(all.begin(), all.end(), [&](const auto& left, const auto& right) {
    return is_good(left.first) != is_good(right.first) ? is_good(left.first)
                                                       : left.second > right.second;
  });
  for (const auto& [name, rate] : all) {
    line.Named(name, Count(rate), is_good(name) ? Style::kGood : Style::kBad);
  }
  return line.Take();
}

std::string StatesLine(const TopSample& sample, const char* field, std::string_view name,
                       const TopView& view) {
  LineBuilder line(view);
  line.Add(name, Style::kDim);
  const json::array& rows = ArrayIn(sample.status, field);
  if (rows.empty()) {
    return line.Named("", "none", Style::kPlain).Take();
  }
  for (const json::value& row : rows) {
    const std::string_view state = TextIn(AsObject(row), "state");
    line.Named(state, InWords(AsObject(row), "count"), StateStyle(state));
  }
  return line.Take();
}

std::string StaleLine(const TopSample& sample, const TopView& view) {
  LineBuilder line(view);
  line.Add("stale", Style::kDim);
  const json::array& rows = ArrayIn(sample.status, "stale");
  if (rows.empty()) {
    return line.Named("", "nothing", Style::kGood).Take();
  }
  for (const json::value& row : rows) {
    line.Named(TextIn(AsObject(row), "reason"), InWords(AsObject(row), "count"), Style::kBad);
  }
  if (const auto oldest = sample.Figure("sagalog_stale_oldest_seconds"); oldest && *oldest > 0) {
    line.Named("first waits", Length(Duration(static_cast<std::int64_t>(*oldest * 1e6))));
  }
  return line.Take();
}

// How full a queue is; nothing when it has no limit.
std::string Bar(const json::object& queue) {
  const auto limit = NumberIn(queue, "limit");
  if (!limit) {
    return "";
  }
  const auto used = static_cast<std::size_t>(NumberIn(queue, "slots_used").value_or(0));
  const std::size_t most = static_cast<std::size_t>(std::max<std::int64_t>(*limit, 1));
  const std::size_t full = std::min(kBarWidth, (used * kBarWidth + most - 1) / most);
  std::string bar;
  for (std::size_t i = 0; i < kBarWidth; ++i) {
    bar += i < full ? "█" : "░";
  }
  return bar;
}

std::string QueueTable(const TopSample& sample, const TopView& view, std::size_t rows_max,
                       std::size_t& left_out) {
  Table table({"QUEUE", "SLOTS", "LIMIT", "USE", "PLANNED", "FROZEN"});
  std::vector<const json::object*> queues;
  for (const json::value& item : sample.queues) {
    queues.push_back(&AsObject(item));
  }
  // The busiest first, so that what is left out is what rests.
  const auto weight = [](const json::object* queue) {
    return NumberIn(*queue, "slots_used").value_or(0) + NumberIn(*queue, "planned").value_or(0);
  };
  std::stable_sort(queues.begin(), queues.end(), [&](const auto* left, const auto* right) {
    return weight(left) > weight(right);
  });
  left_out = queues.size() > rows_max ? queues.size() - rows_max : 0;
  queues.resize(queues.size() - left_out);
  for (const json::object* queue : queues) {
    const auto limit = NumberIn(*queue, "limit");
    const bool full = limit && NumberIn(*queue, "slots_used").value_or(0) >= *limit;
    table.Add({std::string(TextIn(*queue, "queue")), InWords(*queue, "slots_used"),
               limit ? std::to_string(*limit) : "-",
               Cell(Bar(*queue), full ? Style::kBad : Style::kGood), InWords(*queue, "planned"),
               Cell(FlagIn(*queue, "frozen") ? "frozen" : "", Style::kBad)});
  }
  table.MayDrop({"USE"});
  return table.empty() ? "" : table.Render(view.columns, view.color);
}

std::string_view SinceOf(const json::object& row) {
  const json::array& reasons = ArrayIn(row, "reasons");
  return reasons.empty() ? std::string_view() : TextIn(AsObject(reasons.front()), "since");
}

std::vector<const json::object*> StaleRows(const TopSample& sample, TopOrder order) {
  std::vector<const json::object*> rows;
  for (const json::value& item : sample.stale) {
    rows.push_back(&AsObject(item));
  }
  // Times of one form and zone stand in the order of their texts.
  if (order == TopOrder::kOldest) {
    std::stable_sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
      return SinceOf(*left) < SinceOf(*right);
    });
  } else if (order == TopOrder::kName) {
    std::stable_sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
      return TextIn(*left, "saga_id") < TextIn(*right, "saga_id");
    });
  }
  return rows;
}

std::string StaleTable(const TopSample& sample, const TopView& view, std::size_t rows_max,
                       std::size_t& left_out) {
  std::vector<const json::object*> rows = StaleRows(sample, view.order);
  left_out = rows.size() > rows_max ? rows.size() - rows_max : 0;
  rows.resize(rows.size() - left_out);
  const auto parsed = ParseTime(TextIn(sample.status, "time"));
  Table table({"STALE SAGA", "STATE", "REASONS", "SINCE", "OWNER", "QUEUE", "STAGE", "KEY"});
  for (const json::object* row : rows) {
    std::string reasons;
    for (const json::value& reason : ArrayIn(*row, "reasons")) {
      reasons += (reasons.empty() ? "" : ",") + std::string(TextIn(AsObject(reason), "reason"));
    }
    const std::string_view state = TextIn(*row, "state");
    const auto since = ParseTime(SinceOf(*row));
    table.Add(
        {std::string(TextIn(*row, "saga_id")), Cell(std::string(state), StateStyle(state)),
         Cell(reasons, Style::kBad), since.ok() && parsed.ok() ? Relative(*since, *parsed) : "",
         std::string(TextIn(ObjectIn(*row, "owner"), "owner")), std::string(TextIn(*row, "queue")),
         std::string(TextIn(*row, "stage")), std::string(TextIn(*row, "key"))});
  }
  table.MayDrop({"STAGE", "KEY", "QUEUE", "OWNER"});
  return table.empty() ? "" : table.Render(view.columns, view.color);
}

// The lines of a text, without those that are one too many: what a table had to break.
void AddLines(std::string_view text, std::size_t lines_max, Lines& lines) {
  for (std::size_t added = 0; added < lines_max && !text.empty(); ++added) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string MoreLine(std::size_t left_out, std::string_view what, const TopView& view) {
  return LineBuilder(view).Add(fmt::format("  and {} more {}", left_out, what), Style::kDim).Take();
}

std::string KeysLine(const TopView& view) {
  constexpr std::string_view kOrders[] = {"urgent first", "oldest first", "by name"};
  LineBuilder line(view);
  line.Add(view.paused ? "PAUSED" : "", Style::kBusy);
  line.Named("q", "quit", Style::kPlain);
  line.Named("p", view.paused ? "go on" : "pause", Style::kPlain);
  line.Named("s", fmt::format("sort: {}", kOrders[static_cast<std::size_t>(view.order)]),
             Style::kPlain);
  return line.Take();
}

// A table in the lines that it may have: its heading, its rows, and how many there was no room for.
template <typename MakeTable>
void AddTable(const MakeTable& make, std::size_t rows, std::size_t lines_max, std::string_view what,
              const TopView& view, Lines& lines) {
  constexpr std::size_t kHeading = 1;
  if (rows == 0 || lines_max <= kHeading + 1) {
    return;
  }
  const std::size_t room = lines_max - kHeading - 1;
  const bool all_fit = rows <= room;
  std::size_t left_out = 0;
  lines.emplace_back();
  AddLines(make(all_fit ? rows : room - 1, left_out), lines_max - 1 - (all_fit ? 0 : 1), lines);
  if (left_out > 0) {
    lines.push_back(MoreLine(left_out, what, view));
  }
}

void AddTables(const TopSample& sample, const TopView& view, std::size_t room, Lines& lines) {
  const std::size_t before = lines.size();
  const std::size_t stale_wants = sample.stale.empty() ? 0 : sample.stale.size() + 2;
  const std::size_t share = room / kQueueShare;
  const std::size_t for_queues = std::max(share, room > stale_wants ? room - stale_wants : 0);
  AddTable([&](std::size_t rows,
               std::size_t& left_out) { return QueueTable(sample, view, rows, left_out); },
           sample.queues.size(), for_queues, "queues", view, lines);
  const std::size_t used = lines.size() - before;
  AddTable([&](std::size_t rows,
               std::size_t& left_out) { return StaleTable(sample, view, rows, left_out); },
           sample.stale.size(), room - std::min(used, room), "stale sagas", view, lines);
}

}  // namespace

TopOrder NextOrder(TopOrder order) {
  switch (order) {
    case TopOrder::kUrgent: return TopOrder::kOldest;
    case TopOrder::kOldest: return TopOrder::kName;
    case TopOrder::kName: break;
  }
  return TopOrder::kUrgent;
}

std::vector<std::string> TopFrame(const TopSample* sample, const std::optional<TopRates>& rates,
                                  const TopView& view) {
  const std::size_t rows = view.rows == 0 ? kOpenRows : view.rows;
  Lines lines;
  if (!view.trouble.empty()) {
    lines.push_back(LineBuilder(view).Add(view.trouble, Style::kBad).Take());
  }
  if (sample != nullptr) {
    lines.push_back(TitleLine(*sample, view));
    lines.push_back(FlowLine(*sample, rates, view));
    lines.push_back(OutcomeLine(rates, view));
    lines.push_back(StatesLine(*sample, "live", "live ", view));
    lines.push_back(StatesLine(*sample, "ended", "ended", view));
    lines.push_back(StaleLine(*sample, view));
    const std::size_t taken = lines.size() + (view.keys ? 1 : 0);
    AddTables(*sample, view, rows > taken ? rows - taken : 0, lines);
  }
  const std::size_t last = view.keys && rows > 0 ? rows - 1 : rows;
  lines.resize(std::min(lines.size(), last));
  if (view.keys) {
    lines.resize(last);
    lines.push_back(KeysLine(view));
  }
  return lines;
}

std::string TopJson(const TopSample& sample, const std::optional<TopRates>& rates) {
  json::object document{{"time", TextIn(sample.status, "time")},
                        {"sequence", NumberIn(sample.status, "last_sequence").value_or(0)},
                        {"health", TextIn(sample.status, "health")},
                        {"daemon", sample.daemon},
                        {"live", ArrayIn(sample.status, "live")},
                        {"ended", ArrayIn(sample.status, "ended")},
                        {"stale", ArrayIn(sample.status, "stale")},
                        {"stale_rows", sample.stale},
                        {"queues", sample.queues}};
  constexpr std::pair<const char*, const char*> kFigures[] = {
      {"projection_lag", "sagalog_projection_lag_events"},
      {"queue_depth", "sagalog_queue_depth"},
      {"connections", "sagalog_connections"},
      {"followers", "sagalog_followers"}};
  for (const auto& [name, figure] : kFigures) {
    if (const auto value = sample.Figure(figure)) {
      document[name] = static_cast<std::int64_t>(*value);
    }
  }
  if (rates) {
    json::object commands;
    for (const auto& [outcome, rate] : rates->commands) {
      commands[outcome] = rate;
    }
    document["rates"] = json::object{
        {"seconds", rates->seconds}, {"events", rates->events}, {"commands", std::move(commands)}};
  }
  return json::serialize(document);
}

}  // namespace sagalog::tools
