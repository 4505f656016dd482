// A store in memory under a manual clock, spoken to in a few words: for tests of the rules.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "eventlog/memory_disk.h"
#include "reactor/clock.h"
#include "reactor/store.h"

namespace sagalog {

class RulesStore {
 public:
  explicit RulesStore(ReaperOptions reaper = {});

  // Executes a command whose arguments are a JSON object; "$TOKEN" in it stands for the last
  // token granted for the saga, "$VERSION" for the saga's version. "ok", "ok:unchanged", … or the
  // code of the refusal.
  std::string Run(std::string_view command, std::string_view saga,
                  std::string_view arguments = "{}");

  // The last refusal that Run met.
  [[nodiscard]] const answers::RefusalT& refusal() const { return refusal_; }
  // The last answer.
  [[nodiscard]] const answers::AnswerT& answer() const { return answer_; }
  [[nodiscard]] std::uint64_t TokenOf(std::string_view saga) const;

  [[nodiscard]] answers::SagaT Saga(std::string_view saga);
  // All that is shown of a saga, as one text.
  [[nodiscard]] std::string Sheet(std::string_view saga);
  [[nodiscard]] std::string StateOf(std::string_view saga);
  // The stale reasons, separated by blanks.
  [[nodiscard]] std::string StaleOf(std::string_view saga);
  [[nodiscard]] std::uint64_t LastSequence() const { return store_->log().Last().value(); }

  // Only the clock moves.
  void Advance(std::string_view by);
  // Time passes, and a reaper that runs acts on the way.
  void Pass(std::string_view by);
  // The store goes away without closing and comes back after `down_for`.
  void Crash(std::string_view down_for = "0s");

  Store& store() { return *store_; }
  ManualClock& clock() { return clock_; }
  MemoryDisk& disk() { return disk_; }

 private:
  void Open();

  ReaperOptions reaper_;
  MemoryDisk disk_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  answers::RefusalT refusal_;
  answers::AnswerT answer_;
  std::map<std::string, std::uint64_t, std::less<>> tokens_;
};

}  // namespace sagalog
