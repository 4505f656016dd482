// What /metrics says, read by a strict reader of the text format.
#include <array>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/metrics_text.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

// A document of the Prometheus text format 0.0.4, or what is wrong with it: every family has one
// HELP and one TYPE before its samples, which stand together; no sample occurs twice; histograms
// rise, end at +Inf and agree with their count.
class PrometheusReader {
 public:
  explicit PrometheusReader(const std::string& text) {
    EXPECT_TRUE(text.ends_with('\n'));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      Read(line);
    }
    for (const auto& [series, histogram] : histograms_) {
      EXPECT_EQ(histogram.last_bound, "+Inf") << series;
      EXPECT_EQ(histogram.count, histogram.last) << series;
      EXPECT_TRUE(histogram.has_sum) << series;
    }
  }

  // The value of a sample by its name and labels; nothing when it is not there.
  [[nodiscard]] std::optional<double> Value(const std::string& series) const {
    const auto found = samples_.find(series);
    return found == samples_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  struct SeenHistogram {
    double last = 0;
    std::string last_bound;
    double count = -1;
    bool has_sum = false;
  };

  void Read(const std::string& line) {
    static const std::regex help(R"re(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))re");
    static const std::regex type(
        R"re(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))re");
    static const std::regex sample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^ ]*\})? (\+Inf|-Inf|NaN|[-+0-9.e]+))re");
    std::smatch found;
    if (std::regex_match(line, found, help)) {
      EXPECT_TRUE(helped_.insert(found[1]).second) << line;
    } else if (std::regex_match(line, found, type)) {
      EXPECT_TRUE(helped_.contains(found[1])) << line;
      EXPECT_TRUE(types_.emplace(found[1], found[2]).second) << line;
      family_ = found[1];
    } else if (std::regex_match(line, found, sample)) {
      Sample(line, found[1], found[2], std::stod(found[3]));
    } else {
      ADD_FAILURE() << "no line of the format: " << line;
    }
  }

  void Sample(const std::string& line, const std::string& name, const std::string& labels,
              double value) {
    static const std::regex pairs(R"re(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")re"
                                  R"re((,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")*\})re");
    EXPECT_TRUE(labels.empty() || std::regex_match(labels, pairs)) << line;
    EXPECT_TRUE(samples_.emplace(name + labels, value).second) << "twice: " << line;
    const std::string& type = types_[family_];
    if (type != "histogram") {
      EXPECT_EQ(name, family_) << line;
      EXPECT_TRUE(type != "counter" || (name.ends_with("_total") && value >= 0)) << line;
      return;
    }
    static const std::regex bound(R"re((,?)le="([^"]+)"\})re");
    std::smatch le;
    std::string rest = labels;
    if (name == family_ + "_bucket" && std::regex_search(labels, le, bound)) {
      rest = labels.substr(0, static_cast<std::size_t>(le.position()));
      rest += rest == "{" ? "" : "}";
      rest = rest == "{" ? "" : rest;
      SeenHistogram& histogram = histograms_[family_ + rest];
      EXPECT_GE(value, histogram.last) << line;
      histogram.last = value;
      histogram.last_bound = le[2];
    } else if (name == family_ + "_count") {
      histograms_[family_ + rest].count = value;
    } else {
      EXPECT_EQ(name, family_ + "_sum") << line;
      histograms_[family_ + rest].has_sum = true;
    }
  }

  std::set<std::string> helped_;
  std::map<std::string, std::string> types_;
  std::map<std::string, double> samples_;
  std::map<std::string, SeenHistogram> histograms_;
  std::string family_;
};

TEST(Metrics, WhatHappenedIsCounted) {
  ApiStore api;
  ServerOptions options;
  options.manual_clock = &api.clock();
  const RunningServer server(api, options);
  const auto client = server.Connect();
  const auto send = [&](const char* method, const char* target, const char* body) {
    return client->Send({method, target, body, ""})->body;
  };
  send("POST", "/v1/sagas", R"({"saga_id":"T1"})");
  send("POST", "/v1/sagas", R"({"saga_id":"T2"})");
  send("POST", "/v1/sagas", R"({"saga_id":"T2","key":"k"})");
  send("POST", "/v1/sagas/T1:acquire", R"({"owner":"w","ttl":"30s"})");
  send("POST", "/v1/sagas/T2:park", R"({"reason":"r"})");
  send("POST", "/v1/sagas/T2:park", R"({"reason":"r"})");
  send("POST", "/v1/batch", R"({"commands":[{"do":"unpark","saga_id":"T2"}]})");
  send("POST", "/v1/clock:step-wall", R"({"by":"-10s"})");
  send("POST", "/v1/clock:advance", R"({"by":"90s"})");
  const auto answer = client->Send({"GET", "/metrics", "", ""});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->content_type, "text/plain; version=0.0.4; charset=utf-8");
  const PrometheusReader metrics(answer->body);
  EXPECT_EQ(metrics.Value(R"(sagalog_commands_total{command="plan",outcome="ok"})"), 2);
  EXPECT_EQ(metrics.Value(R"(sagalog_commands_total{command="plan",outcome="already_exists"})"), 1);
  EXPECT_EQ(metrics.Value(R"(sagalog_commands_total{command="park",outcome="unchanged"})"), 1);
  EXPECT_EQ(metrics.Value(R"(sagalog_commands_total{command="unpark",outcome="ok"})"), 1);
  EXPECT_EQ(metrics.Value(R"(sagalog_command_seconds_count{command="plan"})"), 3);
  EXPECT_EQ(metrics.Value(R"(sagalog_sagas{state="running"})"), 1);
  EXPECT_EQ(metrics.Value(R"(sagalog_sagas{state="planned"})"), 1);
  EXPECT_EQ(metrics.Value(R"(sagalog_stale{reason="lease_expired"})"), 1);
  EXPECT_EQ(metrics.Value("sagalog_stale_oldest_seconds"), 60);
  EXPECT_EQ(metrics.Value("sagalog_clock_difference_seconds"), 10);
  EXPECT_EQ(metrics.Value(R"(sagalog_refusals_total{code="already_exists"})"), 1);
  EXPECT_EQ(metrics.Value("sagalog_connections"), 1);
  EXPECT_EQ(metrics.Value("sagalog_followers"), 0);
  EXPECT_EQ(metrics.Value("sagalog_queue_depth"), 0);
  EXPECT_EQ(metrics.Value("sagalog_writable"), 1);
  EXPECT_EQ(metrics.Value("sagalog_reaper_put_off_total"), 0);
  // Every append of a store on disk is synced and counted.
  const double appends = metrics.Value("sagalog_append_seconds_count").value_or(0);
  EXPECT_GT(appends, 0);
  EXPECT_EQ(metrics.Value("sagalog_append_events_count"), appends);
  EXPECT_EQ(metrics.Value("sagalog_append_events_sum"), metrics.Value("sagalog_last_sequence"));
}

TEST(Metrics, AStoreThatDidNothingIsReadableToo) {
  ApiStore api;
  const ApiResponse answer = api.Send("GET", "/metrics");
  ASSERT_EQ(answer.status, 200);
  const PrometheusReader metrics(answer.body);
  EXPECT_EQ(metrics.Value("sagalog_stale_oldest_seconds"), 0);
  EXPECT_EQ(api.Send("GET", "/metrics?a=b").status, 400);
}

TEST(Metrics, LabelsAndNumbersAreWrittenAsTheyAreRead) {
  MetricsText text;
  text.Begin("f", "gauge", "Help.");
  text.Add(0.1, {{"a", "b\"c\\d\ne"}});
  text.Add(1e300);
  text.Add(-3, {{"a", ""}});
  static constexpr std::array kBounds = {0.5, 1.0};
  Histogram histogram(kBounds);
  for (const double value : {0.1, 0.5, 0.7, 5.0}) {
    histogram.Record(value);
  }
  text.Begin("h", "histogram", "Help.");
  text.Add(histogram);
  const std::string document = text.Take();
  EXPECT_THAT(document, HasSubstr("f{a=\"b\\\"c\\\\d\\ne\"} 0.1\n"));
  const PrometheusReader metrics(document);
  EXPECT_EQ(metrics.Value("f"), 1e300);
  EXPECT_EQ(metrics.Value("f{a=\"\"}"), -3);
  EXPECT_EQ(metrics.Value("h_bucket{le=\"0.5\"}"), 2);
  EXPECT_EQ(metrics.Value("h_bucket{le=\"1\"}"), 3);
  EXPECT_EQ(metrics.Value("h_bucket{le=\"+Inf\"}"), 4);
}

}  // namespace
}  // namespace sagalog
