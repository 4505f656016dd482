#include "schema/field_path.h"

#include <fmt/format.h>

namespace sagalog {

std::string FieldPath::Text() const {
  const std::string before = parent_ == nullptr ? "" : parent_->Text();
  if (is_index_) {
    return fmt::format("{}[{}]", before, index_);
  }
  const bool joined = !before.empty() && !name_.empty();
  return fmt::format("{}{}{}", before, joined ? "." : "", name_);
}

Status FieldPath::Refuse(std::string_view problem) const {
  const std::string path = Text();
  return Status(Code::kInvalidArgument,
                fmt::format("{}{}{}", path, path.empty() ? "" : ": ", problem));
}

}  // namespace sagalog
