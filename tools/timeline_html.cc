// The page: its skeleton, style and script lie in tools/timeline_page/; this puts the picture in.
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/generated/timeline_page.h"
#include "tools/timeline_render.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// Times are microseconds since the picture's beginning: exact in a script's numbers.
std::int64_t Since(StoreTime begin, StoreTime time) { return (time - begin).count(); }

json::array ItemsOf(const std::vector<TimelineItem>& items, StoreTime begin) {
  json::array rows;
  for (const TimelineItem& item : items) {
    rows.push_back(json::array{TimelineKindName(item.kind), Since(begin, item.from),
                               Since(begin, item.to), item.lane, item.sequence.value(), item.text,
                               item.label});
  }
  return rows;
}

json::object SagaOf(const TimelineSaga& saga, StoreTime begin) {
  json::array lanes;
  for (const TimelineLane& lane : saga.lanes) {
    json::array ticks;
    for (const StoreTime tick : lane.ticks) {
      ticks.push_back(Since(begin, tick));
    }
    lanes.push_back(
        json::object{{"name", lane.name}, {"role", lane.role}, {"ticks", std::move(ticks)}});
  }
  return {{"id", saga.id},
          {"key", saga.key},
          {"state", schema::EnumNameState(saga.state)},
          {"unclear", saga.unclear.count()},
          {"grace", saga.grace.count()},
          {"refusals", saga.refusals},
          {"lanes", std::move(lanes)},
          {"items", ItemsOf(saga.items, begin)}};
}

// JSON that can stand in a script element: nothing in it can end that element, or begin a comment.
std::string ForScript(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const std::string_view rest = std::string_view(text).substr(at, 3);
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else if (rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9") {
      out += rest == "\xE2\x80\xA8" ? "\\u2028" : "\\u2029";
      at += 2;
    } else {
      out += c;
    }
  }
  return out;
}

// The one place of `mark` in the page.
std::string Put(std::string page, std::string_view mark, std::string_view text) {
  const std::size_t at = page.find(mark);
  return at == std::string::npos ? page : page.replace(at, mark.size(), text);
}

}  // namespace

std::string TimelineHtml(const Timeline& timeline) {
  json::array sagas;
  for (const TimelineSaga& saga : timeline.sagas) {
    sagas.push_back(SagaOf(saga, timeline.from));
  }
  const json::object document{{"from", FormatTime(timeline.from)},
                              {"begin", ToMicros(timeline.from)},
                              {"length", Since(timeline.from, timeline.to)},
                              {"sequence", timeline.last.value()},
                              {"ticks_left_out", timeline.ticks_left_out},
                              {"damage", timeline.damage},
                              {"store", ItemsOf(timeline.store, timeline.from)},
                              {"sagas", std::move(sagas)}};
  // The data last: nothing is looked for in what callers wrote.
  std::string page = Put(std::string(kTimelinePageHtml), "/*STYLE*/", kTimelinePageCss);
  page = Put(std::move(page), "/*SCRIPT*/", kTimelinePageJs);
  return Put(std::move(page), "\"DATA\"", ForScript(json::serialize(document)));
}

}  // namespace sagalog::tools
