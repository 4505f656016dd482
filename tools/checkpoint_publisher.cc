#include "tools/checkpoint_publisher.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/durable_file.h"
#include "reactor/audit_checkpoint.h"
#include "tools/child_process.h"

namespace sagalog::tools {
namespace fs = std::filesystem;
namespace {

bool IsCommand(const std::string& target) {
  std::error_code error;
  return target.find_first_of(" \t") != std::string::npos || fs::is_regular_file(target, error);
}

Status WriteWhole(const fs::path& path, const std::string& text) {
  const fs::path unfinished = path.string() + ".unfinished";
  std::error_code error;
  fs::remove(unfinished, error);
  RETURN_IF_ERROR(WriteFileDurably(unfinished, text, nullptr));
  fs::permissions(unfinished, fs::perms(0644), error);
  return RenameDurably(unfinished, path, nullptr);
}

// Its standard input is a file, so that a command that reads none of it does no harm.
Status RunCommand(const std::string& command, const std::string& note, std::uint64_t size) {
  std::error_code error;
  const fs::path file =
      fs::temp_directory_path(error) / fmt::format("sagalog-checkpoint-{}-{}", ::getpid(), size);
  fs::remove(file, error);
  RETURN_IF_ERROR(WriteFileDurably(file, note, nullptr));
  CommandLine line;
  line.arguments = {"sh", "-c", R"(eval "$1" < "$2")", "sh", command, file.string()};
  const auto result = RunToEnd(line, kPublishPatience);
  fs::remove(file, error);
  RETURN_IF_ERROR(result.status());
  if (result->ok()) {
    return {};
  }
  const std::string said = result->errors.substr(0, result->errors.find('\n'));
  // Not the command itself: it may hold what no log is to hold, such as a token.
  return {Code::kIoError, fmt::format("the command {}{}{}",
                                      result->timed_out ? fmt::format("took longer than {} s",
                                                                      kPublishPatience.count())
                                                        : result->end.Text(),
                                      said.empty() ? "" : ": ", said)};
}

}  // namespace

Status PublishCheckpoint(const std::string& target, const std::string& note, std::uint64_t size) {
  if (IsCommand(target)) {
    return RunCommand(target, note, size);
  }
  std::error_code error;
  fs::create_directories(target, error);
  if (error) {
    return {Code::kIoError, fmt::format("cannot create {}: {}", target, error.message())};
  }
  RETURN_IF_ERROR(WriteWhole(fs::path(target) / fmt::format("checkpoint-{}", size), note));
  return WriteWhole(fs::path(target) / "checkpoint", note);
}

CheckpointPublisher::CheckpointPublisher(AuditTrail& trail, PublishOptions options, Tell tell)
    : trail_(trail),
      options_(std::move(options)),
      tell_(std::move(tell)),
      thread_([this] { Loop(); }) {}

CheckpointPublisher::~CheckpointPublisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CheckpointPublisher::Loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Publish();
    lock.lock();
    changed_.wait_for(lock, options_.interval, [this] { return stopping_; });
  }
  lock.unlock();
  Publish();
}

void CheckpointPublisher::Publish() {
  if (trail_.size() + trail_.Lag() == published_) {
    return;
  }
  const auto note = trail_.TakeCheckpoint();
  if (!note.ok()) {
    tell_(note.status());
    return;
  }
  const auto parsed = SignedNote::Parse(*note);
  const auto checkpoint =
      parsed.ok() ? ParseCheckpointText(parsed->text) : Result<Checkpoint>(parsed.status());
  const Status published = checkpoint.ok()
                               ? PublishCheckpoint(options_.target, *note, checkpoint->head.size)
                               : checkpoint.status();
  if (published.ok()) {
    published_ = checkpoint->head.size;
  } else {
    tell_(published);
  }
}

}  // namespace sagalog::tools
