// The sentences about commands that were refused.
#include <fmt/format.h>

#include "tools/story_index.h"

namespace sagalog::tools {
namespace {

using schema::RefusalCode;

// Who called: the name it brought, else whose token it was, else what it said of itself.
std::string Caller(const events::NotedRefusalT& refusal, const OwnerNames& names) {
  if (refusal.owner) {
    return names.Of(refusal.owner.get());
  }
  if (const InternedText owner = names.OwnerOfToken(refusal.token); !owner.empty()) {
    return names.Of(owner);
  }
  const std::string& name = refusal.actor.empty() ? refusal.principal : refusal.actor;
  return name.empty() ? "Somebody unnamed" : Printable(name);
}

// Why that is so, and what it prevented.
std::string Meaning(const events::NotedRefusalT& refusal, const Saga& saga,
                    const OwnerNames& names) {
  switch (refusal.code) {
    case RefusalCode::stale_token:
      return saga.IsHeld() ? fmt::format("{} owns it now, under token {}", names.Of(saga.owner),
                                         saga.token.value())
                           : std::string("nobody owned it by then");
    case RefusalCode::lease_expired:
      return fmt::format("the lease was over since {}", TimeOfDay(saga.expires_at));
    case RefusalCode::lease_held: return fmt::format("{} holds it", names.Of(saga.owner));
    case RefusalCode::version_conflict:
      return fmt::format("it had seen version {}, and things had happened since",
                         refusal.expected_version.value_or(0));
    case RefusalCode::in_grace:
      return fmt::format("the store had been away, and {} has the right to come back first",
                         names.Of(saga.owner));
    case RefusalCode::section_open:
      return saga.Section() == nullptr
                 ? Printable(refusal.detail)
                 : fmt::format("{} is inside the section {} since {}", names.Of(saga.owner),
                               Quoted(saga.Section()->name.view()),
                               TimeOfDay(saga.Section()->since));
    case RefusalCode::terminal:
      return fmt::format("it had ended as {}", schema::EnumNameState(saga.state));
    default: return Printable(refusal.detail);
  }
}

}  // namespace

Sentence RefusalSentence(const events::NotedRefusalT& refusal, const Saga& saga,
                         const OwnerNames& names, std::uint64_t times, StoreTime last) {
  std::string command = refusal.command;
  std::replace(command.begin(), command.end(), '_', ' ');
  std::string text = fmt::format("{} tried to {}", Caller(refusal, names), command);
  // Elsewhere it is not what was asked for, but what was in the way.
  const bool names_it = command.find("compensation") != std::string::npos ||
                        command.find("effect") != std::string::npos;
  if (!refusal.subject.empty() && names_it && refusal.code != RefusalCode::compensation_order) {
    text += " " + Quoted(refusal.subject);
  }
  if (refusal.token != 0) {
    text += fmt::format(" with token {}", refusal.token);
  }
  if (times > 1) {
    text += fmt::format(", {} times until {}", times, TimeOfDay(last));
  }
  const std::string meaning = Meaning(refusal, saga, names);
  text += fmt::format(": refused, {}{}{}.", schema::EnumNameRefusalCode(refusal.code),
                      meaning.empty() ? "" : "; ", meaning);
  return {text, Style::kBad};
}

}  // namespace sagalog::tools
