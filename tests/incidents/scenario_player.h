// Plays one retold incident against a store, step by step.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "eventlog/memory_disk.h"
#include "reactor/clock.h"
#include "reactor/store.h"

namespace sagalog::incidents {

// One store on a disk in memory and a clock that moves only when told to. Steps and what they
// expect are those of tests/incidents/incidents.json.
class ScenarioPlayer {
 public:
  ScenarioPlayer();

  // Configures the default queue as the scenario's settings say.
  void Configure(const boost::json::object& settings);

  // Plays one step; empty when the answer is the expected one, else what came instead.
  [[nodiscard]] std::string Play(const boost::json::object& step);

  // Throws all projections away and folds them again from the log.
  void Rebuild();

 private:
  [[nodiscard]] std::string Do(const boost::json::object& step);
  [[nodiscard]] std::string Command(const boost::json::object& step);
  [[nodiscard]] std::string Reopen(const boost::json::object& step);
  [[nodiscard]] std::string Check(const boost::json::object& step);
  [[nodiscard]] std::string CheckSaga(const boost::json::object& step, const answers::SagaT& saga);
  [[nodiscard]] std::string CheckEvents(const std::string& saga, const boost::json::object& step);
  [[nodiscard]] boost::json::object Arguments(const boost::json::object& step) const;
  void Observe(const std::string& name, std::size_t limit);
  [[nodiscard]] std::string Open();

  MemoryDisk disk_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::uint64_t> tokens_;
  std::map<std::string, std::map<std::string, std::uint64_t>> observed_;
  std::map<std::string, bool> sagas_;
};

}  // namespace sagalog::incidents
