#include "tools/event_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "schema/json.h"
#include "schema/text_view.h"

namespace sagalog::tools {
namespace {

// Whether `text` is `pattern`, in which a * stands for anything.
bool IsLike(std::string_view text, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return text == pattern;
  }
  if (!text.starts_with(pattern.substr(0, star))) {
    return false;
  }
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t from = star; from <= text.size(); ++from) {
    if (IsLike(text.substr(from), rest)) {
      return true;
    }
  }
  return false;
}

bool IsOneOf(std::string_view text, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [text](const std::string& pattern) { return IsLike(text, pattern); });
}

// Whether it notes that a command about one of these sagas was refused.
bool TellsOfRefusal(const events::Event& event, const std::vector<std::string>& sagas) {
  const auto* noted = event.body_as_RefusalsNoted();
  return noted != nullptr && noted->refusals() != nullptr &&
         std::any_of(noted->refusals()->begin(), noted->refusals()->end(),
                     [&](const events::NotedRefusal* refusal) {
                       return IsOneOf(View(refusal->saga_id()), sagas);
                     });
}

bool HasLabel(const EventSubject::Labels* labels, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  return labels != nullptr &&
         std::any_of(labels->begin(), labels->end(), [&](const schema::Label* label) {
           return IsLike(View(label->name()), std::string_view(wanted).substr(0, equals)) &&
                  (equals == std::string::npos ||
                   IsLike(View(label->value()), std::string_view(wanted).substr(equals + 1)));
         });
}

bool IsEventType(std::string_view pattern) {
  return std::any_of(std::begin(events::EnumValuesBody()), std::end(events::EnumValuesBody()),
                     [pattern](events::Body type) {
                       return type != events::Body::NONE && IsLike(EventTypeName(type), pattern);
                     });
}

}  // namespace

// Reads one filter from left to right; what is wrong is said with its column, counted from 1.
class EventFilterParser {
 public:
  explicit EventFilterParser(std::string_view text) : text_(text) {}

  Result<EventFilter> Parse() {
    EventFilter filter;
    for (SkipSpaces(); at_ < text_.size(); SkipSpaces()) {
      ASSIGN_OR_RETURN(EventFilter::Term term, ReadTerm());
      filter.terms_.push_back(std::move(term));
    }
    if (filter.terms_.empty()) {
      return Wrong(0, "it is empty: type=leased, for instance");
    }
    return filter;
  }

 private:
  using Name = EventFilter::Name;
  using Sign = EventFilter::Sign;
  using Term = EventFilter::Term;

  [[nodiscard]] static Status Wrong(std::size_t at, std::string_view what) {
    return {Code::kInvalidArgument, fmt::format("column {}: {}", at + 1, what)};
  }

  void SkipSpaces() {
    while (at_ < text_.size() && text_[at_] == ' ') {
      ++at_;
    }
  }

  Result<Term> ReadTerm() {
    ASSIGN_OR_RETURN(const Name name, ReadName());
    ASSIGN_OR_RETURN(const Sign sign, ReadSign(name));
    Term term{name, sign, {}, {}};
    do {
      const std::size_t begin = at_;
      ASSIGN_OR_RETURN(std::string value, ReadValue());
      RETURN_IF_ERROR(AddValue(begin, std::move(value), term));
    } while (Take(","));
    if (term.numbers.size() > 1 && sign != Sign::kIs && sign != Sign::kIsNot) {
      return Wrong(at_, "more than one value is for = and != alone");
    }
    return term;
  }

  Result<Name> ReadName() {
    static constexpr std::array<std::pair<std::string_view, Name>, 8> kNames = {
        {{"type", Name::kType},
         {"saga", Name::kSaga},
         {"owner", Name::kOwner},
         {"queue", Name::kQueue},
         {"label", Name::kLabel},
         {"actor", Name::kActor},
         {"time", Name::kTime},
         {"sequence", Name::kSequence}}};
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(" =!<>,\"", at_), text_.size());
    const std::string_view word = text_.substr(begin, at_ - begin);
    for (const auto& [name, value] : kNames) {
      if (name == word) {
        return value;
      }
    }
    return Wrong(begin, fmt::format("\"{}\" is nothing to ask for: type, saga, owner, queue, "
                                    "label, actor, time or sequence",
                                    word));
  }

  Result<Sign> ReadSign(Name name) {
    static constexpr std::array<std::pair<std::string_view, Sign>, 6> kSigns = {
        {{"!=", Sign::kIsNot},
         {"<=", Sign::kAtMost},
         {">=", Sign::kAtLeast},
         {"=", Sign::kIs},
         {"<", Sign::kBelow},
         {">", Sign::kAbove}}};
    const std::size_t begin = at_;
    for (const auto& [text, sign] : kSigns) {
      if (!Take(text)) {
        continue;
      }
      const bool ordered = name == Name::kTime || name == Name::kSequence;
      if (!ordered && sign != Sign::kIs && sign != Sign::kIsNot) {
        return Wrong(begin, fmt::format("{} is for time and sequence: = or !=", text));
      }
      return sign;
    }
    return Wrong(begin, "= or != is needed here, or <, <=, > or >= for time and sequence");
  }

  bool Take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) {
      return false;
    }
    at_ += expected.size();
    return true;
  }

  Result<std::string> ReadValue() {
    const std::size_t begin = at_;
    if (!Take("\"")) {
      at_ = std::min(text_.find_first_of(" ,\"", at_), text_.size());
      if (at_ == begin) {
        return Wrong(begin, "a value is needed here (\"\" is the empty one)");
      }
      return std::string(text_.substr(begin, at_ - begin));
    }
    std::string value;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 1 : 0;
      value += text_[at_];
    }
    if (!Take("\"")) {
      return Wrong(begin, "the quote that begins here does not end");
    }
    return value;
  }

  static Status AddValue(std::size_t begin, std::string value, Term& term) {
    if (term.name == Name::kTime) {
      const auto time = ParseTime(value);
      if (!time.ok()) {
        return Wrong(begin, fmt::format("\"{}\" is no time with a zone: 2026-11-21T03:18:00Z, "
                                        "for instance",
                                        value));
      }
      term.numbers.push_back(ToMicros(*time));
      return {};
    }
    if (term.name == Name::kSequence) {
      std::int64_t number = 0;
      const char* const end = value.data() + value.size();
      const auto parsed = std::from_chars(value.data(), end, number);
      if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) {
        return Wrong(begin, fmt::format("\"{}\" is no sequence", value));
      }
      term.numbers.push_back(number);
      return {};
    }
    if (term.name == Name::kType && !IsEventType(value)) {
      return Wrong(begin, fmt::format("\"{}\" is no type of event", value));
    }
    if (term.name == Name::kLabel && (value.empty() || value.front() == '=')) {
      return Wrong(begin, "a label is NAME=VALUE, or NAME alone");
    }
    term.texts.push_back(std::move(value));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<EventFilter> EventFilter::Parse(std::string_view text) {
  return EventFilterParser(text).Parse();
}

bool EventFilter::IsOfSaga(const Term& term) {
  return term.name == Name::kOwner || term.name == Name::kQueue || term.name == Name::kLabel;
}

bool EventFilter::AsksForSaga() const {
  return std::any_of(terms_.begin(), terms_.end(), IsOfSaga);
}

bool EventFilter::AsksForLabels() const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [](const Term& term) { return term.name == Name::kLabel; });
}

bool EventFilter::MayMatch(const events::Event& event) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return IsOfSaga(term) || HoldsFor(term, event, {}); });
}

bool EventFilter::Matches(const events::Event& event, const EventSubject& subject) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return HoldsFor(term, event, subject); });
}

bool EventFilter::HoldsFor(const Term& term, const events::Event& event,
                           const EventSubject& subject) {
  const auto number = [&] {
    return term.name == Name::kTime ? event.time() : static_cast<std::int64_t>(event.sequence());
  };
  switch (term.sign) {
    case Sign::kBelow: return number() < term.numbers.front();
    case Sign::kAtMost: return number() <= term.numbers.front();
    case Sign::kAbove: return number() > term.numbers.front();
    case Sign::kAtLeast: return number() >= term.numbers.front();
    case Sign::kIs:
    case Sign::kIsNot: break;
  }
  bool is = false;
  switch (term.name) {
    case Name::kType: is = IsOneOf(EventTypeName(event.body_type()), term.texts); break;
    case Name::kSaga:
      is = IsOneOf(View(event.saga_id()), term.texts) || TellsOfRefusal(event, term.texts);
      break;
    case Name::kOwner: is = IsOneOf(subject.owner, term.texts); break;
    case Name::kQueue: is = IsOneOf(subject.queue, term.texts); break;
    case Name::kActor:
      is = IsOneOf(View(event.actor()), term.texts) || IsOneOf(View(event.principal()), term.texts);
      break;
    case Name::kLabel:
      is = std::any_of(term.texts.begin(), term.texts.end(),
                       [&](const std::string& label) { return HasLabel(subject.labels, label); });
      break;
    case Name::kTime:
    case Name::kSequence:
      is = std::find(term.numbers.begin(), term.numbers.end(), number()) != term.numbers.end();
      break;
  }
  return is == (term.sign == Sign::kIs);
}

}  // namespace sagalog::tools
