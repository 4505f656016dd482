#include "tools/plan_values.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "schema/base64.h"
#include "schema/limits.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr std::string_view kParameterPrefix = "param.";

Status Wrong(std::string text) { return {Code::kInvalidArgument, std::move(text)}; }

// One part of a compensation: "kind=remove-worktree" or "shared".
Status AddPart(json::object& compensation, std::string_view part) {
  if (part == "shared") {
    compensation["shared"] = true;
    return {};
  }
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) {
    return Wrong(fmt::format("\"{}\" is not NAME=VALUE", part));
  }
  const std::string_view name = part.substr(0, equals);
  const std::string_view value = part.substr(equals + 1);
  if (name.starts_with(kParameterPrefix)) {
    json::value& parameters = compensation["params"];
    if (!parameters.is_object()) {
      parameters = json::object();
    }
    parameters.get_object()[name.substr(kParameterPrefix.size())] = value;
    return {};
  }
  if (name != "id" && name != "kind" && name != "target" && name != "when") {
    return Wrong(fmt::format("\"{}\" is none of id, kind, target, when, shared, param.NAME", name));
  }
  if (compensation.contains(name)) {
    return Wrong(fmt::format("{} is given twice", name));
  }
  compensation[name] = value;
  return {};
}

}  // namespace

Result<json::object> ParseCompensation(std::string_view text) {
  json::object compensation;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    RETURN_IF_ERROR(AddPart(compensation, text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  for (const std::string_view name : {"id", "kind", "target"}) {
    if (!compensation.contains(name)) {
      return Wrong(fmt::format("{} is missing: write id=ID,kind=KIND,target=TARGET", name));
    }
  }
  return compensation;
}

Status AddCompensationJson(json::array& list, const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) {
    return Wrong("no JSON: " + error.message());
  }
  if (value.is_object()) {
    list.push_back(std::move(value));
    return {};
  }
  if (!value.is_array()) {
    return Wrong("neither an object nor a list of objects");
  }
  for (json::value& element : value.get_array()) {
    list.push_back(std::move(element));
  }
  return {};
}

Result<std::string> ReadPayload(const std::string& path) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) {
      std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rb"), close);
  if (file == nullptr) {
    return Wrong(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  // One byte more than may be, to see that there is more.
  std::vector<std::uint8_t> bytes(kPayloadSizeMax + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return Wrong(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  if (bytes.size() > kPayloadSizeMax) {
    return Wrong(
        fmt::format("{} is larger than a payload may be: {} bytes", path, kPayloadSizeMax));
  }
  std::string encoded;
  AppendBase64(encoded, bytes);
  return encoded;
}

}  // namespace sagalog::tools
