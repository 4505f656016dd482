// Opening a data directory from the command line.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "reactor/store.h"
#include "schema/status.h"
#include "tools/connection.h"

namespace sagalog::tools {

// How long a command waits for another one that holds the directory: one-shot commands take
// milliseconds each, and a burst of them started at once queues up here.
inline constexpr std::chrono::milliseconds kLockPatience{5000};
inline constexpr std::chrono::milliseconds kLockRetryDelay{20};

// The patience of one command with whoever holds the directory.
class LockPatience {
 public:
  // Rests a moment and is true; false when the time is over.
  [[nodiscard]] bool Wait();

 private:
  const std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + kLockPatience;
};

// What one opening asks of the store; a fresh one for each attempt.
[[nodiscard]] StoreOptions StoreOptionsOf(const ConnectionOptions& options);

// Store::Open, waiting at most kLockPatience while the directory is locked, which is told to
// `waiting` once, if there is one. `clock` is borrowed; null = the machine's.
using SayWaiting = std::function<void(const Status& locked)>;
[[nodiscard]] Result<std::unique_ptr<Store>> OpenStore(const ConnectionOptions& options,
                                                       const Clock* clock = nullptr,
                                                       const SayWaiting& waiting = {});

}  // namespace sagalog::tools
