// Whether room is kept back for a full disk.
#pragma once

namespace sagalog {

class Store;

// Of the store's data directory: whether the reserve (eventlog/disk_reserve.h) is there.
[[nodiscard]] bool KeepsReserve(Store& store);

}  // namespace sagalog
