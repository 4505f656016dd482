#include "reactor/api_target.h"

#include <algorithm>
#include <utility>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "schema/utf8.h"

namespace sagalog {
namespace {

namespace urls = boost::urls;

Result<std::string> Decode(std::string_view encoded, bool plus_is_space) {
  const auto checked = urls::make_pct_string_view(encoded);
  if (!checked) {
    return Status(Code::kInvalidArgument,
                  fmt::format("\"{}\" is not correctly percent-encoded", encoded));
  }
  std::string text = checked->decode(urls::encoding_opts(plus_is_space));
  if (!IsUtf8(text)) {
    return Status(Code::kInvalidArgument, fmt::format("\"{}\" stands for no UTF-8", encoded));
  }
  return text;
}

Status ReadPath(std::string_view path, ApiTarget& target) {
  if (!path.empty()) {
    path.remove_prefix(1);  // The origin form begins with "/".
  }
  for (bool last = false; !last;) {
    const std::size_t end = path.find('/');
    last = end == std::string_view::npos;
    std::string_view segment = path.substr(0, end);
    path.remove_prefix(last ? path.size() : end + 1);
    const std::size_t colon = last ? segment.rfind(':') : std::string_view::npos;
    if (colon != std::string_view::npos) {
      ASSIGN_OR_RETURN(target.action, Decode(segment.substr(colon + 1), false));
      segment = segment.substr(0, colon);
    }
    ASSIGN_OR_RETURN(auto text, Decode(segment, false));
    target.segments.push_back(std::move(text));
  }
  return {};
}

Status ReadQuery(std::string_view query, ApiTarget& target) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.size(), pair.find('='));
    ApiParameter parameter;
    ASSIGN_OR_RETURN(parameter.name, Decode(pair.substr(0, equals), true));
    ASSIGN_OR_RETURN(parameter.value, Decode(pair.substr(std::min(pair.size(), equals + 1)), true));
    target.parameters.push_back(std::move(parameter));
  }
  return {};
}

}  // namespace

Result<ApiTarget> ParseApiTarget(std::string_view text) {
  const auto parsed = urls::parse_origin_form(text);
  if (!parsed) {
    return Status(Code::kInvalidArgument,
                  "the target of the request is not a percent-encoded path and query");
  }
  ApiTarget target;
  RETURN_IF_ERROR(ReadPath(parsed->encoded_path(), target));
  RETURN_IF_ERROR(ReadQuery(parsed->encoded_query(), target));
  return target;
}

}  // namespace sagalog
