// kill -9 of a real process under load, many times: nothing acknowledged is lost, nothing is half
// there.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "reactor/store.h"
#include "tests/crash/killed_child.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr int kWorkers = 4;
constexpr int kRounds = 20;

// What the child tells before it goes on: this saga got so far, and it was acknowledged.
struct Acknowledged {
  std::uint32_t round = 0;
  std::uint32_t worker = 0;
  std::uint32_t saga = 0;
  std::uint32_t version = 0;
};

std::string SagaId(const Acknowledged& which) {
  return "r" + std::to_string(which.round) + "-w" + std::to_string(which.worker) + "-" +
         std::to_string(which.saga);
}

StoreOptions Options(const fs::path& directory) {
  StoreOptions options;
  options.directory = directory;
  options.checkpoint_events = 50;  // so that kills also meet checkpoints
  return options;
}

// One worker of the child: sagas from plan to the end until it is killed.
void Work(Store& store, int acknowledged_fd, Acknowledged at) {
  const auto tell = [&](std::uint32_t version) {
    at.version = version;
    const bool told = ::write(acknowledged_fd, &at, sizeof at) == sizeof at;
    return told;
  };
  for (;; ++at.saga) {
    const std::string id = SagaId(at);
    commands::AcquireT acquire;
    acquire.owner = std::make_unique<schema::OwnerT>();
    acquire.owner->owner = "w";
    if (!store.Plan(id).Get().ok() || !tell(1)) {
      return;
    }
    const Reply acquired = store.Acquire(id, std::move(acquire)).Get();
    if (!acquired.ok() || !tell(2)) {
      return;
    }
    commands::CompleteT complete;
    complete.token = acquired.answer().token;
    if (!store.Complete(id, std::move(complete)).Get().ok() || !tell(3)) {
      return;
    }
  }
}

[[noreturn]] void RunChild(const ChildTask& task) {
  auto store = Store::Open(Options(task.directory));
  if (!store.ok()) {
    EndChild(1, store.status().text());
  }
  const auto round = static_cast<std::uint32_t>(std::stoul(task.round));
  std::vector<std::thread> workers;
  for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] { Work(**store, task.told_fd, {round, worker, 0, 0}); });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  EndChild(2, "it should have been killed");
}

class KilledProcess : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto task = TaskOfThisChild()) {
      RunChild(*task);
    }
    std::string pattern = (fs::temp_directory_path() / "sagalog-kill-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  // Runs a child until it acknowledged `kill_after` commands, kills it, and returns what it told.
  std::vector<Acknowledged> WorkAndKill(std::uint32_t round, std::size_t kill_after) {
    std::vector<Acknowledged> told;
    RunAndKill(std::to_string(round), directory_ / "data", [&](int fd, pid_t child) {
      Acknowledged one;
      if (::read(fd, &one, sizeof one) != sizeof one) {
        return false;
      }
      told.push_back(one);
      if (told.size() == kill_after) {
        ::kill(child, SIGKILL);
      }
      return true;
    });
    return told;
  }

  fs::path directory_;
};

TEST_F(KilledProcess, LosesNothingAcknowledgedAndLeavesNothingHalf) {
  std::mt19937 random(20261121);
  std::vector<Acknowledged> all;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::size_t kill_after = 1 + random() % 400;
    SCOPED_TRACE("round " + std::to_string(round));
    const auto told = WorkAndKill(round, kill_after);
    ASSERT_GE(told.size(), kill_after);
    all.insert(all.end(), told.begin(), told.end());

    auto store = Store::Open(Options(directory_ / "data"));
    ASSERT_TRUE(store.ok()) << store.status().text();
    for (const Acknowledged& one : all) {
      const auto saga = (*store)->Find(SagaId(one));
      ASSERT_TRUE(saga.ok()) << SagaId(one) << " was acknowledged";
      ASSERT_GE(saga->version, one.version) << SagaId(one);
      ASSERT_EQ(saga->state == schema::State::completed, saga->version == 3) << SagaId(one);
    }
    const auto report = (*store)->Verify();
    ASSERT_TRUE(report.ok()) << report.status().text();
    ASSERT_EQ(report->broken, "");
    ASSERT_TRUE((*store)->Close().ok());
  }
}

}  // namespace
}  // namespace sagalog
