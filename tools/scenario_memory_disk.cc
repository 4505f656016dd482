// A scenario's store in memory.
#include <optional>
#include <utility>

#include "eventlog/memory_disk.h"
#include "eventlog/memory_log.h"
#include "tools/scenario_disk.h"

namespace sagalog::tools {
namespace {

class MemoryScenarioDisk final : public ScenarioDisk {
 public:
  Result<std::unique_ptr<Store>> Open(const Clock& clock) override {
    auto log = MemoryLog::Open(disk_);
    if (!log.ok() && log.status().code() == Code::kCorruption) {
      log = MemoryLog::Open(disk_, LogMode::kReadOnly);
    }
    RETURN_IF_ERROR(log.status());
    StoreOptions options;
    options.log = *std::move(log);
    options.clock = &clock;
    return Store::Open(std::move(options));
  }

  Status Kill(std::unique_ptr<Store> store) override {
    store.reset();
    disk_.LosePower();
    return {};
  }

  Result<std::optional<Reply>> KillInside(std::unique_ptr<Store>& store,
                                          commands::CommandT command) override {
    disk_.InjectAfter(0, MemoryDisk::Fault::kTornWrite);
    Reply reply = store->Execute(std::move(command)).Get();
    if (!disk_.fault_fired()) {
      return std::optional<Reply>(std::move(reply));
    }
    store.reset();
    return std::optional<Reply>();
  }

  Status Damage(std::unique_ptr<Store> store, Sequence sequence) override {
    RETURN_IF_ERROR(store->Close());
    store.reset();
    constexpr std::size_t kOffset = 40;  // in the middle of the smallest event
    disk_.FlipByte(sequence, kOffset);
    return {};
  }

  Status LoseProjections() override { return {}; }  // they went with the store

 private:
  MemoryDisk disk_;
};

}  // namespace

std::unique_ptr<ScenarioDisk> MakeMemoryDisk() { return std::make_unique<MemoryScenarioDisk>(); }

}  // namespace sagalog::tools
