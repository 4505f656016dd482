#include "tools/live_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "tools/standard_streams.h"

namespace sagalog::tools {
namespace {

// A screen beside the one that was there, without a cursor, and back.
constexpr std::string_view kTake = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kGiveBack = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEndOfLine = "\x1b[K";
constexpr std::string_view kEndOfScreen = "\x1b[J";
// As terminals were.
constexpr ScreenSize kPlainSize{80, 24};

void Say(std::string_view text) {
  WriteOutput(text);
  FlushOutput();
}

}  // namespace

LiveScreen::LiveScreen() : has_keys_(tcgetattr(STDIN_FILENO, &before_) == 0) { Enter(); }

LiveScreen::~LiveScreen() { Leave(); }

void LiveScreen::Enter() {
  if (entered_) {
    return;
  }
  entered_ = true;
  if (has_keys_) {
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  }
  Say(kTake);
}

void LiveScreen::Leave() {
  if (!entered_) {
    return;
  }
  entered_ = false;
  Say(kGiveBack);
  if (has_keys_) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
}

// Each line overwrites what it replaces, so that nothing flickers.
void LiveScreen::Draw(const std::vector<std::string>& lines) {
  std::string text(kHome);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += i == 0 ? "" : "\r\n";
    text += lines[i];
    text += kEndOfLine;
  }
  text += kEndOfScreen;
  Say(text);
}

ScreenSize LiveScreen::Size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return kPlainSize;
  }
  return {size.ws_col, size.ws_row};
}

std::optional<std::string> LiveScreen::Keys() {
  std::array<char, 64> keys{};
  const ssize_t got = read(STDIN_FILENO, keys.data(), keys.size());
  if (got <= 0) {
    return std::nullopt;
  }
  return std::string(keys.data(), static_cast<std::size_t>(got));
}

}  // namespace sagalog::tools
