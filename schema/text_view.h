// Text that stands in a buffer, looked at where it stands.
#pragma once

#include <string_view>

#include <flatbuffers/flatbuffers.h>

namespace sagalog {

// Empty where the field is not there.
[[nodiscard]] inline std::string_view View(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : text->string_view();
}

}  // namespace sagalog
