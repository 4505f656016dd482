// Stands between a client and a daemon, and cuts their connections where a test wants it to.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "reactor/unix_socket.h"
#include "tests/reactor/api_store.h"
#include "tests/reactor/running_server.h"

namespace sagalog {

// One connection after the other, from a thread of its own. Who speaks through it, and the daemon,
// are gone or silent before it is.
class CuttingProxy {
 public:
  // Bytes of one connection, hello and welcome included.
  struct Bytes {
    std::size_t requests = 0;
    std::size_t answers = 0;
  };
  // When a connection ends: when so many bytes of requests have reached the daemon; when there is
  // more of answers than so many, which have reached the client.
  struct Cut {
    std::optional<std::size_t> requests = {};
    std::optional<std::size_t> answers = {};
  };

  explicit CuttingProxy(std::function<RawConnection()> connect);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const { return path_; }
  // Of the next connection that has none yet. Those without any are passed on until they end.
  void CutNext(Cut cut);
  // What was passed on of the present connection, or else the last.
  [[nodiscard]] Bytes passed();
  // Connections that are to come wait until Open.
  void Close();
  void Open();
  // Waits until so many connections have ended.
  void AwaitEnds(std::size_t connections);

 private:
  void AcceptAll();
  void PassOn(int client, int daemon, const Cut& cut);
  // False when the connection is to end.
  bool PassRequests(int client, int daemon, const Cut& cut);
  bool PassAnswers(int client, int daemon, const Cut& cut);

  const std::function<RawConnection()> connect_;
  TemporaryFolder folder_;
  std::filesystem::path path_;
  UnixSocket listening_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Cut> cuts_;  // guarded by mutex_
  Bytes passed_;          // guarded by mutex_
  bool open_ = true;      // guarded by mutex_
  std::size_t ends_ = 0;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sagalog
