#include "tools/story_words.h"

#include <cmath>

#include <fmt/format.h>

#include "tools/moment.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

// Longer than any sentence wants to be; the whole text is in the history.
constexpr std::size_t kQuotedColumnsMax = 240;

std::string Process(const schema::OwnerT& owner) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (owner.pid != 0) {
    add(fmt::format("pid {}", owner.pid));
  }
  if (!owner.host.empty()) {
    add("host " + Printable(owner.host));
  }
  if (!owner.boot_id.empty()) {
    add("boot " + Printable(owner.boot_id));
  }
  if (!owner.pid_namespace.empty()) {
    add("pid namespace " + Printable(owner.pid_namespace));
  }
  if (owner.pid_start != 0) {
    add(fmt::format("started at {}", owner.pid_start));
  }
  return text;
}

}  // namespace

std::string Quoted(std::string_view text) {
  return fmt::format("\"{}\"", CutToWidth(Printable(text), kQuotedColumnsMax));
}

std::string Because(std::string_view reason) {
  return reason.empty() ? std::string() : ": " + Quoted(reason);
}

std::string TimeOfDay(StoreTime time) {
  const std::string text = FormatTime(time);
  const std::size_t at = text.find('T');
  if (at == std::string::npos) {
    return text;
  }
  const bool whole = text.compare(at + 9, 4, ".000") == 0;
  return text.substr(at + 1, whole ? 8 : 12);
}

std::string DateAndTime(StoreTime time) {
  const std::string text = FormatTime(time);
  return fmt::format("{} {} UTC", text.substr(0, text.find('T')), TimeOfDay(time));
}

std::string Span(Duration duration) {
  const Duration length = std::chrono::abs(duration);
  const double seconds = std::chrono::duration<double>(length).count();
  if (length >= std::chrono::seconds(60) || length % std::chrono::seconds(1) == Duration::zero()) {
    return Length(length);
  }
  return seconds < 0.001 ? fmt::format("{} us", length.count())
                         : fmt::format("{} s", std::round(seconds * 1000) / 1000);
}

std::string Count(std::uint64_t number, std::string_view noun) {
  if (number != 1 && noun.ends_with("y")) {
    return fmt::format("{} {}ies", number, noun.substr(0, noun.size() - 1));
  }
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string ActorOf(const events::EventT& event) {
  const std::string& name = event.actor.empty() ? event.principal : event.actor;
  return name.empty() ? "somebody unnamed" : Printable(name);
}

void OwnerNames::Learn(const schema::OwnerT* owner) {
  if (owner != nullptr) {
    processes_[owner->owner].insert(OwnerIdentity(owner).str());
  }
}

void OwnerNames::LearnToken(std::uint64_t token, const InternedText& owner) {
  tokens_[token] = owner;
}

std::string OwnerNames::Of(const InternedText& identity) const {
  const schema::OwnerT owner = OwnerFromIdentity(identity);
  return Of(&owner);
}

std::string OwnerNames::Of(const schema::OwnerT* owner) const {
  if (owner == nullptr) {
    return "nobody";
  }
  const auto found = processes_.find(owner->owner);
  return found == processes_.end() || found->second.size() < 2 ? Printable(owner->owner)
                                                               : InFull(owner);
}

std::string OwnerNames::InFull(const schema::OwnerT* owner) const {
  if (owner == nullptr) {
    return "nobody";
  }
  const std::string process = Process(*owner);
  return process.empty() ? Printable(owner->owner)
                         : fmt::format("{} ({})", Printable(owner->owner), process);
}

InternedText OwnerNames::OwnerOfToken(std::uint64_t token) const {
  const auto found = tokens_.find(token);
  return found == tokens_.end() ? InternedText() : found->second;
}

}  // namespace sagalog::tools
