// One event in the textual formats of an export. What is in them: docs/export.md.
//
// Thread-safe: all functions are pure.
#pragma once

#include <string>
#include <string_view>

#include "schema/events_generated.h"
#include "tools/export_manifest.h"

namespace sagalog::tools {

// What a file begins with: the names of the columns of a CSV file.
[[nodiscard]] std::string_view ExportHeader(ExportFormat format);

// Appends a line, with its break, for the event and its bytes; `origin` is where it comes from.
void AppendExportText(std::string& out, ExportFormat format, std::string_view origin,
                      const events::Event& event, std::string_view bytes);

// The body alone in JSON.
[[nodiscard]] std::string BodyToJson(const events::Event& event);
// 32 hex digits; empty when there is none.
[[nodiscard]] std::string RequestIdText(const events::Event& event);

}  // namespace sagalog::tools
