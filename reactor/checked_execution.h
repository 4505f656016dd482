// Commands of somebody who may not do everything: what is not theirs to do is refused and counted,
// the rest is carried out.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "reactor/access.h"
#include "reactor/daemon_figures.h"
#include "reactor/store.h"

namespace sagalog {

// Counts what came of a command. Thread-safe.
void CountReply(DaemonFigures& figures, commands::Body type, const Reply& reply);

// Whether deciding if the caller may do it asks the store, and so may block.
[[nodiscard]] bool MayBlockToCheck(const Caller& caller);

// Calls `answer` with the reply, on whichever thread has it: at once when it is refused, else on
// the store's completion thread. Blocks only where MayBlockToCheck. `store` and `figures` are
// borrowed until then.
void ExecuteFor(const Caller& caller, Store& store, DaemonFigures& figures,
                commands::CommandT command, bool with_saga,
                std::function<void(const Reply&)> answer);

// The same on this thread: blocks until the reply is durable. What finds the sequencer idle wakes
// no other thread.
[[nodiscard]] Reply ExecuteNowFor(const Caller& caller, Store& store, DaemonFigures& figures,
                                  commands::CommandT command, bool with_saga);

// Blocks. A command that could not be read or is refused is answered by itself, or, in an atomic
// batch, refuses all. `figures` may be null: nobody counts.
[[nodiscard]] BatchReply ExecuteBatchFor(const Caller& caller, Store& store, DaemonFigures* figures,
                                         std::vector<Result<commands::CommandT>> batch, bool atomic,
                                         bool with_saga);

}  // namespace sagalog
