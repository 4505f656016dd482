// Publishes checkpoints of a running store where its keeper cannot take them back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "reactor/audit_trail.h"
#include "schema/status.h"

namespace sagalog::tools {

// How long a command may take to publish one.
inline constexpr std::chrono::seconds kPublishPatience{30};

struct PublishOptions {
  // A directory, which is created, or a command: a program, or anything with a blank in it.
  std::string target;
  std::chrono::milliseconds interval{60'000};
};

// Writes `note`, a checkpoint of `size` events, to a directory or gives it to a command. What went
// wrong is one line.
[[nodiscard]] Status PublishCheckpoint(const std::string& target, const std::string& note,
                                       std::uint64_t size);

// A thread that publishes when the log has grown, once in an interval at most, and at the end. What
// goes wrong is told, and tried again.
class CheckpointPublisher {
 public:
  using Tell = std::function<void(const Status& status)>;

  // The trail is borrowed and outlives this.
  CheckpointPublisher(AuditTrail& trail, PublishOptions options, Tell tell);
  // Publishes what has come since.
  ~CheckpointPublisher();
  CheckpointPublisher(const CheckpointPublisher&) = delete;
  CheckpointPublisher& operator=(const CheckpointPublisher&) = delete;

 private:
  void Loop();
  void Publish();

  AuditTrail& trail_;
  const PublishOptions options_;
  const Tell tell_;
  std::uint64_t published_ = 0;  // of the thread
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sagalog::tools
