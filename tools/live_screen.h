// A terminal that is drawn on: what was on it before comes back when we leave.
#pragma once

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sagalog::tools {

struct ScreenSize {
  std::size_t columns = 0;
  std::size_t rows = 0;
};

// Standard output as a screen of its own, and single keys from standard input. One thread.
class LiveScreen {
 public:
  // Standard output must be a terminal. Keys are there when standard input is one too.
  LiveScreen();
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Gives the terminal back as it was, and takes it again: for a program that is stopped meanwhile.
  void Leave();
  void Enter();

  // Replaces all that is shown.
  void Draw(const std::vector<std::string>& lines);
  [[nodiscard]] ScreenSize Size() const;
  [[nodiscard]] bool has_keys() const { return has_keys_; }
  // The keys that were pressed; nothing when standard input has ended.
  [[nodiscard]] std::optional<std::string> Keys();

 private:
  termios before_{};
  bool has_keys_ = false;
  bool entered_ = false;
};

}  // namespace sagalog::tools
