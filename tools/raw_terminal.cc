#include "tools/raw_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "tools/standard_streams.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

// Long enough for the rest of a key's bytes to come, too short for a person to notice.
constexpr std::chrono::milliseconds kEscapePatience{50};

// Around a screen: terminals that know it (synchronized output, DEC private mode 2026) show it at
// once and whole, the others ignore it.
constexpr std::string_view kHoldScreen = "\x1B[?2026h";
constexpr std::string_view kShowScreen = "\x1B[?2026l";

constexpr char kEscapeByte = '\x1B';
constexpr char kInterruptByte = '\x03';

winsize SizeOf() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

// How many bytes follow the first one of a character of UTF-8.
int FollowingBytes(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
}

}  // namespace

RawTerminal::RawTerminal() : signals_({SIGTERM, SIGHUP, SIGINT, SIGWINCH}) {
  tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  WriteOutput("\x1B[?1049h\x1B[?25l");
  FlushOutput();
}

RawTerminal::~RawTerminal() {
  WriteOutput("\x1B[?25h\x1B[?1049l");
  FlushOutput();
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::optional<char> RawTerminal::NextByte(std::optional<std::chrono::milliseconds> at_most,
                                          Key& otherwise) {
  std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
  const int patience = at_most ? static_cast<int>(at_most->count()) : -1;
  int ready = 0;
  do {
    ready = poll(waiting.data(), waiting.size(), patience);
  } while (ready < 0 && errno == EINTR);
  otherwise = Key::kTimeout;
  if (ready == 0) {
    return std::nullopt;
  }
  if (const auto signal = signals_.Next()) {
    otherwise = *signal == SIGWINCH ? Key::kResized : Key::kGone;
    return std::nullopt;
  }
  char byte = 0;
  if (read(STDIN_FILENO, &byte, 1) != 1) {
    otherwise = Key::kGone;
    return std::nullopt;
  }
  return byte;
}

RawTerminal::Press RawTerminal::Read(std::optional<std::chrono::milliseconds> at_most) {
  Key otherwise = Key::kTimeout;
  const std::optional<char> byte = NextByte(at_most, otherwise);
  if (!byte) {
    return {otherwise};
  }
  switch (*byte) {
    case kEscapeByte: return ReadEscape();
    case kInterruptByte: return {Key::kGone};
    case '\r':
    case '\n': return {Key::kEnter};
    case '\x7F':
    case '\b': return {Key::kBackspace};
    default: break;
  }
  Press press{Key::kText, std::string(1, *byte)};
  for (int left = FollowingBytes(*byte); left > 0; --left) {
    const std::optional<char> next = NextByte(kEscapePatience, otherwise);
    if (!next) {
      break;
    }
    press.text += *next;
  }
  return press;
}

// "ESC [ A", "ESC O H", "ESC [ 5 ~"; alone it is the key itself.
RawTerminal::Press RawTerminal::ReadEscape() {
  Key otherwise = Key::kTimeout;
  const std::optional<char> kind = NextByte(kEscapePatience, otherwise);
  if (!kind || (*kind != '[' && *kind != 'O')) {
    return {Key::kEscape};
  }
  std::string code;
  while (code.size() < 8) {
    const std::optional<char> next = NextByte(kEscapePatience, otherwise);
    if (!next) {
      return {Key::kEscape};
    }
    code += *next;
    if (*next >= '@') {
      break;
    }
  }
  static constexpr std::array<std::pair<std::string_view, Key>, 12> kCodes = {
      {{"A", Key::kUp},
       {"B", Key::kDown},
       {"C", Key::kRight},
       {"D", Key::kLeft},
       {"H", Key::kHome},
       {"F", Key::kEnd},
       {"1~", Key::kHome},
       {"4~", Key::kEnd},
       {"7~", Key::kHome},
       {"8~", Key::kEnd},
       {"5~", Key::kPageUp},
       {"6~", Key::kPageDown}}};
  const auto* const found = std::find_if(kCodes.begin(), kCodes.end(),
                                         [&](const auto& one) { return one.first == code; });
  return {found == kCodes.end() ? Key::kEscape : found->second};
}

void RawTerminal::Draw(std::string_view lines) {
  std::string screen(kHoldScreen);
  screen += "\x1B[H\x1B[2J";
  std::size_t row = 0;
  const std::size_t height = rows();
  while (!lines.empty() && row < height) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    screen += row == 0 ? "" : "\r\n";
    screen += lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    ++row;
  }
  screen += kShowScreen;
  WriteOutput(screen);
  FlushOutput();
}

std::size_t RawTerminal::columns() const { return SizeOf().ws_col; }

std::size_t RawTerminal::rows() const { return SizeOf().ws_row; }

}  // namespace sagalog::tools
