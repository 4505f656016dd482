#include "tools/timeline_saga.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "schema/json.h"
#include "tools/story_events.h"

namespace sagalog::tools {
namespace {

using schema::StaleReason;

// Whose a saga is, at a glance; none = there is nothing to draw.
std::optional<TimelineKind> StandingOf(const Saga& saga, const StalenessContext& context,
                                       StoreTime at) {
  if (saga.state == State::planned) {
    return TimelineKind::kWaiting;
  }
  if (saga.state == State::compensating) {
    return TimelineKind::kCleaning;
  }
  if (saga.IsTerminal()) {
    return saga.IsSettled() ? std::nullopt : std::optional(TimelineKind::kOwing);
  }
  for (const StaleSince& reason : StaleReasons(saga, context, at)) {
    if (reason.reason == StaleReason::in_grace) {
      return TimelineKind::kGrace;
    }
    if (reason.reason <= StaleReason::lease_expired) {
      return TimelineKind::kUnclear;
    }
  }
  if (at >= saga.expires_at) {
    return TimelineKind::kFinalising;
  }
  return saga.state == State::dispatched ? TimelineKind::kDispatched : TimelineKind::kOwned;
}

bool IsDecision(events::Body type) {
  switch (type) {
    case events::Body::Recovered:
    case events::Body::ForceReleased:
    case events::Body::CancelRequested:
    case events::Body::OwnerReported:
    case events::Body::DispatchAborted:
    case events::Body::Parked:
    case events::Body::Unparked: return true;
    default: return false;
  }
}

}  // namespace

TimelineSagaBuilder::TimelineSagaBuilder(std::string_view id, Budget& budget) : budget_(budget) {
  picture_.id = id;
  picture_.lanes.push_back({"", "strip", {}});
}

std::uint32_t TimelineSagaBuilder::LaneOf(std::string_view role, const std::string& identity,
                                          const std::string& name) {
  const std::string place =
      role == "actor" ? "owner\n" + identity : fmt::format("{}\n{}", role, identity);
  const auto [found, added] =
      lanes_.emplace(place, static_cast<std::uint32_t>(picture_.lanes.size()));
  if (added) {
    picture_.lanes.push_back({name, std::string(role), {}});
  } else if (role == "owner") {
    picture_.lanes[found->second].role = "owner";
    picture_.lanes[found->second].name = name;
  }
  return found->second;
}

void TimelineSagaBuilder::AddItem(TimelineKind kind, StoreTime from, StoreTime to,
                                  std::uint32_t lane, Sequence sequence, std::string text,
                                  std::string label) {
  if (to < budget_.from || from > budget_.to) {
    return;
  }
  from = std::max(from, budget_.from);
  to = std::min(to, budget_.to);
  if (kind == TimelineKind::kUnclear) {
    picture_.unclear += to - from;
  } else if (kind == TimelineKind::kGrace) {
    picture_.grace += to - from;
  }
  picture_.items.push_back({kind, from, to, lane, sequence, std::move(text), std::move(label)});
}

void TimelineSagaBuilder::PassTime(StoreTime until, const StoreCourse& store) {
  if (until <= cursor_ || saga_.id.empty()) {
    return;
  }
  for (const StoreTime at : IndexMoments(saga_, store.ContextOf(saga_), cursor_, until)) {
    cursor_ = at;
    UpdateStrip(at, store);
  }
  cursor_ = until;
}

std::string TimelineSagaBuilder::StripText(const OpenSpan& span, StoreTime to) const {
  const std::string who = names_.Of(saga_.owner);
  const std::string length = Span(to - span.from);
  switch (span.kind) {
    case TimelineKind::kWaiting: return fmt::format("Nobody has it: planned, for {}", length);
    case TimelineKind::kDispatched:
      return fmt::format("Claimed for {}, no worker yet, for {}", who, length);
    case TimelineKind::kOwned: return fmt::format("{} owns it, for {}", who, length);
    case TimelineKind::kFinalising:
      return fmt::format(
          "The lease of {} is over; its process has exited and its finaliser has "
          "time, for {}",
          who, length);
    case TimelineKind::kGrace:
      return fmt::format("In grace: the store was away, only {} may come back, for {}", who,
                         length);
    case TimelineKind::kUnclear:
      return fmt::format("UNCLEAR for {}: {} has lost it, and nobody has reclaimed it", length,
                         who);
    case TimelineKind::kCleaning: return fmt::format("Being undone, for {}", length);
    case TimelineKind::kOwing: return fmt::format("Ended, and not cleaned up, for {}", length);
    default: return length;
  }
}

std::string TimelineSagaBuilder::StripLabel(const OpenSpan& span, StoreTime to) const {
  switch (span.kind) {
    case TimelineKind::kOwned:
    case TimelineKind::kFinalising: return names_.Of(saga_.owner);
    case TimelineKind::kDispatched: return "for " + names_.Of(saga_.owner);
    case TimelineKind::kGrace: return "in grace " + Span(to - span.from);
    case TimelineKind::kUnclear: return "unclear " + Span(to - span.from);
    case TimelineKind::kCleaning: return "being undone";
    case TimelineKind::kOwing: return "clean-up owed";
    default: return "";
  }
}

void TimelineSagaBuilder::CloseStrip(StoreTime at) {
  if (strip_) {
    if (at > strip_->from) {
      AddItem(strip_->kind, strip_->from, at, 0, {}, StripText(*strip_, at),
              StripLabel(*strip_, at));
    }
    strip_.reset();
  }
}

void TimelineSagaBuilder::UpdateStrip(StoreTime at, const StoreCourse& store) {
  const auto standing = StandingOf(saga_, store.ContextOf(saga_), at);
  if (!strip_ || !standing || *standing != strip_->kind) {
    CloseStrip(at);
    if (standing) {
      strip_ = OpenSpan{*standing, at};
    }
  }
}

// The part of the time since the last sign of life that is too long.
void TimelineSagaBuilder::AddSilence(StoreTime until) {
  const StoreTime from = saga_.heartbeat_at + saga_.ttl / 2;
  const StoreTime to = std::min(until, saga_.expires_at);
  if (lease_ && to > from) {
    AddItem(TimelineKind::kSilence, from, to, lease_->lane, {},
            fmt::format("No sign of life since {}, for {} at the end",
                        TimeOfDay(saga_.heartbeat_at), Span(to - saga_.heartbeat_at)));
  }
}

void TimelineSagaBuilder::TakeHeartbeat(StoreTime at, const events::Event& event) {
  AddSilence(at);
  ApplyToSaga(saga_, event);
  if (!lease_) {
    return;
  }
  ++lease_->heartbeats;
  if (at < budget_.from || at > budget_.to) {
    return;
  }
  if (budget_.ticks_left == 0) {
    ++budget_.ticks_left_out;
    return;
  }
  --budget_.ticks_left;
  picture_.lanes[lease_->lane].ticks.push_back(at);
}

void TimelineSagaBuilder::OpenTenure(const events::Event& event, StoreTime at) {
  const schema::OwnerT owner = OwnerFromIdentity(saga_.owner);
  names_.Learn(&owner);
  names_.LearnToken(saga_.token.value(), saga_.owner);
  const std::uint32_t lane = LaneOf("owner", saga_.owner.str(), names_.InFull(&owner));
  lease_ = OpenLease{lane, at, saga_.token.value(), 0, Sequence(event.sequence())};
}

void TimelineSagaBuilder::CloseTenure(StoreTime at, const std::string& why) {
  if (!lease_) {
    return;
  }
  AddSilence(at);
  const StoreTime end = std::min(at, saga_.expires_at);
  AddItem(TimelineKind::kLease, lease_->from, end, lease_->lane, lease_->sequence,
          fmt::format("{}: lease under token {}, {} long, {}, over at {}{}", names_.Of(saga_.owner),
                      lease_->token, Span(end - lease_->from),
                      Count(lease_->heartbeats, "heartbeat"), TimeOfDay(end), why),
          fmt::format("token {}", lease_->token));
  if (at > saga_.expires_at) {
    AddItem(TimelineKind::kLapsed, saga_.expires_at, at, lease_->lane, {},
            fmt::format("The lease of {} is over since {}, and nobody has taken the saga from it",
                        names_.Of(saga_.owner), TimeOfDay(saga_.expires_at)));
  }
  lease_.reset();
}

void TimelineSagaBuilder::CloseSection(StoreTime at, const std::string& outcome) {
  if (section_ && lease_) {
    AddItem(TimelineKind::kSection, section_->since, at, lease_->lane, {},
            fmt::format("Inside the section {} for {}{}", Quoted(section_->name.view()),
                        Span(at - section_->since), outcome),
            Printable(section_->name.view()));
  }
  section_.reset();
}

void TimelineSagaBuilder::AddClaims(const events::EventT& event, StoreTime at) {
  if (const auto* claimed = event.body.AsCompensationClaimed()) {
    claims_[claimed->id] = at;
    return;
  }
  const auto* settled = event.body.AsCompensationSettled();
  if (settled == nullptr) {
    return;
  }
  const std::uint32_t lane = LaneOf("cleaning", "", "clean-up");
  if (const auto claim = claims_.find(settled->id); claim != claims_.end()) {
    AddItem(TimelineKind::kClaim, claim->second, at, lane, {},
            fmt::format("Clean-up {}: {}", Printable(settled->id),
                        schema::EnumNameCompensationOutcome(settled->outcome)),
            Printable(settled->id));
    claims_.erase(claim);
  }
}

// What is no span.
void TimelineSagaBuilder::AddMarks(const events::EventT& event, const Saga& before,
                                   const StoreCourse& store) {
  const EffectivePolicy policy = store.PolicyOf(saga_);
  const StoreTime at = TimeFromMicros(event.time);
  const events::Body type = event.body.type;
  TimelineKind kind = TimelineKind::kNote;
  std::uint32_t lane = lease_ ? lease_->lane : 0;
  if (IsDecision(type)) {
    kind = TimelineKind::kDecision;
    lane = LaneOf("decisions", "", "decisions");
  } else if (type == events::Body::Leased || type == events::Body::Dispatched) {
    kind = TimelineKind::kAcquired;
  } else if (type == events::Body::ExitRecorded) {
    kind = TimelineKind::kExit;
  } else if (const auto* end = event.body.AsTerminal()) {
    kind = end->state == State::completed || end->state == State::compensated
               ? TimelineKind::kCompleted
               : TimelineKind::kEndedBadly;
    lane = 0;
  } else if (const auto* settled = event.body.AsCompensationSettled()) {
    kind = settled->outcome == schema::CompensationOutcome::failed ? TimelineKind::kCleaningFailed
                                                                   : TimelineKind::kCleaned;
    lane = LaneOf("cleaning", "", "clean-up");
  }
  AddItem(kind, at, at, lane, Sequence(event.sequence),
          SagaSentence({event, before, saga_, policy, names_}).text,
          std::string(EventTypeName(type)));
}

void TimelineSagaBuilder::Apply(const events::Event& event, const StoreCourse& store) {
  const StoreTime at = TimeFromMicros(event.time());
  PassTime(at, store);
  cursor_ = std::max(cursor_, at);
  if (event.body_type() == events::Body::Heartbeated) {
    TakeHeartbeat(at, event);
    UpdateStrip(at, store);
    return;
  }
  const std::unique_ptr<events::EventT> unpacked(event.UnPack());
  if (const auto* planned = unpacked->body.AsPlanned()) {
    picture_.key = planned->key;
  }
  Saga before = saga_;
  ApplyToSaga(saga_, event);
  const bool lost = before.IsHeld() && (!saga_.IsHeld() || saga_.token != before.token);
  if (const auto* left = unpacked->body.AsSectionLeft()) {
    CloseSection(at, ", outcome " + Quoted(left->outcome));
  }
  if (lost) {
    std::swap(saga_, before);  // as its owner had it
    CloseStrip(at);
    CloseSection(at, ", never left");
    CloseTenure(at, fmt::format("; then {}", EventTypeName(event.body_type())));
    std::swap(saga_, before);
  }
  if (saga_.IsHeld() && saga_.token != before.token) {
    CloseStrip(at);
    OpenTenure(event, at);
  }
  if (saga_.Section() != nullptr && !section_) {
    section_ = *saga_.Section();
  }
  AddClaims(*unpacked, at);
  AddMarks(*unpacked, before, store);
  UpdateStrip(at, store);
}

void TimelineSagaBuilder::BeforeStoreEvent(StoreTime until, const StoreCourse& store) {
  PassTime(until, store);
}

void TimelineSagaBuilder::AfterStoreEvent(StoreTime at, const StoreCourse& store) {
  if (!saga_.id.empty()) {
    cursor_ = std::max(cursor_, at);
    UpdateStrip(at, store);
  }
}

void TimelineSagaBuilder::AddRefusal(const events::NotedRefusal& refusal) {
  const std::unique_ptr<events::NotedRefusalT> facts(refusal.UnPack());
  std::string identity;
  std::string name = facts->actor.empty() ? facts->principal : facts->actor;
  if (facts->owner) {
    identity = OwnerIdentity(facts->owner.get()).str();
    name = names_.InFull(facts->owner.get());
  } else if (const InternedText owner = names_.OwnerOfToken(facts->token); !owner.empty()) {
    identity = owner.str();
    const schema::OwnerT known = OwnerFromIdentity(owner);
    name = names_.InFull(&known);
  }
  if (name.empty()) {
    name = "unnamed";
  }
  const std::uint32_t lane = LaneOf("actor", identity.empty() ? name : identity, name);
  const StoreTime at = TimeFromMicros(facts->time);
  std::string command = facts->command;
  std::replace(command.begin(), command.end(), '_', ' ');
  ++picture_.refusals;
  AddItem(TimelineKind::kRefused, at, at, lane, {},
          fmt::format("{} tried to {}{}: refused, {}{}", name, command,
                      facts->token == 0 ? "" : fmt::format(" with token {}", facts->token),
                      schema::EnumNameRefusalCode(facts->code),
                      facts->detail.empty() ? "" : "; " + Printable(facts->detail)),
          schema::EnumNameRefusalCode(facts->code));
}

void TimelineSagaBuilder::Finish(StoreTime at, const StoreCourse& store) {
  PassTime(at, store);
  CloseStrip(at);
  CloseSection(at, ", still open");
  CloseTenure(at, at < saga_.expires_at ? "; it goes on" : "");
  picture_.state = saga_.state;
}

}  // namespace sagalog::tools
