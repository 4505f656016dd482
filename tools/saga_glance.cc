#include "tools/saga_glance.h"

#include <fmt/format.h>

#include "schema/json_writer.h"
#include "schema/saga_generated.h"
#include "tools/moment.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

std::string StaleInWords(const SagaGlance& glance, StoreTime now) {
  std::string words;
  for (const StaleSince& reason : glance.stale) {
    words += fmt::format("{}{} for {}", words.empty() ? "" : ", ",
                         schema::EnumNameStaleReason(reason.reason), Length(now - reason.since));
  }
  return words;
}

std::string LeaseInWords(const SagaGlance& glance, StoreTime now) {
  if (!glance.expires_at) {
    return "";
  }
  return *glance.expires_at > now ? "expires " + Relative(*glance.expires_at, now)
                                  : "over for " + Length(now - *glance.expires_at);
}

// Before the end nothing is owed.
std::string StateInWords(const Saga& saga, const CompensationRecord& record) {
  if (record.state == CompensationState::owed && !saga.IsTerminal() &&
      saga.state != State::compensating) {
    return "registered";
  }
  std::string words = schema::EnumNameCompensationState(record.state);
  if (record.state == CompensationState::claimed && record.claim) {
    words += fmt::format(" by {}", record.claim->executor.view());
  }
  return words;
}

// "vm claimed by janitor; lb owed".
std::string CompensationsInWords(const SagaGlance& glance) {
  std::string words;
  for (const auto& [id, state] : glance.compensations) {
    words += fmt::format("{}{} {}", words.empty() ? "" : "; ", Printable(id), Printable(state));
  }
  return words;
}

std::string EffectsInWords(const SagaGlance& glance) {
  std::string words;
  for (const auto& [effect, settled] : glance.effects) {
    words += fmt::format("{}{} {}", words.empty() ? "" : "; ", Printable(effect),
                         settled ? "settled" : "in doubt");
  }
  return words;
}

}  // namespace

SagaGlance GlanceAt(const Saga& saga, std::vector<StaleSince> stale) {
  SagaGlance glance;
  if (saga.id.empty()) {
    return glance;
  }
  glance.planned = true;
  glance.state = saga.state;
  glance.stage = saga.stage;
  if (saga.state != State::planned) {
    glance.owner = saga.owner;
  }
  if (saga.IsHeld()) {
    glance.token = saga.token;
    glance.expires_at = saga.expires_at;
  }
  if (const SectionRecord* section = saga.Section()) {
    glance.section = section->name;
  }
  glance.attempts = saga.attempts;
  glance.recoveries = saga.recoveries;
  glance.cancel_pending = saga.IsCancelPending();
  glance.parked = saga.IsParked();
  glance.compensation_status = saga.compensation_status;
  for (const CompensationRecord& record : saga.compensations) {
    glance.compensations.emplace_back(record.id.view(), StateInWords(saga, record));
  }
  if (saga.extras) {
    for (const EffectRecord& effect : saga.extras->effects) {
      glance.effects.emplace_back(effect.effect, !effect.settled.IsNone());
    }
  }
  glance.stale = std::move(stale);
  return glance;
}

void AppendJson(std::string& out, const SagaGlance& glance) {
  if (!glance.planned) {
    out += "null";
    return;
  }
  const auto text = [&out](const char* name, std::string_view value) {
    if (!value.empty()) {
      out += fmt::format(R"(,"{}":)", name);
      AppendJsonString(out, value);
    }
  };
  out += fmt::format(R"({{"state":"{}")", schema::EnumNameState(glance.state));
  text("stage", glance.stage.view());
  text("owner", OwnerName(glance.owner));
  if (!glance.token.IsNone()) {
    out += fmt::format(R"(,"token":{})", glance.token.value());
  }
  if (glance.expires_at) {
    out += R"(,"expires_at":")";
    AppendTime(out, *glance.expires_at);
    out += '"';
  }
  text("section", glance.section.view());
  out += fmt::format(R"(,"attempts":{},"recoveries":{})", glance.attempts, glance.recoveries);
  out += glance.cancel_pending ? R"(,"cancel_pending":true)" : "";
  out += glance.parked ? R"(,"parked":true)" : "";
  text("compensation_status", schema::EnumNameCompensationStatus(glance.compensation_status));
  if (!glance.compensations.empty()) {
    out += R"(,"compensations":[)";
    for (std::size_t i = 0; i < glance.compensations.size(); ++i) {
      out += i == 0 ? R"({"id":)" : R"(,{"id":)";
      AppendJsonString(out, glance.compensations[i].first);
      out += R"(,"state":)";
      AppendJsonString(out, glance.compensations[i].second);
      out += '}';
    }
    out += ']';
  }
  if (!glance.effects.empty()) {
    out += R"(,"effects":[)";
    for (std::size_t i = 0; i < glance.effects.size(); ++i) {
      out += i == 0 ? R"({"effect":)" : R"(,{"effect":)";
      AppendJsonString(out, glance.effects[i].first);
      out += glance.effects[i].second ? R"(,"settled":true})" : R"(,"settled":false})";
    }
    out += ']';
  }
  out += R"(,"stale":[)";
  for (std::size_t i = 0; i < glance.stale.size(); ++i) {
    out += fmt::format(R"({}{{"reason":"{}","since":")", i == 0 ? "" : ",",
                       schema::EnumNameStaleReason(glance.stale[i].reason));
    AppendTime(out, glance.stale[i].since);
    out += "\"}";
  }
  out += "]}";
}

std::vector<std::pair<const char*, std::string>> FieldsOf(const SagaGlance& glance, StoreTime now) {
  if (!glance.planned) {
    return {{"state", "not planned"},
            {"stage", ""},
            {"owner", ""},
            {"token", ""},
            {"lease", ""},
            {"section", ""},
            {"attempts", ""},
            {"recoveries", ""},
            {"cancel", ""},
            {"parked", ""},
            {"compensations", ""},
            {"clean-ups", ""},
            {"effects", ""},
            {"stale", ""}};
  }
  const auto number = [](std::uint64_t value) {
    return value == 0 ? std::string() : fmt::format("{}", value);
  };
  const bool owes = glance.compensation_status != CompensationStatus::none;
  return {
      {"state", schema::EnumNameState(glance.state)},
      {"stage", Printable(glance.stage.view())},
      {"owner", Printable(OwnerName(glance.owner))},
      {"token", number(glance.token.value())},
      {"lease", LeaseInWords(glance, now)},
      {"section", Printable(glance.section.view())},
      {"attempts", number(glance.attempts)},
      {"recoveries", number(glance.recoveries)},
      {"cancel", glance.cancel_pending ? "pending" : ""},
      {"parked", glance.parked ? "yes" : ""},
      {"compensations", owes ? schema::EnumNameCompensationStatus(glance.compensation_status) : ""},
      {"clean-ups", CompensationsInWords(glance)},
      {"effects", EffectsInWords(glance)},
      {"stale", StaleInWords(glance, now)}};
}

std::string InWords(const SagaGlance& glance, StoreTime now) {
  std::string words;
  for (const auto& [name, value] : FieldsOf(glance, now)) {
    const std::string_view field(name);
    if (value.empty() || field == "attempts") {
      continue;
    }
    const bool speaks_for_itself = field == "state" || field == "owner" || field == "lease";
    words += words.empty() ? "" : ", ";
    words += speaks_for_itself ? value : fmt::format("{} {}", field, value);
  }
  return words;
}

}  // namespace sagalog::tools
