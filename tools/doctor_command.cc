// sagalog doctor.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/clock.h"
#include "reactor/salvage.h"
#include "tools/command_groups.h"
#include "tools/doctor.h"
#include "tools/exit_code.h"
#include "tools/server_url.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr const char* kDoctorText =
    R"(Example:
  sagalog doctor --salvage /var/lib/sagalog-saved

Without a flag it looks, and changes nothing. --rebuild throws the projections away and writes them
anew: they come from the log alone. --salvage reads a damaged log up to the damage and makes a new
store of that, with tokens above all that were ever granted; the damaged directory stays as it
is.)";

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

void Salvage(const GlobalOptions& global, const std::string& directory, int& exit_code) {
  const ConnectionOptions connect = global.Connect();
  SalvageOptions options;
  options.damaged = connect.data;
  options.directory = directory;
  options.accept_clock = connect.accept_clock;
  const auto report = SalvageStore(options);
  if (!report.ok()) {
    PrintError(global, fmt::format("doctor: {}", report.status().text()));
    exit_code = report.status().code() == Code::kInvalidArgument ? kExitRefused : kExitUnavailable;
    return;
  }
  const RestoreReport& store = report->store;
  if (global.json) {
    PrintLine(json::serialize(json::object{{"outcome", "ok"},
                                           {"store_id", store.store_id},
                                           {"lineage", store.lineage},
                                           {"old_size", store.old_size},
                                           {"old_root", store.old_root},
                                           {"next_token", store.next_token.value()},
                                           {"damage", report->damage},
                                           {"sequence", store.last.value()}}));
    return;
  }
  PrintLine(
      fmt::format("ok: {} is a new lineage of store {} with the {} events that stood before "
                  "the damage; {} is as it was",
                  directory, store.store_id, store.old_size, connect.data.string()));
  PrintLine(fmt::format("lost: {}", Printable(report->damage)));
  PrintLine(
      fmt::format("Tokens go on from {}. Sagas are as they were at event {}: look at what "
                  "their workers really did since",
                  store.next_token.value(), store.old_size));
}

// False, and said, when it could not be done.
bool Rebuild(const GlobalOptions& global, int& exit_code) {
  const auto client = StoreClient::Open(global, StoreClient::Access::kChange, exit_code);
  const auto answer = client ? client->Ask("POST", "/v1/admin/rebuild") : std::nullopt;
  return answer.has_value();
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    bool rebuild = false;
    std::string salvage;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* doctor =
      app.add_subcommand("doctor", "Say what is wrong with a data directory, and what to do");
  doctor->footer(kDoctorText);
  doctor->group(kOperationGroup);
  CLI::Option* rebuild = doctor->add_flag("--rebuild", arguments->rebuild,
                                          "Write the projections anew from the log, then look");
  doctor
      ->add_option("--salvage", arguments->salvage,
                   "Make a new store in DIR of what stands before the damage")
      ->type_name("DIR")
      ->excludes(rebuild);
  doctor->callback([arguments, &global, &exit_code] {
    const std::filesystem::path data = DataDirectoryPath(global.data);
    if (RefusesUrl(global, "doctor", data, exit_code)) {
      return;
    }
    if (!arguments->salvage.empty()) {
      Salvage(global, arguments->salvage, exit_code);
      return;
    }
    if (arguments->rebuild && !Rebuild(global, exit_code)) {
      return;
    }
    const std::vector<Finding> findings = Examine(data, SystemClock());
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
