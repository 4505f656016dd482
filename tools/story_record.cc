#include "tools/story_record.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "schema/text_view.h"

namespace sagalog::tools {
namespace {

// Picks out what is about one saga.
class Picker {
 public:
  explicit Picker(StoryRecord& record) : record_(record) {}

  void Take(const events::Event& event, std::string_view bytes) {
    record_.last = Sequence(event.sequence());
    record_.now = std::max(record_.now, TimeFromMicros(event.time()));
    const std::string_view of = View(event.saga_id());
    if (of == record_.saga_id && !of.empty()) {
      planned_ = true;
      TakeDependencies(event);
      record_.events.emplace_back(std::string(bytes));
    } else if (of.empty()) {
      TakeOfStore(event, bytes);
    } else if (planned_ && IsRelated(event, of)) {
      record_.events.emplace_back(std::string(bytes));
    }
  }

  [[nodiscard]] bool planned() const { return planned_; }

 private:
  void TakeDependencies(const events::Event& event) {
    const auto* planned = event.body_as_Planned();
    if (planned == nullptr || planned->depends_on() == nullptr) {
      return;
    }
    for (const flatbuffers::String* id : *planned->depends_on()) {
      dependencies_.insert(id->str());
    }
  }

  void TakeOfStore(const events::Event& event, std::string_view bytes) {
    const auto* noted = event.body_as_RefusalsNoted();
    if (noted == nullptr) {
      record_.events.emplace_back(std::string(bytes));
      return;
    }
    // A refusal may be older than the planning of the saga that it names: an early acquire.
    record_.refusals_counted += planned_ ? noted->counted() : 0;
    if (noted->refusals() == nullptr) {
      return;  // redacted
    }
    for (const events::NotedRefusal* refusal : *noted->refusals()) {
      if (View(refusal->saga_id()) == record_.saga_id) {
        refusal->UnPackTo(&record_.refusals.emplace_back());
      }
    }
  }

  [[nodiscard]] bool IsRelated(const events::Event& event, std::string_view of) const {
    if (const auto* planned = event.body_as_Planned()) {
      return View(planned->parent()) == record_.saga_id;
    }
    return event.body_type() == events::Body::Terminal && dependencies_.contains(of);
  }

  StoryRecord& record_;
  std::set<std::string, std::less<>> dependencies_;
  bool planned_ = false;
};

auto FactsOf(const events::NotedRefusalT& refusal) {
  return std::tie(refusal.time, refusal.command, refusal.code, refusal.token, refusal.actor,
                  refusal.detail);
}

}  // namespace

Result<StoryRecord> ReadStoryRecord(const EventLog& log, std::string_view saga_id,
                                    const std::optional<PastPlace>& at) {
  StoryRecord record;
  record.saga_id = saga_id;
  Picker picker(record);
  RETURN_IF_ERROR(log.Scan(Sequence(1), at ? at->through : log.Last(),
                           [&](const events::Event& event, std::string_view bytes) {
                             picker.Take(event, bytes);
                             return Status();
                           }));
  if (at) {
    record.now = at->moment;
  }
  if (!picker.planned()) {
    return Status(Code::kNotFound,
                  fmt::format("there is no saga {} among the {} events up to {}", saga_id,
                              record.last.value(), FormatTime(record.now)));
  }
  return record;
}

void AddWaitingRefusals(StoryRecord& record, std::vector<events::NotedRefusalT> waiting) {
  for (events::NotedRefusalT& refusal : waiting) {
    const bool noted = std::any_of(
        record.refusals.begin(), record.refusals.end(),
        [&](const events::NotedRefusalT& known) { return FactsOf(known) == FactsOf(refusal); });
    if (!noted) {
      record.refusals.push_back(std::move(refusal));
    }
  }
}

}  // namespace sagalog::tools
