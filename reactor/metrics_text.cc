#include "reactor/metrics_text.h"

#include <cmath>

#include <fmt/format.h>

namespace sagalog {
namespace {

void AppendEscaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

// Counts without a point; all else as short as it can be read back.
std::string NumberText(double value) {
  const bool whole = std::floor(value) == value && std::fabs(value) < 9.0e15;
  return whole ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
}

}  // namespace

void MetricsText::Begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::Add(double value, std::initializer_list<Label> labels) {
  Line("", labels, "", value);
}

void MetricsText::Add(const Histogram& histogram, std::initializer_list<Label> labels) {
  std::uint64_t count = 0;
  for (std::size_t step = 0; step < histogram.bounds().size(); ++step) {
    count += histogram.CountOf(step);
    Line("_bucket", labels, fmt::format("{}", histogram.bounds()[step]),
         static_cast<double>(count));
  }
  count += histogram.CountOf(histogram.bounds().size());
  Line("_bucket", labels, "+Inf", static_cast<double>(count));
  Line("_sum", labels, "", histogram.Sum());
  Line("_count", labels, "", static_cast<double>(count));
}

void MetricsText::One(std::string_view name, std::string_view type, std::string_view help,
                      double value) {
  Begin(name, type, help);
  Add(value);
}

void MetricsText::Line(std::string_view suffix, std::initializer_list<Label> labels,
                       std::string_view bound, double value) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, text] : labels) {
    text_ += fmt::format("{}{}=\"", separator, name);
    AppendEscaped(text_, text);
    text_ += '"';
    separator = ',';
  }
  if (!bound.empty()) {
    text_ += fmt::format("{}le=\"{}\"", separator, bound);
    separator = ',';
  }
  text_ += separator == '{' ? " " : "} ";
  text_ += NumberText(value);
  text_ += '\n';
}

}  // namespace sagalog
