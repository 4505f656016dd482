// The help texts: commands in groups, each with an example.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace sagalog::tools {

// How the text of an option ends without which the command makes no sense. Said by options that
// CLI11 does not know to be required, because something else may stand in for them.
inline constexpr const char* kRequiredMark = " (required)";

// Fits the width of the terminal. A list of commands shows the example of each below it: the last
// line of its footer. What may stand by position is shown once.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
};

// The command of `app` that `word` was most likely meant to be; empty when none is close.
[[nodiscard]] std::string ClosestCommand(const CLI::App& app, const std::string& word);

}  // namespace sagalog::tools
