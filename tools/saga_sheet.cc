#include "tools/saga_sheet.h"

#include <fmt/format.h>

#include "schema/base64.h"
#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/sheet.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

std::string Joined(const json::array& texts) {
  std::string out;
  for (const json::value& text : texts) {
    out += (out.empty() ? "" : ", ") + InWords(text);
  }
  return out;
}

// How long something has lasted: "5 min (since 2026-…Z)".
std::string Ago(std::string_view since, std::optional<StoreTime> now) {
  const auto moment = ParseTime(since);
  return now && moment.ok()
             ? fmt::format("{} (since {})", Length(*now - *moment), ToTheSecond(since))
             : ToTheSecond(since);
}

std::string LeaseInWords(const json::object& saga, std::optional<StoreTime> now) {
  const std::string_view expires = TextIn(saga, "expires_at");
  if (expires.empty()) {
    return "";
  }
  const auto moment = ParseTime(expires);
  const bool over = now && moment.ok() && *moment <= *now;
  std::string text = over ? "over for " + Ago(expires, now) : "expires " + Moment(expires, now);
  if (const auto heartbeat = TextIn(saga, "heartbeat_at"); !heartbeat.empty()) {
    text += fmt::format("; heartbeat {}", Moment(heartbeat, now));
  }
  return text;
}

void AddOwnership(Sheet& sheet, const json::object& saga, std::optional<StoreTime> now) {
  if (const json::value* owner = saga.if_contains("owner"); owner != nullptr) {
    sheet.Add(TextIn(saga, "ended_at").empty() ? "owner" : "last owner", OwnerInWords(*owner));
  }
  sheet.Add("token", InWords(saga, "token"));
  sheet.Add("lease", LeaseInWords(saga, now));
  sheet.Add("progress", TextIn(saga, "progress"));
  if (const json::object& section = ObjectIn(saga, "section"); !section.empty()) {
    sheet.Add("section",
              fmt::format("{}, for {}, may last {}", TextIn(section, "name"),
                          Ago(TextIn(section, "since"), now), TextIn(section, "max_age")),
              Style::kBusy);
  }
  if (const json::object& exit = ObjectIn(saga, "exit"); !exit.empty()) {
    sheet.Add("exit", fmt::format("code {}, {}", NumberIn(exit, "code").value_or(0),
                                  Moment(TextIn(exit, "at"), now)));
  }
  if (FlagIn(saga, "cancel_pending")) {
    sheet.Add("cancel", "pending: the owner is asked to stop", Style::kBad);
  }
  if (FlagIn(saga, "parked")) {
    sheet.Add("parked", "not claimed until sagalog unpark", Style::kBusy);
  }
}

void AddCounts(Sheet& sheet, const json::object& saga) {
  std::string counts = fmt::format("{}", NumberIn(saga, "attempts").value_or(0));
  if (const auto recoveries = NumberIn(saga, "recoveries").value_or(0); recoveries > 0) {
    counts += fmt::format(", recoveries {}", recoveries);
  }
  if (const auto failures = NumberIn(saga, "dispatch_failures").value_or(0); failures > 0) {
    counts += fmt::format(", dispatch failures {}", failures);
  }
  sheet.Add("attempts", counts);
}

void AddFacts(Sheet& sheet, const json::object& saga, std::optional<StoreTime> now) {
  sheet.Add("children", Joined(ArrayIn(saga, "children")));
  sheet.Add("parent", TextIn(saga, "parent"));
  sheet.Add("depends on", Joined(ArrayIn(saga, "depends_on")));
  for (const char* name : {"issue", "repository", "branch", "worktree", "rerun"}) {
    sheet.Add(name, TextIn(saga, name));
  }
  sheet.Add("labels", PairsInWords(ObjectIn(saga, "labels")));
  if (const auto payload = DecodeBase64(TextIn(saga, "payload")); payload && !payload->empty()) {
    sheet.Add("payload", fmt::format("{} bytes (--json shows them)", payload->size()));
  }
  sheet.Add("policy", PairsInWords(ObjectIn(saga, "policy")));
  sheet.Add("not before", Moment(TextIn(saga, "not_before"), now));
  sheet.Add("planned", Moment(TextIn(saga, "planned_at"), now));
  sheet.Add("ended", Moment(TextIn(saga, "ended_at"), now));
}

// Indented like the sheet above it.
std::string Indented(const std::string& table) {
  std::string out = "  ";
  for (std::size_t i = 0; i < table.size(); ++i) {
    out += table[i];
    if (table[i] == '\n' && i + 1 < table.size()) {
      out += "  ";
    }
  }
  return out;
}

// What is registered is owed only once the saga has come to the point: until then it may be
// dropped.
std::string StateInWords(const json::object& saga, std::string_view state) {
  const bool nothing_owed = TextIn(saga, "compensation_status") == "none";
  return state == "owed" && nothing_owed ? "registered" : std::string(state);
}

std::string Compensations(const json::object& saga, std::size_t columns, bool color) {
  Table table({"COMPENSATION", "STATE", "ATTEMPTS", "KIND", "TARGET", "WHEN", "EXECUTOR",
               "PARAMETERS", "DETAIL"});
  for (const json::value& entry : ArrayIn(saga, "compensations")) {
    const json::object& row = AsObject(entry);
    const std::string state = StateInWords(saga, TextIn(row, "state"));
    table.Add({std::string(TextIn(row, "id")),
               Cell(state, state == "failed" ? Style::kBad : Style::kPlain),
               InWords(row, "attempts"), std::string(TextIn(row, "kind")),
               std::string(TextIn(row, "target")), std::string(TextIn(row, "when")),
               std::string(TextIn(row, "executor")), PairsInWords(ObjectIn(row, "params")),
               std::string(TextIn(row, "detail"))});
  }
  return table.empty() ? "" : "\n" + Indented(table.Render(columns, color));
}

std::string Effects(const json::object& saga, std::optional<StoreTime> now, std::size_t columns,
                    bool color) {
  Table table({"EFFECT", "STATE", "OUTCOME", "RESULT", "FINGERPRINT", "BEGUN"});
  for (const json::value& entry : ArrayIn(saga, "effects")) {
    const json::object& row = AsObject(entry);
    const bool settled = FlagIn(row, "settled");
    table.Add({std::string(TextIn(row, "effect")),
               Cell(settled ? "settled" : "in doubt", settled ? Style::kPlain : Style::kBad),
               std::string(TextIn(row, "outcome")), std::string(TextIn(row, "result")),
               std::string(TextIn(row, "fingerprint")), MomentCell(TextIn(row, "begun_at"), now)});
  }
  return table.empty() ? "" : "\n" + Indented(table.Render(columns, color));
}

}  // namespace

std::string ReasonNames(const json::array& reasons) {
  std::string out;
  for (const json::value& reason : reasons) {
    out += out.empty() ? "" : ", ";
    out += TextIn(AsObject(reason), "reason");
  }
  return out;
}

std::string PairsInWords(const json::object& object) {
  std::string out;
  for (const auto& [name, value] : object) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", std::string_view(name), InWords(value));
  }
  return out;
}

std::string SagaSheet(const json::object& saga, std::optional<StoreTime> now, std::size_t columns,
                      bool color) {
  const std::string_view state = TextIn(saga, "state");
  std::string out = fmt::format(
      "{}  {}  version {}\n", Paint(Printable(TextIn(saga, "saga_id")), Style::kStrong, color),
      Paint(state, StateStyle(state), color), NumberIn(saga, "version").value_or(0));
  Sheet sheet;
  for (const json::value& entry : ArrayIn(saga, "stale")) {
    const json::object& reason = AsObject(entry);
    sheet.Add("stale",
              fmt::format("{} for {}", TextIn(reason, "reason"), Ago(TextIn(reason, "since"), now)),
              Style::kBad);
  }
  sheet.Add("stage", TextIn(saga, "stage"));
  AddOwnership(sheet, saga, now);
  sheet.Add("reason", TextIn(saga, "reason"));
  sheet.Add("result", TextIn(saga, "result"));
  if (const auto generation = NumberIn(saga, "generation").value_or(0); generation > 1) {
    sheet.Add("key", fmt::format("{} (generation {})", TextIn(saga, "key"), generation));
  } else {
    sheet.Add("key", TextIn(saga, "key"));
  }
  const std::int64_t priority = NumberIn(saga, "priority").value_or(0);
  sheet.Add("queue", priority == 0
                         ? std::string(TextIn(saga, "queue"))
                         : fmt::format("{}, priority {}", TextIn(saga, "queue"), priority));
  AddCounts(sheet, saga);
  AddFacts(sheet, saga, now);
  if (const auto status = TextIn(saga, "compensation_status"); status != "none") {
    sheet.Add("compensations", status,
              status == "owed" || status == "failed" ? Style::kBad : Style::kPlain);
  }
  const std::size_t inner = columns > 2 ? columns - 2 : columns;
  return out + sheet.Render(color) + Compensations(saga, inner, color) +
         Effects(saga, now, inner, color);
}

}  // namespace sagalog::tools
