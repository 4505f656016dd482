// A scenario's store in memory.
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "eventlog/memory_disk.h"
#include "eventlog/memory_log.h"
#include "reactor/restore.h"
#include "tools/scenario_disk.h"

namespace sagalog::tools {
namespace {

class MemoryScenarioDisk final : public ScenarioDisk {
 public:
  Result<std::unique_ptr<Store>> Open(const Clock& clock, bool accept_clock) override {
    auto log = MemoryLog::Open(disk_);
    if (!log.ok() && log.status().code() == Code::kCorruption) {
      log = MemoryLog::Open(disk_, LogMode::kReadOnly);
    }
    RETURN_IF_ERROR(log.status());
    StoreOptions options;
    options.log = *std::move(log);
    options.clock = &clock;
    options.accept_clock = accept_clock;
    return Store::Open(std::move(options));
  }

  Status Kill(std::unique_ptr<Store> store) override {
    store.reset();
    disk_.LosePower();
    return {};
  }

  Result<bool> KillInside(std::unique_ptr<Store>& store,
                          const std::function<void(Store&)>& act) override {
    disk_.InjectAfter(0, MemoryDisk::Fault::kTornWrite);
    act(*store);
    if (!disk_.fault_fired()) {
      constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
      disk_.InjectAfter(kNever, MemoryDisk::Fault::kTornWrite);
      return false;
    }
    store.reset();
    return true;
  }

  Status Damage(std::unique_ptr<Store> store, Sequence sequence) override {
    RETURN_IF_ERROR(store->Close());
    store.reset();
    constexpr std::size_t kOffset = 40;  // in the middle of the smallest event
    disk_.FlipByte(sequence, kOffset);
    return {};
  }

  Status LoseProjections() override { return {}; }  // they went with the store

  Status Backup(Store& store, const std::string& name) override {
    if (!store.Health().ok()) {
      return {Code::kReadOnly, "a damaged log is not backed up"};
    }
    disk_.CopyTo(backups_[name]);
    return {};
  }

  Status Restore(const std::string& name, const Clock& clock, bool accept_clock) override {
    backups_.at(name).CopyTo(disk_);
    ASSIGN_OR_RETURN(const auto log, MemoryLog::Open(disk_));
    return BeginLineage(*log, clock, accept_clock).status();
  }

  Status MoveTo(const std::filesystem::path& directory) override {
    return {Code::kInvalidArgument,
            directory.string() + ": a scenario that is played in memory leaves no directory"};
  }

 private:
  MemoryDisk disk_;
  std::map<std::string, MemoryDisk> backups_;
};

}  // namespace

std::unique_ptr<ScenarioDisk> MakeMemoryDisk() { return std::make_unique<MemoryScenarioDisk>(); }

}  // namespace sagalog::tools
