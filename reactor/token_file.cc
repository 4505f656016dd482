#include "reactor/token_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "eventlog/directory_owner.h"
#include "schema/limits.h"
#include "schema/utf8.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
using Digest = std::array<std::uint8_t, 32>;

constexpr std::string_view kSecretPrefix = "sagalog_";
constexpr std::size_t kSecretBytes = 32;
static_assert(SHA256_DIGEST_LENGTH == sizeof(Digest));

Digest Sha256(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

std::string Hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::optional<std::uint8_t> HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return lower - 'a' + 10;
  }
  return std::nullopt;
}

std::optional<Digest> DigestFromHex(std::string_view text) {
  Digest digest{};
  if (text.size() != digest.size() * 2) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto high = HexDigit(text[2 * i]);
    const auto low = HexDigit(text[2 * i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    digest[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return digest;
}

// A word of a line: no blanks, no comment, nothing that a terminal would act on.
Status CheckWord(std::string_view what, std::string_view word, std::size_t size_max) {
  const bool plain = std::none_of(word.begin(), word.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '#';
  });
  if (!plain || !IsUtf8(word) || word.size() > size_max) {
    return {Code::kInvalidArgument,
            fmt::format("the {} is one word of {} bytes at most, without \"#\"", what, size_max)};
  }
  return {};
}

std::vector<std::string_view> WordsOf(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('#'));
  for (;;) {
    const std::size_t start = line.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) {
      return words;
    }
    const std::size_t end = std::min(line.size(), line.find_first_of(kBlanks, start));
    words.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

Result<TokenLine> ParseLine(const std::vector<std::string_view>& words) {
  if (words.size() != 3 && words.size() != 4) {
    return Status(Code::kInvalidArgument,
                  "a line is: NAME ROLE OWNER-PREFIX SHA256, with - where there is no prefix");
  }
  TokenLine line;
  line.caller.principal = words[0];
  RETURN_IF_ERROR(CheckWord("name", words[0], kOwnerFieldSizeMax));
  const std::optional<Role> role = RoleFromName(words[1]);
  if (!role) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no role: worker, orchestrator, operator, auditor, admin", words[1]));
  }
  line.caller.role = *role;
  if (words.size() == 4 && words[2] != "-") {
    RETURN_IF_ERROR(CheckWord("owner prefix", words[2], kOwnerFieldSizeMax));
    line.caller.owner_prefix = words[2];
  }
  const std::optional<Digest> digest = DigestFromHex(words.back());
  if (!digest) {
    return Status(Code::kInvalidArgument, "the last word is no SHA-256 in 64 hex digits");
  }
  line.sha256 = *digest;
  return line;
}

// Names and secrets stand for one caller each.
Status CheckDuplicate(const std::vector<TokenLine>& lines, const TokenLine& line) {
  for (const TokenLine& other : lines) {
    if (other.caller.principal == line.caller.principal) {
      return {Code::kInvalidArgument,
              fmt::format("the name {} stands in an earlier line", line.caller.principal)};
    }
    if (other.sha256 == line.sha256) {
      return {Code::kInvalidArgument,
              fmt::format("it is the same secret as {}'s", other.caller.principal)};
    }
  }
  return {};
}

Result<std::vector<TokenLine>> ParseLines(const fs::path& path, std::string_view text) {
  std::vector<TokenLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.size(), text.find('\n'));
    const std::vector<std::string_view> words = WordsOf(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    if (words.empty()) {
      continue;
    }
    Result<TokenLine> line = ParseLine(words);
    const Status status = line.ok() ? CheckDuplicate(lines, *line) : line.status();
    if (!status.ok()) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}:{}: {}", path.string(), number, status.text()));
    }
    if (lines.size() == kTokensMax) {
      return Status(Code::kInvalidArgument, fmt::format("{}:{}: a token file has {} lines at most",
                                                        path.string(), number, kTokensMax));
    }
    lines.push_back(*std::move(line));
  }
  return lines;
}

Status FileError(const fs::path& path) {
  const std::error_code error(errno, std::generic_category());
  return {errno == ENOENT ? Code::kNotFound : Code::kIoError,
          fmt::format("{}: {}", path.string(), error.message())};
}

// A descriptor that is closed with it.
class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags)
      : descriptor_(open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Whoever can write the file can make himself admin, and who can read it can try secrets in peace.
Status CheckOwnership(const fs::path& path, const OpenFile& file) {
  struct stat found {};
  if (fstat(file.descriptor(), &found) != 0) {
    return FileError(path);
  }
  if (!S_ISREG(found.st_mode)) {
    return {Code::kInvalidArgument, fmt::format("{} is no file", path.string())};
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return {Code::kInvalidArgument,
            fmt::format("{} has mode {:04o}, and others must have no part in it: chmod 600 {}",
                        path.string(), found.st_mode & 07777, path.string())};
  }
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return {Code::kInvalidArgument,
            fmt::format("{} belongs to another user: chown it", path.string())};
  }
  return {};
}

Result<std::string> ReadAll(const fs::path& path, const OpenFile& file) {
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = read(file.descriptor(), buffer.data(), buffer.size());
    if (size < 0) {
      return FileError(path);
    }
    if (size == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kTokenFileSizeMax) {
      return Status(Code::kInvalidArgument, fmt::format("{}: a token file has {} bytes at most",
                                                        path.string(), kTokenFileSizeMax));
    }
  }
}

Status WriteAll(const fs::path& path, const OpenFile& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(file.descriptor(), text.data(), text.size());
    if (size < 0) {
      return FileError(path);
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return fsync(file.descriptor()) == 0 ? Status() : FileError(path);
}

}  // namespace

Result<TokenFile> TokenFile::Load(const fs::path& path) {
  const OpenFile file(path, O_RDONLY);
  if (file.descriptor() < 0) {
    const bool denied = errno == EACCES;
    const Status status = FileError(path);
    return denied ? Status(status.code(),
                           fmt::format("{}: the user {} may not read it: chown {} {}, mode 0400",
                                       status.text(), UserName(geteuid()), UserName(geteuid()),
                                       path.string()))
                  : status;
  }
  RETURN_IF_ERROR(CheckOwnership(path, file));
  ASSIGN_OR_RETURN(const std::string text, ReadAll(path, file));
  TokenFile tokens;
  ASSIGN_OR_RETURN(tokens.lines_, ParseLines(path, text));
  return tokens;
}

std::optional<Caller> TokenFile::Find(std::string_view secret) const {
  const Digest digest = Sha256(secret);
  const TokenLine* found = nullptr;
  for (const TokenLine& line : lines_) {
    const bool same = CRYPTO_memcmp(line.sha256.data(), digest.data(), digest.size()) == 0;
    found = same ? &line : found;
  }
  return found == nullptr ? std::nullopt : std::optional(found->caller);
}

Result<std::string> NewTokenSecret() {
  std::array<std::uint8_t, kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Status(Code::kIoError, "the machine gives no random bytes");
  }
  return std::string(kSecretPrefix) + Hex(bytes);
}

Result<std::string> TokenLineFor(const Caller& caller, std::string_view secret) {
  const std::string& prefix = caller.owner_prefix;
  std::string line = fmt::format("{} {} {} {}", caller.principal, RoleName(caller.role),
                                 prefix.empty() ? "-" : prefix, Hex(Sha256(secret)));
  RETURN_IF_ERROR(CheckWord("owner prefix", prefix, kOwnerFieldSizeMax));
  RETURN_IF_ERROR(CheckWord("name", caller.principal, kOwnerFieldSizeMax));
  RETURN_IF_ERROR(ParseLine(WordsOf(line)).status());
  return line;
}

Status AppendTokenLine(const fs::path& path, std::string_view line) {
  const OpenFile file(path, O_RDWR | O_APPEND | O_CREAT);
  if (file.descriptor() < 0) {
    return FileError(path);
  }
  RETURN_IF_ERROR(CheckOwnership(path, file));
  ASSIGN_OR_RETURN(const std::string before, ReadAll(path, file));
  const std::string_view separator = before.empty() || before.ends_with('\n') ? "" : "\n";
  const std::string added = fmt::format("{}{}\n", separator, line);
  RETURN_IF_ERROR(ParseLines(path, before + added).status());
  return WriteAll(path, file, added);
}

}  // namespace sagalog
