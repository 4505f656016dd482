// Every refusal of every row of the command table, provoked by the shortest script.
#pragma once

#include <span>

namespace sagalog {

struct ProvokedRefusal {
  const char* code;
  // Lines as tests/reactor/rules_script.h plays them. The last one is what is refused.
  const char* script;
  // As FactsOf writes them: what the refusal must tell.
  const char* facts;
};

// By the rows of the contract's table, in its order.
[[nodiscard]] std::span<const ProvokedRefusal> ProvokedRefusals();

}  // namespace sagalog
