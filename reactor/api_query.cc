#include "reactor/api_query.h"

#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "schema/limits.h"

namespace sagalog {

ApiQuery::ApiQuery(const std::vector<ApiParameter>& parameters)
    : parameters_(parameters), known_(parameters.size(), false) {}

const std::string* ApiQuery::Find(std::string_view name) {
  const std::string* found = nullptr;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].name != name) {
      continue;
    }
    known_[i] = true;
    if (found != nullptr) {
      Refuse(name, "is given twice");
    }
    found = &parameters_[i].value;
  }
  return found == nullptr || found->empty() ? nullptr : found;
}

std::string ApiQuery::Text(std::string_view name) {
  const std::string* text = Find(name);
  return text == nullptr ? std::string() : *text;
}

std::uint64_t ApiQuery::Number(std::string_view name, std::uint64_t fallback, std::uint64_t min,
                               std::uint64_t max) {
  const std::string* text = Find(name);
  if (text == nullptr) {
    return fallback;
  }
  std::uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stopped != end || number < min || number > max) {
    Refuse(name, fmt::format("\"{}\" is not a number from {} to {}", *text, min, max));
    return fallback;
  }
  return number;
}

bool ApiQuery::Flag(std::string_view name) {
  const std::string* text = Find(name);
  if (text == nullptr || *text == "false") {
    return false;
  }
  if (*text != "true") {
    Refuse(name, fmt::format("\"{}\" is neither true nor false", *text));
  }
  return true;
}

std::size_t ApiQuery::Limit(std::size_t fallback) {
  return Number("limit", fallback, 1, kPageRowsMax);
}

std::uint64_t ApiQuery::MinSequence() {
  return Number("min_sequence", 0, 0, std::numeric_limits<std::uint64_t>::max());
}

void ApiQuery::Refuse(std::string_view name, std::string_view problem) {
  if (error_.ok()) {
    error_ = Status(Code::kInvalidArgument, fmt::format("{}: {}", name, problem));
  }
}

Status ApiQuery::Finish() const {
  RETURN_IF_ERROR(error_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!known_[i]) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: there is no such query parameter here", parameters_[i].name));
    }
  }
  return {};
}

}  // namespace sagalog
