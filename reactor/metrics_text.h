// The text format of Prometheus, version 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "eventlog/histogram.h"

namespace sagalog {

// One document. A family is begun once, and its samples follow it.
class MetricsText {
 public:
  using Label = std::pair<std::string_view, std::string_view>;

  // `type`: "counter", "gauge" or "histogram".
  void Begin(std::string_view name, std::string_view type, std::string_view help);
  void Add(double value, std::initializer_list<Label> labels = {});
  // Of a family of type histogram.
  void Add(const Histogram& histogram, std::initializer_list<Label> labels = {});

  // A family with one sample.
  void One(std::string_view name, std::string_view type, std::string_view help, double value);

  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  void Line(std::string_view suffix, std::initializer_list<Label> labels, std::string_view bound,
            double value);

  std::string text_;
  std::string name_;
};

}  // namespace sagalog
