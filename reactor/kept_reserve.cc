#include "reactor/kept_reserve.h"

#include "eventlog/disk_reserve.h"
#include "reactor/store_engine.h"

namespace sagalog {

bool KeepsReserve(Store& store) {
  return DiskReserve::SizeOf(Store::Engine::Of(store).directory() / kReserveFileName) > 0;
}

}  // namespace sagalog
