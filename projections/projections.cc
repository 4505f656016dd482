#include "projections/projections.h"

#include <algorithm>
#include <utility>

#include "projections/read_models.h"

namespace sagalog {
namespace {

std::vector<const Saga*> FirstOf(const SagaOrder<KeyedEntry>& order, std::size_t limit) {
  std::vector<const Saga*> sagas;
  order.VisitAfter(Sequence(), [&](const Saga& saga) {
    if (sagas.size() == limit) {
      return false;
    }
    sagas.push_back(&saga);
    return true;
  });
  return sagas;
}

}  // namespace

Projections::Projections(const EndedRows& rows) : models_(std::make_unique<ReadModels>(rows)) {}

Projections::~Projections() = default;

Status Projections::Apply(const events::Event& event) { return models_->Apply(event); }

Sequence Projections::Applied() const { return models_->applied(); }

void Projections::BeginTrial() { models_->BeginTrial(); }

void Projections::KeepTrial() { models_->KeepTrial(); }

void Projections::RollBack() { models_->RollBack(); }

void Projections::Admit(Saga saga) { models_->Admit(std::move(saga)); }

void Projections::AnticipateSlot(std::string_view saga_id) const {
  models_->sagas().AnticipateSlot(saga_id);
}

void Projections::AnticipateSaga(std::string_view saga_id) const {
  models_->sagas().AnticipateSaga(saga_id);
}

void Projections::AnticipateRequest(std::uint64_t high, std::uint64_t low) const {
  models_->sagas().AnticipateRequest(high, low);
}

const Saga* Projections::Find(std::string_view saga_id) const {
  return models_->sagas().Find(saga_id);
}

const Saga* Projections::HolderOfKey(std::string_view key) const {
  return models_->keys().HolderOf(key);
}

const Saga* Projections::NewestEndedOfKey(std::string_view key) const {
  return models_->keys().NewestEndedOf(key);
}

const Saga* Projections::PlannedByRequest(std::uint64_t high, std::uint64_t low) const {
  return models_->sagas().FindByRequest(high, low);
}

const Saga* Projections::OtherHolderOfTarget(std::uint64_t target_hash, const Saga* self,
                                             bool undoing_too) const {
  return models_->targets().OtherHolder(target_hash, self, undoing_too);
}

const StoreFacts& Projections::facts() const { return models_->facts(); }

const Statistics& Projections::statistics() const { return models_->statistics(); }

const QueueConfiguration& Projections::Queue(std::string_view queue) const {
  return models_->queues().Configuration(queue);
}

EffectivePolicy Projections::PolicyOf(const Saga& saga) const {
  return PolicyFor(saga.queue.view(),
                   saga.extras && saga.extras->policy ? &*saga.extras->policy : nullptr);
}

EffectivePolicy Projections::PolicyFor(std::string_view queue, const schema::PolicyT* own) const {
  return models_->queues().PolicyFor(queue, own);
}

StalenessContext Projections::ContextOf(const Saga& saga) const {
  return {PolicyOf(saga), models_->facts().returns};
}

std::uint64_t Projections::SlotsUsed(std::string_view queue, StoreTime now) const {
  return models_->queues().SlotsUsed(queue, now);
}

std::uint64_t Projections::SlotsUsedInAll(StoreTime now) const {
  return models_->queues().SlotsUsedInAll(now);
}

const Saga* Projections::FirstClaimable(std::string_view queue, bool for_dispatch,
                                        const InternedText& incarnation, StoreTime now) const {
  return models_->queues().FirstClaimable(queue, for_dispatch, incarnation, now);
}

std::uint64_t Projections::PlannedIn(std::string_view queue) const {
  return models_->queues().PlannedIn(queue);
}

std::vector<std::string> Projections::QueueNames() const { return models_->queues().Names(); }

std::vector<const Saga*> Projections::Stale(StoreTime now, std::size_t limit) const {
  return models_->stale().Stale(now, limit);
}

std::array<std::uint64_t, 16> Projections::CountStaleByReason(StoreTime now) const {
  return models_->stale().CountByReason(now);
}

std::optional<StoreTime> Projections::NextStaleMoment(StoreTime now) const {
  auto next = models_->stale().NextMoment(ToMicros(now));
  if (const auto slot_end = models_->queues().NextSlotEnd(ToMicros(now))) {
    next = next ? std::min(*next, *slot_end) : *slot_end;
  }
  return next ? std::optional(TimeFromMicros(*next)) : std::nullopt;
}

std::vector<const Saga*> Projections::DueForReaper(StoreTime now, std::size_t limit) const {
  const auto due = models_->stale().Due(StaleList::kReaper, now, limit);
  return {due.begin(), due.end()};
}

std::vector<const Saga*> Projections::AsideForReaper(StoreTime now, std::size_t limit) const {
  const auto due = models_->stale().Due(StaleList::kAside, now, limit);
  return {due.begin(), due.end()};
}

std::optional<StoreTime> Projections::NextForReaper() const {
  const auto first = models_->stale().FirstForReaper();
  return first ? std::optional(TimeFromMicros(*first)) : std::nullopt;
}

void Projections::PutAside(std::string_view saga_id) { models_->PutAside(saga_id); }

void Projections::BringBack(std::string_view saga_id) { models_->BringBack(saga_id); }

std::vector<const Saga*> Projections::CompensationBacklog(std::size_t limit) const {
  return models_->backlog().First(limit);
}

void Projections::VisitOwners(const OwnerVisitor& visitor) const {
  models_->owners().Visit(visitor);
}

std::vector<const Saga*> Projections::HeldBy(const InternedText& owner) const {
  return models_->owners().HeldBy(owner);
}

std::vector<std::string> Projections::BootsOf(std::string_view host) const {
  return models_->owners().BootsOf(host);
}

std::vector<const Saga*> Projections::HeldByBoot(std::string_view host,
                                                 std::string_view boot_id) const {
  return models_->owners().HeldByBoot(host, boot_id);
}

void Projections::VisitPlannedAfter(Sequence after,
                                    const std::function<bool(const Saga&)>& visitor) const {
  models_->sagas().Planned().VisitAfter(after, visitor);
}

std::vector<const Saga*> Projections::WithLabel(std::string_view name,
                                                std::string_view value) const {
  return models_->labels().With(name, value);
}

std::vector<const Saga*> Projections::DependentsOf(std::string_view saga_id) const {
  const std::vector<Saga*> waiting = models_->dependents().WaitingFor(saga_id);
  return {waiting.begin(), waiting.end()};
}

std::vector<const Saga*> Projections::WithEffectsInDoubt(std::size_t limit) const {
  return FirstOf(models_->effects_in_doubt().sagas(), limit);
}

std::vector<const Saga*> Projections::WithOpenSection(std::size_t limit) const {
  return FirstOf(models_->open_sections().sagas(), limit);
}

std::size_t Projections::CountInMemory() const { return models_->sagas().size(); }

}  // namespace sagalog
