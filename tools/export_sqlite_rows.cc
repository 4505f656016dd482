#include "tools/export_sqlite_rows.h"

#include <cstdint>
#include <string>

#include <flatbuffers/flatbuffers.h>

#include "schema/event_stub.h"
#include "schema/json.h"
#include "schema/store_time.h"
#include "tools/export_text.h"

namespace sagalog::tools {
namespace {

using events::Body;
using flatbuffers::GetStringView;

std::string TimeText(std::int64_t micros) {
  return micros == 0 ? std::string() : FormatTime(TimeFromMicros(micros));
}

// An owner's fields; those of nobody are empty.
struct OwnerText {
  explicit OwnerText(const schema::Owner* owner) {
    if (owner != nullptr) {
      name = GetStringView(owner->owner());
      host = GetStringView(owner->host());
      boot_id = GetStringView(owner->boot_id());
      pid = owner->pid();
    }
  }
  std::string_view name;
  std::string_view host;
  std::string_view boot_id;
  std::uint64_t pid = 0;
};

// One event on its way into the rows of its saga.
class SagaRows {
 public:
  SagaRows(SqliteFile& file, const events::Event& event)
      : file_(file),
        event_(event),
        saga_(GetStringView(event.saga_id())),
        sequence_(event.sequence()),
        time_(FormatTime(TimeFromMicros(event.time()))),
        type_(EventTypeName(event.body_type())) {}

  Status Apply() {
    RETURN_IF_ERROR(
        file_.Run("INSERT INTO sagas (saga_id, version, first_sequence, last_sequence) "
                  "VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE SET "
                  "version = excluded.version, last_sequence = excluded.last_sequence",
                  saga_, event_.version(), sequence_));
    switch (event_.body_type()) {
      case Body::Planned: return Plan(*event_.body_as_Planned());
      case Body::Dispatched: return Dispatch(*event_.body_as_Dispatched());
      case Body::Leased: return Lease(*event_.body_as_Leased());
      case Body::Heartbeated: return Beat(*event_.body_as_Heartbeated());
      case Body::DispatchAborted:
      case Body::Released:
      case Body::ForceReleased: return BackToPlanned();
      case Body::StageAdvanced:
        return file_.Run("UPDATE sagas SET stage = ?2 WHERE saga_id = ?1", saga_,
                         GetStringView(event_.body_as_StageAdvanced()->stage()));
      case Body::SectionEntered: return Enter(*event_.body_as_SectionEntered());
      case Body::SectionLeft: return Leave(*event_.body_as_SectionLeft());
      case Body::EffectBegun: return BeginEffect(*event_.body_as_EffectBegun());
      case Body::EffectSettled: return SettleEffect(*event_.body_as_EffectSettled());
      case Body::OwnerReported: return Report(*event_.body_as_OwnerReported());
      case Body::ExitRecorded:
        return file_.Run("UPDATE sagas SET exit_code = ?2 WHERE saga_id = ?1", saga_,
                         event_.body_as_ExitRecorded()->exit_code());
      case Body::Recovered: return Recover(*event_.body_as_Recovered());
      case Body::Terminal: return End(*event_.body_as_Terminal());
      case Body::Compensating: return Compensate();
      default: return ApplyToCompensations();
    }
  }

 private:
  Status ApplyToCompensations() {
    switch (event_.body_type()) {
      case Body::CompensationRegistered:
        return Register(event_.body_as_CompensationRegistered()->compensation());
      case Body::CompensationClaimed: return Claim(*event_.body_as_CompensationClaimed());
      case Body::CompensationSettled: return Settle(*event_.body_as_CompensationSettled());
      default: return {};
    }
  }

  Status Plan(const events::Planned& planned) {
    RETURN_IF_ERROR(file_.Run(
        "UPDATE sagas SET key = ?2, generation = ?3, queue = ?4, priority = ?5, parent = ?6, "
        "stage = ?7, planned_at = ?8, state = 'planned' WHERE saga_id = ?1",
        saga_, GetStringView(planned.key()), planned.generation(), GetStringView(planned.queue()),
        planned.priority(), GetStringView(planned.parent()), GetStringView(planned.stage()),
        time_));
    if (planned.compensations() != nullptr) {
      for (const schema::Compensation* compensation : *planned.compensations()) {
        RETURN_IF_ERROR(Register(compensation));
      }
    }
    return {};
  }

  Status Dispatch(const events::Dispatched& dispatched) {
    return Begin("dispatch", {}, dispatched.token(), OwnerText(dispatched.owner()), {},
                 dispatched.expires_at(), "dispatched");
  }

  Status Lease(const events::Leased& leased) {
    if (leased.how() == schema::LeaseHow::taken_over) {
      RETURN_IF_ERROR(
          file_.Run("UPDATE sagas SET recoveries = recoveries + 1 WHERE saga_id = ?1", saga_));
    }
    return Begin("lease", schema::EnumNameLeaseHow(leased.how()), leased.token(),
                 OwnerText(leased.owner()), OwnerText(leased.taken_from()).name,
                 leased.expires_at(), "running");
  }

  Status Begin(std::string_view kind, std::string_view how, std::uint64_t token,
               const OwnerText& owner, std::string_view taken_from, std::int64_t expires_at,
               std::string_view state) {
    RETURN_IF_ERROR(EndLease());
    RETURN_IF_ERROR(file_.Run(
        "INSERT INTO leases (sequence, saga_id, kind, how, token, owner, host, boot_id, pid, "
        "taken_from, begun_at, expires_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULLIF(?9, 0), ?10, ?11, ?12)",
        sequence_, saga_, kind, how, token, owner.name, owner.host, owner.boot_id, owner.pid,
        taken_from, time_, TimeText(expires_at)));
    return file_.Run(
        "UPDATE sagas SET lease = ?2, leases = leases + 1, state = ?3, owner = ?4 "
        "WHERE saga_id = ?1",
        saga_, sequence_, state, owner.name);
  }

  Status Beat(const events::Heartbeated& beat) {
    return file_.Run(
        "UPDATE leases SET heartbeats = heartbeats + 1, last_heartbeat_at = ?2, expires_at = ?3, "
        "progress = COALESCE(?4, progress) "
        "WHERE sequence = (SELECT lease FROM sagas WHERE saga_id = ?1)",
        saga_, time_, TimeText(beat.expires_at()), GetStringView(beat.progress()));
  }

  // Whoever holds the saga holds it no longer.
  Status EndLease() {
    RETURN_IF_ERROR(
        file_.Run("UPDATE leases SET ended_sequence = ?2, ended_at = ?3, ended_by = ?4 "
                  "WHERE sequence = (SELECT lease FROM sagas WHERE saga_id = ?1)",
                  saga_, sequence_, time_, type_));
    RETURN_IF_ERROR(CloseSection({}));
    return file_.Run("UPDATE sagas SET lease = NULL, section = NULL WHERE saga_id = ?1", saga_);
  }

  Status SetState(std::string_view state) {
    return file_.Run("UPDATE sagas SET state = ?2 WHERE saga_id = ?1", saga_, state);
  }

  Status Enter(const events::SectionEntered& entered) {
    RETURN_IF_ERROR(file_.Run(
        "INSERT INTO sections (sequence, saga_id, name, owner, max_age_seconds, entered_at) "
        "VALUES (?1, ?2, ?3, (SELECT owner FROM sagas WHERE saga_id = ?2), "
        "NULLIF(?4, 0) / 1e6, ?5)",
        sequence_, saga_, GetStringView(entered.name()), entered.max_age(), time_));
    return file_.Run("UPDATE sagas SET section = ?2 WHERE saga_id = ?1", saga_,
                     GetStringView(entered.name()));
  }

  Status Leave(const events::SectionLeft& left) {
    RETURN_IF_ERROR(CloseSection(GetStringView(left.outcome())));
    return file_.Run("UPDATE sagas SET section = NULL WHERE saga_id = ?1", saga_);
  }

  // Whoever is inside is inside no longer.
  Status CloseSection(std::string_view outcome) {
    return file_.Run(
        "UPDATE sections SET left_sequence = ?2, left_at = ?3, left_by = ?4, outcome = ?5 "
        "WHERE saga_id = ?1 AND left_sequence IS NULL",
        saga_, sequence_, time_, type_, outcome);
  }

  Status BeginEffect(const events::EffectBegun& begun) {
    return file_.Run(
        "INSERT INTO effects (sequence, saga_id, effect, scope, fingerprint, begun_at, begun_by) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT owner FROM sagas WHERE saga_id = ?2))",
        sequence_, saga_, GetStringView(begun.effect()), schema::EnumNameEffectScope(begun.scope()),
        GetStringView(begun.fingerprint()), time_);
  }

  // One of a key is settled in all its generations, on whichever it is settled.
  Status SettleEffect(const events::EffectSettled& settled) {
    RETURN_IF_ERROR(file_.Run(
        "UPDATE effects SET settled_sequence = ?3, settled_at = ?4, settled_in = ?1, "
        "outcome = ?5, result = ?6 "
        "WHERE effect = ?2 AND settled_sequence IS NULL AND (saga_id = ?1 OR (scope = 'key' "
        "AND (SELECT key FROM sagas WHERE saga_id = effects.saga_id) = "
        "(SELECT key FROM sagas WHERE saga_id = ?1)))",
        saga_, GetStringView(settled.effect()), sequence_, time_, GetStringView(settled.outcome()),
        GetStringView(settled.result())));
    // It was begun before the range.
    return file_.Run(
        "INSERT INTO effects (sequence, saga_id, effect, settled_sequence, settled_at, settled_in, "
        "outcome, result) SELECT ?3, ?1, ?2, ?3, ?4, ?1, ?5, ?6 WHERE changes() = 0",
        saga_, GetStringView(settled.effect()), sequence_, time_, GetStringView(settled.outcome()),
        GetStringView(settled.result()));
  }

  Status Report(const events::OwnerReported& report) {
    const OwnerText owner(report.identity());
    return file_.Run(
        "INSERT INTO owner_reports VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULLIF(?7, 0), ?8, ?9, ?10, "
        "?11, ?12)",
        sequence_, saga_, time_, owner.name, owner.host, owner.boot_id, owner.pid,
        schema::EnumNameVerdict(report.reported()), schema::EnumNameVerdict(report.verdict()),
        GetStringView(report.evidence()), GetStringView(event_.actor()),
        GetStringView(event_.principal()));
  }

  // Where it leads further, the next event says so.
  Status BackToPlanned() {
    RETURN_IF_ERROR(EndLease());
    return SetState("planned");
  }

  Status Recover(const events::Recovered& recovered) {
    std::string reasons;
    if (recovered.reasons() != nullptr) {
      for (const auto reason : *recovered.reasons()) {
        reasons += (reasons.empty() ? "" : ",");
        reasons += schema::EnumNameStaleReason(static_cast<schema::StaleReason>(reason));
      }
    }
    const OwnerText owner(recovered.owner());
    const bool gated = recovered.gate() != schema::Gate::none;
    RETURN_IF_ERROR(file_.Run(
        "INSERT INTO recoveries (sequence, saga_id, time, decision, reasons, evidence, "
        "section_outcome, gate, counts, observed, owner, host, actor, principal) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        sequence_, saga_, time_, schema::EnumNameRecoverDecision(recovered.decision()), reasons,
        GetStringView(recovered.evidence()), GetStringView(recovered.section_outcome()),
        gated ? schema::EnumNameGate(recovered.gate()) : "", recovered.counts(),
        recovered.observed(), owner.name, owner.host, GetStringView(event_.actor()),
        GetStringView(event_.principal())));
    // As max_recoveries counts them: not what was only dispatched.
    if (recovered.decision() == schema::RecoverDecision::requeue && recovered.counts()) {
      RETURN_IF_ERROR(
          file_.Run("UPDATE sagas SET recoveries = recoveries + (state IS NOT 'dispatched') "
                    "WHERE saga_id = ?1",
                    saga_));
    }
    RETURN_IF_ERROR(CloseSection(GetStringView(recovered.section_outcome())));
    return BackToPlanned();
  }

  Status End(const events::Terminal& terminal) {
    RETURN_IF_ERROR(EndLease());
    RETURN_IF_ERROR(file_.Run(
        "UPDATE sagas SET state = ?2, ended_at = ?3, reason = ?4, result = ?5 WHERE saga_id = ?1",
        saga_, schema::EnumNameState(terminal.state()), time_, GetStringView(terminal.reason()),
        GetStringView(terminal.result())));
    if (terminal.state() == schema::State::completed) {
      RETURN_IF_ERROR(
          file_.Run("UPDATE compensations SET state = 'dropped' WHERE saga_id = ?1 "
                    "AND state = 'registered' AND \"when\" = 'unless_completed'",
                    saga_));
    }
    return Owe();
  }

  Status Compensate() {
    RETURN_IF_ERROR(EndLease());
    RETURN_IF_ERROR(SetState("compensating"));
    return Owe();
  }

  Status Owe() {
    return file_.Run(
        "UPDATE compensations SET state = 'owed' WHERE saga_id = ?1 "
        "AND state = 'registered'",
        saga_);
  }

  Status Register(const schema::Compensation* compensation) {
    if (compensation == nullptr) {
      return {};
    }
    const auto* params = reinterpret_cast<const flatbuffers::Table*>(compensation);
    return file_.Run(
        "INSERT INTO compensations (saga_id, id, kind, target, params, \"when\", state, "
        "registered_sequence, registered_at) "
        "VALUES (?1, ?2, ?3, ?4, json_extract(?5, '$.params'), ?6, "
        "CASE (SELECT state FROM sagas WHERE saga_id = ?1) WHEN 'compensating' THEN 'owed' "
        "ELSE 'registered' END, ?7, ?8) ON CONFLICT DO NOTHING",
        saga_, GetStringView(compensation->id()), GetStringView(compensation->kind()),
        GetStringView(compensation->target()),
        TableToJson(schema::Compensation::GetFullyQualifiedName(), *params),
        schema::EnumNameCompensationWhen(compensation->when()), sequence_, time_);
  }

  Status Claim(const events::CompensationClaimed& claimed) {
    return file_.Run(
        "INSERT INTO compensations (saga_id, id, state, attempts, executor, claimed_at, "
        "expires_at) VALUES (?1, ?2, 'claimed', ?3, ?4, ?5, ?6) "
        "ON CONFLICT DO UPDATE SET state = 'claimed', attempts = excluded.attempts, "
        "executor = excluded.executor, claimed_at = excluded.claimed_at, "
        "expires_at = excluded.expires_at",
        saga_, GetStringView(claimed.id()), claimed.attempt(), GetStringView(claimed.executor()),
        time_, TimeText(claimed.expires_at()));
  }

  Status Settle(const events::CompensationSettled& settled) {
    return file_.Run(
        "INSERT INTO compensations (saga_id, id, state, outcome, settled_sequence, settled_at, "
        "detail) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6) "
        "ON CONFLICT DO UPDATE SET state = excluded.state, outcome = excluded.outcome, "
        "settled_sequence = excluded.settled_sequence, settled_at = excluded.settled_at, "
        "detail = excluded.detail",
        saga_, GetStringView(settled.id()), schema::EnumNameCompensationOutcome(settled.outcome()),
        sequence_, time_, GetStringView(settled.detail()));
  }

  SqliteFile& file_;
  const events::Event& event_;
  const std::string_view saga_;
  const std::uint64_t sequence_;
  const std::string time_;
  const std::string_view type_;
};

Status AddRefusals(SqliteFile& file, const events::Event& event) {
  const auto* refusals = event.body_as_RefusalsNoted()->refusals();
  std::int64_t position = 0;
  for (flatbuffers::uoffset_t i = 0; refusals != nullptr && i < refusals->size(); ++i) {
    const events::NotedRefusal& refusal = *refusals->Get(i);
    const auto version = refusal.expected_version();
    const auto actual = refusal.actual_version();
    const auto state = refusal.actual_state();
    RETURN_IF_ERROR(file.Run(
        "INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULLIF(?11, 0), "
        "NULLIF(?12, -1), ?13, NULLIF(?14, -1), ?15, ?16)",
        event.sequence(), ++position, GetStringView(refusal.saga_id()),
        GetStringView(refusal.command()), schema::EnumNameRefusalCode(refusal.code()),
        GetStringView(refusal.detail()), TimeText(refusal.time()), GetStringView(refusal.actor()),
        GetStringView(refusal.principal()), OwnerText(refusal.owner()).name, refusal.token(),
        version ? static_cast<std::int64_t>(*version) : std::int64_t{-1},
        OwnerText(refusal.holder()).name,
        actual ? static_cast<std::int64_t>(*actual) : std::int64_t{-1},
        state ? schema::EnumNameState(*state) : "", GetStringView(refusal.actual_stage())));
  }
  return {};
}

}  // namespace

Status AddExportRows(SqliteFile& file, const events::Event& event, std::string_view bytes) {
  RETURN_IF_ERROR(
      file.Run("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
               event.sequence(), GetStringView(event.saga_id()), event.version(), event.previous(),
               FormatTime(TimeFromMicros(event.time())), EventTypeName(event.body_type()),
               GetStringView(event.actor()), GetStringView(event.principal()), RequestIdText(event),
               GetStringView(event.traceparent()), IsStub(event), BodyToJson(event),
               SqliteFile::Blob{bytes}));
  if (event.body_type() == Body::RefusalsNoted) {
    return AddRefusals(file, event);
  }
  return event.saga_id() == nullptr || event.saga_id()->size() == 0 ? Status()
                                                                    : SagaRows(file, event).Apply();
}

}  // namespace sagalog::tools
