// What a store says when it is asked: sagas, histories, lists and counts.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "reactor/list_reading.h"
#include "reactor/page_cursor.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// How long a read waits for the sequence it is asked to be true of.
constexpr std::chrono::milliseconds kSequencePatience{10'000};

Status AwaitSequence(const EventLog& log, Sequence sequence) {
  if (sequence <= log.Last() || log.WaitBeyond(Sequence(sequence.value() - 1), kSequencePatience)) {
    return {};
  }
  return {Code::kOverloaded, fmt::format("the store is at {} and not yet at {}", log.Last().value(),
                                         sequence.value())};
}

Status NoSuchSaga(std::string_view saga) {
  return {Code::kNotFound, fmt::format("there is no saga {}", saga)};
}

Status CopyNow(Store::Engine& engine, ListReading& reading) {
  return engine.RunInTurn(
      [&](const Decider& decider) { reading.Copy(decider.projections(), decider.now()); });
}

template <typename Reading>
auto ReadPage(Store::Engine& engine, const PageQuery& query)
    -> decltype(std::declval<Reading&>().Write(engine.log())) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  Reading reading(window);
  RETURN_IF_ERROR(CopyNow(engine, reading));
  return reading.Write(engine.log());
}

template <typename Row, typename Kind>
void AddCount(std::vector<std::unique_ptr<Row>>& rows, Kind Row::*kind, Kind value,
              std::uint64_t count) {
  if (count > 0) {
    rows.push_back(std::make_unique<Row>());
    (*rows.back()).*kind = value;
    rows.back()->count = count;
  }
}

void DescribeHealth(const Status& health, answers::StatusT& status) {
  switch (health.code()) {
    case Code::kOk: status.health = "open"; break;
    case Code::kCorruption: status.health = "corrupt"; break;
    default: status.health = "read_only"; break;
  }
  status.health_detail = health.text();
}

void DescribeState(const Decider& decider, answers::StatusT& status) {
  const Projections& state = decider.projections();
  status = answers::StatusT();
  status.store_id = state.facts().store_id;
  status.last_sequence = state.Applied().value();
  status.time = ToMicros(decider.now());
  status.token_offset = state.facts().token_offset;
  status.commands = decider.commands();
  const auto& sagas = state.statistics().sagas_by_state;
  for (const State one : schema::EnumValuesState()) {
    AddCount(IsTerminal(one) ? status.ended : status.live, &answers::StateCountT::state, one,
             sagas[static_cast<std::size_t>(one)]);
  }
  const auto stale = state.CountStaleByReason(decider.now());
  for (const schema::StaleReason reason : schema::EnumValuesStaleReason()) {
    AddCount(status.stale, &answers::ReasonCountT::reason, reason,
             stale[static_cast<std::size_t>(reason)]);
  }
}

}  // namespace

Result<answers::SagaT> Store::Find(std::string_view saga, Sequence min_sequence) {
  RETURN_IF_ERROR(AwaitSequence(engine_->log(), min_sequence));
  ASSIGN_OR_RETURN(const std::optional<SagaSnapshot> found, engine_->FindSaga(saga));
  if (!found) {
    return NoSuchSaga(saga);
  }
  ASSIGN_OR_RETURN(const auto view, SagaViewer(engine_->log()).View(*found));
  return std::move(*view);
}

Result<std::string> Store::OwnerName(std::string_view saga) {
  ASSIGN_OR_RETURN(const std::optional<SagaSnapshot> found, engine_->FindSaga(saga));
  if (!found) {
    return NoSuchSaga(saga);
  }
  return found->saga.owner.empty() ? std::string() : OwnerFromIdentity(found->saga.owner).owner;
}

Result<std::vector<StoredEvent>> Store::History(std::string_view saga, bool transitions_only,
                                                std::size_t limit) {
  ASSIGN_OR_RETURN(const std::optional<SagaSnapshot> found, engine_->FindSaga(saga));
  if (!found) {
    return NoSuchSaga(saga);
  }
  std::vector<StoredEvent> history;
  const Status full(Code::kCancelled, "as many as were asked for");
  const Status walked = engine_->log().WalkBack(found->saga.sequence, transitions_only,
                                                [&](const events::Event&, std::string_view bytes) {
                                                  if (history.size() >= limit) {
                                                    return full;
                                                  }
                                                  history.emplace_back(std::string(bytes));
                                                  return Status();
                                                });
  if (!walked.ok() && walked.code() != Code::kCancelled) {
    return walked;
  }
  std::reverse(history.begin(), history.end());
  return history;
}

Result<answers::StalePageT> Store::Stale(const PageQuery& query) {
  return ReadPage<StaleReading>(*engine_, query);
}

Result<answers::CompensationPageT> Store::Compensations(const PageQuery& query) {
  return ReadPage<BacklogReading>(*engine_, query);
}

Result<answers::OwnerPageT> Store::Owners(const PageQuery& query) {
  return ReadPage<OwnersReading>(*engine_, query);
}

Result<answers::EffectPageT> Store::EffectsInDoubt(const PageQuery& query) {
  return ReadPage<EffectsReading>(*engine_, query);
}

Result<answers::SectionPageT> Store::Sections(const PageQuery& query) {
  return ReadPage<SectionsReading>(*engine_, query);
}

Result<answers::QueueT> Store::Queue(std::string_view queue) {
  QueueReading reading{std::string(queue)};
  RETURN_IF_ERROR(CopyNow(*engine_, reading));
  return reading.Write();
}

Result<answers::StorePolicyT> Store::Policy() {
  PolicyReading reading;
  RETURN_IF_ERROR(CopyNow(*engine_, reading));
  return reading.Write();
}

answers::StatusT Store::Describe() {
  answers::StatusT status;
  const Status described = engine_->RunInTurn(
      [&](const Decider& decider) { DescribeState(decider, status); }, TurnFunction::Kind::kUpkeep);
  status.version = SAGALOG_VERSION;
  for (const schema::RefusalCode code : schema::EnumValuesRefusalCode()) {
    AddCount(status.refusals, &answers::CodeCountT::code, code, engine_->CountRefusals(code));
  }
  status.checkpoint_sequence = engine_->CheckpointSequence().value();
  DescribeHealth(described.ok() ? engine_->Health() : described, status);
  return status;
}

}  // namespace sagalog
