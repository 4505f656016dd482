#include "tools/owner_identity.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
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

// Field 22 of /proc/PID/stat. The name in field 2 may hold blanks and brackets, so counting starts
// behind its last bracket.
Result<std::uint64_t> StartTime() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line, '\0');
  const std::size_t name_end = line.rfind(')');
  if (name_end != std::string::npos) {
    std::istringstream rest(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) {
      rest >> skipped;
    }
    std::uint64_t start = 0;
    if (rest >> start) {
      return start;
    }
  }
  return Status(Code::kIoError, "cannot read the start time in /proc/self/stat");
}

}  // namespace

Result<boost::json::object> ThisIncarnation(std::string_view owner) {
  ASSIGN_OR_RETURN(const std::string boot_id, BootId());
  ASSIGN_OR_RETURN(const std::string pid_namespace, PidNamespace());
  ASSIGN_OR_RETURN(const std::uint64_t pid_start, StartTime());
  return boost::json::object{
      {"owner", owner},
      {"host", HostName()},
      {"boot_id", boot_id},
      {"pid_namespace", pid_namespace},
      {"pid", static_cast<std::uint64_t>(getpid())},
      {"pid_start", pid_start},
  };
}

std::string DefaultOwnerName() { return fmt::format("{}@{}", UserName(), HostName()); }

}  // namespace sagalog::tools
