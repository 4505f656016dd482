// kill -9 of the daemon under load from many clients: what was acknowledged is there, and what was
// repeated did not happen twice.
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "reactor/client.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

constexpr int kWorkers = 6;
constexpr int kKills = 5;
constexpr std::uint64_t kStepsBetweenKills = 60;

// One worker: sagas from plan to the end, each command with a request id.
class PersistentWorker {
 public:
  PersistentWorker(const std::string& url, int number, std::atomic<std::uint64_t>& steps)
      : number_(number), steps_(steps) {
    auto client = Client::Connect({url, "", std::chrono::seconds(120)});
    EXPECT_TRUE(client.ok()) << client.status().text();
    client_ = *std::move(client);
  }

  // How many sagas came to their end.
  int Run(const std::atomic<bool>& enough) {
    int sagas = 0;
    for (; !enough && !testing::Test::HasFailure(); ++sagas) {
      const std::string id = SagaId(number_, sagas);
      commands::AcquireT acquire;
      acquire.owner = std::make_unique<schema::OwnerT>();
      acquire.owner->owner = "w" + std::to_string(number_);
      if (!Take(client_->Plan(id, {}, Requested(sagas, 0))) ||
          !Take(client_->Acquire(id, std::move(acquire), Requested(sagas, 1)))) {
        break;
      }
      commands::CompleteT complete;
      complete.token = token_;
      if (!Take(client_->Complete(id, std::move(complete), Requested(sagas, 2)))) {
        break;
      }
    }
    steps_ += enough ? 0 : kStepsBetweenKills;  // who waits for steps sees the failure
    steps_.notify_all();
    return sagas;
  }

  static std::string SagaId(int worker, int saga) {
    return "w" + std::to_string(worker) + "-" + std::to_string(saga);
  }

 private:
  [[nodiscard]] CallOptions Requested(int saga, int step) const {
    CallOptions options;
    options.request_id = schema::RequestId(static_cast<std::uint64_t>(number_) + 1,
                                           static_cast<std::uint64_t>(saga * 3 + step));
    return options;
  }

  bool Take(Client::Call call) {
    const Result<Reply> reply = std::move(call).Get();
    EXPECT_TRUE(reply.ok()) << reply.status().text();
    EXPECT_TRUE(!reply.ok() || reply->ok()) << (reply->ok() ? "" : reply->refusal().detail);
    if (!reply.ok() || !reply->ok()) {
      return false;
    }
    if (reply->answer().token != 0) {
      token_ = reply->answer().token;
    }
    ++steps_;
    steps_.notify_all();
    return true;
  }

  const int number_;
  std::atomic<std::uint64_t>& steps_;
  std::unique_ptr<Client> client_;
  std::uint64_t token_ = 0;
};

TEST(KilledDaemon, LosesNothingAcknowledgedAndDoublesNothing) {
  CliDirectory directory;
  directory.Serve();
  const std::string url = "unix:" + (directory.data() / "socket").string();
  std::atomic<bool> enough{false};
  std::atomic<std::uint64_t> steps{0};
  std::vector<int> sagas(kWorkers);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back(
        [&, worker] { sagas[worker] = PersistentWorker(url, worker, steps).Run(enough); });
  }
  for (int kill_number = 0; kill_number < kKills && !testing::Test::HasFailure(); ++kill_number) {
    const std::uint64_t until = steps.load() + kStepsBetweenKills;
    for (std::uint64_t now = steps; now < until; now = steps) {
      steps.wait(now);
    }
    kill(directory.daemon(), SIGKILL);
    directory.StopServing();
    directory.Serve();
  }
  enough = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  const auto client = Client::Connect({url, "", std::chrono::seconds(60)});
  ASSERT_TRUE(client.ok());
  for (int worker = 0; worker < kWorkers; ++worker) {
    for (int saga = 0; saga < sagas[worker]; ++saga) {
      const auto found = (*client)->Find(PersistentWorker::SagaId(worker, saga));
      ASSERT_TRUE(found.ok()) << found.status().text();
      EXPECT_EQ(found->state, schema::State::completed);
      // planned, leased, terminal: nothing twice.
      EXPECT_EQ(found->version, 3U) << found->saga_id;
    }
  }
}

}  // namespace
}  // namespace sagalog
