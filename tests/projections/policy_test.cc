#include "projections/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/history.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

TEST(Policy, BuiltInIsAsDocumented) {
  const EffectivePolicy policy;
  EXPECT_EQ(policy.lease_ttl, Duration(Seconds(60)));
  EXPECT_EQ(policy.dispatch_ttl, Duration(Seconds(60)));
  EXPECT_EQ(policy.reopen_grace, Duration(Seconds(30)));
  EXPECT_EQ(policy.finalize_grace, Duration(Seconds(300)));
  EXPECT_EQ(policy.section_max_age, Duration(Seconds(600)));
  EXPECT_EQ(policy.max_running, std::nullopt);
  EXPECT_EQ(policy.progress_timeout, std::nullopt);
  EXPECT_EQ(policy.max_recoveries, 3);
  EXPECT_EQ(policy.max_dispatch_failures, 3);
  EXPECT_EQ(policy.compensation_ttl, Duration(Seconds(60)));
  EXPECT_EQ(policy.compensation_order, schema::CompensationOrder::reverse);
  EXPECT_EQ(policy.on_stale, schema::OnStale::report);
  EXPECT_EQ(policy.requeue_backoff, std::nullopt);
}

TEST(Policy, MergeTakesWhatIsSetAndSwitchesOff) {
  schema::PolicyT change;
  change.lease_ttl = Seconds(5);
  change.reopen_grace = kOff;
  change.max_recoveries = kOff;
  change.max_running = Seconds(900);
  change.on_stale = schema::OnStale::requeue;
  change.compensation_order = schema::CompensationOrder::registered;
  const EffectivePolicy merged = MergePolicy(EffectivePolicy(), change);
  EXPECT_EQ(merged.lease_ttl, Duration(Seconds(5)));
  EXPECT_EQ(merged.reopen_grace, std::nullopt);
  EXPECT_EQ(merged.max_recoveries, std::nullopt);
  EXPECT_EQ(merged.max_running, Duration(Seconds(900)));
  EXPECT_EQ(merged.on_stale, schema::OnStale::requeue);
  EXPECT_EQ(merged.compensation_order, schema::CompensationOrder::registered);
  EXPECT_EQ(merged.dispatch_ttl, Duration(Seconds(60)));
}

TEST(Policy, UpdateKeepsWhatTheChangeLeavesOpen) {
  schema::PolicyT base;
  base.lease_ttl = Seconds(5);
  base.max_recoveries = 9;
  schema::PolicyT change;
  change.max_recoveries = kOff;
  UpdatePolicy(base, change);
  EXPECT_EQ(base.lease_ttl, Seconds(5));
  EXPECT_EQ(base.max_recoveries, kOff);
  EXPECT_FALSE(base.dispatch_ttl.has_value());
}

TEST(Policy, OrderIsCheckedWhereTheCeilingIsSet) {
  EffectivePolicy policy;
  EXPECT_TRUE(CheckPolicyOrder(policy).ok());
  policy.max_running = Duration(Seconds(600));
  EXPECT_TRUE(CheckPolicyOrder(policy).ok());
  policy.max_running = Duration(Seconds(599));
  EXPECT_THAT(CheckPolicyOrder(policy).text(), HasSubstr("section_max_age"));
  policy.section_max_age = Duration(Seconds(10));
  EXPECT_TRUE(CheckPolicyOrder(policy).ok());
  policy.finalize_grace = Duration(Seconds(600));
  EXPECT_EQ(CheckPolicyOrder(policy).code(), Code::kInvalidArgument);
  EXPECT_THAT(CheckPolicyOrder(policy).text(), HasSubstr("finalize_grace"));
  policy.finalize_grace = std::nullopt;
  policy.dispatch_ttl = Duration(Seconds(700));
  EXPECT_THAT(CheckPolicyOrder(policy).text(), HasSubstr("dispatch_ttl"));
  policy.dispatch_ttl = Duration(Seconds(1));
  policy.lease_ttl = Duration(Seconds(700));
  EXPECT_THAT(CheckPolicyOrder(policy).text(), HasSubstr("lease_ttl"));
  policy.max_running = std::nullopt;
  EXPECT_TRUE(CheckPolicyOrder(policy).ok());
  policy.progress_timeout = Duration(Seconds(699));
  EXPECT_THAT(CheckPolicyOrder(policy).text(), HasSubstr("progress_timeout"));
}

}  // namespace
}  // namespace sagalog
