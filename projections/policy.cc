#include "projections/policy.h"

#include <fmt/format.h>

namespace sagalog {
namespace {

using Micros = flatbuffers::Optional<std::int64_t>;

void Take(Duration& target, const Micros& value) {
  if (value.has_value()) {
    target = Duration(*value);
  }
}

void Take(std::optional<Duration>& target, const Micros& value) {
  if (value.has_value()) {
    target = *value == kOff ? std::nullopt : std::optional(Duration(*value));
  }
}

void Take(std::optional<std::int64_t>& target, const Micros& value) {
  if (value.has_value()) {
    target = *value == kOff ? std::nullopt : std::optional(*value);
  }
}

template <typename T>
void Take(T& target, const flatbuffers::Optional<T>& value) {
  if (value.has_value()) {
    target = *value;
  }
}

template <typename T>
void Overwrite(flatbuffers::Optional<T>& target, const flatbuffers::Optional<T>& value) {
  if (value.has_value()) {
    target = value;
  }
}

Status TooLong(std::string_view name, Duration value, std::string_view ceiling_name,
               Duration ceiling) {
  return {Code::kInvalidArgument,
          fmt::format("policy: {} ({}) must not be longer than {} ({})", name,
                      FormatDuration(value), ceiling_name, FormatDuration(ceiling))};
}

}  // namespace

EffectivePolicy MergePolicy(EffectivePolicy base, const schema::PolicyT& policy) {
  Take(base.lease_ttl, policy.lease_ttl);
  Take(base.dispatch_ttl, policy.dispatch_ttl);
  Take(base.reopen_grace, policy.reopen_grace);
  Take(base.finalize_grace, policy.finalize_grace);
  Take(base.section_max_age, policy.section_max_age);
  Take(base.max_running, policy.max_running);
  Take(base.progress_timeout, policy.progress_timeout);
  Take(base.max_recoveries, policy.max_recoveries);
  Take(base.max_dispatch_failures, policy.max_dispatch_failures);
  Take(base.compensation_ttl, policy.compensation_ttl);
  Take(base.compensation_order, policy.compensation_order);
  Take(base.on_stale, policy.on_stale);
  Take(base.requeue_backoff, policy.requeue_backoff);
  return base;
}

void UpdatePolicy(schema::PolicyT& base, const schema::PolicyT& change) {
  Overwrite(base.lease_ttl, change.lease_ttl);
  Overwrite(base.dispatch_ttl, change.dispatch_ttl);
  Overwrite(base.reopen_grace, change.reopen_grace);
  Overwrite(base.finalize_grace, change.finalize_grace);
  Overwrite(base.section_max_age, change.section_max_age);
  Overwrite(base.max_running, change.max_running);
  Overwrite(base.progress_timeout, change.progress_timeout);
  Overwrite(base.max_recoveries, change.max_recoveries);
  Overwrite(base.max_dispatch_failures, change.max_dispatch_failures);
  Overwrite(base.compensation_ttl, change.compensation_ttl);
  Overwrite(base.compensation_order, change.compensation_order);
  Overwrite(base.on_stale, change.on_stale);
  Overwrite(base.requeue_backoff, change.requeue_backoff);
}

bool IsSamePolicy(const schema::PolicyT& a, const schema::PolicyT& b) {
  return a.lease_ttl == b.lease_ttl && a.dispatch_ttl == b.dispatch_ttl &&
         a.reopen_grace == b.reopen_grace && a.finalize_grace == b.finalize_grace &&
         a.section_max_age == b.section_max_age && a.max_running == b.max_running &&
         a.progress_timeout == b.progress_timeout && a.max_recoveries == b.max_recoveries &&
         a.max_dispatch_failures == b.max_dispatch_failures &&
         a.compensation_ttl == b.compensation_ttl && a.compensation_order == b.compensation_order &&
         a.on_stale == b.on_stale && a.requeue_backoff == b.requeue_backoff;
}

Status CheckPolicyOrder(const EffectivePolicy& policy) {
  if (policy.max_running) {
    const Duration ceiling = *policy.max_running;
    if (policy.lease_ttl > ceiling) {
      return TooLong("lease_ttl", policy.lease_ttl, "max_running", ceiling);
    }
    if (policy.dispatch_ttl > ceiling) {
      return TooLong("dispatch_ttl", policy.dispatch_ttl, "max_running", ceiling);
    }
    if (policy.finalize_grace && *policy.finalize_grace > ceiling) {
      return TooLong("finalize_grace", *policy.finalize_grace, "max_running", ceiling);
    }
    if (policy.section_max_age > ceiling) {
      return TooLong("section_max_age", policy.section_max_age, "max_running", ceiling);
    }
  }
  if (policy.progress_timeout && policy.lease_ttl > *policy.progress_timeout) {
    return TooLong("lease_ttl", policy.lease_ttl, "progress_timeout", *policy.progress_timeout);
  }
  return {};
}

}  // namespace sagalog
