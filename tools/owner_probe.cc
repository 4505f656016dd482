#include "tools/owner_probe.h"

#include <fmt/format.h>

#include "tools/json_fields.h"
#include "tools/owner_identity.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

using Verdict = ProbeResult::Verdict;

ProbeResult Unknown(std::string why) { return {Verdict::kUnknown, std::move(why), false}; }
ProbeResult Dead(std::string why) { return {Verdict::kDead, std::move(why), false}; }

// A process of this machine and this namespace.
ProbeResult LookAtProcess(std::int64_t pid, std::int64_t start) {
  const Result<std::optional<ProcessTraits>> process = LookAtPid(static_cast<std::uint64_t>(pid));
  if (!process.ok()) {
    return Unknown(process.status().text());
  }
  if (!*process) {
    return Dead(fmt::format("there is no process {}", pid));
  }
  const ProcessTraits& traits = **process;
  if (start == 0) {
    return Unknown(fmt::format("the owner does not say when its process {} started", pid));
  }
  if (traits.start != static_cast<std::uint64_t>(start)) {
    return Dead(fmt::format("process {} started at {}, the owner at {}", pid, traits.start, start));
  }
  if (traits.ended) {
    return Dead(fmt::format("process {} has ended and is not yet waited for", pid));
  }
  return {Verdict::kAlive, fmt::format("process {}, started at {}, is there", pid, start), false};
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAlive: return "alive";
    case Verdict::kDead: return "dead";
    case Verdict::kUnknown: break;
  }
  return "unknown";
}

ProbeResult OwnerProbe::Look(const json::object& owner) const {
  const std::string_view host = TextIn(owner, "host");
  const std::string_view boot_id = TextIn(owner, "boot_id");
  if (host.empty() || boot_id.empty()) {
    return Unknown("the owner does not say on which boot of which host it is");
  }
  if (host != TextIn(self_, "host")) {
    return Unknown(fmt::format("it is on host {}", host));
  }
  if (const std::string_view ours = TextIn(self_, "boot_id"); boot_id != ours) {
    return {Verdict::kDead, fmt::format("host {} now runs boot {}", host, ours), true};
  }
  const std::string_view pid_namespace = TextIn(owner, "pid_namespace");
  if (pid_namespace != TextIn(self_, "pid_namespace")) {
    return Unknown(pid_namespace.empty() ? "the owner does not say in which pid namespace it is"
                                         : fmt::format("it is in pid namespace {}", pid_namespace));
  }
  const std::int64_t pid = NumberIn(owner, "pid").value_or(0);
  if (pid <= 0) {
    return Unknown("the owner does not say its pid");
  }
  return LookAtProcess(pid, NumberIn(owner, "pid_start").value_or(0));
}

}  // namespace sagalog::tools
