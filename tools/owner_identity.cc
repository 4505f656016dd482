#include "tools/owner_identity.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) {
    return "localhost";
  }
  return name.data();
}

std::string UserName() {
  const uid_t user = geteuid();
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return fmt::format("uid{}", user);
}

Result<std::string> BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!std::getline(file, id) || id.empty()) {
    return Status(Code::kIoError, "cannot read /proc/sys/kernel/random/boot_id");
  }
  return id;
}

Result<std::string> PidNamespace() {
  struct stat place {};
  if (stat("/proc/self/ns/pid", &place) != 0) {
    return Status(Code::kIoError, "cannot look at /proc/self/ns/pid");
  }
  return fmt::format("{}", place.st_ino);
}

// Fields 3 and 22 of /proc/PID/stat. The name in field 2 may hold blanks and brackets, so counting
// starts behind its last bracket.
std::optional<ProcessTraits> ReadTraits(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line, '\0');
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  rest >> state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) {
    rest >> skipped;
  }
  ProcessTraits traits;
  if (!(rest >> traits.start)) {
    return std::nullopt;
  }
  traits.ended = state == "Z" || state == "X";
  return traits;
}

}  // namespace

Result<boost::json::object> ThisIncarnation(std::string_view owner) {
  ASSIGN_OR_RETURN(const std::string boot_id, BootId());
  ASSIGN_OR_RETURN(const std::string pid_namespace, PidNamespace());
  const std::optional<ProcessTraits> self = ReadTraits("/proc/self/stat");
  if (!self) {
    return Status(Code::kIoError, "cannot read the start time in /proc/self/stat");
  }
  return boost::json::object{
      {"owner", owner},
      {"host", HostName()},
      {"boot_id", boot_id},
      {"pid_namespace", pid_namespace},
      {"pid", static_cast<std::uint64_t>(getpid())},
      {"pid_start", self->start},
  };
}

Result<std::optional<ProcessTraits>> LookAtPid(std::uint64_t pid) {
  auto traits = ReadTraits(fmt::format("/proc/{}/stat", pid));
  // Signal 0 asks whether there is such a process: /proc may hide those of other users.
  if (!traits && (kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH)) {
    return Status(Code::kIoError, fmt::format("/proc does not show process {}", pid));
  }
  return traits;
}

std::string DefaultOwnerName() { return fmt::format("{}@{}", UserName(), HostName()); }

}  // namespace sagalog::tools
