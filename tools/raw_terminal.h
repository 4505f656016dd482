// The terminal as a screen with keys, as long as it lives.
#pragma once

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tools/signal_inbox.h"

namespace sagalog::tools {

// Standard input and output must be terminals. Restores both when it goes, also when the process is
// asked to end. Before any other thread is started.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  enum class Key {
    kText,  // `text` is one character
    kEnter,
    kEscape,
    kBackspace,
    kUp,
    kDown,
    kLeft,
    kRight,
    kHome,
    kEnd,
    kPageUp,
    kPageDown,
    kResized,
    kTimeout,  // nothing came in the time given
    kGone,     // the terminal is gone, or the process is asked to end: Ctrl-C, SIGTERM, SIGHUP
  };
  struct Press {
    Key key;
    std::string text = {};
  };

  // The next key; waits for it, at most as long as is given.
  [[nodiscard]] Press Read(std::optional<std::chrono::milliseconds> at_most = std::nullopt);

  // Clears the screen and writes these lines, which must fit its width; beyond its height nothing
  // is written.
  void Draw(std::string_view lines);

  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::size_t rows() const;

 private:
  [[nodiscard]] std::optional<char> NextByte(std::optional<std::chrono::milliseconds> at_most,
                                             Key& otherwise);
  [[nodiscard]] Press ReadEscape();

  SignalInbox signals_;
  termios before_{};
};

}  // namespace sagalog::tools
