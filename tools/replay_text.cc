#include "tools/replay_text.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "schema/json.h"
#include "schema/text_view.h"
#include "tools/event_text.h"
#include "tools/json_fields.h"
#include "tools/terminal.h"

namespace sagalog::tools {

void AppendStepJson(std::string& out, const ReplayStep& step) {
  out += R"({"event":)";
  AppendEventJson(out, step.event);
  out += R"(,"before":)";
  AppendJson(out, step.before);
  out += R"(,"after":)";
  AppendJson(out, step.after);
  out += "}\n";
}

std::string DetailOf(const events::Event& event) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(EventToJson(event), error);
  return Printable(EventDetail(AsObject(value)));
}

std::string ByWhom(const events::Event& event) {
  const std::string_view actor = View(event.actor());
  const std::string_view who = actor.empty() ? View(event.principal()) : actor;
  return who.empty() ? "" : fmt::format("  (by {})", Printable(who));
}

std::string StepInWords(const ReplayStep& step, bool color) {
  const events::Event& event = step.event;
  const StoreTime now = TimeFromMicros(event.time());
  const bool of_store = event.saga_id() == nullptr || event.saga_id()->size() == 0;
  std::string text = fmt::format("{:>8}  {}  {}  {}  {}{}\n", event.sequence(), FormatTime(now),
                                 of_store ? "-" : Printable(event.saga_id()->string_view()),
                                 Paint(EventTypeName(event.body_type()), Style::kStrong, color),
                                 DetailOf(event), ByWhom(event));
  if (of_store) {
    return text;
  }
  const std::string before = InWords(step.before, now);
  const std::string after = InWords(step.after, now);
  constexpr const char* kLine = "          {:<7} {}\n";
  if (before == after) {
    return text + fmt::format(kLine, "still", after);
  }
  return text + fmt::format(kLine, "before", before) + fmt::format(kLine, "after", after);
}

}  // namespace sagalog::tools
