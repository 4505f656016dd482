#include "tools/top_sample.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "tools/boot_timer.h"
#include "tools/json_fields.h"
#include "tools/server_url.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// As many rows as a large screen has lines.
constexpr const char* kStaleRows = "/v1/stale?limit=200";
constexpr const char* kQueueRows = "/v1/queues?limit=1000";

Result<json::object> Parse(const ApiResponse& response) {
  boost::system::error_code error;
  json::value value = json::parse(response.body, error);
  if (error || !value.is_object()) {
    return Status(Code::kIoError, fmt::format("HTTP status {}: no JSON", response.status));
  }
  if (response.status >= 300) {
    const json::object& problem = value.get_object();
    return Status(Code::kIoError,
                  fmt::format("{}: {}", TextIn(problem, "code"), TextIn(problem, "detail")));
  }
  return std::move(value.get_object());
}

Result<json::object> Ask(Connection& connection, std::string_view target) {
  ASSIGN_OR_RETURN(const ApiResponse response, connection.Send("GET", target));
  return Parse(response);
}

// The value of a label: `"ok"` of `{command="plan",outcome="ok"}`. No value there has a quote in
// it.
std::string LabelIn(std::string_view labels, std::string_view name) {
  const std::string start = fmt::format("{}=\"", name);
  const std::size_t at = labels.find(start);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view value = labels.substr(at + start.size());
  return std::string(value.substr(0, value.find('"')));
}

// A line of the Prometheus format: `name{labels} value`.
void TakeFigure(std::string_view line, TopSample& sample) {
  const std::size_t blank = line.rfind(' ');
  if (line.empty() || line.front() == '#' || blank == std::string_view::npos) {
    return;
  }
  const std::string_view series = line.substr(0, blank);
  const double value = std::strtod(std::string(line.substr(blank + 1)).c_str(), nullptr);
  const std::size_t brace = series.find('{');
  if (brace == std::string_view::npos) {
    sample.figures[std::string(series)] = value;
  } else if (series.substr(0, brace) == "sagalog_commands_total") {
    sample.commands[LabelIn(series.substr(brace), "outcome")] += value;
  }
}

void TakeFigures(std::string_view text, TopSample& sample) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    TakeFigure(text.substr(0, end), sample);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::optional<double> TopSample::Figure(const std::string& name) const {
  const auto found = figures.find(name);
  return found == figures.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TopRates> RatesBetween(const TopSample* before, const TopSample& now) {
  if (before == nullptr || now.at <= before->at) {
    return std::nullopt;
  }
  TopRates rates;
  rates.seconds = std::chrono::duration<double>(now.at - before->at).count();
  const auto last = [](const TopSample& sample) {
    return static_cast<double>(NumberIn(sample.status, "last_sequence").value_or(0));
  };
  rates.events = (last(now) - last(*before)) / rates.seconds;
  for (const auto& [outcome, count] : now.commands) {
    const auto earlier = before->commands.find(outcome);
    const double grown = count - (earlier == before->commands.end() ? 0 : earlier->second);
    if (grown < 0) {
      return std::nullopt;  // It was started again, and counts anew.
    }
    if (grown > 0) {
      rates.commands[outcome] = grown / rates.seconds;
    }
  }
  return rates.events < 0 ? std::nullopt : std::optional(std::move(rates));
}

Result<TopSample> TopReader::Read() {
  if (connection_ == nullptr) {
    if (LacksStore(place_.data)) {
      return Status(Code::kNotFound,
                    fmt::format("there is no data directory {}", place_.data.string()));
    }
    ASSIGN_OR_RETURN(connection_, Connection::Open(place_));
  }
  auto sample = ReadFrom(*connection_);
  if (!sample.ok() || !sample->daemon) {
    connection_.reset();
  }
  return sample;
}

Result<TopSample> TopReader::ReadFrom(Connection& connection) {
  TopSample sample;
  sample.daemon = connection.IsDaemon();
  ASSIGN_OR_RETURN(sample.status, Ask(connection, "/v1/status"));
  sample.at = BootNow();
  ASSIGN_OR_RETURN(const json::object stale, Ask(connection, kStaleRows));
  sample.stale = ArrayIn(stale, "items");
  // A daemon of an earlier release has no list of its queues.
  if (const auto queues = Ask(connection, kQueueRows); queues.ok()) {
    sample.queues = ArrayIn(*queues, "items");
  }
  ASSIGN_OR_RETURN(const ApiResponse metrics, connection.Send("GET", "/metrics"));
  if (metrics.status == 200) {
    TakeFigures(metrics.body, sample);
  }
  return sample;
}

}  // namespace sagalog::tools
