#include "schema/store_time.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace sagalog {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

struct Date {
  std::int64_t year;
  int month;
  int day;
};

// Days since the Unix epoch to a date of the proleptic Gregorian calendar and back, by eras of
// 400 years that start in March. <chrono> stops at the year 32767, StoreTime does not.
constexpr std::int64_t kDaysPerEra = 146'097;
constexpr std::int64_t kDaysToEpoch = 719'468;

constexpr Date DateFromDays(std::int64_t days) {
  days += kDaysToEpoch;
  const std::int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
  const std::int64_t day_of_era = days - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const auto month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

constexpr std::int64_t DaysFromDate(Date date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToEpoch;
}

static_assert(DaysFromDate({1970, 1, 1}) == 0);
static_assert(DaysFromDate({0, 1, 1}) * kMicrosPerDay == ToMicros(kStoreTimeMin));
static_assert(DaysFromDate({10000, 1, 1}) * kMicrosPerDay - 1 == ToMicros(kStoreTimeMax));

constexpr int DaysInMonth(std::int64_t year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Writes `value` into exactly `width` digits.
void PutDigits(char* out, std::int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads a text from its front. Every function takes what it names, or nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool Take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  // One or more digits.
  std::string_view Digits() {
    std::size_t size = 0;
    while (size < rest_.size() && IsDigit(rest_[size])) {
      ++size;
    }
    const std::string_view digits = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return digits;
  }

  // A number of exactly `width` digits and at most `max`.
  std::optional<int> Number(std::size_t width, int max) {
    if (rest_.size() < width) {
      return std::nullopt;
    }
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (!IsDigit(rest_[i])) {
        return std::nullopt;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return value <= max ? std::optional<int>(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<std::int64_t> TakeDays(Cursor& cursor) {
  const auto year = cursor.Number(4, 9999);
  if (!year || !cursor.Take('-')) {
    return std::nullopt;
  }
  const auto month = cursor.Number(2, 12);
  if (!month || *month == 0 || !cursor.Take('-')) {
    return std::nullopt;
  }
  const auto day = cursor.Number(2, DaysInMonth(*year, *month));
  if (!day || *day == 0) {
    return std::nullopt;
  }
  return DaysFromDate({*year, *month, *day});
}

std::optional<std::int64_t> TakeSeconds(Cursor& cursor) {
  const auto hour = cursor.Number(2, 23);
  if (!hour || !cursor.Take(':')) {
    return std::nullopt;
  }
  const auto minute = cursor.Number(2, 59);
  if (!minute || !cursor.Take(':')) {
    return std::nullopt;
  }
  const auto second = cursor.Number(2, 59);
  if (!second) {
    return std::nullopt;
  }
  return *hour * 3600 + *minute * 60 + *second;
}

// The decimals of a second in microseconds; no decimals are 0.
std::optional<std::int64_t> TakeDecimals(Cursor& cursor) {
  if (!cursor.Take('.')) {
    return 0;
  }
  const std::string_view digits = cursor.Digits();
  if (digits.empty() || digits.size() > 9) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    micros = micros * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return micros;
}

// How far the text's zone is ahead of UTC, in seconds.
std::optional<std::int64_t> TakeOffset(Cursor& cursor) {
  if (cursor.Take('Z') || cursor.Take('z')) {
    return 0;
  }
  const bool ahead = cursor.Take('+');
  if (!ahead && !cursor.Take('-')) {
    return std::nullopt;
  }
  const auto hours = cursor.Number(2, 23);
  if (!hours || !cursor.Take(':')) {
    return std::nullopt;
  }
  const auto minutes = cursor.Number(2, 59);
  if (!minutes) {
    return std::nullopt;
  }
  const std::int64_t seconds = *hours * 3600 + *minutes * 60;
  return ahead ? seconds : -seconds;
}

struct Unit {
  std::string_view name;
  std::int64_t micros;
};

// Largest first.
constexpr std::array<Unit, 6> kUnits = {{{"d", kMicrosPerDay},
                                         {"h", 3600 * kMicrosPerSecond},
                                         {"m", 60 * kMicrosPerSecond},
                                         {"s", kMicrosPerSecond},
                                         {"ms", 1000},
                                         {"us", 1}}};

// A day is 2^13 · 5^8 · 27 microseconds: a whole number of them never has more decimals of a day
// than 13, and fewer of any smaller unit.
constexpr std::size_t kDecimalsMax = 13;
// Digits of the largest count of microseconds.
constexpr std::size_t kWholeDigitsMax = 19;

// `magnitude` microseconds as a count of `unit`, cut to a whole number.
std::string WholeInUnit(std::uint64_t magnitude, Unit unit) {
  return std::to_string(magnitude / static_cast<std::uint64_t>(unit.micros)).append(unit.name);
}

// `magnitude` microseconds as a decimal count of `unit`, if it has a finite form.
std::optional<std::string> InUnit(std::uint64_t magnitude, Unit unit) {
  const auto divisor = static_cast<std::uint64_t>(unit.micros);
  std::string text = std::to_string(magnitude / divisor);
  std::uint64_t remainder = magnitude % divisor;
  if (remainder != 0) {
    text += '.';
  }
  for (std::size_t decimals = 0; remainder != 0; ++decimals) {
    if (decimals == kDecimalsMax) {
      return std::nullopt;
    }
    remainder *= 10;
    text += static_cast<char>('0' + remainder / divisor);
    remainder %= divisor;
  }
  text += unit.name;
  return text;
}

Wide ToNumber(std::string_view digits) {
  Wide value = 0;
  for (const char digit : digits) {
    value = value * 10 + (digit - '0');
  }
  return value;
}

std::string_view WithoutLeadingZeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

std::string_view WithoutTrailingZeros(std::string_view digits) {
  return digits.substr(0, digits.find_last_not_of('0') + 1);
}

// What the caller sent, but no pages of it.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kQuotedMax = 64;
  return text.size() <= kQuotedMax ? fmt::format("\"{}\"", text)
                                   : fmt::format("a text of {} bytes", text.size());
}

Status NoDuration(std::string_view text, std::string_view problem) {
  return Status(Code::kInvalidArgument,
                fmt::format("{} is no duration: {}", Quoted(text), problem));
}

Status NoTime(std::string_view text) {
  return Status(Code::kInvalidArgument,
                fmt::format("{} is no RFC 3339 time with an offset, like 2026-11-21T03:18:00Z",
                            Quoted(text)));
}

}  // namespace

void AppendTime(std::string& out, StoreTime time) {
  const std::int64_t micros = ToMicros(time);
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t of_day = micros % kMicrosPerDay;
  if (of_day < 0) {
    of_day += kMicrosPerDay;
    --days;
  }
  const Date date = DateFromDays(days);
  if (date.year < 0 || date.year > 9999) {
    out += fmt::format("{:+05}", date.year);
  } else {
    char year[4];
    PutDigits(year, date.year, 4);
    out.append(year, 4);
  }
  const std::int64_t second = of_day / kMicrosPerSecond;
  char text[] = "-MM-DDThh:mm:ss.uuuuuuZ";
  PutDigits(text + 1, date.month, 2);
  PutDigits(text + 4, date.day, 2);
  PutDigits(text + 7, second / 3600, 2);
  PutDigits(text + 10, second / 60 % 60, 2);
  PutDigits(text + 13, second % 60, 2);
  PutDigits(text + 16, of_day % kMicrosPerSecond, 6);
  out.append(text, sizeof(text) - 1);
}

std::string FormatTime(StoreTime time) {
  std::string text;
  AppendTime(text, time);
  return text;
}

Result<StoreTime> ParseTime(std::string_view text) {
  Cursor cursor(text);
  const auto days = TakeDays(cursor);
  if (!days || !(cursor.Take('T') || cursor.Take('t'))) {
    return NoTime(text);
  }
  const auto seconds = TakeSeconds(cursor);
  if (!seconds) {
    return NoTime(text);
  }
  const auto micros = TakeDecimals(cursor);
  if (!micros) {
    return NoTime(text);
  }
  const auto offset = TakeOffset(cursor);
  if (!offset || !cursor.empty()) {
    return NoTime(text);
  }
  const StoreTime time =
      TimeFromMicros(*days * kMicrosPerDay + (*seconds - *offset) * kMicrosPerSecond + *micros);
  if (time < kStoreTimeMin || time > kStoreTimeMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("\"{}\" is outside the years 0000 to 9999 of UTC", text));
  }
  return time;
}

std::string FormatDuration(Duration duration) {
  const std::int64_t micros = duration.count();
  if (micros == 0) {
    return "0s";
  }
  const std::uint64_t magnitude =
      micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  // No fraction is shorter than a whole number of three digits, and of two forms of one length a
  // whole number reads better.
  constexpr std::size_t kShortSize = 4;
  for (const Unit unit : kUnits) {
    if (magnitude % static_cast<std::uint64_t>(unit.micros) == 0) {
      const std::string text = WholeInUnit(magnitude, unit);
      if (text.size() <= kShortSize) {
        return micros < 0 ? "-" + text : text;
      }
      break;
    }
  }
  // Whole numbers of one length in two units do not happen; of two fractions the larger unit wins.
  std::string best;
  for (const Unit unit : kUnits) {
    const auto text = InUnit(magnitude, unit);
    if (!text) {
      continue;
    }
    const bool whole = text->find('.') == std::string::npos;
    if (best.empty() || text->size() < best.size() || (text->size() == best.size() && whole)) {
      best = *text;
    }
  }
  return micros < 0 ? "-" + best : best;
}

Result<Duration> ParseDuration(std::string_view text) {
  Cursor cursor(text);
  const bool negative = cursor.Take('-');
  const std::string_view whole_digits = cursor.Digits();
  std::string_view decimals;
  const bool has_point = cursor.Take('.');
  if (has_point) {
    decimals = cursor.Digits();
  }
  if (whole_digits.empty() || (has_point && decimals.empty())) {
    return NoDuration(text, "it needs a decimal number, like 1.5s");
  }
  const Unit* unit = nullptr;
  for (const Unit& candidate : kUnits) {
    if (candidate.name == cursor.rest()) {
      unit = &candidate;
    }
  }
  if (unit == nullptr) {
    return NoDuration(text, "its unit must be one of us, ms, s, m, h and d");
  }
  const std::string_view whole = WithoutLeadingZeros(whole_digits);
  decimals = WithoutTrailingZeros(decimals);
  if (whole.size() > kWholeDigitsMax) {
    return NoDuration(text, "it is too long to be kept");
  }
  Wide scale = 1;
  for (std::size_t i = 0; i < std::min(decimals.size(), kDecimalsMax); ++i) {
    scale *= 10;
  }
  if (decimals.size() > kDecimalsMax || ToNumber(decimals) * unit->micros % scale != 0) {
    return NoDuration(text, "it is no whole number of microseconds");
  }
  const Wide magnitude = ToNumber(whole) * unit->micros + ToNumber(decimals) * unit->micros / scale;
  const Wide micros = negative ? -magnitude : magnitude;
  if (micros > INT64_MAX || micros < INT64_MIN) {
    return NoDuration(text, "it is too long to be kept");
  }
  return Duration(static_cast<std::int64_t>(micros));
}

}  // namespace sagalog
