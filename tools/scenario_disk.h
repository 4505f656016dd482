// What a scenario's store is kept on, and what may happen to it there.
#pragma once

#include <memory>
#include <string_view>

#include "reactor/clock.h"
#include "reactor/store.h"
#include "schema/status.h"

namespace sagalog::tools {

// A throw-away place for one store at a time, gone with the object. What happens to it is done to
// the bytes that a store wrote, and the next store opens what is left of them.
//
// Order of calls: Open, then any of the others, each of which says whether a store is still open.
// One thread.
class ScenarioDisk {
 public:
  virtual ~ScenarioDisk() = default;

  // Opens a store on what is there. As Store::Open; a damaged one opens for reading.
  [[nodiscard]] virtual Result<std::unique_ptr<Store>> Open(const Clock& clock) = 0;

  // Kills the process that has `store` open: nothing it does from here on reaches the disk.
  virtual Status Kill(std::unique_ptr<Store> store) = 0;

  // Runs `command` and kills the process inside the append: a part of it is on the disk, and
  // nobody was told. Nothing when the command would append nothing: `store` is then still there,
  // and what it answered is returned.
  [[nodiscard]] virtual Result<std::optional<Reply>> KillInside(std::unique_ptr<Store>& store,
                                                                commands::CommandT command) = 0;

  // Closes the store and damages bytes of the event.
  virtual Status Damage(std::unique_ptr<Store> store, Sequence sequence) = 0;

  // Removes all projections. The store must have been let go.
  virtual Status LoseProjections() = 0;
};

// On a disk in memory, with nothing behind it.
[[nodiscard]] std::unique_ptr<ScenarioDisk> MakeMemoryDisk();

// In a new folder of the machine's temporary directory, removed at the end. kIoError when there is
// no room for it.
[[nodiscard]] Result<std::unique_ptr<ScenarioDisk>> MakeDirectoryDisk();

}  // namespace sagalog::tools
