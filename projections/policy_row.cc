#include "projections/policy_row.h"

#include <array>

namespace sagalog {
namespace {

using schema::PolicyT;
using Value = flatbuffers::Optional<std::int64_t> PolicyT::*;

// In the order of their bits. New ones go to the end.
constexpr std::array<Value, 11> kValues = {
    &PolicyT::lease_ttl,        &PolicyT::dispatch_ttl,    &PolicyT::reopen_grace,
    &PolicyT::finalize_grace,   &PolicyT::section_max_age, &PolicyT::max_running,
    &PolicyT::progress_timeout, &PolicyT::max_recoveries,  &PolicyT::max_dispatch_failures,
    &PolicyT::compensation_ttl, &PolicyT::requeue_backoff};
constexpr std::uint32_t kOrderBit = 1U << kValues.size();
constexpr std::uint32_t kOnStaleBit = kOrderBit << 1;
constexpr std::uint32_t kAllBits = (kOnStaleBit << 1) - 1;

}  // namespace

void WritePolicy(RowWriter& row, const PolicyT& policy) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    bits |= (policy.*kValues[i]).has_value() ? 1U << i : 0;
  }
  bits |= policy.compensation_order.has_value() ? kOrderBit : 0;
  bits |= policy.on_stale.has_value() ? kOnStaleBit : 0;
  row.Number(bits);
  for (const Value value : kValues) {
    if ((policy.*value).has_value()) {
      row.Signed(*(policy.*value));
    }
  }
  if (policy.compensation_order.has_value()) {
    row.Byte(static_cast<std::uint8_t>(*policy.compensation_order));
  }
  if (policy.on_stale.has_value()) {
    row.Byte(static_cast<std::uint8_t>(*policy.on_stale));
  }
}

void ReadPolicy(RowReader& row, PolicyT& policy) {
  const std::uint32_t bits = row.NumberUpTo(kAllBits);
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    if ((bits & 1U << i) != 0) {
      policy.*kValues[i] = row.Signed();
    }
  }
  if ((bits & kOrderBit) != 0) {
    policy.compensation_order = row.OneOf(schema::CompensationOrder::MAX);
  }
  if ((bits & kOnStaleBit) != 0) {
    policy.on_stale = row.OneOf(schema::OnStale::MAX);
  }
}

}  // namespace sagalog
