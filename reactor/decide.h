// The rules: what may happen next. Pure functions of (state, command, now).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "projections/projections.h"
#include "schema/answers_generated.h"
#include "schema/commands_generated.h"
#include "schema/events_generated.h"

namespace sagalog {

// What was looked up on disk for a command before the sequencer: the part of the state that is
// not in memory. Memory, where it knows more, wins.
struct Lookups {
  // The epoch (Checkpointer::Epoch) at which they were made.
  std::uint64_t epoch = 0;
  // The ended saga that the command names.
  std::optional<Saga> saga;
  // Of a plan: the newest generation of its key that has left memory.
  std::optional<Saga> newest_of_key;
  // The answer of a saga that left memory to a request whose id is unique in the store.
  struct Answered {
    std::string saga_id;
    RequestRecord record;
  };
  std::optional<Answered> store_request;
  // Of a plan's depends_on: those that ended, with their state.
  std::vector<std::pair<std::string, State>> ended_dependencies;
  // Of a cascade: the children of each saga below that has left memory.
  std::map<std::string, std::vector<std::string>, std::less<>> children;
  // What could not be read; then the command is refused as corrupt.
  Status status;
};

// Makes the look-ups a command needs; `wanted` is what decisions on it have asked for
// (Decision::wanted). Called on the caller's thread.
[[nodiscard]] Lookups LookUp(const EndedRows& rows, std::uint64_t epoch,
                             const commands::CommandT& command,
                             std::span<const std::string> wanted);

// One event that a decision appends.
struct DecidedEvent {
  std::string saga_id;
  events::BodyUnion body;
};

// What report_owners recorded about one saga's holder.
struct HolderReport {
  std::string saga_id;
  schema::Verdict verdict;
};

// Whether the command's request id is unique in the store, and not only within its saga.
[[nodiscard]] constexpr bool HasStoreWideRequest(commands::Body command) {
  return command == commands::Body::Plan || command == commands::Body::ClaimNext ||
         command == commands::Body::ReportOwners;
}

// A command's decision: events to append, or an outcome that appends nothing, or a refusal, or
// the replay of an earlier answer.
struct Decision {
  std::vector<DecidedEvent> events;
  answers::Outcome outcome = answers::Outcome::ok;
  std::unique_ptr<answers::RefusalT> refusal;
  // Granted by the first event; 0 = none.
  Token token;
  // Answers of heartbeats: somebody wants the saga cancelled.
  bool cancel_pending = false;
  // The saga the answer is about; claim_next chooses it, a redelivered plan finds it.
  std::string saga_id;
  // Of report_owners.
  std::vector<HolderReport> reports;
  // The request was answered before: by the event at this sequence.
  std::optional<Sequence> replay_of;
  // Nothing is decided: these sagas have left memory, and were not looked up. Once they and those
  // below them are (Lookups::children), it is decided again.
  std::vector<std::string> wanted;
};

// What the sequencer knows besides the state.
struct DecideContext {
  StoreTime now;
  // The token that an event granting ownership would carry, were it appended next.
  Token next_token;
  // Set when the store takes no appends: replays and refusals before `read_only` still answer.
  const Status* read_only = nullptr;
};

// Decides a command that passed ValidateCommand. `content` is its CommandContent when it carries a
// request id. Never fails: every no is a refusal with its facts.
[[nodiscard]] Decision Decide(const Projections& state, const Lookups& lookups,
                              const commands::CommandT& command, std::uint64_t content,
                              const DecideContext& context);

}  // namespace sagalog
