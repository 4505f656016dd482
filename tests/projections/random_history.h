// A history of everything that can happen, chosen by a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/projections/history.h"

namespace sagalog {

// What each step does is what the rules would allow in the state that is folded so far.
class RandomHistory {
 public:
  RandomHistory(History& history, std::uint64_t seed) : history_(history), random_(seed) {}

  // One event, or the few of one command.
  void Step();
  // Ends all that lives and settles what it owes.
  void EndAll();

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  bool OneIn(std::uint64_t count) { return Below(count) == 0; }
  std::string SomeSaga();
  std::string SomeOwner() { return "owner" + std::to_string(Below(4)); }

  void PlanOne();
  void StepOfStore();
  void StepOf(const Saga& saga);
  void StepOfPlanned(const std::string& id);
  void StepOfDispatched(const std::string& id);
  void StepOfRunning(const Saga& saga);
  void StepOfCompensations(const Saga& saga);
  void StepOfEnded(const Saga& saga);
  // One step towards owing nothing; false = nothing is owed.
  bool SettleOne(const Saga& saga);
  void End(const std::string& id);

  History& history_;
  std::mt19937_64 random_;
  std::vector<std::string> ids_;
  double now_ = 1000;
};

}  // namespace sagalog
