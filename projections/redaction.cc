#include "projections/redaction.h"

#include <charconv>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "projections/saga.h"
#include "schema/event_encoder.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

constexpr std::string_view kHashPrefix = "[redacted] ";

std::string HashText(std::uint64_t hash) { return fmt::format("{}{:016x}", kHashPrefix, hash); }

std::optional<std::uint64_t> ParseHashText(std::string_view text) {
  if (!text.starts_with(kHashPrefix)) {
    return std::nullopt;
  }
  text.remove_prefix(kHashPrefix.size());
  std::uint64_t hash = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  return error == std::errc() && rest == text.data() + text.size() ? std::optional(hash)
                                                                   : std::nullopt;
}

// A text that was not there is not there.
void Blot(std::string& text) {
  if (!text.empty()) {
    text = kRedactedText;
  }
}

using Labels = std::vector<std::unique_ptr<schema::LabelT>>;

void Blot(Labels& labels, std::string text) {
  if (labels.empty()) {
    return;
  }
  labels.clear();
  labels.push_back(std::make_unique<schema::LabelT>());
  labels.back()->name = kRedactedName;
  labels.back()->value = std::move(text);
}

void Blot(schema::CompensationT& compensation) {
  Blot(compensation.params, HashText(CompensationContent(compensation)));
}

void Blot(events::PlannedT& body) {
  for (std::string* fact :
       {&body.rerun, &body.issue, &body.repository, &body.branch, &body.worktree}) {
    Blot(*fact);
  }
  Blot(body.labels, std::string(kRedactedText));
  body.payload.clear();
  for (const auto& compensation : body.compensations) {
    Blot(*compensation);
  }
}

void Blot(events::RefusalsNotedT& body) {
  for (const auto& refusal : body.refusals) {
    Blot(refusal->detail);
    Blot(refusal->actor);
    Blot(refusal->subject);
  }
}

void Blot(events::EffectSettledT& body) {
  if (!body.result.empty()) {
    body.result = HashText(SettlementHash(body.outcome, body.result));
  }
}

void BlotEnd(events::BodyUnion& body) {
  if (events::TerminalT* terminal = body.AsTerminal()) {
    Blot(terminal->reason);
    Blot(terminal->result);
    Blot(terminal->no_compensation_reason);
  } else if (events::RecoveredT* recovered = body.AsRecovered()) {
    Blot(recovered->evidence);
    Blot(recovered->section_outcome);
  } else if (events::CompensatingT* compensating = body.AsCompensating()) {
    Blot(compensating->reason);
  }
}

// Each body's texts that no fold reads. Names and identities, which it does, are not among them.
void BlotBody(events::BodyUnion& body) {
  using events::Body;
  switch (body.type) {
    case Body::Planned: Blot(*body.AsPlanned()); break;
    case Body::DispatchAborted: Blot(body.AsDispatchAborted()->reason); break;
    case Body::Heartbeated: Blot(body.AsHeartbeated()->progress); break;
    case Body::Released: Blot(body.AsReleased()->reason); break;
    case Body::SectionLeft: Blot(body.AsSectionLeft()->outcome); break;
    case Body::EffectSettled: Blot(*body.AsEffectSettled()); break;
    case Body::CancelRequested: Blot(body.AsCancelRequested()->reason); break;
    case Body::Recovered:
    case Body::Terminal:
    case Body::Compensating: BlotEnd(body); break;
    case Body::CompensationRegistered: Blot(*body.AsCompensationRegistered()->compensation); break;
    case Body::CompensationSettled: Blot(body.AsCompensationSettled()->detail); break;
    case Body::OwnerReported: Blot(body.AsOwnerReported()->evidence); break;
    case Body::Annotated: Blot(body.AsAnnotated()->text); break;
    case Body::Parked: Blot(body.AsParked()->reason); break;
    case Body::ForceReleased: Blot(body.AsForceReleased()->reason); break;
    case Body::RefusalsNoted: Blot(*body.AsRefusalsNoted()); break;
    case Body::Redacted: Blot(body.AsRedacted()->reason); break;
    default: break;
  }
}

}  // namespace

std::string RedactedBytes(const events::Event& event, const EventHash& hash) {
  events::EventT left;
  event.UnPackTo(&left);
  Blot(left.actor);
  left.traceparent.clear();
  BlotBody(left.body);
  // An empty progress was a progress; the object API does not write empty texts.
  const events::Heartbeated* heartbeat = event.body_as_Heartbeated();
  if (heartbeat != nullptr && heartbeat->progress() != nullptr) {
    left.body.AsHeartbeated()->progress = kRedactedText;
  }
  left.original_hash.assign(hash.begin(), hash.end());
  return std::string(EventEncoder().Encode(left));
}

std::optional<std::uint32_t> RedactedContent(const events::Event& event,
                                             const schema::Compensation& compensation) {
  if (!IsStub(event) || compensation.params() == nullptr || compensation.params()->size() != 1) {
    return std::nullopt;
  }
  const auto hash = ParseHashText(View(compensation.params()->Get(0)->value()));
  return hash ? std::optional(static_cast<std::uint32_t>(*hash)) : std::nullopt;
}

std::optional<std::uint64_t> RedactedSettlement(const events::Event& event,
                                                const events::EffectSettled& body) {
  return IsStub(event) ? ParseHashText(View(body.result())) : std::nullopt;
}

}  // namespace sagalog
