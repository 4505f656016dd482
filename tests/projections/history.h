// A history written event by event, as the rules would have written it: for tests of what is
// folded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/memory_log.h"
#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "schema/event_encoder.h"

namespace sagalog {

// Seconds of store time, so that tests can say small numbers.
[[nodiscard]] constexpr std::int64_t Seconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1'000'000 + 0.5);
}
[[nodiscard]] constexpr StoreTime At(double seconds) { return TimeFromMicros(Seconds(seconds)); }

// The arguments of a plan that tests vary.
struct PlanFacts {
  std::string key = {};
  std::uint32_t generation = 1;
  std::string queue = "default";
  std::int32_t priority = 0;
  double not_before = 0;
  std::vector<std::string> targets = {};  // one compensation each
  bool shared = false;
  std::vector<std::string> depends_on = {};
  std::string parent = {};
  std::map<std::string, std::string> labels = {};
  std::uint64_t request = 0;
};

// Appends each event to a log in memory and folds it into projections with a store of rows, which
// is in memory too. Time is set by hand and stays until it is set again.
class History {
 public:
  History();

  // Folds as the store does, from a clean sheet: what was lost is what no checkpoint had.
  void Reopen();

  void SetTime(double seconds) { time_ = At(seconds); }
  [[nodiscard]] StoreTime time() const { return time_; }

  // Any event: of the store when `saga` is empty.
  template <typename Body>
  Sequence Append(std::string_view saga, Body body, std::uint64_t request = 0) {
    events::EventT event;
    event.body.Set(std::move(body));
    return AppendEvent(saga, std::move(event), request);
  }

  Sequence Plan(std::string_view saga, const PlanFacts& facts = {});
  // Grants a lease of `ttl` seconds; its token.
  Token Acquire(std::string_view saga, std::string_view owner = "w", double ttl = 60,
                schema::LeaseHow how = schema::LeaseHow::first);
  Token Dispatch(std::string_view saga, std::string_view owner = "w", double ttl = 60);
  void Heartbeat(std::string_view saga, double ttl = 60, std::string_view progress = {});
  void End(std::string_view saga, State state = State::completed);
  void ClaimCompensation(std::string_view saga, std::string_view id);
  void SettleCompensation(std::string_view saga, std::string_view id,
                          schema::CompensationOutcome outcome = schema::CompensationOutcome::done);
  void Park(std::string_view saga) { Append(saga, events::ParkedT()); }
  // The store was away until now.
  void ComeBack();

  void TakeCheckpoint();
  [[nodiscard]] Checkpointer& checkpointer() { return *checkpointer_; }

  [[nodiscard]] Projections& state() { return *projections_; }
  [[nodiscard]] CheckpointStore& rows() { return *rows_; }
  [[nodiscard]] EventLog& log() { return *log_; }
  // The saga in memory, or as the rows have it.
  [[nodiscard]] Saga Get(std::string_view saga) const;

  // Folds the whole log from zero and compares all rows with those here: the first difference, or
  // nothing.
  [[nodiscard]] std::string DifferenceFromRebuild();

 private:
  struct Chain {
    std::uint64_t version = 0;
    std::uint64_t previous = 0;
    std::uint64_t transition = 0;
  };

  Sequence AppendEvent(std::string_view saga, events::EventT event, std::uint64_t request);

  MemoryDisk disk_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<CheckpointStore> rows_;
  std::unique_ptr<Projections> projections_;
  std::unique_ptr<Checkpointer> checkpointer_;
  EventEncoder encoder_;
  std::map<std::string, Chain, std::less<>> chains_;
  StoreTime time_ = At(1000);
};

// Ids of sagas, in the order given: for comparing lists.
[[nodiscard]] std::vector<std::string> Ids(const std::vector<const Saga*>& sagas);

}  // namespace sagalog
