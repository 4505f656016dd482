// What a valid plan takes at most when it is stored.
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/event_encoder.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "schema/verify.h"
#include "tests/schema/sample_json.h"

namespace sagalog {
namespace {

std::string Repeated(std::size_t size) { return std::string(size, 'a'); }

// The event of a plan, with everything that the rules add to it at its largest.
std::size_t PlannedSize(const commands::CommandT& command) {
  const commands::PlanT& plan = *command.body.AsPlan();
  events::EventT event;
  event.saga_id = command.saga_id;
  event.actor = command.actor;
  event.principal = command.principal;
  event.traceparent = command.traceparent;
  event.request_id = std::make_unique<schema::RequestId>(1, 2);
  event.sequence = event.version = event.previous = event.previous_transition = UINT64_MAX;
  event.time = event.wall_time = 1;
  event.request_content = 1;
  events::PlannedT planned;
  planned.key = plan.key;
  planned.rerun = plan.rerun;
  planned.queue = plan.queue;
  planned.generation = 1;
  planned.priority = 1;
  planned.not_before = 1;
  planned.stage = plan.stage;
  planned.issue = plan.issue;
  planned.repository = plan.repository;
  planned.branch = plan.branch;
  planned.worktree = plan.worktree;
  planned.parent = plan.parent;
  planned.payload = plan.payload;
  planned.depends_on = plan.depends_on;
  planned.dependencies_met = plan.depends_on;
  commands::PlanT copy = plan;
  planned.labels = std::move(copy.labels);
  planned.compensations = std::move(copy.compensations);
  planned.policy = std::move(copy.policy);
  event.body.Set(std::move(planned));
  EventEncoder encoder;
  return encoder.Encode(event).size();
}

// A plan whose every string and list is full, except for `params` bytes in each parameter.
commands::CommandT LargePlan(std::size_t params, std::size_t value_size) {
  commands::CommandT command = *CommandFromJson("plan", Repeated(kSagaIdSizeMax), "{}");
  command.actor = Repeated(kNameSizeMax);
  command.principal = Repeated(kOwnerFieldSizeMax);
  command.traceparent = Repeated(kTraceparentSizeMax);
  commands::PlanT& plan = *command.body.AsPlan();
  plan.key = Repeated(kKeySizeMax);
  plan.rerun = Repeated(kTextSizeMax);
  plan.queue = plan.stage = Repeated(kNameSizeMax);
  plan.issue = plan.repository = plan.branch = plan.worktree = Repeated(kFactSizeMax);
  plan.parent = "b";
  plan.payload.resize(kPayloadSizeMax);
  plan.policy = std::make_unique<schema::PolicyT>();
  plan.policy->lease_ttl = plan.policy->dispatch_ttl = plan.policy->reopen_grace = 1;
  plan.policy->finalize_grace = plan.policy->section_max_age = plan.policy->max_running = 1;
  plan.policy->progress_timeout = plan.policy->compensation_ttl = 1;
  plan.policy->requeue_backoff = plan.policy->max_recoveries = 1;
  plan.policy->max_dispatch_failures = 1;
  plan.policy->on_stale = schema::OnStale::fail;
  plan.policy->compensation_order = schema::CompensationOrder::registered;
  const auto add_label = [&](auto& labels, std::size_t i, std::size_t size) {
    labels.push_back(std::make_unique<schema::LabelT>());
    labels.back()->name = fmt::format("{:0>{}}", i, kNameSizeMax);
    labels.back()->value = Repeated(size);
  };
  for (std::size_t i = 0; i < kLabelsMax; ++i) {
    add_label(plan.labels, i, kFactSizeMax);
  }
  for (std::size_t i = 0; i < kDependenciesMax; ++i) {
    plan.depends_on.push_back(fmt::format("{:0>{}}", i, kSagaIdSizeMax));
  }
  for (std::size_t i = 0; i < kCompensationsMax; ++i) {
    auto& compensation = plan.compensations.emplace_back(std::make_unique<schema::CompensationT>());
    compensation->id = fmt::format("{:0>{}}", i, kNameSizeMax);
    compensation->kind = Repeated(kNameSizeMax);
    compensation->target = Repeated(kFactSizeMax);
    compensation->when = schema::CompensationWhen::always;
    compensation->shared = true;
    for (std::size_t j = 0; j < params; ++j) {
      add_label(compensation->params, j, value_size);
    }
  }
  return command;
}

TEST(ValidateCommand, EveryValidPlanFitsAnEvent) {
  // Few long parameters show the bytes themselves best, many short ones the overhead of tables.
  for (const std::size_t params : {std::size_t{7}, kCompensationParamsMax}) {
    std::size_t valid = 0;
    std::size_t invalid = kFactSizeMax;
    ASSERT_TRUE(ValidateCommand(LargePlan(params, valid)).ok());
    ASSERT_EQ(ValidateCommand(LargePlan(params, invalid)).text().substr(0, 33),
              "compensations: the whole plan cou");
    while (invalid - valid > 1) {
      const std::size_t middle = (valid + invalid) / 2;
      (ValidateCommand(LargePlan(params, middle)).ok() ? valid : invalid) = middle;
    }
    const commands::CommandT largest = LargePlan(params, valid);
    EXPECT_LE(PlannedSize(largest), kEventSizeMax);
    // The bound is not so careful that it refuses what is far from the limit.
    EXPECT_GT(PlannedSize(largest), kEventSizeMax / 10 * 8) << params;
    EXPECT_TRUE(VerifyCommand(EncodeCommand(largest)).ok());
  }
}

}  // namespace
}  // namespace sagalog
