// The query parameters of a request, asked for one by one; what nobody asked for is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/api_target.h"
#include "schema/status.h"

namespace sagalog {

// Keeps the first thing wrong, so that a caller asks for all its parameters and then once for the
// status. A parameter without a value counts as not given.
class ApiQuery {
 public:
  // `parameters` are borrowed and must outlive the object.
  explicit ApiQuery(const std::vector<ApiParameter>& parameters);

  [[nodiscard]] std::string Text(std::string_view name);
  // A decimal number from `min` to `max`; `fallback` when not given.
  [[nodiscard]] std::uint64_t Number(std::string_view name, std::uint64_t fallback,
                                     std::uint64_t min, std::uint64_t max);
  // "true" or "false"; false when not given.
  [[nodiscard]] bool Flag(std::string_view name);
  // `limit`, within the bounds of a page.
  [[nodiscard]] std::size_t Limit(std::size_t fallback);
  // `min_sequence`; 0 when not given.
  [[nodiscard]] std::uint64_t MinSequence();
  // Says that a value, already asked for, is wrong.
  void Refuse(std::string_view name, std::string_view problem);

  // kInvalidArgument, naming the parameter, for the first that is wrong, given twice or that
  // nobody asked for.
  [[nodiscard]] Status Finish() const;

 private:
  [[nodiscard]] const std::string* Find(std::string_view name);

  const std::vector<ApiParameter>& parameters_;
  std::vector<bool> known_;
  Status error_;
};

}  // namespace sagalog
