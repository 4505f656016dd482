#include "schema/export_line.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "schema/base64.h"
#include "schema/json.h"
#include "schema/json_text.h"

namespace sagalog {
namespace {

constexpr std::string_view kSequenceKey = R"({"sequence":)";
constexpr std::string_view kBytesKey = R"(,"bytes":")";
constexpr std::string_view kLineEnd = R"("})";

// The line's parts: the event's JSON without its last brace, and the base64 text.
struct LineParts {
  std::string_view fields;
  std::string_view base64;
};

// Base64 has no quotes, so the last quote before the end is the one that opens it.
std::optional<LineParts> Split(std::string_view line) {
  if (!line.ends_with(kLineEnd)) {
    return std::nullopt;
  }
  line.remove_suffix(kLineEnd.size());
  const std::size_t quote = line.rfind('"');
  if (quote == std::string_view::npos || !line.substr(0, quote + 1).ends_with(kBytesKey)) {
    return std::nullopt;
  }
  return LineParts{line.substr(0, quote + 1 - kBytesKey.size()), line.substr(quote + 1)};
}

std::string Under(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

std::optional<std::string> FirstDifference(const JsonValue& said, const JsonValue& stored,
                                           const std::string& path);

std::optional<std::string> FirstDifference(const JsonValue::Object& said,
                                           const JsonValue::Object& stored,
                                           const std::string& path) {
  const std::size_t shared = std::min(said.size(), stored.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (said[i].name != stored[i].name) {
      return Under(path, said[i].name);
    }
    if (auto field = FirstDifference(said[i].value, stored[i].value, Under(path, said[i].name))) {
      return field;
    }
  }
  if (said.size() != stored.size()) {
    return Under(path, (said.size() > shared ? said : stored)[shared].name);
  }
  return std::nullopt;
}

std::optional<std::string> FirstDifference(const JsonValue::Array& said,
                                           const JsonValue::Array& stored,
                                           const std::string& path) {
  if (said.size() != stored.size()) {
    return path;
  }
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (auto field = FirstDifference(said[i], stored[i], fmt::format("{}[{}]", path, i))) {
      return field;
    }
  }
  return std::nullopt;
}

// The path of the first field that is not the same in both; nothing when all are.
std::optional<std::string> FirstDifference(const JsonValue& said, const JsonValue& stored,
                                           const std::string& path) {
  if (said.is.index() != stored.is.index()) {
    return path;
  }
  return std::visit(
      [&](const auto& mine) -> std::optional<std::string> {
        using Kind = std::decay_t<decltype(mine)>;
        const auto& other = std::get<Kind>(stored.is);
        if constexpr (std::is_same_v<Kind, JsonNull>) {
          return std::nullopt;
        } else if constexpr (std::is_same_v<Kind, JsonValue::Object> ||
                             std::is_same_v<Kind, JsonValue::Array>) {
          return FirstDifference(mine, other, path);
        } else {
          return mine == other ? std::nullopt : std::optional(path);
        }
      },
      said.is);
}

}  // namespace

void AppendExportLine(std::string& out, const events::Event& event, std::string_view bytes) {
  AppendEventJson(out, event);
  out.pop_back();  // the brace
  out += kBytesKey;
  AppendBase64(out, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  out += kLineEnd;
}

std::optional<Sequence> PeekExportLine(std::string_view line) {
  if (!line.starts_with(kSequenceKey)) {
    return std::nullopt;
  }
  line.remove_prefix(kSequenceKey.size());
  std::uint64_t sequence = 0;
  const char* const end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, sequence);
  const bool whole = parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == ',';
  return whole ? std::optional(Sequence(sequence)) : std::nullopt;
}

bool DecodeExportLine(std::string_view line, std::string& bytes) {
  const auto parts = Split(line);
  return parts && DecodeBase64To(bytes, parts->base64);
}

Status CheckExportLine(std::string_view line, const events::Event& event) {
  const auto parts = Split(line);
  if (!parts) {
    return {Code::kCorruption, "the line holds no bytes of an event"};
  }
  std::string expected = EventToJson(event);
  if (std::string_view(expected).substr(0, expected.size() - 1) == parts->fields) {
    return {};
  }
  const auto said = ParseJsonText(std::string(parts->fields) + "}");
  const auto stored = ParseJsonText(expected);
  if (!said.ok() || !stored.ok()) {
    return {Code::kCorruption,
            fmt::format("the readable fields of event {} are no JSON object", event.sequence())};
  }
  const auto field = FirstDifference(*said, *stored, {});
  return {Code::kCorruption,
          field ? fmt::format("event {}: the readable field {} is not what its bytes say",
                              event.sequence(), *field)
                : fmt::format("event {}: the readable fields are not written as they were exported",
                              event.sequence())};
}

}  // namespace sagalog
