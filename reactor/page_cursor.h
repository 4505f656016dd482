// Cursors of pages: opaque to callers, a number to us.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "schema/limits.h"
#include "schema/status.h"

namespace sagalog {

// 0 for the empty cursor; kInvalidArgument for what no page has given out.
[[nodiscard]] inline Result<std::uint64_t> ParseCursor(std::string_view cursor) {
  std::uint64_t value = 0;
  const char* const end = cursor.data() + cursor.size();
  const auto [rest, error] = std::from_chars(cursor.data(), end, value);
  if (!cursor.empty() && (error != std::errc() || rest != end)) {
    return Status(Code::kInvalidArgument, "cursor: not one that a page of this query gave out");
  }
  return value;
}

[[nodiscard]] inline std::size_t PageLimit(std::size_t limit) {
  return std::clamp<std::size_t>(limit, 1, kPageRowsMax);
}

// What a page of rows in no stable order shows: `limit` rows after the first `offset`.
struct PageWindow {
  std::size_t offset = 0;
  std::size_t limit = 0;

  // How many rows have to be looked at to know whether another page follows.
  [[nodiscard]] std::size_t CountLookedAt() const { return offset + limit + 1; }
  [[nodiscard]] bool Shows(std::size_t index) const {
    return index >= offset && index < offset + limit;
  }
  [[nodiscard]] std::string NextCursor(std::size_t rows) const {
    return rows > offset + limit ? std::to_string(offset + limit) : std::string();
  }
};

template <typename Query>
[[nodiscard]] Result<PageWindow> WindowOf(const Query& query) {
  ASSIGN_OR_RETURN(const std::uint64_t offset, ParseCursor(query.cursor));
  if (offset > (1ULL << 40)) {
    return Status(Code::kInvalidArgument, "cursor: not one that a page of this query gave out");
  }
  return PageWindow{offset, PageLimit(query.limit)};
}

}  // namespace sagalog
