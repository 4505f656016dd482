// The whole state machine as one table: which command is allowed in which state, what it needs to
// carry, and the rule that decides it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "reactor/rules/rules.h"

namespace sagalog {

// A set of states in two bytes.
class StateSet {
 public:
  constexpr StateSet(std::initializer_list<State> states) {
    for (const State state : states) {
      bits_ = static_cast<std::uint16_t>(bits_ | 1U << static_cast<unsigned>(state));
    }
  }
  [[nodiscard]] constexpr bool Has(State state) const {
    return (bits_ >> static_cast<unsigned>(state) & 1U) != 0;
  }

 private:
  std::uint16_t bits_ = 0;
};

// How a command proves that it speaks for the owner.
enum class Proof : std::uint8_t {
  kNone,         // it does not: orchestrators and operators
  kToken,        // the holder's token, and the lease is not over
  kTokenOrNone,  // the same where a token is given
  kLateToken,    // the holder's token; the lease may be over
  kLastToken,    // kLateToken, and after the end the token of the last owner
  kDispatch,     // the token of the dispatch lease, over or not
  // Where a token is given: that of the dispatch lease, over or not, until its worker has come.
  kDispatchOrNone,
};

struct CommandRow {
  commands::Body command;
  Proof proof;
  StateSet allowed;
  rules::Refusal (*check)(const rules::Situation&);  // null = no refusals of its own
  void (*act)(const rules::Situation&, Decision&);
};

// The rows, in the order of the contract's table. claim_next and the configuration of queues and
// policy name no saga and stand beside it.
[[nodiscard]] std::span<const CommandRow> StateMachine();
// Null for a command that names no saga.
[[nodiscard]] const CommandRow* FindRow(commands::Body command);

}  // namespace sagalog
