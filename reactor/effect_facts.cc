#include "reactor/effect_facts.h"

#include <memory>

#include <fmt/format.h>

#include "schema/text_view.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// The owner of the saga's lease at an event of it: that of its newest grant up to there.
std::unique_ptr<schema::OwnerT> OwnerAt(const EventLog& log, Sequence sequence) {
  std::unique_ptr<schema::OwnerT> owner;
  const Status found(Code::kCancelled, "the grant is found");
  log.WalkBack(sequence, true,
               [&](const events::Event& event, std::string_view) {
                 const events::Leased* leased = event.body_as_Leased();
                 if (leased == nullptr || leased->owner() == nullptr) {
                   return Status();
                 }
                 owner.reset(leased->owner()->UnPack());
                 return found;
               })
      .IgnoreBecause("the refusal stands without it");
  return owner;
}

}  // namespace

void TellOfEffect(const EventLog& log, answers::RefusalT& refusal) {
  const bool begun = refusal.code == RefusalCode::effect_begun;
  if (!begun && refusal.code != RefusalCode::effect_settled) {
    return;
  }
  const Sequence sequence(refusal.actual_sequence);
  const auto event = log.Read(sequence);
  if (!event.ok()) {
    return;
  }
  refusal.since = (*event)->time();
  if (begun) {
    if (auto owner = OwnerAt(log, sequence)) {
      refusal.holder = std::move(owner);
      refusal.expires_at = 0;  // of a lease that need not be the beginner's
    }
  } else if (const events::EffectSettled* settled = (*event)->body_as_EffectSettled()) {
    refusal.result = View(settled->result());
    refusal.detail += fmt::format(": {}", View(settled->outcome()));
  }
}

}  // namespace sagalog
