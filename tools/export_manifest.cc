#include "tools/export_manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "eventlog/regular_file.h"
#include "schema/json_text.h"
#include "schema/json_writer.h"

namespace sagalog::tools {
namespace {

constexpr std::string_view kFormatWords = "sagalog export";

struct FormatNames {
  ExportFormat format;
  std::string_view name;
  std::string_view data;
};

constexpr std::array<FormatNames, 4> kFormats = {{
    {ExportFormat::kNdjson, "ndjson", "events.ndjson"},
    {ExportFormat::kCsv, "csv", "events.csv"},
    {ExportFormat::kCloudEvents, "cloudevents", "events.cloudevents.ndjson"},
    {ExportFormat::kSqlite, "sqlite", "events.sqlite"},
}};

const FormatNames& NamesOf(ExportFormat format) {
  for (const FormatNames& names : kFormats) {
    if (names.format == format) {
      return names;
    }
  }
  return kFormats.front();
}

std::string JsonText(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

std::string TimeOrNull(const std::optional<StoreTime>& time) {
  return time ? JsonText(FormatTime(*time)) : "null";
}

// What FormatTime writes, of any year: an event's time may lie outside of those that people give.
Result<StoreTime> ParseWrittenTime(std::string_view text) {
  constexpr std::size_t kDigitsMax = 6;
  constexpr std::int64_t kYearMax = 290'000;  // where microseconds end
  constexpr std::int64_t kEraYears = 400;
  constexpr std::int64_t kEraDays = 146'097;
  constexpr std::int64_t kLikeYear = 2000;
  if (!text.starts_with('+') && !text.starts_with('-')) {
    return ParseTime(text);
  }
  const std::size_t digits = std::min(text.find('-', 1), text.size()) - 1;
  std::int64_t year = 0;
  const auto parsed = std::from_chars(text.data() + 1, text.data() + 1 + digits, year);
  if (digits == 0 || digits > kDigitsMax || parsed.ptr != text.data() + 1 + digits ||
      year > kYearMax) {
    return ParseTime(text);  // says what a time is
  }
  year = text.front() == '-' ? -year : year;
  // The calendar is the same every 400 years.
  const std::int64_t of_era = (year % kEraYears + kEraYears) % kEraYears;
  ASSIGN_OR_RETURN(const StoreTime alike,
                   ParseTime(fmt::format("{:04}{}", kLikeYear + of_era, text.substr(1 + digits))));
  return alike + std::chrono::days((year - of_era - kLikeYear) / kEraYears * kEraDays);
}

// Reads members, and remembers the first that is not there as it must be.
class MemberReader {
 public:
  explicit MemberReader(const JsonValue::Object& object) : object_(&object) {}

  template <typename Kind>
  const Kind* Find(std::string_view name) {
    for (const JsonMember& member : *object_) {
      if (member.name == name) {
        if (const Kind* value = std::get_if<Kind>(&member.value.is)) {
          return value;
        }
      }
    }
    Fail(name);
    return nullptr;
  }

  bool Has(std::string_view name) const {
    return std::any_of(object_->begin(), object_->end(),
                       [&](const JsonMember& member) { return member.name == name; });
  }

  bool IsNull(std::string_view name) const {
    for (const JsonMember& member : *object_) {
      if (member.name == name) {
        return std::holds_alternative<JsonNull>(member.value.is);
      }
    }
    return false;
  }

  std::string Text(std::string_view name) {
    const std::string* text = Find<std::string>(name);
    return text == nullptr ? std::string() : *text;
  }

  std::uint64_t Number(std::string_view name) {
    const std::int64_t* number = Find<std::int64_t>(name);
    if (number == nullptr || *number < 0) {
      Fail(name);
      return 0;
    }
    return static_cast<std::uint64_t>(*number);
  }

  std::optional<StoreTime> Time(std::string_view name) {
    if (IsNull(name)) {
      return std::nullopt;
    }
    const auto time = ParseWrittenTime(Text(name));
    if (!time.ok()) {
      Fail(name);
      return std::nullopt;
    }
    return *time;
  }

  // The object `name`, or an empty one.
  MemberReader Inner(std::string_view name) {
    static const JsonValue::Object kNone;
    const auto* object = Find<JsonValue::Object>(name);
    return MemberReader(object == nullptr ? kNone : *object);
  }

  void Fail(std::string_view name) {
    if (wrong_.empty()) {
      wrong_ = name;
    }
  }
  void Take(const MemberReader& inner) {
    if (!inner.wrong_.empty()) {
      Fail(inner.wrong_);
    }
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const JsonValue::Object* object_;
  std::string wrong_;
};

// A plain name: nothing outside of the directory is ever opened.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && name != "." && name != "..";
}

void ReadFiles(MemberReader& reader, std::vector<ExportedFile>& files) {
  const auto* list = reader.Find<JsonValue::Array>("files");
  if (list == nullptr) {
    return;
  }
  for (const JsonValue& value : *list) {
    const auto* object = std::get_if<JsonValue::Object>(&value.is);
    if (object == nullptr) {
      reader.Fail("files");
      return;
    }
    MemberReader member(*object);
    ExportedFile file{member.Text("name"), member.Number("size_bytes"), member.Text("sha256")};
    if (!IsPlainName(file.name)) {
      member.Fail("files.name");
    }
    reader.Take(member);
    files.push_back(std::move(file));
  }
}

void ReadScope(MemberReader& reader, ExportManifest& manifest) {
  const auto format = ExportFormatFromName(reader.Text("data"));
  if (!format) {
    reader.Fail("data");
  }
  manifest.scope.format = format.value_or(ExportFormat::kNdjson);
  MemberReader range = reader.Inner("range");
  manifest.scope.from = Sequence(range.Number("from"));
  manifest.through = Sequence(range.Number("through"));
  manifest.through_leaf = range.Text("through_leaf");
  manifest.first_time = range.Time("first_time");
  manifest.last_time = range.Time("last_time");
  MemberReader filter = reader.Inner("filter");
  manifest.scope.saga = filter.Text("saga_id");
  manifest.scope.key = filter.Text("key");
  reader.Take(range);
  reader.Take(filter);
}

}  // namespace

std::string_view ExportFormatName(ExportFormat format) { return NamesOf(format).name; }

std::optional<ExportFormat> ExportFormatFromName(std::string_view name) {
  for (const FormatNames& names : kFormats) {
    if (names.name == name) {
      return names.format;
    }
  }
  return std::nullopt;
}

std::string_view ExportDataName(ExportFormat format) { return NamesOf(format).data; }

std::string InWords(const ExportScope& scope) {
  std::string text = scope.from == Sequence(1)
                         ? std::string("events")
                         : fmt::format("events from {} on", scope.from.value());
  if (!scope.saga.empty()) {
    text += fmt::format(" of saga {}", scope.saga);
  }
  if (!scope.key.empty()) {
    text += fmt::format(" of key {}", scope.key);
  }
  return text + fmt::format(" as {}", ExportFormatName(scope.format));
}

const ExportedFile* ExportManifest::Find(std::string_view name) const {
  for (const ExportedFile& file : files) {
    if (file.name == name) {
      return &file;
    }
  }
  return nullptr;
}

std::string_view ExportManifest::CheckpointCovers() const {
  if (!scope.IsWhole()) {
    return "the whole log, then";
  }
  return *checkpoint_size == through.value() ? "the exported events" : "the first exported events";
}

std::string ExportManifest::Encode() const {
  std::string text =
      fmt::format("{{\n  \"format\": \"{}\",\n  \"version\": {},\n  \"data\": \"{}\",\n",
                  kFormatWords, kExportVersion, ExportFormatName(scope.format));
  text += fmt::format("  \"store_id\": {},\n  \"lineage\": {},\n", JsonText(store_id),
                      JsonText(lineage));
  text += fmt::format(
      "  \"range\": {{\n    \"from\": {},\n    \"through\": {},\n    \"through_leaf\": {},\n",
      scope.from.value(), through.value(), JsonText(through_leaf));
  text += fmt::format("    \"first_time\": {},\n    \"last_time\": {}\n  }},\n",
                      TimeOrNull(first_time), TimeOrNull(last_time));
  text += fmt::format("  \"filter\": {{\"saga_id\": {}, \"key\": {}}},\n", JsonText(scope.saga),
                      JsonText(scope.key));
  text += fmt::format("  \"events\": {},\n  \"log_last\": {},\n", events, log_last.value());
  if (!damage.empty()) {
    text += fmt::format("  \"damage\": {},\n", JsonText(damage));
  }
  text += checkpoint_size ? fmt::format("  \"checkpoint\": {{\"size\": {}, \"covers\": \"{}\"}},\n",
                                        *checkpoint_size, CheckpointCovers())
                          : "  \"checkpoint\": null,\n";
  text += "  \"files\": [";
  for (const ExportedFile& file : files) {
    text += fmt::format("{}\n    {{\"name\": {}, \"size_bytes\": {}, \"sha256\": {}}}",
                        &file == files.data() ? "" : ",", JsonText(file.name), file.size_bytes,
                        JsonText(file.sha256));
  }
  return text + (files.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

Result<ExportManifest> ExportManifest::Parse(std::string_view text) {
  const auto parsed = ParseJsonText(text);
  const auto* object = parsed.ok() ? std::get_if<JsonValue::Object>(&parsed->is) : nullptr;
  if (object == nullptr) {
    return Status(Code::kCorruption, "it is no JSON object");
  }
  MemberReader reader(*object);
  if (reader.Text("format") != kFormatWords) {
    return Status(Code::kCorruption, "it is no manifest of a sagalog export");
  }
  const std::uint64_t version = reader.Number("version");
  if (version > kExportVersion) {
    return Status(Code::kUnsupportedVersion,
                  fmt::format("a newer sagalog wrote it (export version {}, this one reads {}): "
                              "update",
                              version, kExportVersion));
  }
  if (version == 0) {
    reader.Fail("version");
  }
  ExportManifest manifest;
  ReadScope(reader, manifest);
  manifest.store_id = reader.Text("store_id");
  manifest.lineage = reader.Text("lineage");
  manifest.events = reader.Number("events");
  manifest.log_last = Sequence(reader.Number("log_last"));
  if (reader.Has("damage")) {
    manifest.damage = reader.Text("damage");
  }
  if (!reader.IsNull("checkpoint")) {
    MemberReader checkpoint = reader.Inner("checkpoint");
    manifest.checkpoint_size = checkpoint.Number("size");
    manifest.checkpoint_covers = checkpoint.Text("covers");
    reader.Take(checkpoint);
  }
  ReadFiles(reader, manifest.files);
  if (!reader.wrong().empty()) {
    return Status(Code::kCorruption,
                  fmt::format("its field {} is missing or wrong", reader.wrong()));
  }
  return manifest;
}

Result<ExportManifest> ExportManifest::Read(const std::filesystem::path& directory,
                                            std::string_view name) {
  const std::filesystem::path path = directory / name;
  const auto text = ReadRegularFile(path, kExportManifestSizeMax);
  if (text.status().code() == Code::kNotFound) {
    return Status(Code::kNotFound, fmt::format("there is no export in {}", directory.string()));
  }
  RETURN_IF_ERROR(text.status());
  Result<ExportManifest> manifest = Parse(*text);
  if (!manifest.ok()) {
    return Status(manifest.status().code(),
                  fmt::format("{}: {}", path.string(), manifest.status().text()));
  }
  return manifest;
}

}  // namespace sagalog::tools
