#include "tests/projections/history.h"

#include <array>
#include <utility>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

std::unique_ptr<CheckpointStore> RowsInMemory() {
  auto rows = CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory);
  EXPECT_TRUE(rows.ok()) << rows.status().text();
  return *std::move(rows);
}

std::unique_ptr<schema::OwnerT> OwnerNamed(std::string_view name) {
  auto owner = std::make_unique<schema::OwnerT>();
  owner->owner = name;
  return owner;
}

}  // namespace

History::History() : rows_(RowsInMemory()) {
  auto log = MemoryLog::Open(disk_);
  EXPECT_TRUE(log.ok()) << log.status().text();
  log_ = *std::move(log);
  Reopen();
}

void History::Reopen() {
  checkpointer_.reset();
  projections_ = std::make_unique<Projections>(*rows_);
  const Status loaded = rows_->Load(*projections_);
  EXPECT_TRUE(loaded.ok()) << loaded.text();
  const Status folded = Fold(*log_, log_->Last(), *projections_, nullptr);
  EXPECT_TRUE(folded.ok()) << folded.text();
  checkpointer_ = std::make_unique<Checkpointer>(*projections_, *rows_);
}

Sequence History::AppendEvent(std::string_view saga, events::EventT event, std::uint64_t request) {
  const Sequence last = log_->Last();
  const bool heartbeat = event.body.type == events::Body::Heartbeated;
  event.sequence = last.Next().value();
  event.saga_id = saga;
  event.time = ToMicros(time_);
  event.wall_time = event.time;
  if (request != 0) {
    event.request_id = std::make_unique<schema::RequestId>(request, ~request);
    event.request_content = request;
  }
  if (!saga.empty()) {
    Chain& chain = chains_[std::string(saga)];
    event.version = ++chain.version;
    event.previous = std::exchange(chain.previous, event.sequence);
    event.previous_transition = chain.transition;
    chain.transition = heartbeat ? chain.transition : event.sequence;
  }
  const std::array<std::string_view, 1> batch = {encoder_.Encode(event)};
  const Status appended = log_->Append(last, batch);
  EXPECT_TRUE(appended.ok()) << appended.text();
  const Status applied = projections_->Apply(*events::GetEvent(batch[0].data()));
  EXPECT_TRUE(applied.ok()) << applied.text();
  return last.Next();
}

Sequence History::Plan(std::string_view saga, const PlanFacts& facts) {
  events::PlannedT body;
  body.key = facts.key;
  body.generation = facts.key.empty() ? 0 : facts.generation;
  body.queue = facts.queue;
  body.priority = facts.priority;
  body.not_before = Seconds(facts.not_before);
  for (std::size_t i = 0; i < facts.targets.size(); ++i) {
    auto& compensation = body.compensations.emplace_back(new schema::CompensationT);
    compensation->id = "c" + std::to_string(i);
    compensation->kind = "clean";
    compensation->target = facts.targets[i];
    compensation->shared = facts.shared;
  }
  body.depends_on = facts.depends_on;
  body.parent = facts.parent;
  for (const auto& [name, value] : facts.labels) {
    auto& label = body.labels.emplace_back(new schema::LabelT);
    label->name = name;
    label->value = value;
  }
  return Append(saga, std::move(body), facts.request);
}

Token History::Acquire(std::string_view saga, std::string_view owner, double ttl,
                       schema::LeaseHow how) {
  events::LeasedT body;
  body.how = how;
  body.owner = OwnerNamed(owner);
  body.token = log_->Last().Next().value();
  body.ttl = Seconds(ttl);
  body.expires_at = ToMicros(time_) + body.ttl;
  return Token(Append(saga, std::move(body)).value());
}

Token History::Dispatch(std::string_view saga, std::string_view owner, double ttl) {
  events::DispatchedT body;
  body.owner = OwnerNamed(owner);
  body.token = log_->Last().Next().value();
  body.ttl = Seconds(ttl);
  body.expires_at = ToMicros(time_) + body.ttl;
  return Token(Append(saga, std::move(body)).value());
}

void History::Heartbeat(std::string_view saga, double ttl, std::string_view progress) {
  events::HeartbeatedT body;
  body.expires_at = ToMicros(time_) + Seconds(ttl);
  body.progress = progress;
  Append(saga, std::move(body));
}

void History::End(std::string_view saga, State state) {
  events::TerminalT body;
  body.state = state;
  body.by_owner = true;
  Append(saga, std::move(body));
}

void History::ClaimCompensation(std::string_view saga, std::string_view id) {
  events::CompensationClaimedT body;
  body.id = id;
  body.executor = "cleaner";
  body.token = log_->Last().Next().value();
  body.ttl = Seconds(60);
  body.expires_at = ToMicros(time_) + body.ttl;
  body.attempt = 1;
  Append(saga, std::move(body));
}

void History::SettleCompensation(std::string_view saga, std::string_view id,
                                 schema::CompensationOutcome outcome) {
  events::CompensationSettledT body;
  body.id = id;
  body.outcome = outcome;
  Append(saga, std::move(body));
}

void History::ComeBack() {
  events::StoreOpenedT body;
  body.away_since = ToMicros(time_) - 1;
  Append("", std::move(body));
}

void History::TakeCheckpoint() {
  const Status taken = checkpointer_->TakeNow();
  EXPECT_TRUE(taken.ok()) << taken.text();
}

Saga History::Get(std::string_view saga) const {
  if (const Saga* found = projections_->Find(saga)) {
    return *found;
  }
  const auto row = rows_->FindSaga(saga);
  EXPECT_TRUE(row.ok() && *row) << saga;
  return row.ok() && *row ? **row : Saga();
}

std::string History::DifferenceFromRebuild() {
  TakeCheckpoint();
  const auto fresh = RowsInMemory();
  Projections rebuilt(*fresh);
  const Status folded = Fold(*log_, log_->Last(), rebuilt, fresh.get(), 7);
  EXPECT_TRUE(folded.ok()) << folded.text();
  const Status taken = Checkpointer(rebuilt, *fresh).TakeNow();
  EXPECT_TRUE(taken.ok()) << taken.text();
  const auto difference = rows_->FirstDifference(*fresh);
  EXPECT_TRUE(difference.ok()) << difference.status().text();
  return difference.ok() ? difference->value_or("") : "";
}

std::vector<std::string> Ids(const std::vector<const Saga*>& sagas) {
  std::vector<std::string> ids;
  for (const Saga* saga : sagas) {
    ids.push_back(saga->id);
  }
  return ids;
}

}  // namespace sagalog
