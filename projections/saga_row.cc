#include "projections/saga_row.h"

#include <limits>
#include <utility>

#include "projections/policy_row.h"
#include "projections/row_bytes.h"

namespace sagalog {
namespace {

// Which parts of a saga follow. New ones go to the end.
enum Part : std::uint32_t {
  kParent = 1U << 0,
  kChildren = 1U << 1,
  kDependsOn = 1U << 2,
  kEffects = 1U << 3,
  kDeadOwners = 1U << 4,
  kNotBefore = 1U << 5,
  kParkedAt = 1U << 6,
  kCancelRequestedAt = 1U << 7,
  kReportedAliveAt = 1U << 8,
  kReportedDeadAt = 1U << 9,
  kSection = 1U << 10,
  kExit = 1U << 11,
  kPolicy = 1U << 12,
  kProgress = 1U << 13,
  kSpentToken = 1U << 14,
  kLabelled = 1U << 15,
  kCancelCascade = 1U << 16,
  kExtras = 1U << 17,
  kRefusalNotes = 1U << 18,
  kAllParts = (kRefusalNotes << 1) - 1,
};

std::uint32_t Flag(bool is_set, std::uint32_t flag) { return is_set ? flag : 0; }

std::uint32_t PartsOf(const SagaExtras& extras) {
  return kExtras | Flag(!extras.parent.empty(), kParent) |
         Flag(!extras.children.empty(), kChildren) | Flag(!extras.depends_on.empty(), kDependsOn) |
         Flag(!extras.effects.empty(), kEffects) | Flag(!extras.dead_owners.empty(), kDeadOwners) |
         Flag(extras.not_before.has_value(), kNotBefore) |
         Flag(extras.parked_at.has_value(), kParkedAt) |
         Flag(extras.cancel_requested_at.has_value(), kCancelRequestedAt) |
         Flag(extras.reported_alive_at.has_value(), kReportedAliveAt) |
         Flag(extras.reported_dead_at.has_value(), kReportedDeadAt) |
         Flag(extras.section.has_value(), kSection) | Flag(extras.exit.has_value(), kExit) |
         Flag(extras.policy.has_value(), kPolicy) |
         Flag(extras.progress_at.has_value(), kProgress) |
         Flag(!extras.spent_dispatch_token.IsNone(), kSpentToken) |
         Flag(extras.labelled, kLabelled) | Flag(extras.cancel_cascade, kCancelCascade) |
         Flag(!extras.refusal_notes.empty(), kRefusalNotes);
}

void WriteCompensation(RowWriter& row, const CompensationRecord& record) {
  row.Text(record.id);
  row.Fixed(record.target_hash);
  row.Number(record.registered);
  row.Number(record.settled);
  row.Number(record.position);
  row.Number(record.attempts);
  row.Number(record.content);
  row.Byte(static_cast<std::uint8_t>(record.state));
  row.Byte(static_cast<std::uint8_t>(record.when));
  row.Byte(static_cast<std::uint8_t>(Flag(record.shared, 1) | Flag(bool{record.claim}, 2) |
                                     Flag(record.claim && record.claim->failed_at, 4)));
  if (record.claim) {
    row.Number(record.claim->token);
    row.Text(record.claim->executor);
    row.Time(record.claim->claimed_at);
    row.Time(record.claim->expires_at);
    if (record.claim->failed_at) {
      row.Time(*record.claim->failed_at);
    }
  }
}

CompensationRecord ReadCompensation(RowReader& row) {
  CompensationRecord record;
  record.id = InternedText(row.Text());
  record.target_hash = row.Fixed();
  record.registered = Sequence(row.Number());
  record.settled = Sequence(row.Number());
  record.position = row.NumberUpTo(std::numeric_limits<decltype(record.position)>::max());
  record.attempts = row.NumberUpTo(std::numeric_limits<decltype(record.attempts)>::max());
  record.content = row.NumberUpTo(std::numeric_limits<std::uint32_t>::max());
  record.state = row.OneOf(CompensationState::MAX);
  record.when = row.OneOf(schema::CompensationWhen::MAX);
  const std::uint8_t flags = row.Byte();
  record.shared = (flags & 1) != 0;
  if (flags > 7) {
    row.Fail();
  }
  if ((flags & 2) != 0) {
    CompensationClaim& claim = record.claim.Ensure();
    claim.token = Token(row.Number());
    claim.executor = InternedText(row.Text());
    claim.claimed_at = row.Time();
    claim.expires_at = row.Time();
    if ((flags & 4) != 0) {
      claim.failed_at = row.Time();
    }
  }
  return record;
}

void WriteRequest(RowWriter& row, const RequestRecord& request) {
  row.Fixed(request.high);
  row.Fixed(request.low);
  row.Fixed(request.content);
  row.Number(request.sequence);
  row.Byte(static_cast<std::uint8_t>(Flag(request.heartbeat, 1) | Flag(request.store_wide, 2)));
}

RequestRecord ReadRequest(RowReader& row) {
  RequestRecord request;
  request.high = row.Fixed();
  request.low = row.Fixed();
  request.content = row.Fixed();
  request.sequence = Sequence(row.Number());
  const std::uint8_t flags = row.Byte();
  request.heartbeat = (flags & 1) != 0;
  request.store_wide = (flags & 2) != 0;
  if (flags > 3) {
    row.Fail();
  }
  return request;
}

void WriteEffect(RowWriter& row, const EffectRecord& effect) {
  row.Text(effect.effect);
  row.Text(effect.fingerprint);
  row.Number(effect.begun);
  row.Number(effect.settled);
  row.Fixed(effect.settlement);
  row.Byte(effect.key_scope ? 1 : 0);
}

EffectRecord ReadEffect(RowReader& row) {
  EffectRecord effect;
  effect.effect = row.Text();
  effect.fingerprint = row.Text();
  effect.begun = Sequence(row.Number());
  effect.settled = Sequence(row.Number());
  effect.settlement = row.Fixed();
  effect.key_scope = row.NumberUpTo<std::uint8_t>(1) != 0;
  return effect;
}

void WriteDependency(RowWriter& row, const DependencyRecord& dependency) {
  row.Text(dependency.saga_id);
  row.Byte(static_cast<std::uint8_t>(dependency.standing));
  row.Time(dependency.dead_since);
}

DependencyRecord ReadDependency(RowReader& row) {
  DependencyRecord dependency;
  dependency.saga_id = row.Text();
  dependency.standing = row.OneOf(DependencyRecord::Standing::kDead);
  dependency.dead_since = row.Time();
  return dependency;
}

void WriteSection(RowWriter& row, const SectionRecord& section) {
  row.Text(section.name);
  row.Time(section.since);
  row.Signed(section.max_age.count());
}

SectionRecord ReadSection(RowReader& row) {
  SectionRecord section;
  section.name = InternedText(row.Text());
  section.since = row.Time();
  section.max_age = Duration(row.Signed());
  return section;
}

void WriteExit(RowWriter& row, const ExitRecord& exit) {
  row.Signed(exit.code);
  row.Time(exit.at);
  row.Number(exit.sequence);
}

ExitRecord ReadExit(RowReader& row) {
  ExitRecord exit;
  const std::int64_t code = row.Signed();
  exit.code = static_cast<std::int32_t>(code);
  if (exit.code != code) {
    row.Fail();
  }
  exit.at = row.Time();
  exit.sequence = Sequence(row.Number());
  return exit;
}

template <typename List, typename Write>
void WriteAll(RowWriter& row, const List& list, const Write& write) {
  row.Number(list.size());
  for (const auto& element : list) {
    write(row, element);
  }
}

template <typename List, typename Read>
void ReadAll(RowReader& row, List& list, const Read& read) {
  const std::size_t count = row.Count();
  list.reserve(count);
  for (std::size_t i = 0; i < count && row.ok(); ++i) {
    list.push_back(read(row));
  }
}

void WriteTime(RowWriter& row, const std::optional<StoreTime>& time) {
  if (time) {
    row.Time(*time);
  }
}

void WriteExtras(RowWriter& row, const SagaExtras& extras, std::uint32_t parts) {
  const auto text = [](RowWriter& to, const auto& one) { to.Text(one); };
  if (parts & kParent) row.Text(extras.parent);
  if (parts & kChildren) WriteAll(row, extras.children, text);
  if (parts & kDependsOn) WriteAll(row, extras.depends_on, WriteDependency);
  if (parts & kEffects) WriteAll(row, extras.effects, WriteEffect);
  if (parts & kDeadOwners) WriteAll(row, extras.dead_owners, text);
  WriteTime(row, extras.not_before);
  WriteTime(row, extras.parked_at);
  WriteTime(row, extras.cancel_requested_at);
  WriteTime(row, extras.reported_alive_at);
  WriteTime(row, extras.reported_dead_at);
  if (parts & kSection) WriteSection(row, *extras.section);
  if (parts & kExit) WriteExit(row, *extras.exit);
  if (parts & kPolicy) WritePolicy(row, *extras.policy);
  if (parts & kProgress) {
    row.Number(extras.progress_sequence);
    row.Time(*extras.progress_at);
  }
  if (parts & kSpentToken) row.Number(extras.spent_dispatch_token);
  if (parts & kRefusalNotes) {
    WriteAll(row, extras.refusal_notes,
             [](RowWriter& to, Sequence sequence) { to.Number(sequence); });
  }
}

void ReadExtras(RowReader& row, SagaExtras& extras, std::uint32_t parts) {
  const auto text = [](RowReader& from) { return std::string(from.Text()); };
  const auto interned = [](RowReader& from) { return InternedText(from.Text()); };
  if (parts & kParent) extras.parent = row.Text();
  if (parts & kChildren) ReadAll(row, extras.children, text);
  if (parts & kDependsOn) ReadAll(row, extras.depends_on, ReadDependency);
  if (parts & kEffects) ReadAll(row, extras.effects, ReadEffect);
  if (parts & kDeadOwners) ReadAll(row, extras.dead_owners, interned);
  if (parts & kNotBefore) extras.not_before = row.Time();
  if (parts & kParkedAt) extras.parked_at = row.Time();
  if (parts & kCancelRequestedAt) extras.cancel_requested_at = row.Time();
  if (parts & kReportedAliveAt) extras.reported_alive_at = row.Time();
  if (parts & kReportedDeadAt) extras.reported_dead_at = row.Time();
  if (parts & kSection) extras.section = ReadSection(row);
  if (parts & kExit) extras.exit = ReadExit(row);
  if (parts & kPolicy) ReadPolicy(row, extras.policy.emplace());
  if (parts & kProgress) {
    extras.progress_sequence = Sequence(row.Number());
    extras.progress_at = row.Time();
  }
  if (parts & kSpentToken) extras.spent_dispatch_token = Token(row.Number());
  extras.labelled = (parts & kLabelled) != 0;
  extras.cancel_cascade = (parts & kCancelCascade) != 0;
  if (parts & kRefusalNotes) {
    ReadAll(row, extras.refusal_notes, [](RowReader& from) { return Sequence(from.Number()); });
  }
}

void WriteCore(RowWriter& row, const Saga& saga) {
  row.Text(saga.id);
  row.Text(saga.key);
  row.Text(saga.queue);
  row.Text(saga.stage);
  row.Text(saga.owner);
  for (const Sequence sequence : {saga.planned_sequence, saga.sequence, saga.previous_transition,
                                  saga.stage_sequence, saga.lease_sequence, saga.reason_sequence}) {
    row.Number(sequence);
  }
  row.Number(saga.token);
  for (const StoreTime time :
       {saga.acquired_at, saga.heartbeat_at, saga.expires_at, saga.state_since}) {
    row.Time(time);
  }
  row.Signed(saga.ttl.count());
  row.Number(saga.version);
  row.Signed(saga.priority);
  for (const std::uint32_t count :
       {saga.generation, saga.attempts, saga.recoveries, saga.dispatch_failures}) {
    row.Number(count);
  }
  row.Byte(static_cast<std::uint8_t>(saga.state));
  row.Byte(static_cast<std::uint8_t>(saga.compensation_status));
  row.Byte(saga.let_go ? 1 : 0);
}

void ReadCore(RowReader& row, Saga& saga) {
  saga.id = row.Text();
  saga.key = row.Text();
  saga.queue = InternedText(row.Text());
  saga.stage = InternedText(row.Text());
  saga.owner = InternedText(row.Text());
  for (Sequence* sequence : {&saga.planned_sequence, &saga.sequence, &saga.previous_transition,
                             &saga.stage_sequence, &saga.lease_sequence, &saga.reason_sequence}) {
    *sequence = Sequence(row.Number());
  }
  saga.token = Token(row.Number());
  for (StoreTime* time :
       {&saga.acquired_at, &saga.heartbeat_at, &saga.expires_at, &saga.state_since}) {
    *time = row.Time();
  }
  saga.ttl = Duration(row.Signed());
  saga.version = SagaVersion(row.Number());
  const std::int64_t priority = row.Signed();
  saga.priority = static_cast<std::int32_t>(priority);
  if (saga.priority != priority) {
    row.Fail();
  }
  for (std::uint32_t* count :
       {&saga.generation, &saga.attempts, &saga.recoveries, &saga.dispatch_failures}) {
    *count = row.NumberUpTo(std::numeric_limits<std::uint32_t>::max());
  }
  saga.state = row.OneOf(State::MAX);
  saga.compensation_status = row.OneOf(CompensationStatus::MAX);
  saga.let_go = row.NumberUpTo<std::uint8_t>(1) != 0;
}

}  // namespace

void EncodeSaga(const Saga& saga, std::string& out) {
  RowWriter row(out);
  const std::uint32_t parts = saga.extras ? PartsOf(*saga.extras) : 0;
  row.Number(parts);
  WriteCore(row, saga);
  WriteAll(row, saga.compensations, WriteCompensation);
  WriteAll(row, saga.requests, WriteRequest);
  if (saga.extras) {
    WriteExtras(row, *saga.extras, parts);
  }
}

Result<Saga> DecodeSaga(std::string_view& bytes) {
  RowReader row(bytes);
  Saga saga;
  const std::uint32_t parts = row.NumberUpTo<std::uint32_t>(kAllParts);
  ReadCore(row, saga);
  ReadAll(row, saga.compensations, ReadCompensation);
  ReadAll(row, saga.requests, ReadRequest);
  if ((parts & kExtras) != 0) {
    ReadExtras(row, saga.extras.Ensure(), parts);
  } else if (parts != 0) {
    row.Fail();
  }
  if (!row.ok() || saga.id.empty() || saga.planned_sequence.IsNone() ||
      saga.sequence < saga.planned_sequence) {
    return Status(Code::kCorruption, "a saga's row is damaged");
  }
  bytes = row.Left();
  return saga;
}

RowHistory HistoryOf(const Saga& saga) {
  RowHistory history{saga.planned_sequence, saga.sequence, {}};
  if (saga.extras && !saga.extras->refusal_notes.empty() &&
      saga.extras->refusal_notes.back() > saga.sequence) {
    history.noted_later = saga.extras->refusal_notes.back();
  }
  return history;
}

Result<RowHistory> ReadRowHistory(std::string_view bytes) {
  RowReader row(bytes);
  const std::uint32_t parts = row.NumberUpTo<std::uint32_t>(kAllParts);
  if ((parts & kRefusalNotes) != 0) {
    ASSIGN_OR_RETURN(const Saga saga, DecodeSaga(bytes));
    return HistoryOf(saga);
  }
  RowHistory history;
  constexpr int kTexts = 5;  // of WriteCore, before the sequences
  for (int i = 0; i < kTexts; ++i) {
    static_cast<void>(row.Text());
  }
  history.planned = Sequence(row.Number());
  history.changed = Sequence(row.Number());
  if (!row.ok()) {
    return Status(Code::kCorruption, "a saga's row is damaged");
  }
  return history;
}

}  // namespace sagalog
