// What `sagalog top` shows of a store at one moment, and what changed since the moment before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/status.h"
#include "schema/store_time.h"
#include "tools/connection.h"

namespace sagalog::tools {

struct TopSample {
  Duration at{};               // when it was taken, by BootNow
  boost::json::object status;  // /v1/status
  boost::json::array stale;    // rows of /v1/stale, those that somebody can act on first
  boost::json::array queues;   // of /v1/queues
  bool daemon = false;         // else a directory that nobody serves
  // Of /metrics. Commands by outcome or refusal code: counted by a daemon since it was started.
  std::map<std::string, double> commands;
  std::map<std::string, double> figures;

  // A figure of /metrics without labels; none where there is no such one.
  [[nodiscard]] std::optional<double> Figure(const std::string& name) const;
};

// Per second, between two samples.
struct TopRates {
  double seconds = 0;
  double events = 0;
  std::map<std::string, double> commands;  // by outcome; without those that stood still
};

// Nothing when one of them is missing, or the later one is of another run of the daemon.
[[nodiscard]] std::optional<TopRates> RatesBetween(const TopSample* before, const TopSample& now);

// Takes samples. A directory without a daemon is opened anew for each, so that others can work on
// it meanwhile; a daemon that went away is looked for again. One thread.
class TopReader {
 public:
  explicit TopReader(ConnectionOptions place) : place_(std::move(place)) {}

  // An error is why there is nothing to show now; the next call may well succeed.
  [[nodiscard]] Result<TopSample> Read();

 private:
  [[nodiscard]] Result<TopSample> ReadFrom(Connection& connection);

  const ConnectionOptions place_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace sagalog::tools
