#include "tools/audit_service.h"

#include <chrono>
#include <string>

#include <fmt/format.h>

#include "schema/store_time.h"

namespace sagalog::tools {

AuditService::AuditService(const Store& store, const std::filesystem::path& data_directory,
                           const ServeSettings& settings, const DaemonLog& log) {
  if (!store.Health().ok()) {
    return;  // The daemon says that already.
  }
  auto trail = AuditTrail::Open(store.log(), data_directory);
  if (!trail.ok()) {
    log.Say({ServerNote::Level::kWarning, "audit",
             fmt::format("no audit tree is kept: {}", trail.status().text())});
    return;
  }
  trail_ = *std::move(trail);
  if (const std::string target = settings.Text("publish-checkpoint"); !target.empty()) {
    PublishOptions options;
    options.target = target;
    options.interval = std::chrono::duration_cast<std::chrono::milliseconds>(
        *ParseDuration(settings.Text("publish-interval")));
    publisher_ =
        std::make_unique<CheckpointPublisher>(*trail_, options, [&log](const Status& status) {
          log.Say({ServerNote::Level::kWarning, "publish",
                   fmt::format("a checkpoint could not be published: {}", status.text())});
        });
  }
}

void AuditService::Stop() {
  publisher_.reset();
  trail_.reset();
}

}  // namespace sagalog::tools
