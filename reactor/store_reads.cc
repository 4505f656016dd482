// What a store says when it is asked: sagas, histories, lists and counts.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "reactor/list_rows.h"
#include "reactor/page_cursor.h"
#include "reactor/rules/rules.h"
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

// A compensation as it was in the turn.
struct BacklogEntry {
  std::string saga_id;
  State state;
  CompensationRecord record;
  bool claimable;
};

// The page's entries of the backlog; how many rows were looked at.
std::size_t CopyBacklog(const Decider& decider, const PageWindow& window,
                        std::vector<BacklogEntry>& entries) {
  const Projections& state = decider.projections();
  std::size_t rows = 0;
  // Each saga there has an entry at least.
  for (const Saga* saga : state.CompensationBacklog(window.CountLookedAt())) {
    for (const CompensationRecord& record : saga->compensations) {
      if (record.IsSettled()) {
        continue;
      }
      if (window.Shows(rows++)) {
        const bool claimable =
            rules::CheckClaimable(state, *saga, record, decider.now()) == nullptr;
        entries.push_back({saga->id, saga->state, record, claimable});
      }
    }
    if (rows >= window.CountLookedAt()) {
      break;
    }
  }
  return rows;
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
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  answers::StalePageT page;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    const Projections& state = decider.projections();
    const std::vector<const Saga*> stale = state.Stale(decider.now(), window.CountLookedAt());
    page.items.clear();
    for (std::size_t i = window.offset; i < stale.size() && window.Shows(i); ++i) {
      page.items.push_back(
          std::make_unique<answers::StaleRowT>(StaleRowOf(state, *stale[i], decider.now())));
    }
    page.cursor = window.NextCursor(stale.size());
    page.sequence = state.Applied().value();
  }));
  return page;
}

Result<answers::CompensationPageT> Store::Compensations(const PageQuery& query) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  answers::CompensationPageT page;
  std::vector<BacklogEntry> entries;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    entries.clear();
    page.cursor = window.NextCursor(CopyBacklog(decider, window, entries));
    page.sequence = decider.Applied().value();
  }));
  SagaViewer viewer(engine_->log());
  for (const BacklogEntry& entry : entries) {
    auto row = std::make_unique<answers::CompensationRowT>();
    row->saga_id = entry.saga_id;
    row->state = entry.state;
    row->claimable = entry.claimable;
    ASSIGN_OR_RETURN(row->compensation, viewer.ViewCompensation(entry.record));
    page.items.push_back(std::move(row));
  }
  return page;
}

Result<answers::OwnerPageT> Store::Owners(const PageQuery& query) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  struct Holder {
    InternedText owner;
    std::vector<std::string> sagas;
  };
  std::vector<Holder> holders;
  answers::OwnerPageT page;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    holders.clear();
    decider.projections().VisitOwners(
        [&](const InternedText& owner, std::span<const Saga* const> sagas) {
          Holder& holder = holders.emplace_back(Holder{owner, {}});
          for (const Saga* saga : sagas) {
            holder.sagas.push_back(saga->id);
          }
        });
    page.sequence = decider.Applied().value();
  }));
  std::sort(holders.begin(), holders.end(),
            [](const Holder& a, const Holder& b) { return a.owner.view() < b.owner.view(); });
  for (std::size_t i = window.offset; i < holders.size() && window.Shows(i); ++i) {
    auto row = std::make_unique<answers::OwnerRowT>();
    row->owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(holders[i].owner));
    row->sagas = std::move(holders[i].sagas);
    std::sort(row->sagas.begin(), row->sagas.end());
    page.items.push_back(std::move(row));
  }
  page.cursor = window.NextCursor(holders.size());
  return page;
}

Result<answers::QueueT> Store::Queue(std::string_view queue) {
  answers::QueueT view;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    view = QueueRowOf(decider.projections(), queue, decider.now());
  }));
  return view;
}

Result<answers::StorePolicyT> Store::Policy() {
  answers::StorePolicyT view;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    const Projections& state = decider.projections();
    const StoreFacts& facts = state.facts();
    view.policy = std::make_unique<schema::PolicyT>(facts.policy);
    if (facts.limit) {
      view.limit = *facts.limit;
    }
    view.slots_used = state.SlotsUsedInAll(decider.now());
  }));
  return view;
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
