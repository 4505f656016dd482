#include "tools/argument_checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

// What may say nothing: stages, which are empty at first, and what is written for people.
constexpr std::array<std::string_view, 15> kMayBeEmpty = {
    "--stage",  "--next",     "--expected",    "--expected-stage",  "--reason",
    "--result", "--evidence", "--detail",      "--section-outcome", "--progress",
    "--text",   "--rerun",    "--fingerprint", "--outcome",         "--no-compensation-reason"};
constexpr std::string_view kText = "TEXT";
// Behind "--": another program's.
constexpr std::string_view kWordsOfACommand = "-- COMMAND...";

bool NamesSomething(const CLI::Option& option) {
  const bool has_value = option.get_type_size() != 0 && option.get_items_expected_max() != 0;
  const std::string type = option.get_type_name();
  const bool text = type == kText && std::find(kMayBeEmpty.begin(), kMayBeEmpty.end(),
                                               option.get_name()) != kMayBeEmpty.end();
  return has_value && !text && type != kWordsOfACommand;
}

std::string_view TypeInWords(std::string_view type) {
  if (type == "DIR") {
    return "a directory";
  }
  if (type.find("FILE") != std::string_view::npos) {
    return "a file";
  }
  if (type == "ID") {
    return "an id";
  }
  return type == "SEQUENCE|TIME" || type == "TIME" ? "a moment" : "a value";
}

std::optional<std::uint64_t> AsNumber(const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

std::string RangeInWords(const NumberRange& range) {
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  return range.max == kNoLimit ? fmt::format("from {} on", range.min)
                               : fmt::format("from {} to {}", range.min, range.max);
}

}  // namespace

void RefuseEmptyArguments(CLI::App& app) {
  for (CLI::Option* option : app.get_options({})) {
    if (!NamesSomething(*option)) {
      continue;
    }
    const std::string needed(TypeInWords(option->get_type_name()));
    option->check([needed](const std::string& value) {
      return value.empty() ? fmt::format("{} is needed, not \"\" (is a variable not set?)", needed)
                           : std::string();
    });
  }
  for (CLI::App* command : app.get_subcommands({})) {
    RefuseEmptyArguments(*command);
  }
}

CLI::Option* AddNumber(CLI::App& app, const std::string& flags, std::uint64_t& number,
                       const std::string& help, NumberRange range) {
  CLI::Option* option = app.add_option_function<std::string>(
      flags, [&number](const std::string& text) { number = AsNumber(text).value_or(0); }, help);
  return option->check([range](const std::string& text) {
    const auto given = AsNumber(text);
    return given && *given >= range.min && *given <= range.max
               ? std::string()
               : fmt::format("\"{}\" is not a whole number {}", text, RangeInWords(range));
  });
}

}  // namespace sagalog::tools
