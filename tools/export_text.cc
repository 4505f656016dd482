#include "tools/export_text.h"

#include <span>

#include <fmt/format.h>

#include "schema/base64.h"
#include "schema/export_line.h"
#include "schema/json.h"
#include "schema/json_writer.h"
#include "schema/store_time.h"

namespace sagalog::tools {
namespace {

// RFC 4180.
constexpr std::string_view kCsvHeader =
    "sequence,saga_id,version,previous,previous_transition,time,wall_time,type,actor,principal,"
    "request_id,traceparent,body,bytes\r\n";

void AppendCsvText(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') {
      out += '"';
    }
    out += c;
  }
  out += '"';
}

void AppendTimeUnlessNone(std::string& out, std::int64_t micros) {
  if (micros != 0) {
    AppendTime(out, TimeFromMicros(micros));
  }
}

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendBase64(out, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

void AppendCsv(std::string& out, const events::Event& event, std::string_view bytes) {
  using flatbuffers::GetStringView;
  out += fmt::format("{},", event.sequence());
  AppendCsvText(out, GetStringView(event.saga_id()));
  out += fmt::format(",{},{},{},", event.version(), event.previous(), event.previous_transition());
  AppendTime(out, TimeFromMicros(event.time()));
  out += ',';
  AppendTimeUnlessNone(out, event.wall_time());
  out += ',';
  out += EventTypeName(event.body_type());
  for (const auto* text : {event.actor(), event.principal()}) {
    out += ',';
    AppendCsvText(out, GetStringView(text));
  }
  out += ',';
  out += RequestIdText(event);
  out += ',';
  AppendCsvText(out, GetStringView(event.traceparent()));
  out += ',';
  AppendCsvText(out, BodyToJson(event));
  out += ',';
  AppendBytes(out, bytes);
  out += "\r\n";
}

// CloudEvents 1.0, structured JSON. `sequence` and `traceparent` are extensions that are written
// down beside the specification; `sagalogbytes` is ours.
void AppendCloudEvent(std::string& out, std::string_view origin, const events::Event& event,
                      std::string_view bytes) {
  const std::string_view saga = flatbuffers::GetStringView(event.saga_id());
  out += fmt::format(R"({{"specversion":"1.0","id":"{}","source":)", event.sequence());
  AppendJsonString(out, origin);
  out += fmt::format(R"(,"type":"sagalog.{}")", EventTypeName(event.body_type()));
  if (!saga.empty()) {
    out += R"(,"subject":)";
    AppendJsonString(out, saga);
  }
  out += R"(,"time":")";
  AppendTime(out, TimeFromMicros(event.time()));
  out += fmt::format(R"(","sequence":"{:020}")", event.sequence());
  if (event.traceparent() != nullptr && event.traceparent()->size() > 0) {
    out += R"(,"traceparent":)";
    AppendJsonString(out, event.traceparent()->string_view());
  }
  out += R"(,"datacontenttype":"application/json","data":)";
  AppendEventJson(out, event);
  out += R"(,"sagalogbytes":")";
  AppendBytes(out, bytes);
  out += "\"}\n";
}

}  // namespace

std::string_view ExportHeader(ExportFormat format) {
  return format == ExportFormat::kCsv ? kCsvHeader : std::string_view();
}

void AppendExportText(std::string& out, ExportFormat format, std::string_view origin,
                      const events::Event& event, std::string_view bytes) {
  switch (format) {
    case ExportFormat::kCsv: AppendCsv(out, event, bytes); return;
    case ExportFormat::kCloudEvents: AppendCloudEvent(out, origin, event, bytes); return;
    default:
      AppendExportLine(out, event, bytes);
      out += '\n';
      return;
  }
}

std::string BodyToJson(const events::Event& event) {
  return TableToJson(fmt::format("sagalog.events.{}", events::EnumNameBody(event.body_type())),
                     *static_cast<const flatbuffers::Table*>(event.body()));
}

std::string RequestIdText(const events::Event& event) {
  const schema::RequestId* id = event.request_id();
  return id == nullptr ? std::string() : fmt::format("{:016x}{:016x}", id->high(), id->low());
}

}  // namespace sagalog::tools
