// sagalog inside a program of one's own: a task is planned, a worker owns it for a while, another
// one is refused meanwhile.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "reactor/store.h"

int main(int argc, char** argv) {
  std::string folder = "/tmp/sagalog-example-XXXXXX";
  sagalog::StoreOptions options;
  options.directory = argc > 1 ? argv[1] : mkdtemp(folder.data());
  auto opened = sagalog::Store::Open(std::move(options));
  if (!opened.ok()) {
    std::cerr << opened.status().text() << "\n";
    return 1;
  }
  sagalog::Store& store = **opened;

  sagalog::commands::PlanT plan;
  plan.branch = "fix/168";
  if (sagalog::Reply planned = store.Plan("fix-168", std::move(plan)).Get(); !planned.ok()) {
    std::cerr << planned.refusal().detail << "\n";  // a second run finds the saga of the first
    return 1;
  }

  const auto acquire_as = [&store](const std::string& owner) {
    sagalog::commands::AcquireT acquire;
    acquire.owner = std::make_unique<sagalog::schema::OwnerT>();
    acquire.owner->owner = owner;
    acquire.ttl = sagalog::Duration(std::chrono::seconds(30)).count();
    return store.Acquire("fix-168", std::move(acquire)).Get();
  };
  const std::uint64_t token = acquire_as("worker-1").answer().token;
  const sagalog::Reply refused = acquire_as("worker-2");
  std::cout << "worker-2: " << sagalog::schema::EnumNameRefusalCode(refused.refusal().code)
            << " by " << refused.refusal().holder->owner << "\n";

  sagalog::commands::HeartbeatT heartbeat;
  heartbeat.token = token;
  sagalog::commands::CompleteT complete;
  complete.token = token;
  complete.result = "merged";
  if (!store.Heartbeat("fix-168", std::move(heartbeat)).Get().ok() ||
      !store.Complete("fix-168", std::move(complete)).Get().ok()) {
    return 1;
  }
  const auto saga = store.Find("fix-168");
  std::cout << "fix-168: " << sagalog::schema::EnumNameState(saga->state) << ", " << saga->result
            << ", version " << saga->version << "\n";
  const bool closed = store.Close().ok();
  if (argc <= 1) {
    std::filesystem::remove_all(folder);
  }
  return closed ? 0 : 1;
}
