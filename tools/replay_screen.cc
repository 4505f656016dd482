#include "tools/replay_screen.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "reactor/past_place.h"
#include "schema/json.h"
#include "tools/moment.h"
#include "tools/replay_text.h"
#include "tools/terminal.h"
#include "tools/text_wrap.h"

namespace sagalog::tools {
namespace {

using Key = RawTerminal::Key;

constexpr std::array<const char*, 2> kKeys = {
    "n next   p previous   s/S this saga   t/T this type   ]/[ minute   g go to",
    "/ filter   space play   ? help   q quit"};

constexpr const char* kHelp = R"(n, right     the next event         p, left      the previous one
s / S        of this saga           t / T        of this type
] / [        a minute on / back     } / {        an hour on / back
page down    100 events on          page up      100 events back
home         the first one          end          the last one
g            go to a sequence, or to a time such as 2026-11-21T03:18:00Z
/            show only some events: type=leased owner=w1 label=team=core
space        play, and pause        + / -        play faster, slower
?            these lines            q            the end (escape: also out of these lines))";

constexpr int kManyEvents = 100;

// While it plays, nothing stays longer: nights are dull.
constexpr std::chrono::milliseconds kStayMax{2000};
constexpr std::chrono::milliseconds kStayMin{20};

std::string SagaIdOf(const events::Event& event) {
  return event.saga_id() == nullptr ? std::string() : event.saga_id()->str();
}

std::string InColumn(const std::string& text, std::size_t width) {
  const std::string cut = CutToWidth(text, width);
  return cut + std::string(width - DisplayWidth(cut), ' ');
}

// As many lines of `text` as a screen has room for above `foot`, which is never cut: what is typed
// is in it.
std::string_view FirstLines(std::string_view text, std::size_t rows, std::string_view foot) {
  const auto below = static_cast<std::size_t>(std::count(foot.begin(), foot.end(), '\n'));
  std::size_t end = 0;
  for (std::size_t line = below; line < rows && end < text.size(); ++line) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  }
  return text.substr(0, end);
}

}  // namespace

Status ReplayScreen::Run() {
  RETURN_IF_ERROR(Step(true, nullptr, "no event matches"));
  while (true) {
    RETURN_IF_ERROR(Draw(message_));
    const RawTerminal::Press press = terminal_.Read(stays_);
    message_.clear();
    ASSIGN_OR_RETURN(const bool goes_on, Act(press));
    if (!goes_on) {
      return {};
    }
  }
}

Result<bool> ReplayScreen::Act(const RawTerminal::Press& press) {
  const bool plays = stays_.has_value();
  if (press.key == Key::kTimeout && plays) {
    RETURN_IF_ERROR(Play());
    return true;
  }
  const bool leaves_help = helps_ && press.key == Key::kEscape;
  if (press.key != Key::kResized) {
    stays_.reset();
    helps_ = press.key == Key::kText && press.text == "?" && !helps_;
  }
  switch (press.key) {
    case Key::kGone: return false;
    case Key::kEscape: return leaves_help;
    case Key::kEnter:
    case Key::kDown:
    case Key::kRight: return ActOnText('n');
    case Key::kUp:
    case Key::kLeft:
    case Key::kBackspace: return ActOnText('p');
    case Key::kHome: RETURN_IF_ERROR(cursor_.GoTo(Sequence())); return ActOnText('n');
    case Key::kEnd: RETURN_IF_ERROR(GoToEnd()); return true;
    case Key::kPageDown: RETURN_IF_ERROR(StepMany(true)); return true;
    case Key::kPageUp: RETURN_IF_ERROR(StepMany(false)); return true;
    case Key::kText:
      if (press.text == " " && plays) {
        message_ = "paused";
        return true;
      }
      return ActOnText(press.text.front());
    case Key::kResized:
    case Key::kTimeout: break;
  }
  return true;
}

Result<bool> ReplayScreen::ActOnText(char key) {
  using std::chrono::hours;
  using std::chrono::minutes;
  switch (key) {
    case 'q': return false;
    case 'n': RETURN_IF_ERROR(Step(true, nullptr, "no later event matches")); break;
    case 'p': RETURN_IF_ERROR(Step(false, nullptr, "no earlier event matches")); break;
    case 's': RETURN_IF_ERROR(StepInSaga(true)); break;
    case 'S': RETURN_IF_ERROR(StepInSaga(false)); break;
    case 't': RETURN_IF_ERROR(StepInType(true)); break;
    case 'T': RETURN_IF_ERROR(StepInType(false)); break;
    case ']': RETURN_IF_ERROR(StepInTime(minutes(1))); break;
    case '[': RETURN_IF_ERROR(StepInTime(minutes(-1))); break;
    case '}': RETURN_IF_ERROR(StepInTime(hours(1))); break;
    case '{': RETURN_IF_ERROR(StepInTime(hours(-1))); break;
    case 'g': RETURN_IF_ERROR(AskWhere()); break;
    case '/': RETURN_IF_ERROR(AskFilter()); break;
    case ' ': RETURN_IF_ERROR(Play()); break;
    case '+': settings_.speed *= 2; break;
    case '-': settings_.speed /= 2; break;
    default: break;
  }
  if (key == '+' || key == '-') {
    message_ = fmt::format("plays at {:g} times the recorded speed", settings_.speed);
  }
  return true;
}

Status ReplayScreen::Step(bool forwards, const ReplayCursor::Wanted& wanted, const char* nothing) {
  ASSIGN_OR_RETURN(const bool moved, forwards ? cursor_.Forward(wanted) : cursor_.Backward(wanted));
  if (!moved) {
    message_ = nothing;
  }
  return {};
}

Status ReplayScreen::StepInSaga(bool forwards) {
  if (cursor_.at().IsNone()) {
    return {};
  }
  ASSIGN_OR_RETURN(const StoredEvent here, cursor_.Read());
  const std::string saga = SagaIdOf(*here);
  return Step(
      forwards, [&saga](const events::Event& event) { return SagaIdOf(event) == saga; },
      forwards ? "no later event of this saga" : "no earlier event of this saga");
}

Status ReplayScreen::StepInType(bool forwards) {
  if (cursor_.at().IsNone()) {
    return {};
  }
  ASSIGN_OR_RETURN(const StoredEvent here, cursor_.Read());
  const events::Body type = here->body_type();
  return Step(
      forwards, [type](const events::Event& event) { return event.body_type() == type; },
      forwards ? "no later event of this type" : "no earlier event of this type");
}

// To what had happened by then: the first that matches from there on, or before there.
Status ReplayScreen::StepInTime(Duration by) {
  if (cursor_.at().IsNone()) {
    return {};
  }
  ASSIGN_OR_RETURN(const StoredEvent here, cursor_.Read());
  const StoreTime then = TimeFromMicros(here->time()) + by;
  ASSIGN_OR_RETURN(const PastPlace place, FindPlace(log_, cursor_.last(), then, kStoreTimeMax));
  const Sequence was = cursor_.at();
  if (by > Duration::zero()) {
    RETURN_IF_ERROR(cursor_.GoTo(std::max(was, Sequence(place.through.value() - 1))));
    RETURN_IF_ERROR(Step(true, nullptr, "no later event matches"));
    return message_.empty() ? Status() : cursor_.GoTo(was);
  }
  RETURN_IF_ERROR(cursor_.GoTo(std::min(was, place.through.Next())));
  ASSIGN_OR_RETURN(const bool moved, cursor_.Backward());
  if (!moved) {
    RETURN_IF_ERROR(cursor_.GoTo(Sequence()));
    return Step(true, nullptr, "no event matches");
  }
  return {};
}

Status ReplayScreen::StepMany(bool forwards) {
  for (int i = 0; i < kManyEvents && message_.empty(); ++i) {
    RETURN_IF_ERROR(
        Step(forwards, nullptr, forwards ? "no later event matches" : "no earlier event matches"));
  }
  return {};
}

Status ReplayScreen::GoToEnd() {
  RETURN_IF_ERROR(cursor_.GoTo(cursor_.last()));
  ASSIGN_OR_RETURN(const bool matches, cursor_.IsMatch());
  return matches ? Status() : Step(false, nullptr, "no event matches");
}

Status ReplayScreen::AskWhere() {
  ASSIGN_OR_RETURN(const auto answer, Ask("go to (sequence or time): ", ""));
  if (!answer || answer->empty()) {
    message_ = "given up";
    return {};
  }
  const auto moment = ParsePastMoment(*answer);
  if (!moment.ok()) {
    message_ = moment.status().text();
    return {};
  }
  const auto place = FindPlace(log_, cursor_.last(), *moment, kStoreTimeMax);
  if (place.status().code() == Code::kInvalidArgument) {
    message_ = place.status().text();
    return {};
  }
  RETURN_IF_ERROR(place.status());
  return cursor_.GoTo(std::max(place->through, cursor_.first()));
}

Status ReplayScreen::AskFilter() {
  ASSIGN_OR_RETURN(const auto answer, Ask("show only: ", settings_.filter));
  if (!answer) {
    message_ = "given up";
    return {};
  }
  auto filter = answer->empty() ? Result<EventFilter>(EventFilter()) : EventFilter::Parse(*answer);
  if (!filter.ok()) {
    message_ = filter.status().text();
    return {};
  }
  settings_.filter = *answer;
  cursor_.SetFilter(*std::move(filter));
  message_ = "n and p pass over everything else";
  return {};
}

Status ReplayScreen::Play() {
  const Sequence was = cursor_.at();
  stays_.reset();
  RETURN_IF_ERROR(Step(true, nullptr, "played to the end"));
  if (was.IsNone() || cursor_.at() == was) {
    return {};
  }
  ASSIGN_OR_RETURN(const StoredEvent before, log_.Read(was));
  ASSIGN_OR_RETURN(const StoredEvent here, cursor_.Read());
  const double micros = static_cast<double>(here->time() - before->time()) / settings_.speed;
  const auto most = std::chrono::duration_cast<Duration>(kStayMax).count();
  const Duration stay(static_cast<std::int64_t>(std::min(micros, static_cast<double>(most))));
  stays_ = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(stay), kStayMin);
  message_ = fmt::format("playing at {:g} times the recorded speed: space pauses", settings_.speed);
  return {};
}

Result<std::optional<std::string>> ReplayScreen::Ask(const std::string& question,
                                                     std::string answer) {
  while (true) {
    RETURN_IF_ERROR(Draw(question + answer + "_"));
    const RawTerminal::Press press = terminal_.Read();
    switch (press.key) {
      case Key::kEnter: return std::optional(answer);
      case Key::kEscape:
      case Key::kGone: return std::optional<std::string>();
      case Key::kBackspace:
        while (!answer.empty() && (answer.back() & 0xC0) == 0x80) {
          answer.pop_back();
        }
        if (!answer.empty()) {
          answer.pop_back();
        }
        break;
      case Key::kText: answer += press.text; break;
      default: break;
    }
  }
}

std::string ReplayScreen::Line(const std::string& text, Style style) const {
  return Paint(CutToWidth(Printable(text), terminal_.columns()), style, settings_.color) + "\n";
}

std::string ReplayScreen::Header() const {
  std::string text = Line(fmt::format("{}  event {} of {}", settings_.title, cursor_.at().value(),
                                      cursor_.last().value()),
                          Style::kStrong);
  if (!settings_.warning.empty()) {
    text += Line(settings_.warning, Style::kBad);
  }
  if (!settings_.filter.empty()) {
    text += Line("only " + settings_.filter, Style::kBusy);
  }
  return text + "\n";
}

std::string ReplayScreen::Body(const ReplayStep& step) const {
  const events::Event& event = step.event;
  const StoreTime now = TimeFromMicros(event.time());
  const std::string saga = SagaIdOf(event);
  std::string text = Line(FormatTime(now));
  text += Line(fmt::format("{}  {}{}", saga.empty() ? "the store itself" : saga,
                           EventTypeName(event.body_type()), ByWhom(event)),
               Style::kStrong);
  const std::size_t width = std::max<std::size_t>(terminal_.columns(), 24);
  for (const std::string& line : WrapWords(DetailOf(event), width - 2)) {
    text += Line("  " + line);
  }
  if (saga.empty()) {
    return text;
  }
  const std::size_t column = (width - 16) / 2;
  text += "\n" + Line("              " + InColumn("BEFORE", column) + "  AFTER", Style::kDim);
  const auto before = FieldsOf(step.before, now);
  const auto after = FieldsOf(step.after, now);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].second.empty() && after[i].second.empty()) {
      continue;
    }
    const bool same = before[i].second == after[i].second;
    text += Line(fmt::format("{:<13} {}  {}", before[i].first, InColumn(before[i].second, column),
                             same                      ? "="
                             : after[i].second.empty() ? "-"
                                                       : after[i].second),
                 same ? Style::kDim : Style::kPlain);
  }
  return text;
}

Status ReplayScreen::Draw(const std::string& last_line) {
  std::string text = Header();
  if (helps_) {
    text += std::string(kHelp) + "\n";
  } else if (cursor_.at().IsNone()) {
    text += Line("in front of the first event");
  } else {
    RETURN_IF_ERROR(cursor_.Look([&](const ReplayStep& step) {
      text += Body(step);
      return Status();
    }));
  }
  std::string foot = "\n";
  for (const char* line : kKeys) {
    foot += Line(line, Style::kDim);
  }
  foot += Line(last_line, Style::kBusy);
  terminal_.Draw(std::string(FirstLines(text, terminal_.rows(), foot)) + foot);
  return {};
}

}  // namespace sagalog::tools
