#include "reactor/restore.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "eventlog/backup_directory.h"
#include "eventlog/log_copy.h"
#include "eventlog/rocks_log.h"
#include "projections/merkle_tree.h"
#include "reactor/random_id.h"
#include "reactor/store_clock.h"
#include "reactor/store_making.h"
#include "schema/event_encoder.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

// A store grants fewer tokens than this a second, so those of a restore stand above all that were
// granted before it. Until 2106 they stay below 2^53, which JSON carries exactly.
constexpr std::uint64_t kTokensPerSecond = 1ULL << 21;
constexpr std::uint64_t kTokenEnd = 1ULL << 53;

// What a whole log says of its store.
struct LogFacts {
  std::string store_id;
  std::uint64_t token_offset = 0;
  StoreTime last_time;
  MerkleTree tree;
};

Result<LogFacts> ReadFacts(const EventLog& log) {
  LogFacts facts;
  const auto visit = [&facts](const events::Event& event, std::string_view bytes) {
    facts.tree.Append(LeafHash(event, bytes));
    facts.last_time = TimeFromMicros(event.time());
    if (const events::StoreOpened* opened = event.body_as_StoreOpened()) {
      facts.store_id = opened->store_id() == nullptr ? "" : opened->store_id()->str();
    } else if (const events::StoreRestored* restored = event.body_as_StoreRestored()) {
      facts.token_offset = restored->token_offset();
    }
    return Status();
  };
  RETURN_IF_ERROR(log.Scan(Sequence(1), log.Last(), visit));
  return facts;
}

// Microseconds count too: a second restore within one second begins higher.
std::uint64_t TokenAt(StoreTime time) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(ToMicros(time), 0));
  constexpr std::uint64_t kMicros = 1'000'000;
  return micros / kMicros * kTokensPerSecond + micros % kMicros * kTokensPerSecond / kMicros;
}

// Not below `past`, the next token that the log itself would grant, and unlike that of any other
// restore of it. The wall clock sees to that by going on, where it is ahead of the log. Where it is
// not (it was fast once, and was set back) chance does: two restores of one backup must not grant
// the same tokens.
std::uint64_t FirstToken(const LogFacts& facts, std::uint64_t past,
                         const StoreClock::Moment& moment) {
  const std::uint64_t by_clock = TokenAt(moment.wall);
  if (moment.wall >= facts.last_time && by_clock > past) {
    return by_clock;
  }
  // Six days of tokens: two out of so many are far apart, and no two years are lost.
  constexpr int kChanceBits = 40;
  std::random_device device;
  const std::uint64_t chance = (std::uint64_t{device()} << 32 | device()) >> (64 - kChanceBits);
  return std::max(past, TokenAt(moment.now)) + 1 + chance;
}

// The log of the restored store, in a folder beside its place.
Result<RestoreReport> MakeLog(const fs::path& backup, const fs::path& restoring,
                              const RestoreOptions& options) {
  ASSIGN_OR_RETURN(const BackupManifest manifest, CopyBackup(backup, restoring, options.faults));
  RocksLogOptions log_options;
  log_options.faults = options.faults;
  ASSIGN_OR_RETURN(const auto log, RocksLog::Open(restoring, log_options));
  if (log->Last() < manifest.last) {
    return Status(Code::kCorruption,
                  fmt::format("the backup {} is damaged: it ends at event {}, not {}",
                              backup.string(), log->Last().value(), manifest.last.value()));
  }
  const SystemClock system_clock;
  const Clock& clock = options.clock == nullptr ? system_clock : *options.clock;
  ASSIGN_OR_RETURN(RestoreReport report, BeginLineage(*log, clock, options.accept_clock));
  RETURN_IF_ERROR(log->Close());
  return report;
}

}  // namespace

Result<RestoreReport> BeginLineage(EventLog& log, const Clock& clock, bool accept_clock) {
  RETURN_IF_ERROR(log.Health());
  ASSIGN_OR_RETURN(const LogFacts facts, ReadFacts(log));
  if (facts.tree.size() == 0) {
    return Status(Code::kInvalidArgument, "the backup holds no event");
  }
  ASSIGN_OR_RETURN(StoreClock store_clock, StoreClock::Start(clock, facts.last_time, accept_clock));
  const StoreClock::Moment moment = store_clock.Tick(std::nullopt);
  RestoreReport report;
  report.store_id = facts.store_id;
  report.lineage = NewRandomId();
  report.old_size = facts.tree.size();
  report.old_root = ToBase64(facts.tree.Root());
  report.last = log.Last().Next();
  // The first event that can grant anything comes behind store_restored.
  const std::uint64_t next = report.last.Next().value();
  report.next_token = Token(FirstToken(facts, next + facts.token_offset, moment));
  if (report.next_token.value() >= kTokenEnd) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the clock says {}, and tokens reach to 2106 only: check the clock",
                              FormatTime(moment.now)));
  }
  events::EventT event;
  event.sequence = report.last.value();
  event.time = ToMicros(moment.now);
  event.wall_time = ToMicros(moment.wall);
  events::StoreRestoredT restored;
  restored.lineage = report.lineage;
  restored.token_offset = report.next_token.value() - next;
  restored.old_size = report.old_size;
  restored.old_root = report.old_root;
  event.body.Set(std::move(restored));
  EventEncoder encoder;
  const std::array<std::string_view, 1> events = {encoder.Encode(event)};
  RETURN_IF_ERROR(log.Append(log.Last(), events));
  return report;
}

Result<RestoreReport> RestoreStore(const RestoreOptions& options) {
  ASSIGN_OR_RETURN(const fs::path backup, BackupDirectory::Find(options.backup));
  return MakeStore(options.directory, options.faults,
                   [&](const fs::path& restoring) { return MakeLog(backup, restoring, options); });
}

}  // namespace sagalog
