#include "tests/reactor/store_on_disk.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "eventlog/memory_log.h"
#include "schema/json.h"

namespace sagalog {

StoreOnDisk::StoreOnDisk() : clock(*ParseTime("2026-11-21T03:18:00Z")) { Reopen(); }

StoreOnDisk::~StoreOnDisk() {
  store_.reset();
  if (!folder_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

void StoreOnDisk::KeepRows() {
  std::string pattern = std::filesystem::temp_directory_path() / "sagalog-store-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  options.directory = folder_;
  Reopen();
}

Status StoreOnDisk::Open() {
  auto log = MemoryLog::Open(*disk, options.read_only ? LogMode::kReadOnly : LogMode::kReadWrite);
  RETURN_IF_ERROR(log.status());
  auto gated = std::make_unique<GatedLog>(*std::move(log));
  log_ = gated.get();
  StoreOptions opening;
  opening.directory = options.directory;
  opening.mode = options.mode;
  opening.read_only = options.read_only;
  opening.accept_clock = options.accept_clock;
  opening.checkpoint_events = options.checkpoint_events;
  opening.checkpoint_interval = options.checkpoint_interval;
  opening.clock = options.clock == nullptr ? &clock : options.clock;
  opening.log = std::move(gated);
  ASSIGN_OR_RETURN(store_, Store::Open(std::move(opening)));
  return {};
}

void StoreOnDisk::Kill() { store_.reset(); }

void StoreOnDisk::Reopen() {
  Kill();
  const Status opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.text();
}

Reply StoreOnDisk::Plan(std::string_view saga, std::string_view key) {
  commands::PlanT plan;
  plan.key = key;
  return store_->Plan(saga, std::move(plan)).Get();
}

Reply StoreOnDisk::TryAcquire(std::string_view saga, std::string_view owner) {
  return store_->Acquire(saga, AcquireBy(owner)).Get();
}

std::uint64_t StoreOnDisk::Acquire(std::string_view saga, std::string_view owner) {
  const Reply reply = TryAcquire(saga, owner);
  EXPECT_EQ(Summary(reply), "ok");
  return reply.ok() ? reply.answer().token : 0;
}

Reply StoreOnDisk::Heartbeat(std::string_view saga, std::uint64_t token, CallOptions call) {
  commands::HeartbeatT heartbeat;
  heartbeat.token = token;
  return store_->Heartbeat(saga, std::move(heartbeat), std::move(call)).Get();
}

Reply StoreOnDisk::Complete(std::string_view saga, std::uint64_t token, CallOptions call) {
  commands::CompleteT complete;
  complete.token = token;
  return store_->Complete(saga, std::move(complete), std::move(call)).Get();
}

std::string StoreOnDisk::StateOf(std::string_view saga) {
  const auto found = store_->Find(saga);
  return found.ok() ? schema::EnumNameState(found->state) : found.status().text();
}

std::string StoreOnDisk::Events() {
  std::string types;
  EXPECT_TRUE(log_->Scan(Sequence(1), log_->Last(),
                         [&](const events::Event& event, std::string_view) {
                           types += fmt::format("{}{}", types.empty() ? "" : " ",
                                                EventTypeName(event.body_type()));
                           return Status();
                         })
                  .ok());
  return types;
}

commands::AcquireT AcquireBy(std::string_view owner) {
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = owner;
  return acquire;
}

CallOptions Requested(std::uint64_t request) {
  CallOptions call;
  call.request_id = schema::RequestId(request, ~request);
  return call;
}

std::string Summary(const Reply& reply) {
  if (!reply.ok()) {
    return schema::EnumNameRefusalCode(reply.refusal().code);
  }
  if (reply.answer().replayed) {
    return "ok:replayed";
  }
  return reply.answer().outcome == answers::Outcome::ok
             ? "ok"
             : fmt::format("ok:{}", answers::EnumNameOutcome(reply.answer().outcome));
}

}  // namespace sagalog
