#include "tools/daemon_process.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "reactor/unix_socket.h"

namespace sagalog::tools {

std::optional<DaemonProcess> DaemonProcess::At(const std::filesystem::path& socket) {
  const auto connected = UnixSocket::Connect(socket, std::chrono::seconds(5));
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (!connected.ok() ||
      getsockopt(connected->descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return std::nullopt;
  }
  return DaemonProcess(peer.pid);
}

double DaemonProcess::CpuSeconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  const std::string line((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // The name may hold anything; the third field stands behind its bracket.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::uint64_t DaemonProcess::ResidentBytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  file >> whole >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace sagalog::tools
