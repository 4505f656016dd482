#include "reactor/past_saga.h"

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "projections/policy.h"
#include "reactor/saga_view.h"

namespace sagalog {
namespace {

std::string_view View(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : text->string_view();
}

// Sets in `base` what `change` sets.
void Update(schema::PolicyT& base, const schema::Policy* change) {
  if (change != nullptr) {
    schema::PolicyT sparse;
    change->UnPackTo(&sparse);
    UpdatePolicy(base, sparse);
  }
}

// One saga, and of the rest of the store what shows in it.
class PastSaga {
 public:
  explicit PastSaga(std::string_view saga_id) : id_(saga_id) {}

  void Apply(const events::Event& event) {
    now_ = TimeFromMicros(event.time());
    const std::string_view of = View(event.saga_id());
    if (of.empty()) {
      ApplyToStore(event);
    } else if (of == id_) {
      ApplyToSaga(saga_, event);
    } else if (!saga_.id.empty()) {
      ApplyToRelated(event, of);
    }
  }

  [[nodiscard]] bool IsPlanned() const { return !saga_.id.empty(); }

  [[nodiscard]] SagaSnapshot AsOf(std::optional<StoreTime> moment) const {
    EffectivePolicy policy = MergePolicy(EffectivePolicy(), store_policy_);
    if (const auto queue = queue_policies_.find(saga_.queue.str());
        queue != queue_policies_.end()) {
      policy = MergePolicy(std::move(policy), queue->second);
    }
    if (saga_.extras && saga_.extras->policy) {
      policy = MergePolicy(std::move(policy), *saga_.extras->policy);
    }
    return {saga_, std::move(policy), returns_, moment.value_or(now_)};
  }

 private:
  void ApplyToStore(const events::Event& event) {
    if (const auto* policy = event.body_as_PolicyChanged()) {
      Update(store_policy_, policy->policy());
    } else if (const auto* queue = event.body_as_QueueConfigured()) {
      // Whose queue it is, its planning tells later.
      Update(queue_policies_[std::string(View(queue->queue()))], queue->policy());
    } else if (const auto* opened = event.body_as_StoreOpened()) {
      if (opened->away_since() != 0) {
        AddReturn(event);
      }
    } else if (event.body_type() == events::Body::HostSuspended ||
               event.body_type() == events::Body::StoreRestored) {
      AddReturn(event);
    }
  }

  void AddReturn(const events::Event& event) {
    returns_.push_back({TimeFromMicros(event.time()), Sequence(event.sequence())});
  }

  // A child that was planned, a dependency that ended.
  void ApplyToRelated(const events::Event& event, std::string_view of) {
    if (const auto* planned = event.body_as_Planned()) {
      if (View(planned->parent()) == id_ && !saga_.IsTerminal()) {
        saga_.extras.Ensure().children.emplace_back(of);
      }
    }
    const auto* terminal = event.body_as_Terminal();
    if (terminal == nullptr || !saga_.extras) {
      return;
    }
    for (DependencyRecord& dependency : saga_.extras->depends_on) {
      if (dependency.saga_id == of && dependency.standing == DependencyRecord::Standing::kUnmet) {
        const bool met = terminal->state() == schema::State::completed;
        dependency.standing =
            met ? DependencyRecord::Standing::kMet : DependencyRecord::Standing::kDead;
        dependency.dead_since = met ? dependency.dead_since : TimeFromMicros(event.time());
      }
    }
  }

  std::string_view id_;
  Saga saga_;
  schema::PolicyT store_policy_;
  std::map<std::string, schema::PolicyT> queue_policies_;
  std::vector<StoreReturn> returns_;
  StoreTime now_;
};

Status CheckNotToCome(const EventLog& log, const PastMoment& at, StoreTime now) {
  if (const Sequence* sequence = std::get_if<Sequence>(&at)) {
    if (*sequence <= log.Last() && !sequence->IsNone()) {
      return {};
    }
    return {Code::kInvalidArgument,
            fmt::format("at: the log ends at sequence {}", log.Last().value())};
  }
  if (std::get<StoreTime>(at) > now) {
    return {Code::kInvalidArgument,
            fmt::format("at: it is only {}: what is to come is not known", FormatTime(now))};
  }
  return {};
}

}  // namespace

Result<answers::SagaT> FindPastSaga(const EventLog& log, std::string_view saga_id,
                                    const PastMoment& at, StoreTime now) {
  RETURN_IF_ERROR(CheckNotToCome(log, at, now));
  const Sequence* sequence = std::get_if<Sequence>(&at);
  const Sequence through = sequence == nullptr ? log.Last() : *sequence;
  std::optional<StoreTime> moment;
  if (sequence == nullptr) {
    moment = std::get<StoreTime>(at);
  }
  PastSaga past(saga_id);
  const Status later(Code::kCancelled, "the moment has come");
  const Status scanned =
      log.Scan(Sequence(1), through, [&](const events::Event& event, std::string_view) {
        if (moment && TimeFromMicros(event.time()) > *moment) {
          return later;
        }
        past.Apply(event);
        return Status();
      });
  if (!scanned.ok() && scanned.code() != Code::kCancelled) {
    return scanned;
  }
  if (!past.IsPlanned()) {
    return Status(Code::kNotFound, fmt::format("there was no saga {} then", saga_id));
  }
  ASSIGN_OR_RETURN(const auto view, SagaViewer(log).View(past.AsOf(moment)));
  return std::move(*view);
}

Result<PastMoment> ParsePastMoment(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return PastMoment(Sequence(number));
  }
  if (const auto time = ParseTime(text); time.ok()) {
    return PastMoment(*time);
  }
  return Status(Code::kInvalidArgument,
                fmt::format("\"{}\" is neither a sequence nor a time (RFC 3339)", text));
}

}  // namespace sagalog
