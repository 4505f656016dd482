// Peers that a daemon holds while something else is measured: idle ones, and some who follow its
// log.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "reactor/unix_socket.h"
#include "schema/status.h"

namespace sagalog::tools {

// Held for as long as it lives.
class Crowd {
 public:
  // Opens native connections that say hello and nothing more, up to `wanted`; fewer when the daemon
  // or this machine takes no more.
  static std::vector<UnixSocket> OpenIdle(const std::filesystem::path& socket,
                                          std::uint64_t wanted);
  // The same with requests of HTTP that follow the log from its end on.
  static std::vector<UnixSocket> OpenFollowers(const std::filesystem::path& socket,
                                               std::uint64_t wanted);

  // Reads what comes to the followers, on a thread of its own, as fast as it comes.
  Crowd(std::vector<UnixSocket> idle, std::vector<UnixSocket> followers);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // What has come to all followers together.
  [[nodiscard]] std::uint64_t BytesFollowed() const { return bytes_followed_.load(); }

 private:
  void ReadAll();

  const std::vector<UnixSocket> idle_;
  const std::vector<UnixSocket> followers_;
  const int ready_;
  const int stop_;
  std::atomic<std::uint64_t> bytes_followed_{0};
  std::thread reader_;
};

// As many descriptors as this machine grants.
void TakeAllDescriptors();

}  // namespace sagalog::tools
