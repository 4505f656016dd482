// What a backup consists of. The bytes: docs/log-format.md, backups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

inline constexpr std::string_view kBackupManifestName = "BACKUP";
inline constexpr std::string_view kBackupWords = "sagalog backup, format ";
// The format this program writes, and the newest it reads.
inline constexpr std::uint32_t kBackupFormat = 1;
// A line is some 50 bytes, and a file of the log mostly 64 MiB.
inline constexpr std::uint64_t kBackupManifestSizeMax = 64ULL << 20;

struct BackupFile {
  std::string name;  // below the backup: "log/000012.sst"
  std::uint64_t size_bytes = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the whole file

  friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

struct BackupManifest {
  std::string origin;
  Sequence last;
  std::vector<BackupFile> files;

  [[nodiscard]] std::string Encode() const;
  // kCorruption unless `text` is one whole manifest; kUnsupportedVersion for a newer one.
  [[nodiscard]] static Result<BackupManifest> Parse(std::string_view text);
  // That of the backup in `directory`; what fails names the file. kNotFound when it has none.
  [[nodiscard]] static Result<BackupManifest> Read(const std::filesystem::path& directory);

  [[nodiscard]] std::uint64_t SizeBytes() const;
};

}  // namespace sagalog
