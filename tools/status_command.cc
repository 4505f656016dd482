// sagalog status.
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "eventlog/backup_manifest.h"
#include "eventlog/data_directory.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/sheet.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// "running 3, planned 1": the rows of a count that are not zero.
std::string Counts(const json::array& rows, std::string_view name) {
  std::string out;
  for (const json::value& value : rows) {
    const json::object& row = AsObject(value);
    if (const auto count = NumberIn(row, "count").value_or(0); count > 0) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", TextIn(row, name), count);
    }
  }
  return out.empty() ? "none" : out;
}

// "acts by itself: requeue 3; left: limit_reached 1".
std::string ReaperInWords(const json::object& reaper) {
  std::string words = FlagIn(reaper, "running") ? "acts by itself" : "does not act by itself";
  if (const std::string done = Counts(ArrayIn(reaper, "recovered"), "decision"); done != "none") {
    words += fmt::format("; recovered: {}", done);
  }
  if (const std::string left = Counts(ArrayIn(reaper, "declined"), "code"); left != "none") {
    words += fmt::format("; left: {}", left);
  }
  if (const auto put_off = NumberIn(reaper, "put_off").value_or(0); put_off > 0) {
    words += fmt::format("; put off {} times by its rate limit", put_off);
  }
  return words;
}

// Why a command would not be taken by a directory that we opened for reading; empty = it would.
std::string WhyOnlyRead(const std::filesystem::path& data) {
  std::error_code error;
  if (std::filesystem::exists(data / kBackupManifestName, error)) {
    return "a backup, which can only be read";
  }
  for (const std::filesystem::path& part : {data, data / kLogDirectoryName, data / kLockFileName}) {
    if (std::filesystem::exists(part, error) && access(part.c_str(), W_OK) != 0) {
      return fmt::format("only for reading: this user may not write to {}", part.string());
    }
  }
  return "";
}

std::string StatusSheet(const json::object& status, const std::string& only_read, bool is_daemon,
                        bool color) {
  Sheet sheet;
  const std::string_view health = TextIn(status, "health");
  std::string words(health);
  if (const auto detail = TextIn(status, "health_detail"); !detail.empty()) {
    words += fmt::format(": {}", detail);
  } else if (!only_read.empty()) {
    words += fmt::format(", {}", only_read);
  }
  sheet.Add("health", words, health == "open" && only_read.empty() ? Style::kGood : Style::kBad);
  sheet.Add("live", Counts(ArrayIn(status, "live"), "state"));
  sheet.Add("ended", Counts(ArrayIn(status, "ended"), "state"));
  const std::string stale = Counts(ArrayIn(status, "stale"), "reason");
  sheet.Add("stale", stale, stale == "none" ? Style::kPlain : Style::kBad);
  const auto in_doubt = NumberIn(status, "effects_in_doubt").value_or(0);
  sheet.Add("effects", in_doubt == 0 ? "none in doubt" : fmt::format("in doubt {}", in_doubt),
            in_doubt == 0 ? Style::kPlain : Style::kBad);
  if (is_daemon) {
    const bool kept = TextIn(status, "reserve") == "kept";
    sheet.Add("reserve",
              kept ? "kept for a full disk" : "none: a full disk leaves no room to compact",
              kept ? Style::kPlain : Style::kBad);
    sheet.Add("reaper", ReaperInWords(ObjectIn(status, "reaper")));
  }
  sheet.Add("refusals", Counts(ArrayIn(status, "refusals"), "code"));
  sheet.Add("commands", InWords(status, "commands"));
  sheet.Add("sequence",
            fmt::format("{}, checkpoint at {}", NumberIn(status, "last_sequence").value_or(0),
                        NumberIn(status, "checkpoint_sequence").value_or(0)));
  sheet.Add("time", ToTheSecond(TextIn(status, "time")));
  const std::string_view server = TextIn(status, "served_by");
  sheet.Add("served by", !is_daemon ? "no daemon: this command opened the directory itself"
                                    : (server.empty() ? "a daemon" : server));
  sheet.Add("store", TextIn(status, "store_id"));
  sheet.Add("version", TextIn(status, "version"));
  return sheet.Render(color);
}

}  // namespace

void AddStatusCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* status =
      AddDescribed(app, "status", "Show how the store is: health, counts", "sagalog status");
  status->group(kLookingGroup);
  status->callback([&global, &exit_code] {
    const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
    const auto answer = client ? client->Ask("GET", "/v1/status") : std::nullopt;
    if (!answer) {
      return;
    }
    const bool daemon = client->IsDaemon();
    const std::string only_read = daemon ? "" : WhyOnlyRead(DataDirectoryPath(global.data));
    PrintLine(global.json ? client->raw() : StatusSheet(*answer, only_read, daemon, global.color));
    if (TextIn(*answer, "health") != "open") {
      exit_code = kExitUnavailable;
    }
  });
}

}  // namespace sagalog::tools
