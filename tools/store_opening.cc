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

Result<std::unique_ptr<Store>> OpenStore(const ConnectionOptions& options, const Clock* clock) {
  for (std::chrono::milliseconds waited{0};; waited += kLockRetryDelay) {
    StoreOptions store_options = StoreOptionsOf(options);
    store_options.clock = clock;
    auto store = Store::Open(std::move(store_options));
    if (store.ok() || store.status().code() != Code::kLocked || waited >= kLockPatience) {
      return store;
    }
    std::this_thread::sleep_for(kLockRetryDelay);
  }
}

}  // namespace sagalog::tools
