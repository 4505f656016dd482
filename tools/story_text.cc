#include "tools/story_text.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "tools/moment.h"
#include "tools/story_words.h"
#include "tools/text_wrap.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// Sentences are hard to read in lines longer than this.
constexpr std::size_t kColumnsMax = 100;
// The text keeps at least so much beside the columns of times.
constexpr std::size_t kTextColumnsMin = 24;

std::string_view DateOf(const std::string& time) {
  return std::string_view(time).substr(0, time.find('T'));
}

std::string Pad(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width > text.size() ? width - text.size() : 0, ' ');
  return right ? blanks + text : text + blanks;
}

// The columns beside the sentences.
struct Margin {
  std::vector<std::string> times;
  std::vector<std::string> since;
  std::vector<std::string> sequences;
  std::size_t time_width = 0;
  std::size_t since_width = 0;
  std::size_t sequence_width = 0;

  explicit Margin(const Story& story) {
    for (const StoryLine& line : story.lines) {
      times.push_back(TimeOfDay(line.at));
      const Duration passed = line.at - story.began;
      since.push_back(passed < Duration::zero() ? "-" + Span(passed) : "+" + Span(passed));
      sequences.push_back(line.sequence.IsNone() ? "" : fmt::format("#{}", line.sequence.value()));
      time_width = std::max(time_width, times.back().size());
      since_width = std::max(since_width, since.back().size());
      sequence_width = std::max(sequence_width, sequences.back().size());
    }
  }

  [[nodiscard]] std::size_t width() const { return time_width + since_width + sequence_width + 6; }
  [[nodiscard]] std::string Of(std::size_t i) const {
    return fmt::format("{}  {}  {}  ", Pad(times[i], time_width, false),
                       Pad(since[i], since_width, true), Pad(sequences[i], sequence_width, true));
  }
};

void AddWrapped(std::string& out, const std::string& first, const std::string& rest,
                const std::string& text, std::size_t columns, Style style, bool color) {
  const std::size_t width =
      columns > rest.size() + kTextColumnsMin ? columns - rest.size() : kTextColumnsMin;
  bool begun = false;
  for (const std::string& line : WrapWords(text, width)) {
    out += (begun ? rest : first) + Paint(line, style, color) + "\n";
    begun = true;
  }
}

void AddList(std::string& out, std::string_view title, const std::vector<std::string>& items,
             std::size_t columns, bool color) {
  if (items.empty()) {
    return;
  }
  out += "\n" + Paint(title, Style::kStrong, color) + "\n";
  for (const std::string& item : items) {
    AddWrapped(out, "  ", "    ", item, columns, Style::kPlain, color);
  }
}

void AddLines(std::string& out, const Story& story, std::size_t columns, bool color) {
  const Margin margin(story);
  const std::string blank(margin.width() + 2, ' ');
  std::string date;
  for (std::size_t i = 0; i < story.lines.size(); ++i) {
    const StoryLine& line = story.lines[i];
    const std::string time = FormatTime(line.at);
    if (DateOf(time) != date) {
      date = DateOf(time);
      out += fmt::format("\n{}\n",
                         Paint(fmt::format("{}{} (UTC)", i == 0 ? "What happened, " : "", date),
                               Style::kStrong, color));
    }
    AddWrapped(out, "  " + Paint(margin.Of(i), Style::kDim, color), blank, line.text, columns,
               line.style, color);
  }
}

json::array ArrayOf(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

}  // namespace

std::string StoryText(const Story& story, std::size_t columns, bool color) {
  columns = columns == 0 ? kColumnsMax : std::min(columns, kColumnsMax);
  std::string out;
  AddWrapped(out, "", "", story.headline, columns, story.headline_style, color);
  AddList(out, "In short", story.in_short, columns, color);
  AddLines(out, story, columns, color);
  AddList(out, "Still owed", story.owed, columns, color);
  if (!story.next.empty()) {
    out += "\n" + Paint("What can be done", Style::kStrong, color) + "\n";
    for (const std::string& command : story.next) {
      out += "  " + command + "\n";  // never broken: it is there to be copied
    }
  }
  out += "\n" + Paint(fmt::format("As of {}, event {} of the log.", DateAndTime(story.now),
                                  story.last.value()),
                      Style::kDim, color);
  return out;
}

json::object StoryJson(const Story& story) {
  json::array lines;
  for (const StoryLine& line : story.lines) {
    json::object row{{"time", FormatTime(line.at)}, {"kind", line.kind}, {"text", line.text}};
    if (!line.sequence.IsNone()) {
      row["sequence"] = line.sequence.value();
    }
    row["facts"] = line.facts;
    lines.push_back(std::move(row));
  }
  return {{"saga_id", story.saga_id},
          {"state", schema::EnumNameState(story.state)},
          {"version", story.version},
          {"sequence", story.last.value()},
          {"now", FormatTime(story.now)},
          {"headline", story.headline},
          {"in_short", ArrayOf(story.in_short)},
          {"lines", std::move(lines)},
          {"owed", ArrayOf(story.owed)},
          {"next", ArrayOf(story.next)}};
}

}  // namespace sagalog::tools
