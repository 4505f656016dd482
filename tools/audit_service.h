// What a daemon does for the audit of its store: it keeps the tree, and publishes checkpoints.
#pragma once

#include <filesystem>
#include <memory>

#include "reactor/audit_trail.h"
#include "reactor/store.h"
#include "tools/checkpoint_publisher.h"
#include "tools/daemon_log.h"
#include "tools/serve_settings.h"

namespace sagalog::tools {

// Ends with the object, before the store is closed.
class AuditService {
 public:
  // All are borrowed. Without a tree, of a damaged store for one, the daemon serves all the same,
  // and says so.
  AuditService(const Store& store, const std::filesystem::path& data_directory,
               const ServeSettings& settings, const DaemonLog& log);

  // Publishes for the last time, and ends the threads.
  void Stop();

 private:
  std::unique_ptr<AuditTrail> trail_;
  std::unique_ptr<CheckpointPublisher> publisher_;
};

}  // namespace sagalog::tools
