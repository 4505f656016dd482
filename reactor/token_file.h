// Access tokens: who may speak to the daemon over TCP. The file and its rules: docs/operations.md.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/access.h"
#include "schema/status.h"

namespace sagalog {

// One line of a token file. The secret itself is nowhere kept.
struct TokenLine {
  Caller caller;
  std::array<std::uint8_t, 32> sha256{};
};

// What a token file says. Immutable.
class TokenFile {
 public:
  // kInvalidArgument, with the line's number, for what is wrong with it; a file that others may
  // read or write is refused, and so is one that belongs to another user.
  [[nodiscard]] static Result<TokenFile> Load(const std::filesystem::path& path);

  // Who a secret belongs to. Takes as long for every secret, whatever the file says.
  [[nodiscard]] std::optional<Caller> Find(std::string_view secret) const;
  [[nodiscard]] const std::vector<TokenLine>& lines() const { return lines_; }

 private:
  std::vector<TokenLine> lines_;
};

// A new secret: 256 random bits behind "sagalog_".
[[nodiscard]] Result<std::string> NewTokenSecret();
// The line of the file for a secret, without a line break. kInvalidArgument for a name or a prefix
// that no line can hold.
[[nodiscard]] Result<std::string> TokenLineFor(const Caller& caller, std::string_view secret);
// Adds a line to a file, which is created, for its owner alone, if it is not there. Nothing is
// added to a file that is wrong, or would be with the line.
[[nodiscard]] Status AppendTokenLine(const std::filesystem::path& path, std::string_view line);

}  // namespace sagalog
