// kill -9 in the middle of an export: what is left does not pass for whole, and the next one goes
// on with it and ends with the same bytes as one that nothing has stopped.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "eventlog/rocks_log.h"
#include "schema/event_encoder.h"
#include "tests/crash/killed_child.h"
#include "tools/audit_export.h"
#include "tools/export_directory.h"
#include "tools/export_record.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kEvents = 200'000;
constexpr std::uint64_t kBatch = 4000;
constexpr std::uint64_t kNoteEvents = 20'000;

events::EventT EventAt(std::uint64_t sequence) {
  events::EventT event;
  event.sequence = sequence;
  event.time = static_cast<std::int64_t>(sequence);
  if (sequence == 1) {
    events::StoreOpenedT opened;
    opened.store_id = "store";
    event.body.Set(std::move(opened));
    return event;
  }
  event.saga_id = "saga-" + std::to_string(sequence);
  event.version = 1;
  events::PlannedT planned;
  planned.queue = "default";
  event.body.Set(std::move(planned));
  return event;
}

void FillLog(const fs::path& directory) {
  fs::create_directories(directory);
  auto log = RocksLog::Open(directory, {});
  ASSERT_TRUE(log.ok()) << log.status().text();
  EventEncoder encoder;
  for (std::uint64_t last = 0; last < kEvents; last += kBatch) {
    std::vector<std::string> events;
    for (std::uint64_t i = 1; i <= kBatch; ++i) {
      events.emplace_back(encoder.Encode(EventAt(last + i)));
    }
    const std::vector<std::string_view> views(events.begin(), events.end());
    ASSERT_TRUE((*log)->Append(Sequence(last), views).ok());
  }
  ASSERT_TRUE((*log)->Close().ok());
}

tools::ExportFormat FormatOf(const std::string& name) { return *tools::ExportFormatFromName(name); }

Status Export(const fs::path& directory, const fs::path& out, tools::ExportFormat format,
              const std::function<void(Sequence, Sequence, Sequence)>& progress) {
  ASSIGN_OR_RETURN(const tools::Record record, tools::OpenRecord(directory / "data"));
  tools::ExportRequest request;
  request.out = out;
  request.format = format;
  request.note_events = kNoteEvents;
  request.progress = progress;
  return tools::ExportRecord(record, request).status();
}

// The round is the format and the event at which it stays and waits for its end: "csv:80000".
[[noreturn]] void RunChild(const ChildTask& task) {
  const std::size_t colon = task.round.find(':');
  const Sequence last(std::stoull(task.round.substr(colon + 1)));
  const Status done =
      Export(task.directory, task.directory / "out", FormatOf(task.round.substr(0, colon)),
             [&](Sequence sequence, Sequence /*first*/, Sequence /*last*/) {
               if (sequence < last) {
                 return;
               }
               const std::uint64_t told = sequence.value();
               if (::write(task.told_fd, &told, sizeof told) != sizeof told) {
                 EndChild(2, "nobody listens");
               }
               for (;;) {
                 ::pause();
               }
             });
  EndChild(1, done.ok() ? "it was not killed" : done.text());
}

std::string FileText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class KilledExport : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const auto task = TaskOfThisChild()) {
      RunChild(*task);
    }
    std::string pattern = (fs::temp_directory_path() / "sagalog-export-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    FillLog(directory_ / "data");
  }
  void TearDown() override { fs::remove_all(directory_); }

  // Kills the export when it has come to this event.
  void KillAt(std::uint64_t sequence) {
    const std::string round = std::string(GetParam()) + ":" + std::to_string(sequence);
    RunAndKill(round, directory_, [&](int fd, pid_t child) {
      std::uint64_t told = 0;
      if (::read(fd, &told, sizeof told) != sizeof told) {
        return false;
      }
      ::kill(child, SIGKILL);
      return true;
    });
  }

  fs::path directory_;
};

TEST_P(KilledExport, GoesOnAndEndsWithTheSame) {
  const fs::path out = directory_ / "out";
  const tools::ExportFormat format = FormatOf(GetParam());
  for (const std::uint64_t sequence : {1, 80'000, 120'000, 150'000}) {
    KillAt(sequence);
    EXPECT_TRUE(fs::exists(out / tools::kExportJournalName)) << sequence;
    EXPECT_FALSE(tools::CheckExport(out, {}).ok()) << sequence;
  }
  Sequence begun;
  const Status done =
      Export(directory_, out, format,
             [&](Sequence /*done*/, Sequence first, Sequence /*last*/) { begun = first; });
  EXPECT_TRUE(done.ok()) << done.text();
  EXPECT_GT(begun, Sequence(kNoteEvents));
  const auto checked = tools::CheckExport(out, {});
  ASSERT_TRUE(checked.ok()) << checked.status().text();
  EXPECT_EQ(checked->manifest.events, kEvents);
  EXPECT_TRUE(Export(directory_, directory_ / "whole", format, {}).ok());
  if (format != tools::ExportFormat::kSqlite) {
    const std::string_view name = tools::ExportDataName(format);
    EXPECT_EQ(FileText(out / name), FileText(directory_ / "whole" / name));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, KilledExport, testing::Values("ndjson", "sqlite"),
                         [](const auto& format) { return std::string(format.param); });

}  // namespace
}  // namespace sagalog
