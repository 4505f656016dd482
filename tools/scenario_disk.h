// What a scenario's store is kept on, and what may happen to it there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

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
  [[nodiscard]] virtual Result<std::unique_ptr<Store>> Open(const Clock& clock,
                                                            bool accept_clock) = 0;

  // Kills the process that has `store` open: nothing it does from here on reaches the disk.
  virtual Status Kill(std::unique_ptr<Store> store) = 0;

  // Runs `act`, which appends once or not at all, and kills the process inside that append: a part
  // of it is on the disk, and nobody was told. False when it appended nothing: `store` is then
  // still there.
  [[nodiscard]] virtual Result<bool> KillInside(std::unique_ptr<Store>& store,
                                                const std::function<void(Store&)>& act) = 0;

  // Closes the store and damages bytes of the event.
  virtual Status Damage(std::unique_ptr<Store> store, Sequence sequence) = 0;

  // Removes all projections. The store must have been let go.
  virtual Status LoseProjections() = 0;

  // Keeps what is durable as a backup of that name, in the place of an earlier one. kReadOnly
  // when the log is damaged.
  virtual Status Backup(Store& store, const std::string& name) = 0;

  // Puts the backup, which must be there, in the place of the store, which must have been let go.
  // As RestoreStore.
  virtual Status Restore(const std::string& name, const Clock& clock, bool accept_clock) = 0;

  // Puts the data directory at `directory`, which must not exist: the end of this disk. The store
  // must have been let go. kInvalidArgument where there is no file to move.
  virtual Status MoveTo(const std::filesystem::path& directory) = 0;
};

// On a disk in memory, with nothing behind it.
[[nodiscard]] std::unique_ptr<ScenarioDisk> MakeMemoryDisk();

// In a new folder of the machine's temporary directory, removed at the end. kIoError when there is
// no room for it.
[[nodiscard]] Result<std::unique_ptr<ScenarioDisk>> MakeDirectoryDisk();

}  // namespace sagalog::tools
