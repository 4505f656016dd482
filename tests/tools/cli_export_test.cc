// sagalog audit export: what is written, continued, refused, and left behind by what stops it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"
#include "tests/tools/file_size_limit.h"
#include "tools/export_record.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
namespace fs = std::filesystem;

std::string FileText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteText(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void Replace(const fs::path& path, const std::string& before, const std::string& after) {
  std::string text = FileText(path);
  const std::size_t place = text.find(before);
  ASSERT_NE(place, std::string::npos) << before;
  WriteText(path, text.replace(place, before.size(), after));
}

std::vector<std::string> Names(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Of the export that is read from end to end: empty = it is whole.
std::string Check(const fs::path& directory, const EventLog::Visitor& visit = {}) {
  const auto checked = tools::CheckExport(directory, visit);
  return checked.ok() ? std::string() : checked.status().text();
}

// Two sagas with keys, one of them with a lease, an end and something to undo.
class CliExport : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1", "--key", "acme/app#1", "--label", "team=\"a, b\""});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", "120s"});
    directory_.Json({"plan", "T2", "--key", "acme/app#2"});
    directory_.Json({"annotate", "T2", "said \xC3\xA4\nand \"more\""});
    directory_.Json({"complete", "T1", "--token", token});
  }

  fs::path out() const { return directory_.root() / "out"; }
  // With --out and further words.
  CliResult Export(Words words = {}) {
    words.insert(words.begin(), {"audit", "export", "--out", out().string()});
    return directory_.Run(words);
  }
  boost::json::object ExportJson(Words words = {}) {
    words.insert(words.begin(), {"audit", "export", "--out", out().string()});
    return directory_.Json(words);
  }
  void ExpectRefused(const CliResult& result, int exit_code, const std::string& why) {
    EXPECT_EQ(result.exit_code, exit_code) << result.out << result.error;
    EXPECT_THAT(result.error, HasSubstr(why));
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  }

  CliDirectory directory_;
};

TEST_F(CliExport, HoldsEveryEventAndItsManifest) {
  const CliResult done = Export();
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_THAT(done.out, AllOf(StartsWith("ok: "), HasSubstr(" events up to sequence ")));
  EXPECT_EQ(done.error, "");
  EXPECT_THAT(Names(out()), testing::IsSupersetOf({"events.ndjson", "manifest.json"}));
  std::vector<std::uint64_t> sequences;
  EXPECT_EQ(Check(out(),
                  [&](const events::Event& event, std::string_view) {
                    sequences.push_back(event.sequence());
                    return Status();
                  }),
            "");
  ASSERT_FALSE(sequences.empty());
  EXPECT_EQ(sequences.front(), 1);
  EXPECT_EQ(sequences.back(), sequences.size());
}

TEST_F(CliExport, GoesOnWithWhatHasComeSince) {
  ExportJson();
  const std::string before = FileText(out() / "events.ndjson");
  EXPECT_EQ(Word(ExportJson(), "outcome"), "unchanged");
  directory_.Json({"plan", "T3"});
  const auto more = ExportJson();
  EXPECT_EQ(Word(more, "outcome"), "ok");
  EXPECT_EQ(more.at("added").to_number<int>(), 1);
  EXPECT_THAT(FileText(out() / "events.ndjson"), StartsWith(before));
  EXPECT_EQ(Check(out()), "");
  // In one go it is the same, byte for byte.
  directory_.Json({"audit", "export", "--out", (directory_.root() / "again").string()});
  for (const char* name : {"events.ndjson", "manifest.json"}) {
    EXPECT_EQ(FileText(directory_.root() / "again" / name), FileText(out() / name)) << name;
  }
}

TEST_F(CliExport, AnExportOfAnExportIsTheSame) {
  ExportJson();
  const std::string again = (directory_.root() / "again").string();
  const CliResult done = RunCli({"audit", "export", "--record", out().string(), "--out", again});
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_EQ(FileText(fs::path(again) / "events.ndjson"), FileText(out() / "events.ndjson"));
}

TEST_F(CliExport, IsReadBesideADaemonAndFromABackup) {
  directory_.Serve();
  const std::string backups = (directory_.root() / "backups").string();
  directory_.Json({"backup", backups});
  EXPECT_EQ(Export().exit_code, 0);
  const std::string copy = (directory_.root() / "copy").string();
  const CliResult done = RunCli({"audit", "export", "--record", backups, "--out", copy});
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_EQ(FileText(fs::path(copy) / "events.ndjson"), FileText(out() / "events.ndjson"));
}

TEST_F(CliExport, OfASagaOrAKeyHoldsItsEventsAlone) {
  for (const Words& filter : {Words{"--saga", "T1"}, Words{"--key", "acme/app#1"}}) {
    fs::remove_all(out());
    ExportJson(filter);
    std::vector<std::string> types;
    EXPECT_EQ(Check(out(),
                    [&](const events::Event& event, std::string_view) {
                      EXPECT_EQ(event.saga_id()->string_view(), "T1");
                      types.push_back(events::EnumNameBody(event.body_type()));
                      return Status();
                    }),
              "");
    EXPECT_THAT(types, ElementsAre("Planned", "Leased", "Heartbeated", "Terminal"));
    directory_.Json({"plan", filter[0] == "--key" ? "T9" : "T8"});
    EXPECT_EQ(ExportJson(filter).at("added").to_number<int>(), 0);
    const CliResult folded = RunCli({"audit", "export", "--record", out().string(), "--out",
                                     (directory_.root() / "again").string()});
    ExpectRefused(folded, 1, "only: what is folded must begin with the first event");
  }
}

TEST_F(CliExport, ARangeIsOfSequencesOrTimes) {
  EXPECT_EQ(ExportJson({"--from", "2", "--to", "4"}).at("events").to_number<int>(), 3);
  EXPECT_EQ(Check(out()), "");
  EXPECT_EQ(ExportJson({"--from", "2", "--to", "5"}).at("added").to_number<int>(), 1);
  fs::remove_all(out());
  const auto all = ExportJson({"--from", "2020-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z"});
  EXPECT_EQ(all.at("events").to_number<int>(), all.at("through").to_number<int>());
  const std::string text = FileText(out() / "manifest.json");
  const std::size_t time = text.find("first_time") + 14;
  const std::string first = text.substr(time, text.find('"', time) - time);
  fs::remove_all(out());
  EXPECT_EQ(ExportJson({"--to", first}).at("from").to_number<int>(), 1);
}

TEST_F(CliExport, WhatIsAskedForWronglyIsRefusedAndLeavesNothing) {
  ExpectRefused(Export({"--format", "xml"}), 2, "\"xml\" is no format");
  ExpectRefused(Export({"--from", "2026-11-21T03:18:00"}), 2, "a time with its zone");
  ExpectRefused(Export({"--to", "yesterday"}), 2, "neither a sequence nor a time");
  ExpectRefused(Export({"--from", "1000"}), 1,
                "--from: there is no event 1000: the log holds 1 to");
  ExpectRefused(Export({"--to", "1000"}), 1, "--to: there is no event 1000");
  ExpectRefused(Export({"--from", "0"}), 1, "there is no event 0");
  ExpectRefused(Export({"--from", "4", "--to", "3"}), 1, "the range is empty");
  ExpectRefused(Export({"--from", "2999-01-01T00:00:00Z"}), 1, "the log ends before");
  ExpectRefused(Export({"--to", "1999-01-01T00:00:00Z"}), 1, "the log begins after");
  ExpectRefused(Export({"--saga", "T7"}), 1, "there is no saga T7");
  ExpectRefused(Export({"--key", "k", "--format", "sqlite"}), 1, "no saga had the key k");
  ExpectRefused(Export({"--record", (directory_.root() / "none").string()}), 3, "none");
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(CliExport, ADirectoryOfSomethingElseIsLeftAlone) {
  fs::create_directories(out());
  WriteText(out() / "notes.txt", "mine");
  ExpectRefused(Export(), 1, "holds notes.txt, which is no part of an export");
  EXPECT_THAT(Names(out()), ElementsAre("notes.txt"));
  fs::remove(out() / "notes.txt");
  WriteText(out() / "events.ndjson", "mine");
  ExpectRefused(Export(), 1, "holds events.ndjson, which is no part of an export");
  ExpectRefused(directory_.Run({"audit", "export", "--out", directory_.data().string()}), 1,
                "is inside " + directory_.data().string());
}

TEST_F(CliExport, AnotherExportIsNotContinued) {
  ExportJson();
  const std::string before = FileText(out() / "manifest.json");
  ExpectRefused(Export({"--format", "csv"}), 1, "holds an export of events as ndjson, not of");
  ExpectRefused(Export({"--saga", "T1"}), 1, "of saga T1 as ndjson: export into another");
  ExpectRefused(Export({"--to", "3"}), 1, "already: the range ends at 3");
  CliDirectory other;
  for (int i = 0; i < 20; ++i) {
    other.Json({"plan", fmt::format("S{}", i)});
  }
  ExpectRefused(other.Run({"audit", "export", "--out", out().string()}), 1, "of another store");
  EXPECT_EQ(FileText(out() / "manifest.json"), before);
  EXPECT_EQ(Check(out()), "");
}

TEST_F(CliExport, AFutureThatARestoreHasUndoneIsNotContinued) {
  const std::string backups = (directory_.root() / "backups").string();
  directory_.Json({"backup", backups});
  directory_.Json({"plan", "LOST1"});
  directory_.Json({"plan", "LOST2"});
  ExportJson();
  const std::string restored = (directory_.root() / "restored").string();
  ASSERT_EQ(RunCli({"restore", backups, "--data", restored}).exit_code, 0);
  for (const char* saga : {"S1", "S2", "S3", "S4"}) {
    ASSERT_EQ(RunCli({"plan", saga, "--data", restored}).exit_code, 0);
  }
  ExpectRefused(RunCli({"audit", "export", "--out", out().string(), "--data", restored}), 1,
                "the store was restored since");
}

TEST_F(CliExport, OfANewerVersionIsRefused) {
  ExportJson();
  Replace(out() / "manifest.json", "\"version\": 1", "\"version\": 2");
  const std::string why = "a newer sagalog wrote it (export version 2, this one reads 1)";
  ExpectRefused(Export(), 3, why);
  EXPECT_THAT(Check(out()), HasSubstr(why));
  ExpectRefused(RunCli({"audit", "export", "--record", out().string(), "--out", "/nowhere/x"}), 3,
                why);
}

// What is changed in a finished export, and how that is named.
struct Forgery {
  const char* file;
  const char* before;
  const char* after;
  const char* named;
};

TEST_F(CliExport, WhatWasChangedIsNamedExactly) {
  const std::vector<Forgery> forgeries = {
      {"manifest.json", "\"events\": ", "\"events\": 1", "events, its manifest says 1"},
      {"manifest.json", "\"through\": ", "\"through\": 9", "its manifest says that it ends with 9"},
      {"manifest.json", "\"sha256\": \"", "\"sha256\": \"0", "its SHA-256 is "},
      {"manifest.json", "\"size_bytes\": ", "\"size_bytes\": 9", "bytes, its manifest says 9"},
      {"manifest.json", "\"first_time\": \"20", "\"first_time\": \"19", "the times of its first"},
      {"manifest.json", "\"data\": \"ndjson\"", "\"data\": \"text\"", "its field data"},
      {"manifest.json", "\"name\": \"events", "\"name\": \"../x", "its field files.name"},
      {"manifest.json", "{", "[", "it is no JSON object"},
      {"events.ndjson", "\"owner\":\"w1\"", "\"owner\":\"w2\"",
       "the readable field body.owner.owner is not what its bytes say"},
      {"events.ndjson", "\"sequence\":3,", "\"sequence\":4,", "line 3 holds event 4, where 3"},
      {"events.ndjson", "\"type\":\"leased\"", "\"type\" :\"leased\"", "not written as they were"},
      {"events.ndjson", "\"bytes\":\"", "\"bytes\":\"!", "line 1 is no event"},
      {"events.ndjson", "{", "", "line 1 is no event"},
  };
  ExportJson();
  for (const Forgery& forgery : forgeries) {
    SCOPED_TRACE(forgery.named);
    const fs::path path = out() / forgery.file;
    const std::string before = FileText(path);
    const std::string manifest = FileText(out() / "manifest.json");
    Replace(path, forgery.before, forgery.after);
    if (path.filename() != "manifest.json") {
      // As a forger would: the size at least is right.
      Replace(out() / "manifest.json", fmt::format("\"size_bytes\": {}", before.size()),
              fmt::format("\"size_bytes\": {}", fs::file_size(path)));
    }
    EXPECT_THAT(Check(out()), HasSubstr(forgery.named));
    WriteText(path, before);
    WriteText(out() / "manifest.json", manifest);
  }
  EXPECT_EQ(Check(out()), "");
}

TEST_F(CliExport, LinesThatWereRemovedSwappedOrCutOffAreNamed) {
  ExportJson();
  const std::string text = FileText(out() / "events.ndjson");
  const std::string manifest = FileText(out() / "manifest.json");
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line + "\n");
  }
  const auto check = [&](const std::string& forged) {
    WriteText(out() / "events.ndjson", forged);
    WriteText(out() / "manifest.json", manifest);
    Replace(out() / "manifest.json", fmt::format("\"size_bytes\": {}", text.size()),
            fmt::format("\"size_bytes\": {}", forged.size()));
    return Check(out());
  };
  const std::string rest = text.substr(lines[0].size() + lines[1].size());
  EXPECT_THAT(check(lines[0] + rest), HasSubstr("line 2 holds event 3, where 2"));
  EXPECT_THAT(check(lines[1] + lines[0] + rest), HasSubstr("line 1 holds event 2, where 1"));
  EXPECT_THAT(check(lines[0] + lines[0] + lines[1] + rest), HasSubstr("line 2 holds event 1"));
  EXPECT_THAT(check(text.substr(0, text.size() - lines.back().size())),
              HasSubstr("its manifest says"));
  EXPECT_THAT(check(text.substr(0, text.size() - 1)), HasSubstr("is no event"));
  WriteText(out() / "events.ndjson", text.substr(0, text.size() - 1));
  WriteText(out() / "manifest.json", manifest);
  EXPECT_THAT(Check(out()), HasSubstr(fmt::format("bytes, its manifest says {}", text.size())));
}

// Stubs that compaction leaves are lines like any others, and change nothing of what was exported.
TEST_F(CliExport, HoldsStubsToo) {
  const std::string token = directory_.Token({"acquire", "T2", "--owner", "w2", "--ttl", "60s"});
  for (const char* ttl : {"61s", "62s", "63s"}) {
    directory_.Json({"heartbeat", "T2", "--token", token, "--ttl", ttl});
  }
  ExportJson();
  directory_.Json({"compact", "--older-than", "0s"});
  EXPECT_EQ(ExportJson().at("added").to_number<int>(), 1);
  EXPECT_EQ(Check(out()), "");
  fs::remove_all(out());
  ExportJson();
  EXPECT_THAT(FileText(out() / "events.ndjson"), HasSubstr("original_hash"));
  EXPECT_EQ(Check(out()), "");
}

// What a redacted event said is gone, also from an export; its hash stays, so that whoever has the
// export, the key and a checkpoint from before can still check all of it, without the store.
TEST_F(CliExport, ARedactedEventSaysSoKeepsItsHashAndIsVerifiedOffline) {
  const fs::path key = directory_.root() / "key";
  const fs::path checkpoint = directory_.root() / "checkpoint";
  directory_.Json({"annotate", "T2", "the password is hunter2"});
  WriteText(checkpoint, directory_.Run({"audit", "checkpoint"}).out);
  WriteText(key, directory_.Run({"audit", "key"}).out);
  const std::string secret =
      std::to_string(directory_.Json({"show", "T2"}).at("sequence").to_number<std::uint64_t>());
  const std::string hash =
      Word(directory_.Json({"redact", secret, "--reason", "a password", "--actor", "ann"}), "hash");
  ASSERT_EQ(hash.size(), 44U);
  ExportJson();
  fs::remove_all(directory_.data());

  const std::string events = FileText(out() / "events.ndjson");
  EXPECT_THAT(events, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(events, HasSubstr(R"("body":{"text":"[redacted]"},"original_hash":")" + hash));
  EXPECT_THAT(events,
              HasSubstr(fmt::format(R"("redacted_sequence":{},"reason":"a password","hash":"{}")",
                                    secret, hash)));
  const Words verify = {"audit",      "verify",       out().string(),     "--key",
                        key.string(), "--checkpoint", checkpoint.string()};
  const CliResult verified = RunCli(verify);
  EXPECT_EQ(verified.exit_code, 0) << verified.error;
  EXPECT_THAT(verified.out, AllOf(HasSubstr("redacted"), HasSubstr("those that were signed")));

  Replace(out() / "events.ndjson", R"("text":"[redacted]")", R"("text":"[harmless]")");
  const CliResult forged = RunCli(verify);
  EXPECT_EQ(forged.exit_code, 3);
  EXPECT_THAT(forged.error, HasSubstr("event " + secret));
}

// Each format on a disk that is full at every step, in a loop, until it fits.
class CliExportOnAFullDisk : public CliExport, public testing::WithParamInterface<const char*> {};

TEST_P(CliExportOnAFullDisk, IsAClearErrorAndGoesOn) {
  const Words format = {"--format", GetParam()};
  bool failed = false;
  // What the program says must fit into a file too.
  for (std::uint64_t limit = 400;; limit += limit / 2) {
    CliResult result;
    {
      const FileSizeLimit full(limit);
      result = Export(format);
    }
    if (result.exit_code == 0) {
      break;
    }
    failed = true;
    ExpectRefused(result, 3, "it goes on where it stopped");
    EXPECT_FALSE(Check(out()).empty()) << limit;
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(Check(out()), "");
  EXPECT_THAT(Names(out()), testing::Each(testing::Not(HasSubstr("unfinished"))));
  // It is no other than one that nothing has stopped.
  const fs::path again = directory_.root() / "again";
  directory_.Json({"audit", "export", "--out", again.string(), "--format", GetParam()});
  const std::string data = fmt::format("events.{}", GetParam());
  if (std::string(GetParam()) != "sqlite") {
    EXPECT_EQ(FileText(again / data), FileText(out() / data));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, CliExportOnAFullDisk, testing::Values("ndjson", "csv", "sqlite"),
                         [](const auto& format) { return std::string(format.param); });

TEST_F(CliExport, StoppedInTheMiddleIsNotTakenForWhole) {
  ExportJson({"--to", "3"});
  const std::string before = FileText(out() / "manifest.json");
  {
    const FileSizeLimit full(fs::file_size(out() / "events.ndjson") + 100);
    ExpectRefused(Export(), 3, "cannot write");
  }
  EXPECT_FALSE(fs::exists(out() / "events.ndjson"));
  EXPECT_EQ(FileText(out() / "manifest.json"), before);
  EXPECT_THAT(Check(out()), HasSubstr("is not finished: run sagalog audit export again"));
  ExpectRefused(RunCli({"audit", "export", "--record", out().string(), "--out", "/nowhere/x"}), 1,
                "is not finished");
  EXPECT_TRUE(ExportJson().at("continued").as_bool());
  EXPECT_EQ(Check(out()), "");
}

TEST_F(CliExport, WhatWasAlteredIsNotContinued) {
  ExportJson();
  directory_.Json({"plan", "T3"});
  Replace(out() / "events.ndjson", "w1", "w2");
  ExpectRefused(Export(), 3, "is not what was exported: it was changed since");
}

TEST_F(CliExport, ATerminalIsToldHowFarItGot) {
  const CliResult shown = RunCliOnTerminal(
      {"--data", directory_.data().string(), "audit", "export", "--out", out().string()}, {}, 80);
  EXPECT_EQ(shown.exit_code, 0) << shown.out;
  EXPECT_THAT(shown.out, HasSubstr(" %  event "));
  EXPECT_THAT(shown.out, HasSubstr("ok: "));
}

}  // namespace
}  // namespace sagalog
