#include "tools/command_words.h"

#include <cctype>
#include <cstddef>
#include <optional>

namespace sagalog::tools {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Takes one word off the front of `text`, which does not begin with a blank. None when a quote or
// a backslash is left open.
std::optional<std::string> TakeWord(std::string_view& text) {
  std::string word;
  char quote = 0;
  std::size_t at = 0;
  for (; at < text.size() && (quote != 0 || !IsBlank(text[at])); ++at) {
    const char c = text[at];
    if (c == '\\' && quote != '\'') {
      if (++at == text.size()) {
        return std::nullopt;
      }
      word += text[at];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      word += c;
    }
  }
  if (quote != 0) {
    return std::nullopt;
  }
  text.remove_prefix(at);
  return word;
}

bool IsPlain(const std::string& word) {
  for (const char c : word) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("_-./:=@%+,").find(c) != std::string_view::npos;
    if (!plain) {
      return false;
    }
  }
  return !word.empty();
}

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  for (;;) {
    while (!text.empty() && IsBlank(text.front())) {
      text.remove_prefix(1);
    }
    if (text.empty()) {
      break;
    }
    auto word = TakeWord(text);
    if (!word) {
      return Status(Code::kInvalidArgument, "a quote or a backslash is left open");
    }
    words.push_back(*std::move(word));
  }
  if (words.empty()) {
    return Status(Code::kInvalidArgument, "there is no command in it");
  }
  return words;
}

std::string JoinWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? "" : " ";
    if (IsPlain(word)) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char c : word) {
      text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    text += '\'';
  }
  return text;
}

}  // namespace sagalog::tools
