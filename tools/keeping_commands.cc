// Commands that keep the log safe and small: backup, restore, compact, redact.
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "eventlog/event_log.h"
#include "reactor/restore.h"
#include "schema/event_stub.h"
#include "schema/store_time.h"
#include "tools/alike_texts.h"
#include "tools/answer_text.h"
#include "tools/argument_checks.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/record.h"
#include "tools/server_url.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// A copy of a large log takes its time.
constexpr std::chrono::hours kKeepingPatience{6};

constexpr const char* kBackupText =
    R"(Example:
  sagalog backup /mnt/backups/sagalog

DIR becomes a directory of backups: 000001, 000002 and so on, each whole by itself; what did not
change is shared between them. Commands go on meanwhile. Every event of the copy is read again
before it counts, and then all but the newest --keep are removed.

A backup can be looked at where it lies, and nothing else: sagalog ls --data DIR/000001)";

constexpr const char* kRestoreText =
    R"(Example:
  sagalog restore /mnt/backups/sagalog --data /var/lib/sagalog

BACKUP is one backup, or a directory of them: then the newest is taken. --data must not hold a store
yet. Nothing is there before every byte and event was checked.

The restored store goes on as a new lineage. What happened after the backup is gone, and a token of
that lost time is refused for ever: all new tokens are higher. Running sagas of the backup are in
grace until their workers come back, then stale.)";

constexpr const char* kCompactText =
    R"(Example:
  sagalog compact --older-than 24h

A heartbeat that a later one, or the end of its lease, has superseded becomes a stub: who sent it
and the text of its progress go, the rest stays. No state, history of transitions or answer to a
request changes. Commands go on meanwhile; it can be stopped and run again.)";

constexpr const char* kRedactText =
    R"(Example:
  sagalog redact 4711 --reason 'a password in the payload'

For a secret that got into an event. Its payload, labels, facts, parameters, reasons, results,
progress, evidence and texts go, from every file of the data directory; what a saga's state is made
of stays, and so does the hash of what was there. An event `redacted` says who did it and why. Names
and identifiers cannot go: a key, an owner, a target, a stage. Other events in which one of the
texts stands are named, where the log can be read on this machine.

Backups and exports made before still hold it, and so does whoever followed the log: see to them.)";

// "27 KiB", "1.5 MiB".
std::string SizeInWords(std::int64_t size_bytes) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  return size_bytes < kMebibyte
             ? fmt::format("{} KiB", (size_bytes + 1023) / 1024)
             : fmt::format("{:.1f} MiB", static_cast<double>(size_bytes) / kMebibyte);
}

void AddBackupCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::string directory;
    std::uint64_t keep = BackupOptions().keep;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* backup =
      app.add_subcommand("backup", "Copy the log, whole and verified, while it runs");
  backup->footer(kBackupText);
  backup->group(kOperationGroup);
  backup->add_option("DIR", arguments->directory, "Where backups are kept")
      ->type_name("")
      ->required();
  AddNumber(*backup, "--keep", arguments->keep, "How many backups stay there (7)", {1, 10'000})
      ->type_name("N");
  backup->callback([arguments, &global, &exit_code] {
    // A limit on the size of files is an error like a full disk, and not the end.
    std::signal(SIGXFSZ, SIG_IGN);
    const auto client =
        StoreClient::Open(global, StoreClient::Access::kChange, exit_code, kKeepingPatience);
    const json::object body = {
        {"directory", std::filesystem::absolute(arguments->directory).lexically_normal().string()},
        {"keep", arguments->keep}};
    const auto answer =
        client ? client->Ask("POST", "/v1/admin/backup", json::serialize(body)) : std::nullopt;
    if (answer) {
      PrintLine(global.json
                    ? client->raw()
                    : fmt::format("ok: {} holds the log up to sequence {}, verified ({}, {} of it "
                                  "copied)",
                                  TextIn(*answer, "path"),
                                  NumberIn(*answer, "sequence").value_or(0),
                                  SizeInWords(NumberIn(*answer, "size_bytes").value_or(0)),
                                  SizeInWords(NumberIn(*answer, "copied_bytes").value_or(0))));
    }
  });
}

json::object InJson(const RestoreReport& report) {
  return {{"outcome", "ok"},
          {"store_id", report.store_id},
          {"lineage", report.lineage},
          {"old_size", report.old_size},
          {"old_root", report.old_root},
          {"next_token", report.next_token.value()},
          {"sequence", report.last.value()}};
}

void AddRestoreCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto backup = std::make_shared<std::string>();
  CLI::App* restore =
      app.add_subcommand("restore", "Bring a backup back, as a new lineage of its store");
  restore->footer(kRestoreText);
  restore->group(kOperationGroup);
  restore->add_option("BACKUP", *backup, "A backup, or a directory of them")
      ->type_name("")
      ->required();
  restore->callback([backup, &global, &exit_code] {
    const ConnectionOptions connect = global.Connect();
    if (RefusesUrl(global, "restore", connect.data, exit_code)) {
      return;
    }
    RestoreOptions options;
    options.backup = *backup;
    options.directory = connect.data;
    options.accept_clock = connect.accept_clock;
    const auto report = RestoreStore(options);
    if (!report.ok()) {
      PrintError(global, fmt::format("restore: {}", report.status().text()));
      exit_code = ExitCodeOf(report.status());
      return;
    }
    PrintLine(global.json
                  ? json::serialize(InJson(*report))
                  : fmt::format("ok: {} holds store {} again, as it was at sequence {}. Tokens go "
                                "on from {}; what was granted after the backup is void",
                                connect.data.string(), report->store_id, report->old_size,
                                report->next_token.value()));
  });
}

void AddCompactCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto older_than = std::make_shared<std::string>("1h");
  CLI::App* compact = app.add_subcommand("compact", "Make old heartbeats small");
  compact->footer(kCompactText);
  compact->group(kOperationGroup);
  compact->add_option("--older-than", *older_than, "Only heartbeats of at least this age (1h)")
      ->type_name("DURATION")
      ->check([](const std::string& value) {
        return ParseDuration(value).ok()
                   ? std::string()
                   : fmt::format("\"{}\" is no duration: write 30m, 1.5h or 7d", value);
      });
  compact->callback([older_than, &global, &exit_code] {
    const auto client =
        StoreClient::Open(global, StoreClient::Access::kChange, exit_code, kKeepingPatience);
    const json::object body = {{"older_than", *older_than}};
    const auto answer =
        client ? client->Ask("POST", "/v1/admin/compact", json::serialize(body)) : std::nullopt;
    if (!answer) {
      return;
    }
    const std::string_view unreclaimed = TextIn(*answer, "unreclaimed");
    const std::string_view held_by = TextIn(*answer, "held_by");
    const std::string held =
        held_by.empty() ? "" : fmt::format("; what {} has still to read stays whole", held_by);
    PrintLine(global.json
                  ? client->raw()
                  : fmt::format(
                        "{}: {} heartbeats made small, up to sequence {}{}{}{}",
                        TextIn(*answer, "outcome"), NumberIn(*answer, "stubs").value_or(0),
                        NumberIn(*answer, "through").value_or(0), held,
                        unreclaimed.empty() ? "" : "; their space is not free yet: ", unreclaimed));
  });
}

struct RedactArguments {
  std::uint64_t sequence = 0;
  std::string reason, actor, request_id;
};

// What the event says, where its log can be read here; nothing is asked of a daemon elsewhere.
std::optional<TextsOfEvent> TextsAt(const std::filesystem::path& data, Sequence sequence) {
  if (IsServerUrl(data)) {
    return std::nullopt;
  }
  const auto record = OpenRecord(data);
  const auto event =
      record.ok() ? record->log->Read(sequence) : Result<StoredEvent>(record.status());
  return event.ok() && !IsStub(**event) ? std::optional(TextsToTakeOut(**event)) : std::nullopt;
}

// Where else it stands; nothing when that cannot be told.
AlikeEvents AlikeAt(const std::filesystem::path& data, const RedactArguments& arguments,
                    const std::optional<TextsOfEvent>& before) {
  if (!before) {
    return {};
  }
  const auto record = OpenRecord(data);
  auto alike = record.ok() ? FindAlike(*record->log, before->texts, Sequence(arguments.sequence))
                           : Result<AlikeEvents>(record.status());
  return alike.ok() ? *std::move(alike) : AlikeEvents();
}

void PrintRedacted(const GlobalOptions& global, const json::object& answer,
                   const RedactArguments& arguments, const AlikeEvents& alike) {
  if (global.json) {
    json::object told = answer;
    json::array sequences;
    for (const Sequence sequence : alike.first) {
      sequences.emplace_back(sequence.value());
    }
    told["alike"] = std::move(sequences);
    PrintLine(json::serialize(told));
    return;
  }
  PrintLine(fmt::format("{}: event {} has lost what it said; its hash is {}",
                        TextIn(answer, "outcome"), arguments.sequence, TextIn(answer, "hash")));
  if (const std::string words = InWords(alike); !words.empty()) {
    PrintLine(words);
  }
}

void Redact(const GlobalOptions& global, const RedactArguments& arguments, int& exit_code) {
  const auto client =
      StoreClient::Open(global, StoreClient::Access::kChange, exit_code, kKeepingPatience);
  if (!client) {
    return;
  }
  const std::filesystem::path data = DataDirectoryPath(global.data);
  const auto before = TextsAt(data, Sequence(arguments.sequence));
  if (before && !before->any) {
    PrintLine(global.json ? json::serialize(json::object{{"outcome", "unchanged"},
                                                         {"redacted", arguments.sequence}})
                          : fmt::format("unchanged: there is nothing in event {} to take out",
                                        arguments.sequence));
    return;
  }
  json::object body = {{"sequence", arguments.sequence}, {"reason", arguments.reason}};
  if (!arguments.actor.empty()) {
    body["actor"] = arguments.actor;
  }
  if (!arguments.request_id.empty()) {
    body["request_id"] = arguments.request_id;
  }
  if (const auto answer = client->Ask("POST", "/v1/admin/redact", json::serialize(body))) {
    PrintRedacted(global, *answer, arguments, AlikeAt(data, arguments, before));
  }
}

void AddRedactCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<RedactArguments>();
  CLI::App* redact = app.add_subcommand("redact", "Take a secret out of an event, for good");
  redact->footer(kRedactText);
  redact->group(kOperationGroup);
  AddNumber(*redact, "SEQUENCE", arguments->sequence, "The event, as history shows it", {.min = 1})
      ->type_name("")
      ->required();
  redact->add_option("--reason", arguments->reason, "Why, for all to read: not the secret itself")
      ->type_name("TEXT")
      ->required();
  redact->add_option("--actor", arguments->actor, "Who does it")->type_name("TEXT");
  redact->add_option("--request-id", arguments->request_id, "32 hex digits: asking again is safe")
      ->type_name("HEX");
  redact->callback([arguments, &global, &exit_code] { Redact(global, *arguments, exit_code); });
}

}  // namespace

void AddKeepingCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddBackupCommand(app, global, exit_code);
  AddRestoreCommand(app, global, exit_code);
  AddCompactCommand(app, global, exit_code);
  AddRedactCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
