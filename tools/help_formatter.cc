#include "tools/help_formatter.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

constexpr std::size_t kColumnWidth = 28;
constexpr std::size_t kNameWidth = 18;
constexpr std::string_view kExampleHeading = "Example:\n  ";
// More typing errors than this make another word.
constexpr std::size_t kTypingErrorsMax = 2;

// How many letters must be changed, added or removed (Levenshtein).
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kColumnWidth);
  label("OPTIONS", "FLAGS");
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  std::string out =
      fmt::format("  {:{}}{}\n", command->get_name(), kNameWidth, command->get_description());
  const std::string footer = command->get_footer();
  if (const std::size_t at = footer.find(kExampleHeading); at != std::string::npos) {
    const std::string example = footer.substr(at + kExampleHeading.size());
    out += fmt::format("  {:{}}  {}\n", "", kNameWidth, example.substr(0, example.find('\n')));
  }
  return out;
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, std::move(name));
}

std::string ClosestCommand(const CLI::App& app, const std::string& word) {
  std::string closest;
  std::size_t least = kTypingErrorsMax + 1;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (const std::size_t distance = Distance(word, command->get_name()); distance < least) {
      least = distance;
      closest = command->get_name();
    }
  }
  return closest;
}

}  // namespace sagalog::tools
