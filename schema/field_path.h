// Where in a request something is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

// The place of a field: "owner.pid", "depends_on[2]"; the empty path is the request itself. A path
// borrows the names it is made of and the path it continues, so it costs nothing until it is shown.
class FieldPath {
 public:
  FieldPath() = default;
  explicit FieldPath(std::string_view name) : name_(name) {}
  FieldPath(const FieldPath& parent, std::string_view name) : parent_(&parent), name_(name) {}
  FieldPath(const FieldPath& parent, std::size_t index)
      : parent_(&parent), index_(index), is_index_(true) {}

  [[nodiscard]] std::string Text() const;
  // "owner.pid: PROBLEM", as kInvalidArgument.
  [[nodiscard]] Status Refuse(std::string_view problem) const;

 private:
  const FieldPath* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

}  // namespace sagalog
