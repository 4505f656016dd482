// Carries out what the policies of stale sagas say (`on_stale`), by the command `recover`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "reactor/decider.h"
#include "reactor/reaper_pace.h"
#include "reactor/store.h"
#include "schema/limits.h"

namespace sagalog {

// Sagas looked at in one turn: commands wait for no more.
inline constexpr std::size_t kReaperLooksMax = 256;
// Turns of one run; what is left waits for the next.
inline constexpr int kReaperRoundsMax = 16;

// Looks only at sagas whose moment has come and that it has not looked at since anything happened
// to them: a run costs what it finds. What it decides is a command like any other, with the version
// it observed, so whoever was there first wins; what is refused, or left to people, is put aside
// until an event, a policy or its own time brings it back. Thread-safe.
class Reaper {
 public:
  // `engine` is borrowed. `runs`: whether it acts by itself, as far as Describe says.
  Reaper(Store::Engine& engine, bool runs, std::uint64_t seed);

  // Does what is due, as fast as its pace allows; how long until something is due again, none =
  // nothing is known to be. kReadOnly when the store takes no commands.
  [[nodiscard]] Result<std::optional<Duration>> Run();

  // Looks at everything that is due, also what was put aside, at no pace.
  [[nodiscard]] Result<answers::SweepReportT> Sweep(const SweepOptions& options);

  // Store::PassTime.
  void PassTime(ManualClock& clock, Duration by);

  [[nodiscard]] bool runs() const { return runs_; }
  [[nodiscard]] answers::ReaperT Describe() const;

 private:
  struct Finding {
    std::unique_ptr<answers::SweepRowT> row;
    // Null when nothing is to be done.
    std::unique_ptr<commands::CommandT> recover;
  };
  // How far one turn goes.
  struct Bounds {
    std::size_t looks = kReaperLooksMax;
    // None = the pace says.
    std::optional<std::size_t> recoveries;
    bool dry_run = false;
  };
  struct Round {
    std::vector<Finding> findings;
    // More is due.
    bool more = false;
    StoreTime now;
    // The next moment, come or not.
    std::optional<StoreTime> next;
    Sequence sequence;
    // Something changed, so that another round finds something else.
    bool progress = false;
  };

  // With sweeping_mutex_ held.
  [[nodiscard]] Result<std::optional<Duration>> RunExcluded();
  [[nodiscard]] Result<Round> Look(const Bounds& bounds);
  void LookInTurn(Decider& decider, const Bounds& bounds, Round& round);
  void BringBackDue(Projections& state, StoreTime now);
  [[nodiscard]] static Finding LookAt(const Projections& state, const Saga& saga, StoreTime now);
  // Executes what was found; how many were recovered.
  std::size_t CarryOut(Round& round, const std::string& principal);
  void Count(const answers::SweepRowT& row);

  Store::Engine& engine_;
  const bool runs_;

  // One run or sweep at a time. Guards what follows; a turn uses it on behalf of who holds it.
  std::mutex sweeping_mutex_;
  ReaperPace pace_;
  // Sagas put aside that are to be looked at again, by when.
  std::multimap<StoreTime, std::string> again_;

  std::array<std::atomic<std::uint64_t>, 8> recovered_{};
  std::array<std::atomic<std::uint64_t>, 64> declined_{};
  std::atomic<std::uint64_t> put_off_{0};
  // Microseconds; 0 = none.
  std::atomic<std::int64_t> next_{0};
};

}  // namespace sagalog
