#include "tools/policy_sheet.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "projections/policy.h"
#include "tools/json_fields.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

using Default = std::pair<std::string_view, std::string>;

std::string SettingInWords(const std::optional<Duration>& duration) {
  return duration ? FormatDuration(*duration) : "off";
}

std::string SettingInWords(const std::optional<std::int64_t>& number) {
  return number ? fmt::format("{}", *number) : "off";
}

// What holds where nobody set anything.
std::array<Default, 13> Defaults() {
  const EffectivePolicy policy;
  return {{{"lease_ttl", FormatDuration(policy.lease_ttl)},
           {"dispatch_ttl", FormatDuration(policy.dispatch_ttl)},
           {"reopen_grace", SettingInWords(policy.reopen_grace)},
           {"finalize_grace", SettingInWords(policy.finalize_grace)},
           {"section_max_age", FormatDuration(policy.section_max_age)},
           {"max_running", SettingInWords(policy.max_running)},
           {"progress_timeout", SettingInWords(policy.progress_timeout)},
           {"max_recoveries", SettingInWords(policy.max_recoveries)},
           {"max_dispatch_failures", SettingInWords(policy.max_dispatch_failures)},
           {"compensation_ttl", FormatDuration(policy.compensation_ttl)},
           {"compensation_order", schema::EnumNameCompensationOrder(policy.compensation_order)},
           {"on_stale", schema::EnumNameOnStale(policy.on_stale)},
           {"requeue_backoff", SettingInWords(policy.requeue_backoff)}}};
}

// "(reverse|registered)", as the schema names them.
template <typename Values, typename Name>
std::string Words(const Values& values, Name name) {
  std::string words;
  for (const auto value : values) {
    words += fmt::format("{}{}", words.empty() ? "" : "|", name(value));
  }
  return "(" + words + ")";
}

}  // namespace

std::string PolicyNames() {
  std::string names;
  for (const auto& [name, value] : Defaults()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    if (name == "compensation_order") {
      names +=
          " " + Words(schema::EnumValuesCompensationOrder(), schema::EnumNameCompensationOrder);
    } else if (name == "on_stale") {
      names += " " + Words(schema::EnumValuesOnStale(), schema::EnumNameOnStale);
    }
  }
  return names;
}

void AddEffectivePolicy(Sheet& sheet, const json::object* queue, const json::object& store) {
  for (const auto& [name, by_default] : Defaults()) {
    std::string value = by_default;
    std::string_view from = "default";
    if (store.contains(name)) {
      value = InWords(store, name);
      from = "store";
    }
    if (queue != nullptr && queue->contains(name)) {
      value = InWords(*queue, name);
      from = "queue";
    }
    sheet.Add(std::string(name), fmt::format("{} ({})", value, from),
              from == "default" ? Style::kDim : Style::kPlain);
  }
}

}  // namespace sagalog::tools
