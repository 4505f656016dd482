#include "tools/moment.h"

#include <array>
#include <chrono>

#include <fmt/format.h>

namespace sagalog::tools {

std::string Length(Duration duration) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  static constexpr std::array<Unit, 4> kUnits = {
      {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  const std::int64_t seconds =
      std::chrono::abs(std::chrono::round<std::chrono::seconds>(duration)).count();
  for (std::size_t i = 0; i + 1 < kUnits.size(); ++i) {
    if (seconds < kUnits[i].seconds) {
      continue;
    }
    const std::int64_t rest = seconds % kUnits[i].seconds / kUnits[i + 1].seconds;
    const std::string first = fmt::format("{} {}", seconds / kUnits[i].seconds, kUnits[i].name);
    return rest == 0 ? first : fmt::format("{} {} {}", first, rest, kUnits[i + 1].name);
  }
  return fmt::format("{} s", seconds);
}

std::string Relative(StoreTime time, StoreTime now) {
  return time > now ? "in " + Length(time - now) : Length(now - time) + " ago";
}

std::string ToTheSecond(std::string_view time) {
  const std::size_t dot = time.find('.');
  return dot == std::string_view::npos ? std::string(time) : std::string(time.substr(0, dot)) + "Z";
}

std::string Moment(std::string_view time, std::optional<StoreTime> now) {
  const auto parsed = ParseTime(time);
  if (!now || !parsed.ok()) {
    return ToTheSecond(time);
  }
  return fmt::format("{} ({})", Relative(*parsed, *now), ToTheSecond(time));
}

}  // namespace sagalog::tools
