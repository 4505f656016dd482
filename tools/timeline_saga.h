// One saga's part of a picture, filled while its events pass.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/saga_course.h"
#include "tools/story_words.h"
#include "tools/timeline_model.h"

namespace sagalog::tools {

class TimelineSagaBuilder {
 public:
  // Ticks are taken from `ticks_left` and counted in `ticks_left_out` when there are none; both
  // outlive this. What ends before `from` is not kept.
  struct Budget {
    std::size_t ticks_left = kTimelineTicksMax;
    std::uint64_t ticks_left_out = 0;
    StoreTime from = kStoreTimeMin;
    StoreTime to = kStoreTimeMax;
  };
  TimelineSagaBuilder(std::string_view id, Budget& budget);

  // The saga's events, in order.
  void Apply(const events::Event& event, const StoreCourse& store);
  // A store-level event that changes what decides staleness: before and after it.
  void BeforeStoreEvent(StoreTime until, const StoreCourse& store);
  void AfterStoreEvent(StoreTime at, const StoreCourse& store);
  // A refused command about it.
  void AddRefusal(const events::NotedRefusal& refusal);
  // Nothing happens any more until `at`.
  void Finish(StoreTime at, const StoreCourse& store);

  [[nodiscard]] const Saga& saga() const { return saga_; }
  [[nodiscard]] TimelineSaga& picture() { return picture_; }
  // Whether anything of it is in the window but waiting and having ended.
  [[nodiscard]] bool IsOfInterest() const { return !picture_.items.empty(); }

 private:
  struct OpenSpan {
    TimelineKind kind;
    StoreTime from;
  };
  struct OpenLease {
    std::uint32_t lane = 0;
    StoreTime from;
    std::uint64_t token = 0;
    std::uint64_t heartbeats = 0;
    Sequence sequence;
  };

  std::uint32_t LaneOf(std::string_view role, const std::string& identity, const std::string& name);
  void AddItem(TimelineKind kind, StoreTime from, StoreTime to, std::uint32_t lane,
               Sequence sequence, std::string text, std::string label = {});
  void PassTime(StoreTime until, const StoreCourse& store);
  void UpdateStrip(StoreTime at, const StoreCourse& store);
  void CloseStrip(StoreTime at);
  [[nodiscard]] std::string StripText(const OpenSpan& span, StoreTime to) const;
  [[nodiscard]] std::string StripLabel(const OpenSpan& span, StoreTime to) const;
  void TakeHeartbeat(StoreTime at, const events::Event& event);
  void AddSilence(StoreTime until);
  void OpenTenure(const events::Event& event, StoreTime at);
  void CloseTenure(StoreTime at, const std::string& why);
  void CloseSection(StoreTime at, const std::string& outcome);
  void AddMarks(const events::EventT& event, const Saga& before, const StoreCourse& store);
  void AddClaims(const events::EventT& event, StoreTime at);

  Budget& budget_;
  TimelineSaga picture_;
  Saga saga_;
  OwnerNames names_;
  StoreTime cursor_;
  std::map<std::string, std::uint32_t> lanes_;
  std::optional<OpenSpan> strip_;
  std::optional<OpenLease> lease_;
  std::optional<SectionRecord> section_;
  std::map<std::string, StoreTime> claims_;
};

}  // namespace sagalog::tools
