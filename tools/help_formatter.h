// The help texts: commands in groups, each with an example.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace sagalog::tools {

// A list of commands shows the example of each below it: the last line of its footer.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

// The command of `app` that `word` was most likely meant to be; empty when none is close.
[[nodiscard]] std::string ClosestCommand(const CLI::App& app, const std::string& word);

}  // namespace sagalog::tools
