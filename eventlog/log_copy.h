// Copies of a log that nobody writes: looking through one, and bringing one back.
#pragma once

#include <filesystem>

#include "eventlog/backup_manifest.h"
#include "eventlog/disk_faults.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// Reads the whole log in `directory` and verifies each event. Its last sequence; kCorruption,
// naming the first event that is damaged or lost. Writes nothing.
[[nodiscard]] Result<Sequence> VerifyLogCopy(const std::filesystem::path& directory);

// Whether `file` of the backup in `backup` is what was written; it is read to its end. kCorruption
// as of CheckBackup.
[[nodiscard]] Status CheckBackupFile(const std::filesystem::path& backup, const BackupFile& file);

// Whether the files of the backup in `backup` are those that were written: kCorruption names the
// first that is not, and the event where that can be told. Nothing outside of it is read: a link is
// no file of a backup. Its manifest. Writes nothing.
[[nodiscard]] Result<BackupManifest> CheckBackup(const std::filesystem::path& backup);

// Copies the log of the backup in `backup`, with its HEAD, into `directory`, which exists and holds
// neither. kCorruption when the backup is not what was written, naming the file and, where that can
// be told, the event. `faults` may be null.
[[nodiscard]] Result<BackupManifest> CopyBackup(const std::filesystem::path& backup,
                                                const std::filesystem::path& directory,
                                                DiskFaults* faults);

}  // namespace sagalog
