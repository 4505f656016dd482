#include "tools/timeline_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "schema/text_view.h"
#include "tools/story_events.h"
#include "tools/timeline_saga.h"

namespace sagalog::tools {
namespace {

// A refusal is in the log by then; store time may have stood still in between.
constexpr std::chrono::seconds kNotedLateMax{5};

// What makes a saga worth its place in a window: more than having waited, or having ended.
bool IsTelling(const TimelineItem& item) { return item.kind != TimelineKind::kWaiting; }

class Reader {
 public:
  explicit Reader(const TimelineRequest& request) : request_(request) {
    budget_.from = request.from.value_or(kStoreTimeMin);
    budget_.to = request.to.value_or(kStoreTimeMax);
  }

  Status Take(const events::Event& event) {
    timeline_.last = Sequence(event.sequence());
    last_time_ = std::max(last_time_, TimeFromMicros(event.time()));
    const std::string_view of = View(event.saga_id());
    if (of.empty()) {
      TakeOfStore(event);
      return {};
    }
    if (!request_.sagas.empty() && !request_.sagas.contains(of)) {
      return {};
    }
    auto found = sagas_.find(of);
    if (found == sagas_.end()) {
      found = sagas_.try_emplace(std::string(of), of, budget_).first;
      order_[Sequence(event.sequence())] = found->first;
    }
    TimelineSagaBuilder& builder = found->second;
    const std::size_t before = builder.picture().items.size();
    builder.Apply(event, store_);
    items_ += builder.picture().items.size() - before;
    if (!LetGo(found)) {
      return CheckFits();
    }
    return {};
  }

  // Behind the window: refusals are noted a little later than they happened.
  Status TakeBehind(const events::Event& event) {
    reached_end_ = true;
    if (const auto* noted = event.body_as_RefusalsNoted()) {
      TakeRefusals(*noted);
    }
    return {};
  }

  // The picture, when all has been read.
  Result<Timeline> Finish() {
    for (const std::string& id : request_.sagas) {
      if (!sagas_.contains(id) && !gone_.contains(id)) {
        return Status(Code::kNotFound, fmt::format("there is no saga {} in this log", id));
      }
    }
    const StoreTime now =
        reached_end_ ? *request_.to : std::max(last_time_, request_.now.value_or(last_time_));
    budget_.to = std::min(budget_.to, now);
    for (auto& [id, builder] : sagas_) {
      builder.Finish(now, store_);
    }
    RETURN_IF_ERROR(CheckFits());
    const bool all_over = !request_.sagas.empty() && !request_.to &&
                          std::all_of(sagas_.begin(), sagas_.end(),
                                      [](auto& entry) { return entry.second.saga().IsSettled(); });
    for (const auto& [sequence, id] : order_) {
      const auto found = sagas_.find(id);
      if (found != sagas_.end()) {
        AddSaga(found->second.picture());
      }
    }
    timeline_.ticks_left_out = budget_.ticks_left_out;
    return Frame(all_over ? LastOfSagas().value_or(now) : now);
  }

 private:
  using Builders = std::map<std::string, TimelineSagaBuilder, std::less<>>;

  void AddSaga(TimelineSaga& saga) {
    const bool telling =
        std::any_of(saga.items.begin(), saga.items.end(), IsTelling) || !request_.sagas.empty();
    if (telling) {
      timeline_.sagas.push_back(std::move(saga));
    }
  }

  // The end of the last thing that happened to those that are drawn.
  [[nodiscard]] std::optional<StoreTime> LastOfSagas() const {
    std::optional<StoreTime> last;
    for (const TimelineSaga& saga : timeline_.sagas) {
      for (const TimelineItem& item : saga.items) {
        last = std::max(last.value_or(item.to), item.to);
      }
    }
    return last;
  }

  // Where it begins and ends.
  Result<Timeline> Frame(StoreTime now) {
    StoreTime first = kStoreTimeMax;
    for (const TimelineSaga& saga : timeline_.sagas) {
      for (const TimelineItem& item : saga.items) {
        first = std::min(first, item.from);
      }
    }
    timeline_.from = request_.from.value_or(std::min(first, now));
    timeline_.to = request_.to ? std::min(*request_.to, now) : now;
    if (timeline_.to < timeline_.from) {
      return Status(Code::kInvalidArgument,
                    fmt::format("nothing happened between {} and {}: the log ends at {}",
                                FormatTime(timeline_.from),
                                FormatTime(request_.to.value_or(timeline_.to)), FormatTime(now)));
    }
    std::erase_if(timeline_.store, [&](const TimelineItem& item) {
      return item.to < timeline_.from || item.from > timeline_.to;
    });
    return std::move(timeline_);
  }

  // Ended and settled before the window: it is not drawn, and takes no memory.
  bool LetGo(Builders::iterator found) {
    if (!found->second.saga().IsSettled() || found->second.IsOfInterest()) {
      return false;
    }
    if (request_.sagas.contains(found->first)) {
      gone_.insert(found->first);
    }
    const Sequence planned = found->second.saga().planned_sequence;
    order_.erase(planned);
    sagas_.erase(found);
    return true;
  }

  [[nodiscard]] Status CheckFits() {
    std::size_t shown = 0;
    if (sagas_.size() > kTimelineSagasMax) {
      shown = static_cast<std::size_t>(std::count_if(
          sagas_.begin(), sagas_.end(), [](auto& entry) { return entry.second.IsOfInterest(); }));
    }
    if (shown <= kTimelineSagasMax && items_ <= kTimelineItemsMax) {
      return {};
    }
    return {Code::kInvalidArgument,
            fmt::format("more than {} sagas or {} things that happened are too many for one "
                        "picture: name sagas, or narrow the window with --from and --to (it was "
                        "full at {})",
                        kTimelineSagasMax, kTimelineItemsMax, FormatTime(last_time_))};
  }

  void TakeOfStore(const events::Event& event) {
    if (const auto* noted = event.body_as_RefusalsNoted()) {
      TakeRefusals(*noted);
      return;
    }
    const StoreTime at = TimeFromMicros(event.time());
    const auto away = AwaySince(event);
    for (auto& [id, builder] : sagas_) {
      builder.BeforeStoreEvent(away.value_or(at), store_);
    }
    store_.Apply(event);
    for (auto& [id, builder] : sagas_) {
      builder.AfterStoreEvent(at, store_);
    }
    AddOfStore(event, at, away);
  }

  void AddOfStore(const events::Event& event, StoreTime at, std::optional<StoreTime> away) {
    TimelineKind kind = TimelineKind::kNote;
    if (away) {
      kind = TimelineKind::kAway;
    } else if (event.body_type() == events::Body::ClockStepped) {
      kind = TimelineKind::kClock;
    } else if (event.body_type() == events::Body::StoreRestored) {
      kind = TimelineKind::kRestored;
    }
    static const Saga kNobody;
    static const OwnerNames kNoNames;
    static const EffectivePolicy kPolicy;
    const std::unique_ptr<events::EventT> unpacked(event.UnPack());
    std::string text = OutsideSentence({*unpacked, kNobody, kNobody, kPolicy, kNoNames}).text;
    if (!text.empty()) {
      timeline_.store.push_back(
          {kind, away.value_or(at), at, 0, Sequence(event.sequence()), std::move(text)});
    }
  }

  void TakeRefusals(const events::RefusalsNoted& noted) {
    if (noted.refusals() == nullptr) {
      return;  // redacted
    }
    for (const events::NotedRefusal* refusal : *noted.refusals()) {
      const auto found = sagas_.find(View(refusal->saga_id()));
      if (found != sagas_.end()) {
        found->second.AddRefusal(*refusal);
        ++items_;
      }
    }
  }

  const TimelineRequest& request_;
  TimelineSagaBuilder::Budget budget_;
  Timeline timeline_;
  StoreCourse store_;
  Builders sagas_;
  // By their planning.
  std::map<Sequence, std::string> order_;
  std::set<std::string, std::less<>> gone_;
  StoreTime last_time_;
  std::size_t items_ = 0;
  bool reached_end_ = false;
};

}  // namespace

const char* TimelineKindName(TimelineKind kind) {
  static constexpr std::array<const char*, 24> kNames = {
      "waiting",   "dispatched", "owned",   "finalising",      "grace",    "unclear",
      "cleaning",  "owing",      "lease",   "silence",         "lapsed",   "section",
      "claim",     "acquired",   "exit",    "refused",         "decision", "note",
      "completed", "ended",      "cleaned", "cleaning_failed", "away",     "clock"};
  const auto place = static_cast<std::size_t>(kind);
  return place < kNames.size() ? kNames[place] : "restored";
}

Result<Timeline> ReadTimeline(const EventLog& log, const TimelineRequest& request) {
  if (request.from && request.to && *request.to < *request.from) {
    return Status(Code::kInvalidArgument, "--to lies before --from");
  }
  Reader reader(request);
  const Status later(Code::kCancelled, "the window ends");
  const Status scanned =
      log.Scan(Sequence(1), log.Last(), [&](const events::Event& event, std::string_view) {
        const StoreTime at = TimeFromMicros(event.time());
        if (!request.to || at <= *request.to) {
          return reader.Take(event);
        }
        return at > *request.to + kNotedLateMax ? later : reader.TakeBehind(event);
      });
  if (!scanned.ok() && scanned.code() != Code::kCancelled) {
    return scanned;
  }
  return reader.Finish();
}

}  // namespace sagalog::tools
