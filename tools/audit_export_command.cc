#include "tools/audit_export_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "eventlog/backup_directory.h"
#include "reactor/audit_checkpoint.h"
#include "tools/audit_export.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/export_record.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr const char* kExportText =
    R"(Examples:
  sagalog audit export --out /mnt/audit/2026
  sagalog audit export --out /mnt/audit/T1 --saga T1 --format csv
  sagalog audit export --out /tmp/questions --format sqlite --from 2026-11-01T00:00:00Z

DIR gets the data (events.ndjson, events.csv, events.cloudevents.ndjson or events.sqlite),
manifest.json, and a checkpoint signed with this store's key. Run again, it goes on
where it ended: with the events that have come since, or where it was stopped. Until an export is
whole, DIR holds export.unfinished, and nobody takes it for one.

Nothing is added to what was changed since it was exported. Of a damaged log, what stands before
the damage is exported, unsigned: exit code 3, unless --to ends before it.

A store is read beside the daemon that writes it, as far as its events are durable. An export as
ndjson from the first event on is a record itself: --record takes it like a backup.)";

struct Arguments {
  std::string out;
  std::string format = "ndjson";
  std::string from;
  std::string to;
  std::string saga;
  std::string key;
  std::string record;
  bool unsigned_export = false;
};

std::string CheckMoment(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits || ParseTime(text).ok()
             ? std::string()
             : fmt::format(
                   "\"{}\" is neither a sequence nor a time with its zone, like "
                   "2026-11-21T03:18:00Z",
                   text);
}

// One line on a terminal, written again and again.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted) : wanted_(wanted && ::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() {
    if (shown_) {
      WriteError("\r\x1b[K");
    }
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(Sequence done, Sequence first, Sequence last) {
    const auto now = std::chrono::steady_clock::now();
    if (!wanted_ || (shown_ && now - shown_at_ < kInterval)) {
      return;
    }
    begun_ = shown_ ? begun_ : now;
    shown_ = true;
    shown_at_ = now;
    const double share = static_cast<double>(done.value() - first.value() + 1) /
                         static_cast<double>(last.value() - first.value() + 1);
    const auto filled = static_cast<std::size_t>(share * kBarWidth);
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const double left = share > 0 ? seconds / share * (1 - share) : 0;
    WriteError(fmt::format("\r\x1b[K[{}{}] {:3.0f} %  event {} of {}  {:.0f} s left",
                           std::string(filled, '#'), std::string(kBarWidth - filled, '.'),
                           share * 100, done.value(), last.value(), left));
  }

 private:
  static constexpr std::chrono::milliseconds kInterval{200};
  static constexpr std::size_t kBarWidth = 30;

  const bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point shown_at_;
};

std::string_view Outcome(const ExportReport& report) {
  if (report.cut_short) {
    return "cut short";
  }
  return report.unchanged ? "unchanged" : "ok";
}

json::object InJson(const ExportReport& report, const std::string& out) {
  const ExportManifest& manifest = report.manifest;
  json::object object = {{"outcome", Outcome(report)},
                         {"directory", out},
                         {"format", ExportFormatName(manifest.scope.format)},
                         {"from", manifest.scope.from.value()},
                         {"through", manifest.through.value()},
                         {"events", manifest.events},
                         {"added", report.added},
                         {"continued", report.continued}};
  if (!report.damage.empty()) {
    object["damage"] = report.damage;
  }
  object["checkpoint"] =
      manifest.checkpoint_size ? json::value(*manifest.checkpoint_size) : json::value(nullptr);
  return object;
}

std::string ForPeople(const ExportReport& report, const std::string& out) {
  const ExportManifest& manifest = report.manifest;
  const bool unsigned_export = !report.unchanged && !manifest.checkpoint_size;
  return fmt::format(
      "{}: {} holds {} events up to sequence {}{}{}{}", Outcome(report), out, manifest.events,
      manifest.through.value(), report.cut_short ? ", where the log is damaged" : "",
      report.continued && !report.unchanged ? fmt::format(", {} of them new", report.added) : "",
      unsigned_export ? "; without a checkpoint" : "");
}

Result<Record> OpenWhatIsExported(const GlobalOptions& global, const Arguments& arguments) {
  const std::filesystem::path path = arguments.record.empty()
                                         ? DataDirectoryPath(global.data)
                                         : std::filesystem::path(arguments.record);
  Result<Record> record = OpenRecord(path);
  if (record.status().code() == Code::kNotFound) {
    // As of any store that is not there.
    return Status(Code::kIoError, record.status().text());
  }
  return record;
}

// Only what is known to be the data directory itself has a key that speaks for it.
bool IsSigned(const GlobalOptions& global, const Arguments& arguments) {
  const std::filesystem::path data = DataDirectoryPath(global.data);
  return arguments.record.empty() && !arguments.unsigned_export && !IsExport(data) &&
         !BackupDirectory::Find(data).ok();
}

Result<std::string> Sign(const std::filesystem::path& data, const EventLog& log, Sequence size) {
  Result<std::string> note = SignedCheckpointAt(data, log, size);
  const Status failed = note.status();
  if (failed.ok() || failed.code() == Code::kCorruption) {
    return note;
  }
  return Status(Code::kReadOnly,
                fmt::format("the checkpoint cannot be signed: {}. With --unsigned the export is "
                            "finished without one",
                            failed.text()));
}

// Whether `path` would lie in `directory`.
bool IsInside(const std::filesystem::path& path, const std::filesystem::path& directory) {
  std::error_code error;
  const auto outer = std::filesystem::canonical(directory, error);
  const auto inner = error ? outer : std::filesystem::weakly_canonical(path, error);
  return !error &&
         std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

Status CheckOutside(const GlobalOptions& global, const Arguments& arguments) {
  const std::filesystem::path data = DataDirectoryPath(global.data);
  for (const std::filesystem::path& directory : {data, std::filesystem::path(arguments.record)}) {
    if (!directory.empty() && IsInside(arguments.out, directory)) {
      return {Code::kInvalidArgument,
              fmt::format("--out: {} is inside {}: nothing but a store writes there. Choose a "
                          "directory outside",
                          arguments.out, directory.string())};
    }
  }
  return {};
}

Result<ExportReport> Export(const GlobalOptions& global, const Arguments& arguments,
                            const Record& record) {
  RETURN_IF_ERROR(CheckOutside(global, arguments));
  ExportRequest request;
  request.out = arguments.out;
  request.format = *ExportFormatFromName(arguments.format);
  request.from = arguments.from;
  request.to = arguments.to;
  request.saga = arguments.saga;
  request.key = arguments.key;
  if (IsSigned(global, arguments)) {
    request.sign = [&](std::uint64_t size) {
      return Sign(DataDirectoryPath(global.data), *record.log, Sequence(size));
    };
  }
  ProgressLine progress(!global.json);
  request.progress = [&](Sequence done, Sequence first, Sequence last) {
    progress.Show(done, first, last);
  };
  return ExportRecord(record, request);
}

void RunExport(const GlobalOptions& global, const Arguments& arguments, int& exit_code) {
  // A limit on the size of files is an error like a full disk, and not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto record = OpenWhatIsExported(global, arguments);
  const auto report =
      record.ok() ? Export(global, arguments, *record) : Result<ExportReport>(record.status());
  if (!report.ok()) {
    const bool goes_on = record.ok() && report.status().code() == Code::kIoError;
    PrintError(global, fmt::format("audit export: {}{}", report.status().text(),
                                   goes_on ? ". Run it again when that is mended: it goes on where "
                                             "it stopped"
                                           : ""));
    exit_code = ExitCodeOf(report.status());
    return;
  }
  PrintLine(global.json ? json::serialize(InJson(*report, arguments.out))
                        : ForPeople(*report, arguments.out));
  if (!report->damage.empty()) {
    PrintError(global,
               fmt::format("audit export: the log is damaged{}: {} (sagalog doctor "
                           "explains)",
                           report->cut_short ? "" : " behind what was asked for", report->damage));
  }
  exit_code = report->cut_short ? kExitUnavailable : kExitDone;
}

// The group that this belongs to, whoever of its commands comes first.
CLI::App* AuditGroup(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == "audit") {
      return command;
    }
  }
  CLI::App* audit = app.add_subcommand("audit", "Take the record away, and check it");
  audit->group(kOperationGroup);
  audit->require_subcommand(1);
  return audit;
}

void AddRangeFlags(CLI::App& command, Arguments& arguments) {
  command.add_option("--from", arguments.from, "The first event, or the time it begins at (1)")
      ->type_name("SEQUENCE|TIME")
      ->check(CheckMoment);
  command.add_option("--to", arguments.to, "The last event, or the time it ends with (the end)")
      ->type_name("SEQUENCE|TIME")
      ->check(CheckMoment);
  command.add_option("--saga", arguments.saga, "Only events of this saga")->type_name("ID");
  command.add_option("--key", arguments.key, "Only events of sagas with this key, all generations")
      ->type_name("KEY");
}

}  // namespace

void AddAuditExportCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = AuditGroup(app)->add_subcommand(
      "export", "Write the log, or a part of it, to be read and checked elsewhere");
  command->footer(kExportText);
  command->add_option("--out", arguments->out, "A directory of its own, new or to be continued")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--format", arguments->format,
                   "ndjson, csv, cloudevents or sqlite (ndjson); only ndjson can be held "
                   "against a checkpoint")
      ->type_name("FORMAT")
      ->check([](const std::string& value) {
        return ExportFormatFromName(value)
                   ? std::string()
                   : fmt::format("\"{}\" is no format: ndjson, csv, cloudevents or sqlite", value);
      });
  AddRangeFlags(*command, *arguments);
  command
      ->add_option("--record", arguments->record,
                   "A data directory, backup or export to read, instead of --data")
      ->type_name("PATH");
  command->add_flag("--unsigned", arguments->unsigned_export,
                    "Without a checkpoint: this store's keys are not touched");
  command->callback([arguments, &global, &exit_code] { RunExport(global, *arguments, exit_code); });
}

}  // namespace sagalog::tools
