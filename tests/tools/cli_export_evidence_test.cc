// sagalog audit export over what was changed, damaged or left by runs before: nothing is laundered.
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/file_size_limit.h"
#include "tools/export_record.h"
#include "tools/sqlite_file.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// What one query answers.
std::string Ask(const fs::path& database, const char* sql) {
  auto file = tools::SqliteFile::Open(database);
  const auto answer = (*file)->Ask(sql);
  return answer.ok() ? *answer : answer.status().text();
}

// Changes an exported file as somebody would who can write it.
void Alter(const fs::path& path) {
  if (path.string().find("sqlite") != std::string::npos) {
    auto file = tools::SqliteFile::Open(path);
    ASSERT_TRUE((*file)->RunScript("UPDATE events SET actor = 'eve' WHERE sequence = 3").ok());
    ASSERT_TRUE((*file)->Close().ok());
    return;
  }
  std::string text = ReadFile(path);
  const std::size_t place = text.find("w1");
  ASSERT_NE(place, std::string::npos);
  WriteFile(path, text.replace(place, 2, "w2"));
}

class CliExportEvidence : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", "120s"});
    directory_.Json({"plan", "T2"});
  }

  fs::path out() const { return directory_.root() / "out"; }
  fs::path data() const {
    const std::string format = GetParam();
    return out() / (format == "cloudevents" ? "events.cloudevents.ndjson" : "events." + format);
  }
  CliResult Export(Words more = {}) {
    more.insert(more.begin(), {"audit", "export", "--out", out().string(), "--format", GetParam()});
    return directory_.Run(more);
  }
  void ExpectExported(Words more = {}) {
    const CliResult done = Export(std::move(more));
    ASSERT_EQ(done.exit_code, 0) << done.error;
  }
  // Refused, and nothing is touched.
  void ExpectRefused(const std::string& named) {
    const auto before = Snapshot(out());
    const CliResult refused = Export();
    EXPECT_EQ(refused.exit_code, 3) << refused.out;
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.error, AllOf(HasSubstr(named), HasSubstr("is not what was exported")));
    EXPECT_EQ(Snapshot(out()), before);
  }

  CliDirectory directory_;
};

TEST_P(CliExportEvidence, WhatWasAlteredIsRefusedForEverAndStaysAsItIs) {
  ExpectExported();
  Alter(data());
  ExpectRefused(data().string());  // with nothing new
  directory_.Json({"plan", "T3"});
  ExpectRefused(data().string());
  ExpectRefused(data().string());  // as a timer does, that tries again
}

TEST_P(CliExportEvidence, AnAlteredCheckpointIsRefusedToo) {
  ExpectExported();
  WriteFile(out() / "checkpoint", ReadFile(out() / "checkpoint") + "\n");
  ExpectRefused((out() / "checkpoint").string());
}

// The disk was full, and what was whole before is altered meanwhile.
TEST_P(CliExportEvidence, WhatWasAlteredWhileARunWasInterruptedIsRefused) {
  ExpectExported({"--to", "3"});
  directory_.Json({"annotate", "T1", std::string(9000, 'x')});
  {
    const FileSizeLimit full(fs::file_size(data()) + 100);
    ASSERT_EQ(Export().exit_code, 3);
  }
  ASSERT_TRUE(fs::exists(out() / "export.unfinished"));
  // A textual one goes on under its other name; beside an SQLite file a copy of it goes on.
  const bool stays = std::string(GetParam()) == "sqlite";
  const fs::path before = stays ? data() : fs::path(data().string() + ".unfinished");
  const std::string bytes = ReadFile(before);
  Alter(before);
  ExpectRefused(before.string());
  ExpectRefused(before.string());
  WriteFile(before, bytes);
  ExpectExported();
  EXPECT_FALSE(fs::exists(out() / "export.unfinished"));
  EXPECT_FALSE(fs::exists(data().string() + ".unfinished"));
}

INSTANTIATE_TEST_SUITE_P(Formats, CliExportEvidence,
                         testing::Values("ndjson", "csv", "cloudevents", "sqlite"),
                         [](const auto& format) { return std::string(format.param); });

class CliSqliteExport : public CliExportEvidence {};

// What the copy was made of is the truth; the copy alone was altered.
TEST_P(CliSqliteExport, AnAlteredUnfinishedFileIsWrittenAnew) {
  ExpectExported({"--to", "3"});
  directory_.Json({"annotate", "T1", std::string(16'000, 'x')});
  {
    const FileSizeLimit full(fs::file_size(data()) + 100);
    ASSERT_EQ(Export().exit_code, 3);
  }
  const fs::path unfinished = data().string() + ".unfinished";
  ASSERT_TRUE(fs::exists(unfinished));
  Alter(unfinished);
  ExpectExported();
  EXPECT_EQ(Ask(data(), "SELECT count(*) FROM events WHERE actor = 'eve'"), "0");
}

TEST_P(CliSqliteExport, IsForItsOwnerAlone) {
  const mode_t before = ::umask(022);
  ExpectExported();
  ::umask(before);
  for (const auto& entry : fs::directory_iterator(out())) {
    EXPECT_EQ(entry.status().permissions() & fs::perms(0777), fs::perms(0600)) << entry.path();
  }
}

INSTANTIATE_TEST_SUITE_P(Format, CliSqliteExport, testing::Values("sqlite"),
                         [](const auto& format) { return std::string(format.param); });

// The same word means the same number wherever it stands.
TEST(CliSqliteExportRecoveries, AreCountedAsTheStoreCountsThem) {
  CliDirectory directory;
  directory.Serve({"--manual-clock", "2026-11-21T03:00:00Z", "--no-reaper"});
  for (const char* saga : {"TAKEN", "FAILED"}) {
    directory.Json({"plan", saga});
    directory.Token({"acquire", saga, "--owner", "w1", "--ttl", "30s"});
  }
  AdvanceClock(directory, "60s");
  directory.Token({"acquire", "TAKEN", "--owner", "w2", "--ttl", "30s"});
  const std::string version = Word(directory.Json({"show", "FAILED"}), "version");
  directory.Json({"recover", "FAILED", "--observed", version, "--decision", "fail", "--actor",
                  "ann", "--no-compensation-reason", "nothing was begun"});
  const fs::path out = directory.root() / "out";
  ASSERT_EQ(
      directory.Run({"audit", "export", "--out", out.string(), "--format", "sqlite"}).exit_code, 0);
  EXPECT_EQ(Word(directory.Json({"show", "TAKEN"}), "recoveries"), "1");
  EXPECT_EQ(Ask(out / "events.sqlite", "SELECT recoveries FROM sagas WHERE saga_id = 'TAKEN'"),
            "1");
  EXPECT_EQ(Word(directory.Json({"show", "FAILED"}), "recoveries"), "0");
  EXPECT_EQ(Ask(out / "events.sqlite", "SELECT recoveries FROM sagas WHERE saga_id = 'FAILED'"),
            "0");
}

// An auditor's second question: which irreversible act is in doubt, and who was inside?
TEST(CliSqliteExportActs, EffectsSectionsAndOwnerReportsAreTables) {
  CliDirectory directory;
  directory.Json({"plan", "T1", "--key", "k"});
  const std::string token = directory.Token({"acquire", "T1", "--owner", "w1"});
  for (const char* effect : {"push", "deploy"}) {
    directory.Json(
        {"effect", "begin", "T1", "--token", token, "--effect", effect, "--fingerprint", "abc"});
  }
  directory.Json({"effect", "settle", "T1", "--effect", "push", "--outcome", "done"});
  directory.Json({"section", "enter", "T1", "--token", token, "--name", "finalise"});
  directory.Json(
      {"report-owner", "T1", "--verdict", "alive", "--owner", "w1", "--evidence", "seen"});
  const fs::path out = directory.root() / "out";
  const auto ask = [&](const char* sql) {
    EXPECT_EQ(
        directory.Run({"audit", "export", "--out", out.string(), "--format", "sqlite"}).exit_code,
        0);
    return Ask(out / "events.sqlite", sql);
  };
  EXPECT_EQ(ask("SELECT group_concat(effect || ' ' || owner || ' ' || fingerprint) "
                "FROM effects_in_doubt"),
            "deploy w1 abc");
  EXPECT_EQ(ask("SELECT outcome || ' ' || settled_in FROM effects WHERE effect = 'push'"),
            "done T1");
  EXPECT_EQ(ask("SELECT group_concat(name || ' ' || owner || ' ' || key) FROM open_sections"),
            "finalise w1 k");
  EXPECT_EQ(ask("SELECT owner || ' ' || reported || ' ' || evidence FROM owner_reports"),
            "w1 alive seen");
  EXPECT_EQ(ask("SELECT owner FROM sagas"), "w1");
  directory.Json({"section", "leave", "T1", "--token", token, "--outcome", "merged"});
  EXPECT_EQ(ask("SELECT left_by || ' ' || outcome FROM sections"), "section_left merged");
  EXPECT_EQ(ask("SELECT count(*) FROM open_sections"), "0");
}

// The calls that were refused about a saga belong to its story.
TEST(CliFilteredExport, HoldsTheRefusedCallsAboutItsSagas) {
  CliDirectory directory;
  directory.Json({"plan", "T1", "--key", "k"});
  directory.Json({"plan", "T2"});
  const std::string token = directory.Token({"acquire", "T1", "--owner", "w1"});
  directory.Json({"complete", "T1", "--token", token});
  EXPECT_EQ(directory.Run({"heartbeat", "T1", "--token", token}).exit_code, 1);
  directory.Json({"plan", "T3"});
  const std::string out = (directory.root() / "out").string();
  for (const Words& filter : {Words{"--saga", "T1"}, Words{"--key", "k"}}) {
    fs::remove_all(out);
    Words words = {"audit", "export", "--out", out, "--format", "sqlite"};
    words.insert(words.end(), filter.begin(), filter.end());
    ASSERT_EQ(directory.Run(words).exit_code, 0);
    EXPECT_EQ(Ask(fs::path(out) / "events.sqlite",
                  "SELECT saga_id || ' ' || command || ' ' || token_owner FROM late_calls"),
              "T1 heartbeat w1");
    fs::remove_all(out);
    words[5] = "ndjson";
    ASSERT_EQ(directory.Run(words).exit_code, 0);
    EXPECT_THAT(ReadFile(fs::path(out) / "events.ndjson"), HasSubstr("refusals_noted"));
    EXPECT_EQ(tools::CheckExport(out, {}).status().text(), "");
  }
  fs::remove_all(out);
  ASSERT_EQ(directory.Run({"audit", "export", "--out", out, "--saga", "T2"}).exit_code, 0);
  EXPECT_THAT(ReadFile(fs::path(out) / "events.ndjson"), Not(HasSubstr("refusals_noted")));
}

// The last event of the log is damaged: two stand before it.
class CliDamagedExport : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Serve();
    for (const char* saga : {"T1", "T2", "T3-damaged", "T4"}) {
      directory_.Json({"plan", saga});
    }
    directory_.Json({"audit", "export", "--out", earlier().string(), "--to", "2"});
    directory_.StopServing();
    for (const auto& [name, bytes] : Snapshot(directory_.data() / "log")) {
      const std::size_t at = bytes.rfind("T3-damaged");
      if (name.ends_with(".log") && at != std::string::npos) {
        FlipByte(directory_.data() / "log" / name, at);
      }
    }
    signed_ = ReadFile(directory_.data() / "audit" / "signed");
  }

  fs::path out() const { return directory_.root() / "out"; }
  fs::path earlier() const { return directory_.root() / "earlier"; }
  CliResult Export(Words more, const fs::path& to) {
    more.insert(more.begin(), {"audit", "export", "--out", to.string()});
    return directory_.Run(more);
  }

  CliDirectory directory_;
  std::string signed_;
};

TEST_F(CliDamagedExport, EndsAtTheDamageUnsignedAndSaysSo) {
  for (const char* format : {"ndjson", "sqlite"}) {
    fs::remove_all(out());
    const CliResult done = Export({"--format", format}, out());
    EXPECT_EQ(done.exit_code, 3) << done.out;
    EXPECT_THAT(done.out, AllOf(StartsWith("cut short: "),
                                HasSubstr("holds 3 events up to sequence 3, where the log is "
                                          "damaged; without a checkpoint")));
    EXPECT_THAT(done.error, AllOf(HasSubstr("the log is damaged: "), HasSubstr("event 4")));
    EXPECT_FALSE(fs::exists(out() / "checkpoint"));
    EXPECT_THAT(ReadFile(out() / "manifest.json"),
                AllOf(HasSubstr("\"checkpoint\": null"), HasSubstr("\"damage\": \"")));
    EXPECT_EQ(Export({"--format", format}, out()).exit_code, 3) << "nothing new is no success";
  }
  EXPECT_EQ(ReadFile(directory_.data() / "audit" / "signed"), signed_);
}

TEST_F(CliDamagedExport, WhatWasSignedBeforeStays) {
  const std::string checkpoint = ReadFile(earlier() / "checkpoint");
  EXPECT_EQ(Export({}, earlier()).exit_code, 3);
  EXPECT_EQ(ReadFile(earlier() / "checkpoint"), checkpoint);
  const std::string key = (directory_.data() / "audit" / "public").string();
  const CliResult verified = RunCli({"audit", "verify", earlier().string(), "--key", key});
  EXPECT_EQ(verified.exit_code, 0) << verified.error;
  EXPECT_THAT(verified.out, AllOf(HasSubstr("the first 2 are those that were signed"),
                                  HasSubstr("the log that it was made of is damaged")));
}

TEST_F(CliDamagedExport, BeforeTheDamageItIsDoneWithANote) {
  const CliResult done = Export({"--to", "2"}, out());
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_THAT(done.out, HasSubstr("holds 2 events up to sequence 2; without a checkpoint"));
  EXPECT_THAT(done.error, HasSubstr("the log is damaged behind what was asked for: "));
}

TEST_F(CliDamagedExport, WhatLiesBehindTheDamageIsNoMistakeOfTheCaller) {
  for (const Words& behind : {Words{"--to", "5"}, Words{"--from", "4"}, Words{"--saga", "T4"},
                              Words{"--key", "k"}, Words{"--from", "2999-01-01T00:00:00Z"}}) {
    SCOPED_TRACE(behind.back());
    const CliResult refused = Export(behind, out());
    EXPECT_EQ(refused.exit_code, 3) << refused.out;
    EXPECT_THAT(refused.error, HasSubstr("event 4"));
    EXPECT_FALSE(fs::exists(out()));
  }
  EXPECT_EQ(Export({"--from", "0"}, out()).exit_code, 1);
}

}  // namespace
}  // namespace sagalog
