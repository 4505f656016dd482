// The policy in force for a saga: its own over its queue's over the store's over what is built in.
#pragma once

#include <optional>
#include <string>

#include "schema/saga_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// A policy with every value set. Absent = switched off.
struct EffectivePolicy {
  Duration lease_ttl = std::chrono::seconds(60);
  Duration dispatch_ttl = std::chrono::seconds(60);
  std::optional<Duration> reopen_grace = std::chrono::seconds(30);
  std::optional<Duration> finalize_grace = std::chrono::seconds(300);
  Duration section_max_age = std::chrono::seconds(600);
  std::optional<Duration> max_running;
  std::optional<Duration> progress_timeout;
  std::optional<std::int64_t> max_recoveries = 3;
  std::optional<std::int64_t> max_dispatch_failures = 3;
  Duration compensation_ttl = std::chrono::seconds(60);
  schema::CompensationOrder compensation_order = schema::CompensationOrder::reverse;
  schema::OnStale on_stale = schema::OnStale::report;
  std::optional<Duration> requeue_backoff;
};

// `base` with the values that `policy` sets.
[[nodiscard]] EffectivePolicy MergePolicy(EffectivePolicy base, const schema::PolicyT& policy);

// `base` with the values that `change` sets, both sparse.
void UpdatePolicy(schema::PolicyT& base, const schema::PolicyT& change);

// Whether both set the same values, and no others.
[[nodiscard]] bool IsSamePolicy(const schema::PolicyT& a, const schema::PolicyT& b);

// kInvalidArgument, in words, unless lease_ttl, dispatch_ttl, finalize_grace and section_max_age
// are at most max_running (where set) and lease_ttl at most progress_timeout (where set).
[[nodiscard]] Status CheckPolicyOrder(const EffectivePolicy& policy);

}  // namespace sagalog
