#include "tools/story.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "schema/json.h"
#include "schema/text_view.h"
#include "tools/saga_course.h"
#include "tools/story_index.h"
#include "tools/story_standing.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

using schema::StaleReason;

json::object ObjectOf(const std::string& text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  return value.is_object() ? value.get_object() : json::object();
}

// Heartbeats with nothing between them.
struct HeartbeatRun {
  std::uint64_t count = 0;
  StoreTime first;
  StoreTime last;
  StoreTime expires_at;
  Duration longest{};
  Sequence sequence;
  std::string progress;
};

// Refusals of the same kind with nothing between them.
struct RefusalRun {
  const events::NotedRefusalT* refusal = nullptr;
  std::uint64_t count = 0;
  StoreTime last;
};

// Goes through what happened in its order, and says it.
class Teller {
 public:
  explicit Teller(const StoryRecord& record) : record_(record) {
    story_.saga_id = record.saga_id;
    story_.last = record.last;
    story_.now = record.now;
    for (const events::NotedRefusalT& refusal : record.refusals) {
      refusals_.push_back(&refusal);
    }
    std::stable_sort(refusals_.begin(), refusals_.end(),
                     [](const auto* a, const auto* b) { return a->time < b->time; });
    LearnNames();
  }

  Story Tell() {
    for (const StoredEvent& stored : record_.events) {
      const events::Event& event = *stored;
      const StoreTime at = TimeFromMicros(event.time());
      TellRefusalsBefore(event);
      // While the store was away there was no index.
      TellTimePassing(std::min(at, AwaySince(event).value_or(at)));
      cursor_ = std::max(cursor_, at);
      if (View(event.saga_id()) == record_.saga_id) {
        TakeOwn(event);
      } else {
        TakeOutside(event);
      }
    }
    TellRefusals(refusals_.size());
    TellTimePassing(record_.now);
    FlushHeartbeats();
    totals_.refusals_counted = record_.refusals_counted;
    story_.state = saga_.state;
    story_.version = saga_.version.value();
    TellStanding(story_, saga_, store_.ContextOf(saga_), totals_, names_);
    return std::move(story_);
  }

 private:
  void LearnNames() {
    for (const StoredEvent& stored : record_.events) {
      const events::Event& event = *stored;
      if (View(event.saga_id()) != record_.saga_id) {
        continue;
      }
      const schema::Owner* owner = nullptr;
      std::uint64_t token = 0;
      if (const auto* leased = event.body_as_Leased()) {
        owner = leased->owner();
        token = leased->token();
      } else if (const auto* dispatched = event.body_as_Dispatched()) {
        owner = dispatched->owner();
        token = dispatched->token();
      }
      if (owner != nullptr) {
        const std::unique_ptr<schema::OwnerT> unpacked(owner->UnPack());
        names_.Learn(unpacked.get());
        names_.LearnToken(token, OwnerIdentity(unpacked.get()));
      }
    }
    for (const events::NotedRefusalT& refusal : record_.refusals) {
      names_.Learn(refusal.owner.get());
    }
  }

  [[nodiscard]] bool IsPlanned() const { return !saga_.id.empty(); }

  void Add(StoreTime at, Sequence sequence, std::string_view kind, Sentence sentence,
           json::object facts) {
    FlushHeartbeats();
    story_.lines.push_back({at, sequence, std::string(kind), sentence.style,
                            std::move(sentence.text), std::move(facts)});
  }

  void NoteCompensation(const schema::CompensationT& compensation) {
    totals_.compensations[compensation.id] = CompensationInWords(compensation);
    totals_.kinds[compensation.id] = compensation.kind;
  }

  // An event of the saga itself.
  void TakeOwn(const events::Event& event) {
    if (event.body_type() == events::Body::Heartbeated) {
      TakeHeartbeat(event);
      return;
    }
    const std::unique_ptr<events::EventT> unpacked(event.UnPack());
    const Saga before = saga_;
    ApplyToSaga(saga_, event);
    if (const auto* planned = unpacked->body.AsPlanned()) {
      story_.began = TimeFromMicros(event.time());
      for (const auto& compensation : planned->compensations) {
        NoteCompensation(*compensation);
      }
    } else if (const auto* registered = unpacked->body.AsCompensationRegistered()) {
      NoteCompensation(*registered->compensation);
    }
    const EffectivePolicy policy = store_.PolicyOf(saga_);
    FollowTenure(*unpacked, before);
    Add(TimeFromMicros(event.time()), Sequence(event.sequence()), EventTypeName(event.body_type()),
        SagaSentence({*unpacked, before, saga_, policy, names_}), ObjectOf(EventToJson(event)));
    TellNewReasons();
  }

  void TakeHeartbeat(const events::Event& event) {
    const StoreTime before = saga_.heartbeat_at;
    ApplyToSaga(saga_, event);
    const StoreTime at = TimeFromMicros(event.time());
    if (heartbeats_.count == 0) {
      heartbeats_.first = at;
    }
    ++heartbeats_.count;
    heartbeats_.last = at;
    heartbeats_.longest = std::max(heartbeats_.longest, at - before);
    heartbeats_.expires_at = saga_.expires_at;
    heartbeats_.sequence = Sequence(event.sequence());
    if (!totals_.tenures.empty()) {
      totals_.tenures.back().expires_at = saga_.expires_at;
    }
    if (const auto* body = event.body_as_Heartbeated(); !View(body->progress()).empty()) {
      heartbeats_.progress = View(body->progress());
    }
    reasons_ = StaleReasons(saga_, store_.ContextOf(saga_), at);
  }

  void FlushHeartbeats() {
    if (heartbeats_.count == 0) {
      return;
    }
    const HeartbeatRun run = std::exchange(heartbeats_, {});
    const std::string who = names_.Of(saga_.owner);
    std::string text =
        run.count == 1
            ? fmt::format("{} renewed its lease, until {}.", who, TimeOfDay(run.expires_at))
            : fmt::format(
                  "{} renewed its lease {} times, the last time at {}, until {}; its "
                  "longest silence was {}.",
                  who, run.count, TimeOfDay(run.last), TimeOfDay(run.expires_at),
                  Span(run.longest));
    if (!run.progress.empty()) {
      text += fmt::format(" Its progress: {}.", Quoted(run.progress));
    }
    story_.lines.push_back({run.first,
                            run.sequence,
                            "heartbeated",
                            Style::kDim,
                            std::move(text),
                            {{"count", run.count},
                             {"first", FormatTime(run.first)},
                             {"last", FormatTime(run.last)},
                             {"expires_at", FormatTime(run.expires_at)},
                             {"longest_silence", FormatDuration(run.longest)}}});
  }

  // An event of the store, or of another saga.
  void TakeOutside(const events::Event& event) {
    store_.Apply(event);
    if (!IsPlanned() || saga_.IsSettled()) {
      return;
    }
    ApplyToDependencies(saga_, event);
    const std::unique_ptr<events::EventT> unpacked(event.UnPack());
    const EffectivePolicy policy = store_.PolicyOf(saga_);
    Sentence sentence = OutsideSentence({*unpacked, saga_, saga_, policy, names_});
    if (const auto away = AwaySince(event)) {
      ++totals_.absences;
      totals_.away += TimeFromMicros(event.time()) - *away;
    }
    if (!sentence.text.empty()) {
      Add(TimeFromMicros(event.time()), Sequence(event.sequence()),
          EventTypeName(event.body_type()), std::move(sentence), ObjectOf(EventToJson(event)));
    }
    TellNewReasons();
  }

  // Deadlines between two events.
  void TellTimePassing(StoreTime through) {
    if (!IsPlanned() || through <= cursor_) {
      return;
    }
    const StalenessContext context = store_.ContextOf(saga_);
    std::vector<StoreTime> moments = IndexMoments(saga_, context, cursor_, through);
    AddClaimEnds(through, moments);
    for (const StoreTime at : moments) {
      cursor_ = at;
      TellClaimEnds();
      const bool found = TellNewReasons();
      if (!found && at == saga_.expires_at && saga_.Exit() != nullptr && saga_.IsHeld()) {
        Add(at, {}, "lease_over", FinalisingSentence(saga_, context, names_),
            {{"expires_at", FormatTime(at)}});
      }
    }
    cursor_ = through;
  }

  // Whose claim on it ends when, as far as it does by itself.
  template <typename Take>
  void VisitClaims(const Take& take) const {
    for (const CompensationRecord& record : saga_.compensations) {
      if (record.state == CompensationState::claimed && record.claim) {
        take(record);
      }
    }
  }

  void AddClaimEnds(StoreTime through, std::vector<StoreTime>& moments) const {
    VisitClaims([&](const CompensationRecord& record) {
      const StoreTime end = record.claim->expires_at;
      if (end > cursor_ && end <= through) {
        moments.push_back(end);
      }
    });
    std::sort(moments.begin(), moments.end());
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
  }

  void TellClaimEnds() {
    VisitClaims([this](const CompensationRecord& record) {
      if (record.claim->expires_at == cursor_) {
        Add(cursor_, {}, "claim_over", ClaimOverSentence(record),
            {{"id", record.id.view()}, {"expires_at", FormatTime(cursor_)}});
      }
    });
  }

  // What the index says now and did not say before.
  bool TellNewReasons() {
    const StalenessContext context = store_.ContextOf(saga_);
    const std::vector<StaleSince> before =
        std::exchange(reasons_, StaleReasons(saga_, context, cursor_));
    bool told = false;
    for (const StaleSince& reason : reasons_) {
      if (std::find(before.begin(), before.end(), reason) != before.end()) {
        continue;
      }
      Sentence sentence = IndexSentence(saga_, context, reason.reason, cursor_, names_);
      if (!sentence.text.empty() && reason.reason != StaleReason::owner_dead) {
        Add(cursor_, {}, schema::EnumNameStaleReason(reason.reason), std::move(sentence),
            {{"reason", schema::EnumNameStaleReason(reason.reason)},
             {"since", FormatTime(reason.since)}});
        told = true;
      }
    }
    return told;
  }

  // Whether the refusal came before the event.
  [[nodiscard]] static bool IsBefore(const events::NotedRefusalT& refusal,
                                     const events::Event& event) {
    if (refusal.time != event.time() || View(event.saga_id()).empty()) {
      return refusal.time < event.time();
    }
    return refusal.actual_version && *refusal.actual_version < event.version();
  }

  void TellRefusalsBefore(const events::Event& event) {
    std::size_t end = next_refusal_;
    while (end < refusals_.size() && IsBefore(*refusals_[end], event)) {
      ++end;
    }
    TellRefusals(end);
  }

  // Those up to `end`, alike ones together.
  void TellRefusals(std::size_t end) {
    while (next_refusal_ < end) {
      RefusalRun run{refusals_[next_refusal_], 0, {}};
      const StoreTime at = TimeFromMicros(run.refusal->time);
      TellTimePassing(at);
      for (; next_refusal_ < end && IsAlike(*run.refusal, *refusals_[next_refusal_]);
           ++next_refusal_) {
        ++run.count;
        run.last = TimeFromMicros(refusals_[next_refusal_]->time);
      }
      totals_.refusals += run.count;
      const InternedText caller = names_.OwnerOfToken(run.refusal->token);
      const bool lost =
          run.refusal->token != saga_.token.value() || (!saga_.IsHeld() && !saga_.IsTerminal());
      const bool late = !caller.empty() && lost;
      totals_.late_refusals += late ? run.count : 0;
      json::object facts = ObjectOf(ToJson(*run.refusal));
      facts["times"] = run.count;
      Add(at, {}, "refused", RefusalSentence(*run.refusal, saga_, names_, run.count, run.last),
          std::move(facts));
    }
  }

  [[nodiscard]] static bool IsAlike(const events::NotedRefusalT& a,
                                    const events::NotedRefusalT& b) {
    const auto identity = [](const events::NotedRefusalT& refusal) {
      return OwnerIdentity(refusal.owner.get());
    };
    return a.command == b.command && a.code == b.code && a.token == b.token && a.actor == b.actor &&
           a.subject == b.subject && a.actual_version == b.actual_version &&
           identity(a) == identity(b);
  }

  // Whose the saga is, and how that ended.
  void FollowTenure(const events::EventT& event, const Saga& before) {
    const StoreTime at = TimeFromMicros(event.time);
    // Only a record that no store wrote grants a saga without a token: nobody's tenure.
    const bool ends = before.IsHeld() && (!saga_.IsHeld() || saga_.token != before.token);
    if (ends && !totals_.tenures.empty()) {
      Tenure& tenure = totals_.tenures.back();
      tenure.until = at;
      tenure.ended = HowItEnded(event);
    }
    if (saga_.IsHeld() && saga_.token != before.token) {
      totals_.tenures.push_back(
          {saga_.owner, saga_.token.value(), at, at, saga_.expires_at, std::string()});
    }
  }

  [[nodiscard]] std::string HowItEnded(const events::EventT& event) const {
    const auto& body = event.body;
    if (const auto* leased = body.AsLeased()) {
      return leased->how == schema::LeaseHow::taken_over
                 ? fmt::format("taken over by {}", names_.Of(leased->owner.get()))
                 : std::string(leased->how == schema::LeaseHow::first ? "its worker came"
                                                                      : "it acquired it anew");
    }
    if (const auto* end = body.AsTerminal()) {
      const bool unnamed = event.actor.empty() && event.principal.empty();
      return fmt::format("{}{}", schema::EnumNameState(end->state),
                         end->by_owner ? " by itself" : (unnamed ? "" : " by " + ActorOf(event)));
    }
    if (body.AsRecovered() != nullptr) {
      return "revoked by " + ActorOf(event);
    }
    if (body.AsForceReleased() != nullptr) {
      return "taken away by force by " + ActorOf(event);
    }
    return body.AsReleased() != nullptr
               ? "given back"
               : (body.AsDispatchAborted() != nullptr ? "given up" : "ended");
  }

  const StoryRecord& record_;
  Story story_;
  StoreCourse store_;
  OwnerNames names_;
  StoryTotals totals_;
  Saga saga_;
  StoreTime cursor_;
  std::vector<StaleSince> reasons_;
  std::vector<const events::NotedRefusalT*> refusals_;
  std::size_t next_refusal_ = 0;
  HeartbeatRun heartbeats_;
};

}  // namespace

Story TellStory(const StoryRecord& record) { return Teller(record).Tell(); }

}  // namespace sagalog::tools
