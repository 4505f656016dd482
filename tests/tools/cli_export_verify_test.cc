// sagalog audit verify of exports that others made or altered: what can be checked is, and what
// cannot is said.
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tools/export_manifest.h"
#include "tools/file_digest.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class CliExportVerify : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1", "--key", "acme/app#1"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"plan", "T2"});
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", "120s"});
    directory_.Json({"annotate", "T1", "said"});
    directory_.Json({"complete", "T1", "--token", token});
    directory_.Json({"annotate", "T2", "seen"});
    key_ = (directory_.root() / "key").string();
    WriteFile(key_, directory_.Run({"audit", "key"}).out);
  }

  void Export(Words more = {}) {
    fs::remove_all(out());
    more.insert(more.begin(), {"audit", "export", "--out", out().string()});
    const CliResult done = directory_.Run(more);
    ASSERT_EQ(done.exit_code, 0) << done.error;
  }
  CliResult Verify(Words more = {}) const {
    more.insert(more.begin(), {"audit", "verify", out().string(), "--key", key_});
    return RunCli(more);
  }
  void ExpectAltered(const std::string& said = "") const {
    const CliResult found = Verify();
    EXPECT_EQ(found.exit_code, 3) << found.out << found.error;
    EXPECT_EQ(found.out, "");
    EXPECT_THAT(found.error, HasSubstr(said));
  }
  void ExpectChecked(const std::vector<std::string>& said) const {
    const CliResult found = Verify();
    EXPECT_EQ(found.exit_code, 0) << found.error;
    for (const std::string& text : said) {
      EXPECT_THAT(found.out, HasSubstr(text));
    }
  }
  fs::path out() const { return directory_.root() / "out"; }
  fs::path manifest() const { return out() / "manifest.json"; }

  // As somebody would who knows what an export is: size and checksum follow.
  void ChangeData(const std::function<void(std::vector<std::string>&)>& change) {
    auto said = tools::ExportManifest::Read(out());
    ASSERT_TRUE(said.ok());
    const fs::path path = out() / tools::ExportDataName(said->scope.format);
    std::vector<std::string> lines;
    const std::string before = ReadFile(path);
    for (std::size_t begin = 0; begin < before.size();) {
      const std::size_t end = before.find('\n', begin) + 1;
      lines.push_back(before.substr(begin, end - begin));
      begin = end;
    }
    change(lines);
    std::string text;
    for (const std::string& line : lines) {
      text += line;
    }
    tools::FileDigest digest;
    digest.Add(text);
    WriteFile(path, text);
    said->events = lines.size();
    said->files[0] = {said->files[0].name, text.size(), digest.Hex()};
    WriteFile(manifest(), said->Encode());
  }

  CliDirectory directory_;
  std::string key_;
};

// One field of the manifest says something else, and nothing besides.
struct AlteredField {
  const char* name;
  Words scope;
  void (*change)(tools::ExportManifest& manifest);
};

std::ostream& operator<<(std::ostream& out, const AlteredField& field) { return out << field.name; }

class CliExportManifest : public CliExportVerify,
                          public testing::WithParamInterface<AlteredField> {};

TEST_P(CliExportManifest, IsHeldAgainstTheData) {
  Export(GetParam().scope);
  EXPECT_EQ(Verify().exit_code, 0) << Verify().error;
  auto said = tools::ExportManifest::Read(out());
  ASSERT_TRUE(said.ok());
  GetParam().change(*said);
  ASSERT_NE(said->Encode(), ReadFile(manifest()));
  WriteFile(manifest(), said->Encode());
  ExpectAltered();
}

using Manifest = tools::ExportManifest;
const AlteredField kAltered[] = {
    {"StoreId", {}, [](Manifest& said) { said.store_id[0] ^= 1; }},
    {"Lineage", {}, [](Manifest& said) { said.lineage = "second"; }},
    {"LogLast", {}, [](Manifest& said) { said.log_last = Sequence(5); }},
    {"ThroughLeaf", {}, [](Manifest& said) { said.through_leaf[3] ^= 1; }},
    {"CheckpointSize", {}, [](Manifest& said) { *said.checkpoint_size -= 1; }},
    {"NoCheckpoint", {}, [](Manifest& said) { said.checkpoint_size.reset(); }},
    {"NoCheckpointListed",
     {},
     [](Manifest& said) {
       said.checkpoint_size.reset();
       said.files.resize(1);
     }},
    {"CheckpointUnlisted", {}, [](Manifest& said) { said.files.resize(1); }},
    {"Events", {}, [](Manifest& said) { ++said.events; }},
    {"From", {}, [](Manifest& said) { said.scope.from = Sequence(2); }},
    {"FirstTime", {}, [](Manifest& said) { *said.first_time += Duration(1); }},
    {"StoreIdOfAPart", {"--saga", "T1"}, [](Manifest& said) { said.store_id[0] ^= 1; }},
    {"LogLastOfAPart", {"--saga", "T1"}, [](Manifest& said) { said.log_last = Sequence(70); }},
    {"ThroughLeafOfAPart", {"--from", "3"}, [](Manifest& said) { said.through_leaf[3] ^= 1; }},
    {"SagaOfAPart", {"--saga", "T1"}, [](Manifest& said) { said.scope.saga = "T2"; }},
    {"StoreIdOfCsv", {"--format", "csv"}, [](Manifest& said) { said.store_id[0] ^= 1; }},
    {"LineageOfCsv", {"--format", "csv"}, [](Manifest& said) { said.lineage = "second"; }},
};

INSTANTIATE_TEST_SUITE_P(Fields, CliExportManifest, testing::ValuesIn(kAltered),
                         [](const auto& field) { return std::string(field.param.name); });

TEST_F(CliExportVerify, WhatNoManifestMaySayIsRefused) {
  Export();
  const std::string before = ReadFile(manifest());
  for (const auto& [was, is] :
       std::vector<std::pair<std::string, std::string>>{{"\"version\": 1", "\"version\": 0"},
                                                        {"the exported events", "all events ever"},
                                                        {"\"covers\"", "\"coverz\""}}) {
    std::string text = before;
    const std::size_t place = text.find(was);
    ASSERT_NE(place, std::string::npos) << was;
    WriteFile(manifest(), text.replace(place, was.size(), is));
    ExpectAltered(manifest().string());
  }
}

TEST_F(CliExportVerify, ThatTheLogWentOnIsTheManifestsWord) {
  Export({"--to", "4"});
  ExpectChecked({"ok: 4 events", "that the log went on to event 8 is the manifest's word alone"});
}

TEST_F(CliExportVerify, OfAPartWhatCanBeCheckedIs) {
  Export({"--saga", "T1"});
  ExpectChecked({"ok: 5 events of saga T1 as ndjson up to event 8",
                 "each event names the one of its saga before it",
                 "not checked: that no event is missing behind the last one of a saga",
                 "cannot be held against a checkpoint",
                 "of the first 8 events of the log, is signed by a key that was given"});
  const CliResult unkeyed = RunCli({"audit", "verify", out().string()});
  EXPECT_EQ(unkeyed.exit_code, 0) << unkeyed.error;
  EXPECT_THAT(unkeyed.out, HasSubstr("no key was given"));
  const CliResult json = RunCli({"audit", "verify", out().string(), "--json"});
  EXPECT_THAT(json.out,
              AllOf(HasSubstr(R"("ok":true)"), HasSubstr(R"("held_against_checkpoint":false)")));
  // It was asked for, and cannot be told.
  const CliResult held = Verify({"--checkpoint", (out() / "checkpoint").string()});
  EXPECT_EQ(held.exit_code, 1) << held.out;
  EXPECT_THAT(held.error, HasSubstr("cannot be held against"));
}

TEST_F(CliExportVerify, AGapInASagaShowsThoughAllElseWasMadeRight) {
  for (const std::size_t line : {0, 1, 2, 3}) {
    SCOPED_TRACE(line);
    Export({"--saga", "T1"});
    ChangeData([&](std::vector<std::string>& lines) { lines.erase(lines.begin() + line); });
    if (line == 0) {  // the manifest's first time was not made right
      ExpectAltered("is version 2 of saga T1");
    } else {
      ExpectAltered("one is missing, or it was altered");
    }
  }
  Export({"--key", "acme/app#1"});
  ChangeData([](std::vector<std::string>& lines) { lines.erase(lines.begin() + 2); });
  ExpectAltered("one is missing, or it was altered");
  Export({"--from", "3"});
  ExpectChecked({"ok: 6 events from 3 on as ndjson", "the leaf of the last one"});
  ChangeData([](std::vector<std::string>& lines) { lines.erase(lines.begin() + 2); });
  ExpectAltered("line 3 holds event 6");
}

TEST_F(CliExportVerify, OtherFormatsHaveTheirFilesComparedAndSaySo) {
  for (const std::string format : {"csv", "cloudevents", "sqlite"}) {
    SCOPED_TRACE(format);
    Export({"--format", format});
    ExpectChecked({"ok: 8 events as " + format, "checked: each file's size and SHA-256",
                   "of " + format + " only the files are compared",
                   "cannot be held against a checkpoint"});
    const auto said = tools::ExportManifest::Read(out());
    ASSERT_TRUE(said.ok());
    FlipByte(out() / said->files[0].name, said->files[0].size_bytes / 2);
    ExpectAltered("is not the file of the manifest");
  }
}

// A key that did not sign the checkpoint beside a part: nobody vouches for it.
TEST_F(CliExportVerify, TheCheckpointOfAPartIsHeldAgainstTheKeys) {
  Export({"--saga", "T1"});
  CliDirectory other;
  other.Json({"plan", "X"});
  WriteFile(key_, other.Run({"audit", "key"}).out);
  EXPECT_EQ(Verify().exit_code, 1) << Verify().out;
}

TEST_F(CliExportVerify, APipeIsNamedAndNotWaitedFor) {
  Export();
  const fs::path pipe = directory_.root() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const char* flag : {"--checkpoint", "--rotation"}) {
    const CliResult refused = Verify({flag, pipe.string()});
    EXPECT_EQ(refused.exit_code, 1) << flag;
    EXPECT_THAT(refused.error, HasSubstr(pipe.string() + " is a pipe"));
  }
  for (const char* name : {"manifest.json", "events.ndjson", "checkpoint"}) {
    SCOPED_TRACE(name);
    fs::rename(out() / name, directory_.root() / "away");
    ASSERT_EQ(::mkfifo((out() / name).c_str(), 0600), 0);
    ExpectAltered((out() / name).string() + " is a pipe");
    fs::remove(out() / name);
    fs::create_symlink("/dev/zero", out() / name);
    ExpectAltered((out() / name).string() + " is a device");
    fs::remove(out() / name);
    fs::rename(directory_.root() / "away", out() / name);
  }
  WriteFile(manifest(), std::string(2U << 20, ' ') + ReadFile(manifest()));
  ExpectAltered("and may have");
}

// Whoever can write beside an export that goes on has no say in which file is written.
TEST_F(CliExportVerify, NothingIsWrittenThroughAPlantedLink) {
  const fs::path victim = directory_.root() / "victim";
  for (const std::string format : {"ndjson", "sqlite"}) {
    SCOPED_TRACE(format);
    Export({"--format", format, "--to", "4"});
    auto said = tools::ExportManifest::Read(out());
    ASSERT_TRUE(said.ok());
    const std::string name(tools::ExportDataName(said->scope.format));
    said->files.clear();
    said->checkpoint_size.reset();
    fs::remove_all(out());
    fs::create_directory(out());
    WriteFile(out() / "export.unfinished", said->Encode());
    WriteFile(victim, "precious");
    fs::create_symlink(victim, out() / (name + ".unfinished"));
    const CliResult refused =
        directory_.Run({"audit", "export", "--out", out().string(), "--format", format});
    EXPECT_EQ(refused.exit_code, 3) << refused.out;
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr(name + ".unfinished"), HasSubstr("nothing is written through it")));
    EXPECT_EQ(ReadFile(victim), "precious");
    EXPECT_FALSE(fs::exists(out() / name));
  }
}

}  // namespace
}  // namespace sagalog
