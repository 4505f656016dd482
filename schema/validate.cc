#include <string>

#include <fmt/format.h>

#include "schema/command_body.h"
#include "schema/field_checks.h"
#include "schema/limits.h"
#include "schema/store_time.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

using commands::CommandT;

// What a string, a label and a compensation take in an event beside their bytes: the offset to it,
// its size, table and end, and padding.
constexpr std::size_t kStringOverhead = 16;
constexpr std::size_t kLabelOverhead = 32 + 2 * kStringOverhead;
constexpr std::size_t kCompensationOverhead = 96 + 3 * kStringOverhead;
// The tables of an event, its body, an owner and a policy with every field set.
constexpr std::size_t kTablesOverhead = 2048;

// Of the commands without lists of lists the largest still fits an event, so only a plan's size
// has to be measured.
constexpr std::size_t kEnvelopeSizeMax = kTablesOverhead + kSagaIdSizeMax + kNameSizeMax +
                                         7 * kOwnerFieldSizeMax + kTraceparentSizeMax +
                                         8 * kStringOverhead;
static_assert(kEnvelopeSizeMax + 2 * (kNameSizeMax + kFactSizeMax + kCompensationOverhead) +
                      kCompensationParamsMax * (kNameSizeMax + kFactSizeMax + kLabelOverhead) <=
                  kEventSizeMax,
              "the event of the largest register_compensation is one that can be read again");
static_assert(kEnvelopeSizeMax + 4 * (kTextSizeMax + kStringOverhead) <= kEventSizeMax,
              "the event of the largest recover is one that can be read again");

std::size_t LabelsSize(const std::vector<std::unique_ptr<schema::LabelT>>& labels) {
  std::size_t size = 0;
  for (const auto& label : labels) {
    size += kLabelOverhead + label->name.size() + label->value.size();
  }
  return size;
}

// At least what the event of a plan takes.
std::size_t PlannedSizeBound(const commands::PlanT& plan) {
  std::size_t size = kEnvelopeSizeMax + LabelsSize(plan.labels) + plan.payload.size();
  for (const std::string* text :
       {&plan.key, &plan.rerun, &plan.queue, &plan.issue, &plan.repository, &plan.branch,
        &plan.worktree, &plan.stage, &plan.parent}) {
    size += kStringOverhead + text->size();
  }
  for (const std::string& id : plan.depends_on) {
    // Once more in the list of those that were met or dead already.
    size += 2 * (kStringOverhead + id.size());
  }
  for (const auto& compensation : plan.compensations) {
    size += kCompensationOverhead + compensation->id.size() + compensation->kind.size() +
            compensation->target.size() + LabelsSize(compensation->params);
  }
  return size;
}

bool HasSaga(commands::Body type) {
  return type != commands::Body::ClaimNext && type != commands::Body::ConfigureQueue &&
         type != commands::Body::ChangePolicy && type != commands::Body::ReportOwners;
}

Status CheckTraceparent(const FieldPath& path, const std::string& text) {
  RETURN_IF_ERROR(CheckName(path, text, kTraceparentSizeMax));
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) {
      return path.Refuse("may only have printable ASCII characters");
    }
  }
  return Status();
}

Status CheckEnvelope(const CommandT& command) {
  const FieldPath saga_id("saga_id");
  if (HasSaga(command.body.type)) {
    RETURN_IF_ERROR(CheckSagaId(saga_id, command.saga_id));
  } else if (!command.saga_id.empty()) {
    return saga_id.Refuse("this command is for no saga of its own");
  } else if (command.expected_version.has_value()) {
    return FieldPath("expected_version").Refuse("this command is for no saga of its own");
  }
  RETURN_IF_ERROR(CheckName(FieldPath("actor"), command.actor, kNameSizeMax));
  RETURN_IF_ERROR(CheckName(FieldPath("principal"), command.principal, kOwnerFieldSizeMax));
  return CheckTraceparent(FieldPath("traceparent"), command.traceparent);
}

Status CheckReason(const std::string& reason) {
  return CheckText(FieldPath("reason"), reason, kTextSizeMax);
}
Status CheckNoCompensationReason(const std::string& reason) {
  return CheckText(FieldPath("no_compensation_reason"), reason, kTextSizeMax);
}
Status CheckTtl(flatbuffers::Optional<std::int64_t> ttl) {
  return CheckDuration(FieldPath("ttl"), ttl);
}

// What the commands of an owner have in common.
template <typename Body>
Status CheckHolder(const Body& body) {
  RETURN_IF_ERROR(RequireToken(FieldPath("token"), body.token));
  return CheckOwner(FieldPath("owner"), body.owner);
}

Status CheckPlanFacts(const commands::PlanT& plan) {
  RETURN_IF_ERROR(CheckName(FieldPath("key"), plan.key, kKeySizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("rerun"), plan.rerun, kTextSizeMax));
  RETURN_IF_ERROR(CheckName(FieldPath("queue"), plan.queue, kNameSizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("issue"), plan.issue, kFactSizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("repository"), plan.repository, kFactSizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("branch"), plan.branch, kFactSizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("worktree"), plan.worktree, kFactSizeMax));
  RETURN_IF_ERROR(CheckName(FieldPath("stage"), plan.stage, kNameSizeMax));
  RETURN_IF_ERROR(CheckLabels(FieldPath("labels"), plan.labels, kLabelsMax));
  return plan.payload.size() <= kPayloadSizeMax
             ? Status()
             : FieldPath("payload").Refuse(fmt::format("has {} bytes, allowed are {}",
                                                       plan.payload.size(), kPayloadSizeMax));
}

Status CheckNotBefore(const commands::PlanT& plan) {
  const FieldPath not_before("not_before");
  if (plan.not_before.has_value()) {
    if (plan.not_before_in.has_value()) {
      return not_before.Refuse("given as a time and as a duration");
    }
    const StoreTime time = TimeFromMicros(*plan.not_before);
    if (time < kStoreTimeMin || time > kStoreTimeMax) {
      return not_before.Refuse("is outside the years 0000 to 9999");
    }
  }
  return CheckDuration(FieldPath("not_before_in"), plan.not_before_in);
}

Status CheckBody(const CommandT& command, const commands::PlanT& plan) {
  RETURN_IF_ERROR(CheckPlanFacts(plan));
  RETURN_IF_ERROR(CheckNotBefore(plan));
  if (!plan.parent.empty()) {
    RETURN_IF_ERROR(CheckSagaId(FieldPath("parent"), plan.parent));
    if (plan.parent == command.saga_id) {
      return FieldPath("parent").Refuse("is the saga itself");
    }
  }
  RETURN_IF_ERROR(CheckDependencies(FieldPath("depends_on"), command.saga_id, plan.depends_on));
  RETURN_IF_ERROR(CheckCompensations(FieldPath("compensations"), plan.compensations));
  RETURN_IF_ERROR(CheckPolicy(FieldPath("policy"), plan.policy));
  const std::size_t size = PlannedSizeBound(plan);
  return size <= kEventSizeMax
             ? Status()
             : FieldPath("compensations")
                   .Refuse(fmt::format("the whole plan could take {} bytes, allowed are {}", size,
                                       kEventSizeMax));
}

Status CheckBody(const CommandT& /*command*/, const commands::DispatchT& body) {
  RETURN_IF_ERROR(RequireOwner(FieldPath("owner"), body.owner));
  return CheckTtl(body.ttl);
}

Status CheckBody(const CommandT& /*command*/, const commands::AbortDispatchT& body) {
  RETURN_IF_ERROR(RequireToken(FieldPath("dispatch_token"), body.dispatch_token));
  RETURN_IF_ERROR(CheckOwner(FieldPath("owner"), body.owner));
  RETURN_IF_ERROR(CheckReason(body.reason));
  RETURN_IF_ERROR(CheckEnum(FieldPath("then"), body.then));
  return CheckNoCompensationReason(body.no_compensation_reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::AcquireT& body) {
  RETURN_IF_ERROR(RequireOwner(FieldPath("owner"), body.owner));
  return CheckTtl(body.ttl);
}

Status CheckBody(const CommandT& /*command*/, const commands::ClaimNextT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("queue"), body.queue, kNameSizeMax));
  RETURN_IF_ERROR(RequireOwner(FieldPath("owner"), body.owner));
  RETURN_IF_ERROR(CheckTtl(body.ttl));
  return CheckEnum(FieldPath("as"), body.as);
}

Status CheckBody(const CommandT& /*command*/, const commands::HeartbeatT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  RETURN_IF_ERROR(CheckTtl(body.ttl));
  return CheckText(FieldPath("progress"), body.progress, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::ReleaseT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& command, const commands::AdvanceStageT& body) {
  if (!body.token.has_value() && command.actor.empty()) {
    return FieldPath("actor").Refuse("is required without a token");
  }
  RETURN_IF_ERROR(CheckOwner(FieldPath("owner"), body.owner));
  RETURN_IF_ERROR(CheckName(FieldPath("expected"), body.expected, kNameSizeMax));
  return CheckName(FieldPath("next"), body.next, kNameSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::EnterSectionT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  RETURN_IF_ERROR(RequireName(FieldPath("name"), body.name, kNameSizeMax));
  RETURN_IF_ERROR(CheckName(FieldPath("expected_stage"), body.expected_stage, kNameSizeMax));
  return CheckDuration(FieldPath("max_age"), body.max_age);
}

Status CheckBody(const CommandT& /*command*/, const commands::LeaveSectionT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  RETURN_IF_ERROR(RequireText(FieldPath("outcome"), body.outcome, kTextSizeMax));
  RETURN_IF_ERROR(CheckEnum(FieldPath("final"), body.final));
  return CheckNoCompensationReason(body.no_compensation_reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::BeginEffectT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  RETURN_IF_ERROR(RequireName(FieldPath("effect"), body.effect, kNameSizeMax));
  RETURN_IF_ERROR(RequireText(FieldPath("fingerprint"), body.fingerprint, kFactSizeMax));
  return CheckEnum(FieldPath("scope"), body.scope);
}

Status CheckBody(const CommandT& /*command*/, const commands::SettleEffectT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("effect"), body.effect, kNameSizeMax));
  RETURN_IF_ERROR(RequireText(FieldPath("outcome"), body.outcome, kTextSizeMax));
  return CheckText(FieldPath("result"), body.result, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::RecordExitT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  return body.exit_code.has_value() ? Status() : FieldPath("exit_code").Refuse("is required");
}

Status CheckBody(const CommandT& /*command*/, const commands::RegisterCompensationT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("id"), body.id, kNameSizeMax));
  RETURN_IF_ERROR(RequireName(FieldPath("kind"), body.kind, kNameSizeMax));
  RETURN_IF_ERROR(RequireText(FieldPath("target"), body.target, kFactSizeMax));
  RETURN_IF_ERROR(CheckLabels(FieldPath("params"), body.params, kCompensationParamsMax));
  RETURN_IF_ERROR(CheckEnum(FieldPath("when"), body.when));
  return CheckOwner(FieldPath("owner"), body.owner);
}

Status CheckBody(const CommandT& /*command*/, const commands::CompleteT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  return CheckText(FieldPath("result"), body.result, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::FailT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  RETURN_IF_ERROR(CheckReason(body.reason));
  return CheckNoCompensationReason(body.no_compensation_reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::CompensateT& body) {
  RETURN_IF_ERROR(CheckHolder(body));
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::MarkCompensatedT& body) {
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::QuarantineT& body) {
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::CancelT& body) {
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::ParkT& body) {
  return CheckReason(body.reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::UnparkT& /*body*/) {
  return Status();
}

Status CheckBody(const CommandT& /*command*/, const commands::RecoverT& body) {
  if (!body.observed.has_value()) {
    return FieldPath("observed").Refuse("is required");
  }
  if (!body.decision.has_value()) {
    return FieldPath("decision").Refuse("is required");
  }
  RETURN_IF_ERROR(CheckEnum(FieldPath("decision"), *body.decision));
  RETURN_IF_ERROR(CheckText(FieldPath("evidence"), body.evidence, kTextSizeMax));
  RETURN_IF_ERROR(CheckText(FieldPath("section_outcome"), body.section_outcome, kTextSizeMax));
  RETURN_IF_ERROR(CheckEnum(FieldPath("gate"), body.gate));
  return CheckNoCompensationReason(body.no_compensation_reason);
}

Status CheckBody(const CommandT& /*command*/, const commands::ClaimCompensationT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("id"), body.id, kNameSizeMax));
  RETURN_IF_ERROR(RequireName(FieldPath("executor"), body.executor, kOwnerFieldSizeMax));
  return CheckTtl(body.ttl);
}

Status CheckBody(const CommandT& command, const commands::SettleCompensationT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("id"), body.id, kNameSizeMax));
  if (!body.outcome.has_value()) {
    return FieldPath("outcome").Refuse("is required");
  }
  RETURN_IF_ERROR(CheckEnum(FieldPath("outcome"), *body.outcome));
  RETURN_IF_ERROR(CheckText(FieldPath("detail"), body.detail, kTextSizeMax));
  if (*body.outcome != schema::CompensationOutcome::waived) {
    return RequireToken(FieldPath("token"), body.token.value_or(0));
  }
  if (command.actor.empty()) {
    return FieldPath("actor").Refuse("is required to waive a compensation");
  }
  return body.detail.empty() ? FieldPath("detail").Refuse("is required to waive a compensation")
                             : Status();
}

template <typename Report>
Status CheckReport(const Report& body) {
  RETURN_IF_ERROR(RequireIdentity(FieldPath("identity"), body.identity));
  if (!body.verdict.has_value()) {
    return FieldPath("verdict").Refuse("is required");
  }
  // That nothing is known is what the store may answer, not what a probe can say.
  if (*body.verdict != schema::Verdict::alive && *body.verdict != schema::Verdict::dead) {
    return FieldPath("verdict").Refuse("must be alive or dead");
  }
  return CheckText(FieldPath("evidence"), body.evidence, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::ReportOwnerT& body) {
  return CheckReport(body);
}

Status CheckBody(const CommandT& /*command*/, const commands::ReportOwnersT& body) {
  return CheckReport(body);
}

Status CheckBody(const CommandT& /*command*/, const commands::AnnotateT& body) {
  return RequireText(FieldPath("text"), body.text, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::ForceReleaseT& body) {
  return RequireText(FieldPath("reason"), body.reason, kTextSizeMax);
}

Status CheckBody(const CommandT& /*command*/, const commands::ConfigureQueueT& body) {
  RETURN_IF_ERROR(RequireName(FieldPath("queue"), body.queue, kNameSizeMax));
  RETURN_IF_ERROR(CheckCount(FieldPath("limit"), body.limit));
  return CheckPolicy(FieldPath("policy"), body.policy);
}

Status CheckBody(const CommandT& /*command*/, const commands::ChangePolicyT& body) {
  RETURN_IF_ERROR(CheckPolicy(FieldPath("policy"), body.policy));
  return CheckCount(FieldPath("limit"), body.limit);
}

}  // namespace

Status ValidateCommand(const commands::CommandT& command) {
  if (command.body.value == nullptr || command.body.type == commands::Body::NONE ||
      command.body.type > commands::Body::MAX) {
    return FieldPath("body").Refuse("there is no such command");
  }
  RETURN_IF_ERROR(CheckEnvelope(command));
  return VisitCommandBody(command.body, [&](const auto& body) { return CheckBody(command, body); });
}

}  // namespace sagalog
