// The flags that every command takes.
#pragma once

#include <string>

#include "tools/connection.h"

namespace sagalog::tools {

// Filled in while the command line is parsed: commands read it in their callbacks, not before.
struct GlobalOptions {
  std::string data;           // --data as given: DataDirectoryPath makes a path of it
  bool json = false;          // --json: the raw answer of the interface on standard output
  bool accept_clock = false;  // --accept-clock
  bool color = false;         // whether standard output may be coloured
  bool error_color = false;   // whether standard error may be coloured

  // How to reach the store that these flags name.
  [[nodiscard]] ConnectionOptions Connect(bool read_only = false) const {
    ConnectionOptions options;
    options.data = DataDirectoryPath(data);
    options.read_only = read_only;
    options.accept_clock = accept_clock;
    return options;
  }
};

}  // namespace sagalog::tools
