// Looking into an answer of the store. What is absent or of another kind reads as empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace sagalog::tools {

[[nodiscard]] std::string_view TextIn(const boost::json::object& object, std::string_view field);
[[nodiscard]] std::optional<std::int64_t> NumberIn(const boost::json::object& object,
                                                   std::string_view field);
[[nodiscard]] bool FlagIn(const boost::json::object& object, std::string_view field);
[[nodiscard]] const boost::json::object& ObjectIn(const boost::json::object& object,
                                                  std::string_view field);
[[nodiscard]] const boost::json::array& ArrayIn(const boost::json::object& object,
                                                std::string_view field);
// The value itself when it is an object, else an empty one.
[[nodiscard]] const boost::json::object& AsObject(const boost::json::value& value);

// A field in one word: a text as it is, a number in digits, yes or no, else its JSON.
[[nodiscard]] std::string InWords(const boost::json::value& value);
[[nodiscard]] std::string InWords(const boost::json::object& object, std::string_view field);

// An owner in words: "w1", or "w1 (host h, pid 7)".
[[nodiscard]] std::string OwnerInWords(const boost::json::value& owner);

}  // namespace sagalog::tools
