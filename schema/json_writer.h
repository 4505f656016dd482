// Tables as JSON.
//
// Thread-safe: all functions are pure.
#pragma once

#include <string>
#include <string_view>

#include <flatbuffers/flatbuffers.h>

#include "schema/schema_reflection.h"

namespace sagalog {

// Appends `table`, verified or built by us, as a JSON object without line breaks.
void AppendJson(std::string& out, const TableForm& form, const flatbuffers::Table& table);

// Appends `text` as a JSON string. Bytes that are no UTF-8 become U+FFFD each, so that what is
// written is always JSON.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace sagalog
