#include "tools/store_opening.h"

#include <thread>
#include <utility>

namespace sagalog::tools {

StoreOptions StoreOptionsOf(const ConnectionOptions& options) {
  StoreOptions store;
  store.directory = options.data;
  store.mode = options.session ? schema::OpenMode::session : schema::OpenMode::one_shot;
  store.read_only = options.read_only;
  store.accept_clock = options.accept_clock;
  store.reaper.runs = options.reaper;
  return store;
}

// By the clock: an attempt takes its time too.
bool LockPatience::Wait() {
  if (std::chrono::steady_clock::now() >= end_) {
    return false;
  }
  std::this_thread::sleep_for(kLockRetryDelay);
  return true;
}

Result<std::unique_ptr<Store>> OpenStore(const ConnectionOptions& options, const Clock* clock,
                                         const SayWaiting& waiting) {
  LockPatience patience;
  for (bool told = false;; told = true) {
    StoreOptions store_options = StoreOptionsOf(options);
    store_options.clock = clock;
    auto store = Store::Open(std::move(store_options));
    if (store.ok() || store.status().code() != Code::kLocked) {
      return store;
    }
    if (waiting && !told) {
      waiting(store.status());
    }
    if (!patience.Wait()) {
      return store;
    }
  }
}

}  // namespace sagalog::tools
