// How a daemon is set up: by a file, the environment and flags, each over the one before.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/status.h"

namespace sagalog::tools {

// The settings of `sagalog serve` by their names, which are those of its flags. The file has lines
// `name = value`, comments after `#`; the environment has SAGALOG_NAME, with blanks between several
// values.
class ServeSettings {
 public:
  struct Kind {
    std::string_view name;
    enum class Values { kOne, kSeveral, kYesOrNo } values;
    // What holds when nothing is said.
    std::string_view otherwise;
    std::string_view help;
  };
  [[nodiscard]] static const std::vector<Kind>& Kinds();

  // Each replaces what was there of the setting. kInvalidArgument for a name or a value that is
  // none; of a file with its line.
  Status TakeFile(const std::string& path);
  using Environment = std::function<const char*(const char* name)>;
  Status TakeEnvironment(const Environment& environment);
  Status TakeFlag(std::string_view name, std::vector<std::string> values);

  [[nodiscard]] std::string Text(std::string_view name) const;
  [[nodiscard]] bool Flag(std::string_view name) const { return Text(name) == "yes"; }
  [[nodiscard]] std::vector<std::string> All(std::string_view name) const;

  // As a file that says the same, with where each came from.
  [[nodiscard]] std::string Print() const;

 private:
  struct Given {
    std::vector<std::string> values;
    std::string from;
  };

  Status Set(std::string_view name, std::vector<std::string> values, const std::string& from);

  std::map<std::string, Given, std::less<>> given_;
};

}  // namespace sagalog::tools
