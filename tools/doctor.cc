#include "tools/doctor.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "eventlog/backup_manifest.h"
#include "eventlog/data_directory.h"
#include "eventlog/directory_owner.h"
#include "eventlog/disk_reserve.h"
#include "eventlog/log_copy.h"
#include "eventlog/log_readers.h"
#include "eventlog/rocks_log.h"
#include "projections/audit_tree.h"
#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "reactor/audit_keys.h"
#include "reactor/http_client.h"
#include "reactor/restore.h"
#include "schema/store_time.h"
#include "tools/moment.h"

namespace sagalog::tools {
namespace {

using Findings = std::vector<Finding>;
using Kind = Finding::Kind;

// Room for a few of the log's files; below it the next write may be the one that fails.
constexpr std::uint64_t kFreeBytesMin = 256ULL << 20;
// Further ahead than this, an opening wants --accept-clock (design: time).
constexpr Duration kClockAheadMax = std::chrono::days(7);
// Store time runs ahead of a wall clock that was set back; below this nobody notices.
constexpr Duration kClockBehindNoted = std::chrono::minutes(1);

void Add(Findings& findings, Kind kind, std::string subject, std::string text,
         std::string next = {}) {
  findings.push_back({kind, std::move(subject), std::move(text), std::move(next)});
}

// Whether there is a data directory to look into.
bool ExamineDirectory(Findings& findings, const std::filesystem::path& data) {
  const auto directory = DataDirectory::Open(data, LogMode::kReadOnly);
  if (directory.ok()) {
    Add(findings, Kind::kFine, "directory", fmt::format("{} is a data directory", data.string()));
    return true;
  }
  const Status status = directory.status();
  std::string next = "name another directory with --data or $SAGALOG_DATA";
  std::string text = status.text();
  if (status.code() == Code::kNotFound) {
    text = fmt::format("there is no sagalog data directory at {}", data.string());
    next += ", or create this one: sagalog plan and sagalog serve do";
  } else if (status.code() == Code::kIoError) {
    next = "become the user that owns it, or give yourself access";
  }
  Add(findings, Kind::kBroken, "directory", std::move(text), next);
  return false;
}

// Whether the directory is a backup; and whether that is still what was put away.
bool ExamineBackup(Findings& findings, const std::filesystem::path& data) {
  std::error_code error;
  if (!std::filesystem::exists(data / kBackupManifestName, error)) {
    return false;
  }
  const auto manifest = CheckBackup(data);
  if (manifest.ok()) {
    Add(findings, Kind::kNote, "backup",
        fmt::format("up to sequence {}, {} files, each as it was put away; it can only be read",
                    manifest->last.value(), manifest->files.size()),
        fmt::format("sagalog restore {} --data DIR makes a store of it", data.string()));
  } else if (manifest.status().code() == Code::kUnsupportedVersion) {
    Add(findings, Kind::kBroken, "backup", manifest.status().text(), "update this program");
  } else {
    Add(findings, Kind::kBroken, "backup", manifest.status().text(),
        "restore another backup; what can still be read of this one is shown by ls and history");
  }
  return true;
}

void ExamineWriter(Findings& findings, const std::filesystem::path& data) {
  const std::filesystem::path socket = data / kSocketName;
  std::error_code error;
  const bool has_socket = std::filesystem::exists(socket, error);
  const auto client =
      has_socket ? HttpClient::Connect(socket) : Status(Code::kNotFound, "there is no socket");
  if (client.ok()) {
    Add(findings, Kind::kFine, "daemon", fmt::format("answers on {}", socket.string()));
    return;
  }
  if (client.status().code() != Code::kNotFound) {
    Add(findings, Kind::kBroken, "daemon", client.status().text(),
        "look at the process that serves the directory; stop it with SIGTERM if it hangs");
    return;
  }
  if (has_socket) {
    Add(findings, Kind::kNote, "daemon",
        fmt::format("{} was left behind by a daemon that died", socket.string()),
        "nothing: the next sagalog serve replaces it");
  }
  if (!DataDirectory::HasWriter(data)) {
    Add(findings, Kind::kFine, "lock", "nobody holds the directory");
    return;
  }
  // Only to be told who: the lock is taken, so this takes nothing.
  const auto holder = DataDirectory::Open(data, LogMode::kReadWrite);
  Add(findings, Kind::kNote, "lock",
      holder.ok() ? "was held a moment ago" : holder.status().text() + ", and serves nobody",
      "wait until it ends, or stop it; sagalog serve lets many processes share a directory");
}

void ExamineDisk(Findings& findings, const std::filesystem::path& data) {
  struct statvfs disk {};
  if (statvfs(data.c_str(), &disk) != 0) {
    return;
  }
  const std::uint64_t free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const std::uint64_t free_mebibytes = free_bytes >> 20;
  if ((disk.f_flag & ST_RDONLY) != 0) {
    Add(findings, Kind::kBroken, "disk", "is mounted read-only: only reads are answered",
        "look into the system's log for why, mount it writable");
  } else if (access(data.c_str(), W_OK | X_OK) != 0) {
    Add(findings, Kind::kBroken, "disk",
        fmt::format("this user may not write to {}: only reads are answered", data.string()),
        "become the user that owns it");
  } else if (free_bytes < kFreeBytesMin) {
    Add(findings, Kind::kBroken, "disk", fmt::format("only {} MiB are free", free_mebibytes),
        "make room; a store that met a full disk takes commands again after a restart");
  } else {
    Add(findings, Kind::kFine, "disk", fmt::format("{} MiB are free", free_mebibytes));
  }
}

void AddDamage(Findings& findings, const std::string& text) {
  Add(findings, Kind::kBroken, "log", text,
      "copy the directory away first; reads answer for what stands before the damage; then restore "
      "a backup, or where there is none: sagalog doctor --salvage DIR makes a new store of it");
}

// Kept by a daemon alone: without one, its absence means nothing.
void ExamineReserve(Findings& findings, const std::filesystem::path& data) {
  const std::uint64_t held = DiskReserve::SizeOf(data / kReserveFileName);
  if (held > 0) {
    Add(findings, Kind::kFine, "reserve",
        fmt::format("{} MiB are kept back for the day the disk is full", held >> 20));
    return;
  }
  std::error_code error;
  if (std::filesystem::exists(data / kSocketName, error)) {
    Add(findings, Kind::kNote, "reserve",
        "the daemon keeps no room back for the day the disk is full",
        "if it was not switched off (--reserve off), make room: sagalog compact, old backups");
  }
}

// Of two users' files some cannot be opened by the one who serves.
void ExamineOwners(Findings& findings, const std::filesystem::path& data) {
  const auto foreign = FindForeignFiles(data);
  if (!foreign) {
    Add(findings, Kind::kFine, "owner", "every file belongs to one user");
    return;
  }
  const std::string more =
      foreign->count > 1 ? fmt::format(" (and {} more)", foreign->count - 1) : "";
  Add(findings, Kind::kBroken, "owner",
      fmt::format("{} belongs to the user {}{}, and the store to {}, who may not be able to open "
                  "it",
                  foreign->first.string(), foreign->first_owner, more, foreign->owner),
      fmt::format("as root: chown -R {} {}; and run commands here as {}", foreign->owner,
                  data.string(), foreign->owner));
}

// Somebody was given what was signed: a log that does not hold as much was cut off since.
void ExamineSigned(Findings& findings, const std::filesystem::path& data, const Lineages& lineages,
                   Sequence last) {
  constexpr const char* kNext =
      "copy the directory away; sagalog audit verify, with a checkpoint that was kept elsewhere, "
      "tells more; then restore the newest backup";
  const auto largest = AuditKeys(data).LargestSigned();
  if (!largest.ok()) {
    Add(findings, Kind::kBroken, "audit", largest.status().text(), kNext);
  } else if (*largest && (*largest)->origin == lineages.OriginAt(last.value()) &&
             (*largest)->head.size > last.value()) {
    Add(findings, Kind::kBroken, "audit",
        fmt::format("the log ends at event {}, and {} events were signed: its end is missing",
                    last.value(), (*largest)->head.size),
        kNext);
  }
}

// The log, when it can be read to its end, and what it says of its lineages.
std::unique_ptr<RocksLog> ExamineLog(Findings& findings, const std::filesystem::path& data,
                                     Lineages& lineages) {
  RocksLogOptions options;
  options.mode = LogMode::kReadOnly;
  auto log = RocksLog::Open(data, options);
  if (!log.ok()) {
    switch (log.status().code()) {
      case Code::kNotFound:
        Add(findings, Kind::kFine, "log", "there is none yet: the first command begins it");
        break;
      case Code::kUnsupportedVersion:
        Add(findings, Kind::kBroken, "log", log.status().text(), "update this program");
        break;
      default: AddDamage(findings, log.status().text());
    }
    return nullptr;
  }
  if ((*log)->damage()) {
    AddDamage(findings, (*log)->damage()->text);
    return nullptr;
  }
  const Sequence last = (*log)->Last();
  const Status scanned =
      (*log)->Scan(Sequence(1), last, [&](const events::Event& event, std::string_view) {
        lineages.Pass(event);
        return Status();
      });
  if (!scanned.ok()) {
    AddDamage(findings, scanned.text());
    return nullptr;
  }
  Add(findings, Kind::kFine, "log", fmt::format("{} events, each as it was written", last.value()));
  return *std::move(log);
}

void ExamineCheckpoint(Findings& findings, const std::filesystem::path& data) {
  constexpr const char* kNext =
      "stop what serves the directory, then sagalog rebuild: they come from the log alone";
  const auto store =
      CheckpointStore::Open(data / kProjectionsDirectoryName, CheckpointStore::Mode::kReadOnly);
  if (!store.ok()) {
    const bool absent = store.status().code() == Code::kNotFound;
    Add(findings, absent ? Kind::kFine : Kind::kBroken, "projections",
        absent ? "there are none yet: the log is folded from its beginning" : store.status().text(),
        absent ? "" : kNext);
    return;
  }
  Projections projections(**store);
  if (const Status loaded = (*store)->Load(projections); !loaded.ok()) {
    Add(findings, Kind::kBroken, "projections", loaded.text(), kNext);
    return;
  }
  Add(findings, Kind::kFine, "projections",
      fmt::format("checkpoint at sequence {}", (*store)->CheckpointSequence().value()));
}

void ExamineReaders(Findings& findings, const std::filesystem::path& data) {
  const std::filesystem::path file = data / kReadersFileName;
  const auto readers = LogReaders::Load(file)->All();
  if (!readers.ok()) {
    Add(findings, Kind::kBroken, "readers", readers.status().text(),
        fmt::format("nothing is compacted until then: move {} away, and have each reader say again "
                    "where it is",
                    file.string()));
  }
}

void ExamineClock(Findings& findings, const RocksLog& log, const Clock& clock) {
  if (log.Last().IsNone()) {
    return;
  }
  const auto newest = log.Read(log.Last());
  if (!newest.ok()) {
    return;
  }
  const StoreTime last = TimeFromMicros((*newest)->time());
  const StoreTime wall = clock.Read().wall;
  if (wall - last > kClockAheadMax) {
    Add(findings, Kind::kBroken, "clock",
        fmt::format("the wall clock says {}, {} after the last event", FormatTime(wall),
                    Length(wall - last)),
        "if the clock is right, open the directory once with --accept-clock; if not, set it: time "
        "in a store never goes back");
  } else if (last - wall > kClockBehindNoted) {
    Add(findings, Kind::kNote, "clock",
        fmt::format("the wall clock says {}, {} before the last event", FormatTime(wall),
                    Length(last - wall)),
        "set the clock if it is wrong; the store's time goes on from its last event");
  } else {
    Add(findings, Kind::kFine, "clock",
        fmt::format("the last event is from {}", Relative(last, wall)));
  }
}

}  // namespace

std::vector<Finding> Examine(const std::filesystem::path& data, const Clock& clock) {
  Findings findings;
  if (!ExamineDirectory(findings, data)) {
    return findings;
  }
  if (const Status whole = CheckNoUnfinishedRestore(data); !whole.ok()) {
    Add(findings, Kind::kBroken, "store", whole.text(),
        "what it is made from is unchanged: begin again as it says");
    return findings;
  }
  const bool is_backup = ExamineBackup(findings, data);
  if (!is_backup) {
    ExamineWriter(findings, data);
    ExamineDisk(findings, data);
    ExamineOwners(findings, data);
    ExamineReserve(findings, data);
  }
  Lineages lineages;
  const std::unique_ptr<RocksLog> log = ExamineLog(findings, data, lineages);
  if (log != nullptr && !is_backup) {
    ExamineSigned(findings, data, lineages, log->Last());
  }
  ExamineCheckpoint(findings, data);
  ExamineReaders(findings, data);
  if (log != nullptr && !is_backup) {
    ExamineClock(findings, *log, clock);
  }
  return findings;
}

}  // namespace sagalog::tools
