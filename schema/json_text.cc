#include "schema/json_text.h"

#include <algorithm>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "schema/limits.h"

namespace sagalog {
namespace {

namespace json = boost::json;

// Builds the tree from the parser's events. Boost's own tree would keep the last of two members of
// one name and tell nobody.
//
// The names of the functions and constants are Boost.JSON's.
class TreeHandler {
 public:
  static constexpr std::size_t max_object_size = kJsonValuesMax;
  static constexpr std::size_t max_array_size = kJsonValuesMax;
  static constexpr std::size_t max_key_size = kRequestSizeMax;
  static constexpr std::size_t max_string_size = kRequestSizeMax;

  [[nodiscard]] JsonValue& tree() { return tree_; }
  // What is wrong when a function returned false.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool on_document_begin(json::error_code& /*error*/) { return true; }
  bool on_document_end(json::error_code& /*error*/) { return true; }

  bool on_object_begin(json::error_code& error) {
    open_.push_back({JsonValue{JsonValue::Object()}, {}});
    return Count(error);
  }
  bool on_object_end(std::size_t /*size*/, json::error_code& error) {
    return CheckNames(error) && Close();
  }
  bool on_array_begin(json::error_code& error) {
    open_.push_back({JsonValue{JsonValue::Array()}, {}});
    return Count(error);
  }
  bool on_array_end(std::size_t /*size*/, json::error_code& /*error*/) { return Close(); }

  bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    text_.append(part.data(), part.size());
    open_.back().name = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t /*size*/, json::error_code& error) {
    text_.append(part.data(), part.size());
    return Add(std::exchange(text_, {}), error);
  }
  bool on_number_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }
  bool on_int64(std::int64_t value, json::string_view /*text*/, json::error_code& error) {
    return Add(value, error);
  }
  bool on_uint64(std::uint64_t value, json::string_view /*text*/, json::error_code& error) {
    return Add(value, error);
  }
  bool on_double(double value, json::string_view /*text*/, json::error_code& error) {
    return Add(value, error);
  }
  bool on_bool(bool value, json::error_code& error) { return Add(value, error); }
  bool on_null(json::error_code& error) { return Add(JsonNull(), error); }
  bool on_comment_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }
  bool on_comment(json::string_view /*part*/, json::error_code& /*error*/) { return true; }

 private:
  // An array or object that is not yet closed, and the name of its member that comes next.
  struct Open {
    JsonValue value;
    std::string name;
  };

  bool Fail(std::string problem, json::error_code& error) {
    problem_ = std::move(problem);
    error = json::error::syntax;
    return false;
  }

  bool Count(json::error_code& error) {
    return ++values_ <= kJsonValuesMax ||
           Fail(fmt::format("more than {} values", kJsonValuesMax), error);
  }

  template <typename T>
  bool Add(T value, json::error_code& error) {
    Place(JsonValue{std::move(value)});
    return Count(error);
  }

  void Place(JsonValue value) {
    if (open_.empty()) {
      tree_ = std::move(value);
    } else if (auto* object = std::get_if<JsonValue::Object>(&open_.back().value.is)) {
      object->push_back({std::exchange(open_.back().name, {}), std::move(value)});
    } else {
      std::get<JsonValue::Array>(open_.back().value.is).push_back(std::move(value));
    }
  }

  bool Close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    Place(std::move(value));
    return true;
  }

  bool CheckNames(json::error_code& error) {
    std::vector<std::string_view> names;
    for (const JsonMember& member : std::get<JsonValue::Object>(open_.back().value.is)) {
      names.emplace_back(member.name);
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    return twice == names.end() ||
           Fail(fmt::format("{}: given more than once", PathTo(*twice)), error);
  }

  std::string PathTo(std::string_view name) const {
    std::string path;
    for (const Open& open : open_) {
      if (const auto* array = std::get_if<JsonValue::Array>(&open.value.is)) {
        path += fmt::format("[{}]", array->size());
      } else if (&open != &open_.back()) {
        path += fmt::format("{}{}", path.empty() ? "" : ".", open.name);
      }
    }
    return fmt::format("{}{}{}", path, path.empty() ? "" : ".", name);
  }

  std::vector<Open> open_;
  std::string text_;
  JsonValue tree_;
  std::size_t values_ = 0;
  std::string problem_;
};

}  // namespace

Result<JsonValue> ParseJsonText(std::string_view text) {
  if (text.size() > kRequestSizeMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} bytes of JSON, allowed are {}", text.size(), kRequestSizeMax));
  }
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<TreeHandler> parser(options);
  json::error_code error;
  const std::size_t parsed = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    const std::string& problem = parser.handler().problem();
    return Status(
        Code::kInvalidArgument,
        problem.empty() ? fmt::format("no JSON: {} at byte {}", error.message(), parsed) : problem);
  }
  if (parsed < text.size()) {
    return Status(Code::kInvalidArgument, fmt::format("no JSON: more text at byte {}", parsed));
  }
  return std::move(parser.handler().tree());
}

}  // namespace sagalog
