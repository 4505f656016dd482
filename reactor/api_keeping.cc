// What keeps the log safe and small.
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/reader_places.h"
#include "schema/json_text.h"
#include "schema/json_writer.h"
#include "schema/store_time.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// More backups in one directory are a typing error.
constexpr std::int64_t kKeptMax = 10'000;

Status NoSuchField(const JsonMember& argument) {
  return {Code::kInvalidArgument,
          fmt::format("{}: there is no such field here, or it is of another type", argument.name)};
}

Result<BackupOptions> ReadBackup(const ApiCall& call) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  BackupOptions options;
  for (const JsonMember& argument : arguments) {
    const auto* text = std::get_if<std::string>(&argument.value.is);
    const auto* number = std::get_if<std::int64_t>(&argument.value.is);
    if (argument.name == "directory" && text != nullptr) {
      options.directory = *text;
    } else if (argument.name == "keep" && number != nullptr) {
      if (*number < 1 || *number > kKeptMax) {
        return Status(Code::kInvalidArgument, fmt::format("keep: from 1 to {}", kKeptMax));
      }
      options.keep = static_cast<std::size_t>(*number);
    } else {
      return NoSuchField(argument);
    }
  }
  if (!options.directory.is_absolute()) {
    return Status(Code::kInvalidArgument,
                  "directory: an absolute path is needed, of the machine that the store is on");
  }
  return options;
}

Result<CompactOptions> ReadCompact(const ApiCall& call) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  CompactOptions options;
  options.principal = call.request.principal;
  for (const JsonMember& argument : arguments) {
    const auto* text = std::get_if<std::string>(&argument.value.is);
    if (text == nullptr) {
      return NoSuchField(argument);
    }
    if (argument.name == "actor" && text->size() <= kNameSizeMax) {
      options.actor = *text;
      continue;
    }
    const auto age = argument.name == "older_than" ? ParseDuration(*text)
                                                   : Result<Duration>(NoSuchField(argument));
    if (!age.ok()) {
      return Status(Code::kInvalidArgument, argument.name == "older_than"
                                                ? fmt::format("older_than: {}", age.status().text())
                                                : age.status().text());
    }
    if (*age < Duration::zero() || age->count() > kDurationMicrosMax) {
      return Status(Code::kInvalidArgument, "older_than: from 0s to ten years");
    }
    options.older_than = *age;
  }
  return options;
}

// The reader before whose position a compaction has stopped; empty = it was none.
std::string WhoHolds(const Result<std::vector<LogReader>>& readers, Sequence through) {
  if (readers.ok()) {
    for (const LogReader& reader : *readers) {
      if (reader.position == through.Next()) {
        return reader.name;
      }
    }
  }
  return "";
}

// What went wrong with a disk, while the store itself is well.
ApiResponse KeepingProblem(const ApiCall& call, const Status& status, RefusalCode of_disk,
                           std::string_view subject) {
  if (status.code() == Code::kLocked) {
    return Problem(call.Last(), RefusalCode::busy, status.text());
  }
  if (status.code() == Code::kIoError && call.store.Health().ok()) {
    return Problem(call.Last(), of_disk, fmt::format("{}{}", subject, status.text()));
  }
  return Problem(call.Last(), status);
}

}  // namespace

ApiResponse BackUpStore(const ApiCall& call) {
  const auto options = ReadBackup(call);
  if (!options.ok()) {
    return Problem(call.Last(), options.status());
  }
  const auto made = call.store.Backup(*options);
  if (!made.ok()) {
    const bool argument = made.status().code() == Code::kInvalidArgument;
    return KeepingProblem(call,
                          argument ? Status(Code::kInvalidArgument,
                                            fmt::format("directory: {}", made.status().text()))
                                   : made.status(),
                          RefusalCode::read_only, "the backup was not made: ");
  }
  std::string json = R"({"outcome":"ok","path":)";
  AppendJsonString(json, made->path.string());
  json +=
      fmt::format(R"(,"size_bytes":{},"copied_bytes":{}}})", made->size_bytes, made->copied_bytes);
  return Answer(WithSequence(std::move(json), made->last));
}

ApiResponse CompactStore(const ApiCall& call) {
  const auto options = ReadCompact(call);
  if (!options.ok()) {
    return Problem(call.Last(), options.status());
  }
  const auto readers = ReadReaders(call.store);
  const auto report = call.store.Compact(*options);
  if (!report.ok()) {
    return KeepingProblem(call, report.status(), RefusalCode::limit_reached, "");
  }
  std::string json =
      fmt::format(R"({{"outcome":"{}","through":{},"stubs":{})",
                  report->stubs == 0 ? "unchanged" : "ok", report->through.value(), report->stubs);
  if (!report->unreclaimed.empty()) {
    json += R"(,"unreclaimed":)";
    AppendJsonString(json, report->unreclaimed);
  }
  if (const std::string holder = WhoHolds(readers, report->through); !holder.empty()) {
    json += R"(,"held_by":)";
    AppendJsonString(json, holder);
  }
  return Answer(WithSequence(json + "}", report->sequence));
}

}  // namespace sagalog
