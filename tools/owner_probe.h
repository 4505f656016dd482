// Whether the process behind an owner's name is alive, as far as this machine can tell.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

// What a probe found of one holder.
struct ProbeResult {
  enum class Verdict { kAlive, kDead, kUnknown };
  Verdict verdict = Verdict::kUnknown;
  // On which it rests, or why nothing can be said; one line.
  std::string evidence;
  // Dead because the host was booted since: every holder on that boot is.
  bool older_boot = false;
};

[[nodiscard]] std::string_view VerdictName(ProbeResult::Verdict verdict);

// Looks from one process at the holders on its own host.
class OwnerProbe {
 public:
  // `self` is this process as ThisIncarnation describes it.
  explicit OwnerProbe(boost::json::object self) : self_(std::move(self)) {}

  // `owner` as the store shows it. Judges by boot id, pid namespace, pid and start time, and says
  // `unknown` where one of them is missing or not ours to look into.
  [[nodiscard]] ProbeResult Look(const boost::json::object& owner) const;

 private:
  boost::json::object self_;
};

}  // namespace sagalog::tools
