// sagalog doctor.
#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/clock.h"
#include "tools/command_groups.h"
#include "tools/doctor.h"
#include "tools/exit_code.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

std::string_view KindName(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kFine: return "ok";
    case Finding::Kind::kNote: return "note";
    case Finding::Kind::kBroken: return "broken";
  }
  return "";
}

Style KindStyle(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kFine: return Style::kGood;
    case Finding::Kind::kNote: return Style::kBusy;
    case Finding::Kind::kBroken: return Style::kBad;
  }
  return Style::kPlain;
}

std::string ToJsonText(const std::vector<Finding>& findings, bool healthy) {
  json::array list;
  for (const Finding& finding : findings) {
    list.push_back(json::object{{"finding", KindName(finding.kind)},
                                {"subject", finding.subject},
                                {"text", finding.text},
                                {"next", finding.next}});
  }
  return json::serialize(json::object{{"healthy", healthy}, {"findings", std::move(list)}});
}

void Print(const std::vector<Finding>& findings, bool color) {
  constexpr int kKindWidth = 6;
  for (const Finding& finding : findings) {
    const std::string_view name = KindName(finding.kind);
    PrintLine(fmt::format("{}{:{}}  {}: {}", Paint(name, KindStyle(finding.kind), color), "",
                          kKindWidth - static_cast<int>(name.size()), finding.subject,
                          Printable(finding.text)));
    if (!finding.next.empty()) {
      PrintLine(fmt::format("{:{}}  next: {}", "", kKindWidth, finding.next));
    }
  }
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* doctor = AddDescribed(
      app, "doctor", "Say what is wrong with a data directory, and what to do", "sagalog doctor");
  doctor->group(kOperationGroup);
  doctor->callback([&global, &exit_code] {
    const std::vector<Finding> findings = Examine(DataDirectoryPath(global.data), SystemClock());
    const bool healthy = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.kind == Finding::Kind::kBroken;
    });
    if (global.json) {
      PrintLine(ToJsonText(findings, healthy));
    } else {
      Print(findings, global.color);
    }
    exit_code = healthy ? kExitDone : kExitUnavailable;
  });
}

}  // namespace sagalog::tools
