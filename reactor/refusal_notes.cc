#include "reactor/refusal_notes.h"

#include <memory>
#include <string>
#include <utility>

#include "reactor/rules/situation.h"
#include "schema/field_checks.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "schema/utf8.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;

bool IsEmptyPoll(const commands::CommandT& command, RefusalCode code) {
  return command.body.type == Body::ClaimNext &&
         (code == RefusalCode::empty || code == RefusalCode::frozen ||
          code == RefusalCode::limit_reached);
}

std::unique_ptr<schema::OwnerT> Copy(const std::unique_ptr<schema::OwnerT>& owner) {
  return owner ? std::make_unique<schema::OwnerT>(*owner) : nullptr;
}

void AddWhatWasAsked(const commands::CommandT& command, events::NotedRefusalT& note) {
  note.saga_id = command.saga_id;
  note.actor = command.actor;
  note.principal = command.principal;
  note.expected_version = command.expected_version;
  if (const auto* recover = command.body.AsRecover()) {
    note.expected_version = recover->observed;
  }
  const rules::Credentials credentials = rules::CredentialsOf(command);
  note.token = credentials.token ? credentials.token->value() : 0;
  const schema::OwnerT* owner = credentials.owner;
  if (const auto* acquire = command.body.AsAcquire()) {
    owner = acquire->owner.get();
  } else if (const auto* dispatch = command.body.AsDispatch()) {
    owner = dispatch->owner.get();
  } else if (const auto* claim = command.body.AsClaimNext()) {
    owner = claim->owner.get();
  }
  if (owner != nullptr) {
    note.owner = std::make_unique<schema::OwnerT>(*owner);
  }
}

events::NotedRefusalT NoteOf(const commands::CommandT& command, const answers::RefusalT& refusal) {
  events::NotedRefusalT note;
  note.code = refusal.code;
  if (command.body.type != Body::NONE && command.body.type <= Body::MAX) {
    note.command = CommandName(command.body.type);
  }
  if (refusal.detail.size() <= kFactSizeMax && IsUtf8(refusal.detail)) {
    note.detail = refusal.detail;
  }
  if (!ValidateCommand(command).ok()) {
    // What the limits did not let in stays out of the log; the saga is named if it can be.
    if (CheckSagaId(FieldPath(), command.saga_id).ok()) {
      note.saga_id = command.saga_id;
    }
    return note;
  }
  AddWhatWasAsked(command, note);
  if (note.saga_id.empty()) {
    note.saga_id = refusal.saga_id;
  }
  note.holder = Copy(refusal.holder);
  note.actual_version = refusal.actual_version;
  note.actual_state = refusal.actual_state;
  note.actual_stage = refusal.actual_stage;
  note.subject = refusal.subject;
  return note;
}

}  // namespace

void RefusalNotes::Add(const commands::CommandT& command, const answers::RefusalT& refusal) {
  if (IsEmptyPoll(command, refusal.code)) {
    return;
  }
  const std::int64_t now = now_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (refusals_.size() < kNotedRefusalsMax) {
    refusals_.push_back(NoteOf(command, refusal));
    refusals_.back().time = now;
  } else {
    ++counted_;
  }
  if (first_.load(std::memory_order_relaxed) == 0) {
    first_.store(now, std::memory_order_release);
  }
}

void RefusalNotes::SetTime(StoreTime now) { now_.store(ToMicros(now), std::memory_order_relaxed); }

bool RefusalNotes::IsDue(StoreTime now) const {
  const std::int64_t first = first_.load(std::memory_order_acquire);
  return first != 0 && now >= TimeFromMicros(first) + kRefusalNoteInterval;
}

events::RefusalsNotedT RefusalNotes::Take() {
  events::RefusalsNotedT note;
  const std::lock_guard lock(mutex_);
  for (events::NotedRefusalT& refusal : refusals_) {
    note.refusals.push_back(std::make_unique<events::NotedRefusalT>(std::move(refusal)));
  }
  note.counted = std::exchange(counted_, 0);
  refusals_.clear();
  first_.store(0, std::memory_order_release);
  return note;
}

std::vector<events::NotedRefusalT> RefusalNotes::About(std::string_view saga) const {
  std::vector<events::NotedRefusalT> about;
  const std::lock_guard lock(mutex_);
  for (const events::NotedRefusalT& refusal : refusals_) {
    if (refusal.saga_id == saga) {
      about.push_back(refusal);
    }
  }
  return about;
}

}  // namespace sagalog
