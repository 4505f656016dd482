#include "tools/help_formatter.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tools/terminal.h"
#include "tools/text_wrap.h"

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

// How wide the help may be: a terminal's lines, and in a file what reads well.
std::size_t Columns() {
  constexpr std::size_t kWidest = 100;
  constexpr std::size_t kNarrowest = 30;
  const std::size_t columns = ColumnsOf(STDOUT_FILENO);
  return columns == 0 ? kWidest : std::clamp(columns, kNarrowest, kWidest);
}

// A name, and from column `start` on what it means, under itself where it takes several lines. On a
// terminal without room for two columns the meaning stands below, a little indented.
std::string TwoColumns(const std::string& name, const std::string& meaning, std::size_t start) {
  constexpr std::size_t kMeaningMin = 24;
  const std::size_t columns = Columns();
  if (start + kMeaningMin > columns) {
    start = 6;
  }
  std::string out = "  " + name;
  bool beside = out.size() + 1 < start;
  for (const std::string& line : WrapWords(meaning, columns - start)) {
    out += beside ? std::string(start - out.size(), ' ') : "\n" + std::string(start, ' ');
    out += line;
    beside = false;
  }
  return out + "\n";
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kColumnWidth);
  label("OPTIONS", "FLAGS");
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
  for (std::size_t at = 0; (at = help.find("\n\n\n", at)) != std::string::npos;) {
    help.erase(at, 1);
  }
  return help;
}

// What may stand by position has been shown as an argument.
std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  if (!is_positional) {
    std::erase_if(options, [](const CLI::Option* option) { return option->get_positional(); });
  }
  return options.empty() ? ""
                         : CLI::Formatter::make_group(std::move(group), is_positional, options);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  std::string out = TwoColumns(command->get_name(), command->get_description(), kNameWidth + 2);
  const std::string footer = command->get_footer();
  if (const std::size_t at = footer.find(kExampleHeading); at != std::string::npos) {
    const std::string example = footer.substr(at + kExampleHeading.size());
    out += fmt::format("  {:{}}  {}\n", "", kNameWidth, example.substr(0, example.find('\n')));
  }
  return out;
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return WrapParagraphs(app->get_description(), Columns());
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, std::move(name));
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  std::string footer;
  if (app->get_parent() != nullptr) {
    footer =
        "For every command: --data DIR, --json and --accept-clock, as sagalog --help says.\n\n";
  }
  // What was inherited has been said a level above.
  const bool inherited =
      app->get_parent() != nullptr && app->get_footer() == app->get_parent()->get_footer();
  footer += inherited ? "" : app->get_footer();
  return "\n" + WrapParagraphs(footer, Columns());
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return TwoColumns(make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option), kColumnWidth);
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional || option->get_lnames().empty()) {
    return option->get_name(is_positional, false);
  }
  // The others are for old habits.
  const std::string short_name =
      option->get_snames().empty() ? "" : "-" + option->get_snames().front() + ", ";
  return short_name + "--" + option->get_lnames().front();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (!option->get_option_text().empty()) {
    return " " + option->get_option_text();
  }
  const bool has_value = option->get_type_size() != 0 && !option->get_type_name().empty();
  return has_value ? " " + option->get_type_name() : "";
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  const bool marked = text.ends_with(kRequiredMark);
  text.resize(text.size() - (marked ? std::string_view(kRequiredMark).size() : 0));
  if (option->get_positional() && !option->get_lnames().empty()) {
    text += fmt::format(", or behind --{}", option->get_lnames().front());
  }
  return text + (marked || option->get_required() ? kRequiredMark : "");
}

std::string HelpFormatter::make_option_usage(const CLI::Option* option) const {
  // What stands behind "--" says so.
  const std::string type = option->get_type_name();
  const std::string name = type.starts_with("--") ? type : option->get_name(true);
  const bool required =
      option->get_required() || option->get_description().ends_with(kRequiredMark);
  return required ? name : "[" + name + "]";
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
