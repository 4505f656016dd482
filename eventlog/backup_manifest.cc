#include "eventlog/backup_manifest.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/regular_file.h"

namespace sagalog {
namespace {

Status Damaged() { return {Code::kCorruption, "it is damaged"}; }

// What comes before `separator`, which is taken away too.
std::string_view Next(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, int base = 10) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

// A name below the backup that leads nowhere else.
bool IsBelow(std::string_view name) {
  return !name.empty() && name.front() != '/' && name.find("..") == std::string_view::npos;
}

std::optional<BackupFile> ParseFile(std::string_view line) {
  const auto checksum = ParseNumber<std::uint32_t>(Next(line, ' '), 16);
  const auto size_bytes = ParseNumber<std::uint64_t>(Next(line, ' '));
  if (!checksum || !size_bytes || !IsBelow(line)) {
    return std::nullopt;
  }
  return BackupFile{std::string(line), *size_bytes, *checksum};
}

}  // namespace

std::string BackupManifest::Encode() const {
  std::string text =
      fmt::format("{}{}\norigin {}\nlast {}\n", kBackupWords, kBackupFormat, origin, last.value());
  for (const BackupFile& file : files) {
    text += fmt::format("file {:08x} {} {}\n", file.checksum, file.size_bytes, file.name);
  }
  return text + fmt::format("end {:08x}\n", Crc32c(text));
}

Result<BackupManifest> BackupManifest::Parse(std::string_view text) {
  if (!text.starts_with(kBackupWords) || !text.ends_with('\n')) {
    return Damaged();
  }
  const std::string_view whole = text;
  std::string_view first = Next(text, '\n');
  first.remove_prefix(kBackupWords.size());
  const auto format = ParseNumber<std::uint32_t>(first);
  if (format && *format > kBackupFormat) {
    return Status(Code::kUnsupportedVersion,
                  fmt::format("a newer sagalog wrote it (format {}, this one reads {}): update",
                              *format, kBackupFormat));
  }
  BackupManifest manifest;
  while (!text.empty()) {
    const std::size_t place = whole.size() - text.size();
    std::string_view line = Next(text, '\n');
    const std::string_view word = Next(line, ' ');
    if (word == "end") {
      const bool whole_text =
          ParseNumber<std::uint32_t>(line, 16) == Crc32c(whole.substr(0, place));
      return whole_text && text.empty() ? Result<BackupManifest>(std::move(manifest)) : Damaged();
    }
    if (word == "origin") {
      manifest.origin = line;
    } else if (word == "last") {
      manifest.last = Sequence(ParseNumber<std::uint64_t>(line).value_or(0));
    } else if (auto file = ParseFile(line); word == "file" && file) {
      manifest.files.push_back(*std::move(file));
    } else {
      return Damaged();
    }
  }
  return Damaged();
}

Result<BackupManifest> BackupManifest::Read(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kBackupManifestName;
  const auto text = ReadRegularFile(path, kBackupManifestSizeMax, Links::kRefused);
  if (text.status().code() == Code::kNotFound) {
    return Status(Code::kNotFound, fmt::format("there is no backup in {}", directory.string()));
  }
  RETURN_IF_ERROR(text.status());
  Result<BackupManifest> manifest = Parse(*text);
  if (!manifest.ok()) {
    return Status(manifest.status().code(),
                  fmt::format("{}: {}", path.string(), manifest.status().text()));
  }
  return manifest;
}

std::uint64_t BackupManifest::SizeBytes() const {
  std::uint64_t size_bytes = 0;
  for (const BackupFile& file : files) {
    size_bytes += file.size_bytes;
  }
  return size_bytes;
}

}  // namespace sagalog
