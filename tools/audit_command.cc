#include "tools/audit_command.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "eventlog/backup_manifest.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/audit_keys.h"
#include "reactor/audit_proof.h"
#include "schema/utf8.h"
#include "tools/argument_checks.h"
#include "tools/audit_verify.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/record.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// What a rotation says of its reason is a line of a note.
constexpr std::size_t kReasonSizeMax = 500;
// What a person reads through; a program gets more of them.
constexpr std::size_t kRedactionsPrintedMax = 20;

const std::string kAuditText =
    R"(A checkpoint says in 300 bytes what the whole log was. Keep one, and the key, where whoever
can write the data directory cannot reach them: without that, the holder of the key can forge
everything.

)";

constexpr const char* kVerifyText =
    R"(Examples:
  sagalog audit verify --checkpoint kept/checkpoint --key kept/key
  sagalog audit verify /mnt/backups/sagalog --checkpoint kept/checkpoint --key kept/key
  sagalog audit verify event-4711.tlog-proof --key kept/key

PATH is a data directory, a backup or a directory of them, an export, or a proof of audit prove.
Neither a daemon nor the private key is needed. Exit code 3: altered or damaged.)";

// A log with its tree and its keys: what signing and proving need.
struct AuditScene {
  std::unique_ptr<EventLog> log;
  std::unique_ptr<AuditTree> tree;
  AuditKeys keys;
};

Result<AuditScene> OpenScene(const GlobalOptions& global) {
  const std::filesystem::path data = DataDirectoryPath(global.data);
  std::error_code error;
  if (std::filesystem::exists(data / kBackupManifestName, error)) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} is a backup: it has no key, and only audit verify reads it",
                              data.string()));
  }
  ASSIGN_OR_RETURN(Record record, OpenRecord(data));
  if (record.damage) {
    return record.log->Health();
  }
  ASSIGN_OR_RETURN(auto tree, OpenAuditTree(data, *record.log, record.log->Last()));
  return AuditScene{std::move(record.log), std::move(tree), AuditKeys(data)};
}

// Prints what `make` gives, or says why there is nothing.
void Print(const GlobalOptions& global, int& exit_code, std::string_view name,
           const std::function<Result<std::string>(const AuditScene& scene)>& make) {
  const auto scene = OpenScene(global);
  const auto text = scene.ok() ? make(*scene) : Result<std::string>(scene.status());
  if (!text.ok()) {
    PrintError(global, fmt::format("audit {}: {}", name, text.status().text()));
    exit_code = ExitCodeOf(text.status());
    return;
  }
  PrintLine(text->ends_with('\n') ? std::string_view(*text).substr(0, text->size() - 1) : *text);
}

std::string InJson(std::string_view member, const std::string& text) {
  return json::serialize(json::object{{member, text}});
}

Result<std::string> KeyText(const AuditScene& scene, const GlobalOptions& global, bool all) {
  ASSIGN_OR_RETURN(const VerifierKey current,
                   scene.keys.Current(scene.tree->lineages().OriginAt(scene.tree->size())));
  if (!all) {
    return global.json ? InJson("key", current.ToText()) : current.ToText();
  }
  ASSIGN_OR_RETURN(const std::vector<VerifierKey> known, scene.keys.Known());
  ASSIGN_OR_RETURN(const std::vector<std::string> rotations, scene.keys.Rotations());
  json::array keys;
  std::string text;
  for (const VerifierKey& key : known) {
    keys.emplace_back(key.ToText());
    text += key.ToText() + "\n";
  }
  return global.json ? json::serialize(json::object{
                           {"keys", std::move(keys)},
                           {"rotations", json::array(rotations.begin(), rotations.end())}})
                     : text;
}

void AddKeyCommand(CLI::App& audit, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    bool all = false;
    bool lost = false;
    std::string reason;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* key =
      AddDescribed(audit, "key", "The public key, for auditors and witnesses", "sagalog audit key");
  key->add_flag("--all", arguments->all, "All that have ever signed, the present one last");
  CLI::App* rotate = AddDescribed(*key, "rotate", "Take a new key; prints the note that says so",
                                  "sagalog audit key rotate --reason yearly");
  rotate->fallthrough()->group("Commands");
  rotate->add_option("--reason", arguments->reason, "Why, for those who read the note")
      ->type_name("TEXT")
      ->required()
      ->check([](const std::string& reason) {
        return reason.empty() || reason.size() > kReasonSizeMax || !IsPrintableUtf8(reason)
                   ? fmt::format("a line of at most {} bytes is needed", kReasonSizeMax)
                   : std::string();
      });
  rotate->add_flag("--lost", arguments->lost, "The present private key is gone");
  key->callback([arguments, rotate, &global, &exit_code] {
    if (!rotate->parsed()) {
      Print(global, exit_code, "key",
            [&](const AuditScene& scene) { return KeyText(scene, global, arguments->all); });
    }
  });
  rotate->callback([arguments, &global, &exit_code] {
    Print(global, exit_code, "key rotate", [&](const AuditScene& scene) -> Result<std::string> {
      ASSIGN_OR_RETURN(const std::string note,
                       scene.keys.Rotate(*scene.tree, arguments->reason, arguments->lost));
      return global.json ? InJson("rotation", note) : note;
    });
  });
}

void AddCheckpointCommand(CLI::App& audit, const GlobalOptions& global, int& exit_code) {
  CLI::App* checkpoint = AddDescribed(
      audit, "checkpoint", "Sign what the log is now, as a C2SP note", "sagalog audit checkpoint");
  checkpoint->callback([&global, &exit_code] {
    Print(global, exit_code, "checkpoint", [&](const AuditScene& scene) -> Result<std::string> {
      ASSIGN_OR_RETURN(const std::string note, scene.keys.Sign(*scene.tree, scene.tree->size()));
      return global.json ? InJson("checkpoint", note) : note;
    });
  });
}

Result<std::string> GrowthText(const AuditScene& scene, const std::string& path) {
  ASSIGN_OR_RETURN(const Checkpoint older, ReadCheckpoint(path));
  const std::string origin = scene.tree->lineages().OriginAt(older.head.size);
  if (older.origin != origin) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("{} is a checkpoint of {}, while this log is {}", path, older.origin, origin));
  }
  ASSIGN_OR_RETURN(const GrowthProof proof, ProveGrowth(*scene.tree, scene.keys, older.head.size));
  if (proof.from != older.head) {
    return Status(
        Code::kCorruption,
        fmt::format("this log does not go on from {}: its first {} events have the root "
                    "{}, not {}",
                    path, older.head.size, ToBase64(proof.from.root), ToBase64(older.head.root)));
  }
  return ToText(proof);
}

void AddProveCommand(CLI::App& audit, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::uint64_t sequence = 0;
    std::string from;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* prove =
      AddDescribed(audit, "prove",
                   "Prove that an event is in the log, or that the log goes on from a checkpoint",
                   "sagalog audit prove 4711 > event-4711.tlog-proof");
  CLI::Option* sequence =
      AddNumber(*prove, "SEQUENCE", arguments->sequence, "The event")->type_name("");
  prove
      ->add_option("--from", arguments->from,
                   "A checkpoint of before: prove that nothing in it "
                   "was changed since")
      ->type_name("FILE")
      ->excludes(sequence);
  prove->callback([arguments, sequence, &global, &exit_code] {
    if (sequence->count() == 0 && arguments->from.empty()) {
      PrintError(global, "audit prove: name an event's sequence, or a checkpoint with --from");
      exit_code = kExitUsage;
      return;
    }
    Print(global, exit_code, "prove", [&](const AuditScene& scene) -> Result<std::string> {
      std::string text;
      if (arguments->from.empty()) {
        ASSIGN_OR_RETURN(const EventProof proof, ProveEvent(*scene.tree, *scene.log, scene.keys,
                                                            Sequence(arguments->sequence)));
        text = ToText(proof);
      } else {
        ASSIGN_OR_RETURN(text, GrowthText(scene, arguments->from));
      }
      return global.json ? InJson("proof", text) : text;
    });
  });
}

json::array RedactionsInJson(const RecordReport& record) {
  json::array redactions;
  for (const NamedRedaction& redaction : record.redactions) {
    redactions.push_back(json::object{{"sequence", redaction.event.value()},
                                      {"said_by", redaction.said_by.value()},
                                      {"time", FormatTime(redaction.time)},
                                      {"actor", redaction.actor},
                                      {"reason", redaction.reason}});
  }
  return redactions;
}

void PrintHashesOnly(const RecordReport& record) {
  if (record.hashes_only == 0) {
    return;
  }
  const std::uint64_t redacted = std::min(record.redacted, record.hashes_only);
  PrintLine(fmt::format("    of {} only the hash is left: {} compacted, {} redacted",
                        record.hashes_only, record.hashes_only - redacted, redacted));
  for (std::size_t i = 0; i < std::min(record.redactions.size(), kRedactionsPrintedMax); ++i) {
    const NamedRedaction& redaction = record.redactions[i];
    PrintLine(fmt::format(
        "    event {} was redacted by {} at {} (event {}): {}", redaction.event.value(),
        redaction.actor.empty() ? "somebody unnamed" : redaction.actor, FormatTime(redaction.time),
        redaction.said_by.value(), Printable(redaction.reason)));
  }
  if (record.redacted > kRedactionsPrintedMax) {
    PrintLine(fmt::format("    and {} more (--json)", record.redacted - kRedactionsPrintedMax));
  }
}

void PrintNotes(const AuditVerdict& verdict) {
  for (const std::string& note : verdict.notes) {
    PrintLine("    " + Printable(note));
  }
}

void PrintVerdict(const GlobalOptions& global, const AuditVerdict& verdict) {
  const RecordReport& record = verdict.record;
  const Checkpoint& checkpoint = record.checkpoint;
  if (global.json) {
    json::object answer{{"ok", true}, {"own_keys", verdict.own_keys}};
    if (!verdict.part.empty()) {
      answer["events"] = verdict.part_events;
      answer["held_against_checkpoint"] = false;
    } else if (verdict.proof.empty()) {
      answer["events"] = record.head.size;
      answer["root"] = ToBase64(record.head.root);
      answer["origin"] = record.lineages.OriginAt(record.head.size);
      answer["hashes_only"] = record.hashes_only;
      answer["redacted"] = record.redacted;
      answer["redactions"] = RedactionsInJson(record);
      answer["vouched_unsigned"] = record.vouched_unsigned;
    }
    answer["notes"] = json::array(verdict.notes.begin(), verdict.notes.end());
    if (!checkpoint.origin.empty()) {
      answer["checkpoint"] = json::object{{"origin", checkpoint.origin},
                                          {"size", checkpoint.head.size},
                                          {"root", ToBase64(checkpoint.head.root)}};
    }
    PrintLine(json::serialize(answer));
    return;
  }
  if (!verdict.proof.empty() || !verdict.part.empty()) {
    PrintLine(fmt::format("ok: {}", verdict.proof.empty() ? verdict.part : verdict.proof));
    PrintNotes(verdict);
    return;
  }
  PrintLine(fmt::format("ok: {} events of {}, root {}", record.head.size,
                        record.lineages.OriginAt(record.head.size), ToBase64(record.head.root)));
  PrintHashesOnly(record);
  if (record.vouched_unsigned > 0 && !checkpoint.origin.empty()) {
    PrintLine(
        fmt::format("    {} of them {} vouched for by events behind the {} that were signed: "
                    "a newer checkpoint tells more",
                    record.vouched_unsigned, record.vouched_unsigned == 1 ? "is" : "are",
                    checkpoint.head.size));
  }
  PrintNotes(verdict);
  if (checkpoint.origin.empty()) {
    PrintLine(
        "    held against no checkpoint: a forgery that is consistent in itself does not "
        "show (--checkpoint)");
    return;
  }
  PrintLine(fmt::format("    the first {} are those that were signed{}", checkpoint.head.size,
                        verdict.own_keys ? "; by the directory's own word, as no --key was given: "
                                           "whoever can write there could have forged it"
                                         : ""));
}

void AddVerifyCommand(CLI::App& audit, const GlobalOptions& global, int& exit_code) {
  const auto wanted = std::make_shared<AuditVerification>();
  const auto path = std::make_shared<std::string>();
  CLI::App* verify =
      audit.add_subcommand("verify", "Check a record, offline and with the public key alone");
  verify->footer(kVerifyText);
  verify->add_option("PATH", *path, "What to check (the data directory)")->type_name("");
  verify
      ->add_option("--checkpoint", wanted->checkpoints,
                   "A signed checkpoint that was kept elsewhere; several times if need be")
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  verify
      ->add_option("--key", wanted->keys,
                   "A verifier key, or a file of them; several times if need be")
      ->type_name("KEY|FILE")
      ->expected(1)
      ->take_all();
  verify
      ->add_option("--rotation", wanted->rotations,
                   "The note of a key rotation: the key before it vouches for the one behind it")
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  verify->callback([wanted, path, &global, &exit_code] {
    wanted->path = path->empty() ? DataDirectoryPath(global.data) : std::filesystem::path(*path);
    const auto verdict = Verify(*wanted);
    if (verdict.ok()) {
      PrintVerdict(global, *verdict);
      return;
    }
    if (global.json) {
      PrintLine(json::serialize(json::object{{"ok", false}, {"broken", verdict.status().text()}}));
    }
    PrintError(global, fmt::format("audit verify: {}", verdict.status().text()));
    exit_code = ExitCodeOf(verdict.status());
  });
}

}  // namespace

void AddAuditCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* audit =
      AddDescribed(app, "audit", "Sign, prove and verify that the record is unaltered",
                   "sagalog audit checkpoint");
  audit->group(kOperationGroup);
  audit->require_subcommand(1);
  audit->footer(kAuditText + audit->get_footer());
  AddKeyCommand(*audit, global, exit_code);
  AddCheckpointCommand(*audit, global, exit_code);
  AddProveCommand(*audit, global, exit_code);
  AddVerifyCommand(*audit, global, exit_code);
}

}  // namespace sagalog::tools
