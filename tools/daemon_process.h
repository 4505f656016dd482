// What the machine says of the daemon's process: its time and its memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace sagalog::tools {

// The process at the other end of a Unix socket.
class DaemonProcess {
 public:
  // Empty when nobody listens there.
  [[nodiscard]] static std::optional<DaemonProcess> At(const std::filesystem::path& socket);

  // Of all its threads, in the kernel too.
  [[nodiscard]] double CpuSeconds() const;
  [[nodiscard]] std::uint64_t ResidentBytes() const;

 private:
  explicit DaemonProcess(int pid) : pid_(pid) {}
  int pid_;
};

}  // namespace sagalog::tools
