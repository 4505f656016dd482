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
