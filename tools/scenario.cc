#include "tools/scenario.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <fmt/format.h>

#include "schema/json_text.h"
#include "schema/limits.h"
#include "tools/scenario_words.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

Status Wrong(std::string text) { return {Code::kInvalidArgument, std::move(text)}; }

// The text as JSON; what is wrong, with the line where that is known.
Result<json::value> Parse(std::string_view text) {
  if (const auto checked = ParseJsonText(text); !checked.ok()) {
    json::parser parser;
    json::error_code error;
    const std::size_t parsed = parser.write_some(text.data(), text.size(), error);
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(parsed), '\n');
    return Wrong(error ? fmt::format("line {}: {}", line, checked.status().text())
                       : checked.status().text());
  }
  return json::parse(text);
}

Result<Scenario> ReadScenario(const json::object& entry) {
  using enum WordKind;
  constexpr ScenarioWord kEntryWords[] = {{"id", kText, true},
                                          {"title", kText, true},
                                          {"project"},
                                          {"source"},
                                          {"also", kTexts},
                                          {"when"},
                                          {"evidence"},
                                          {"class"},
                                          {"what"},
                                          {"cause"},
                                          {"settings", kObject}};
  json::object facts = entry;
  facts.erase("steps");
  RETURN_IF_ERROR(CheckWords("a scenario", facts, kEntryWords));
  const json::value* steps = entry.if_contains("steps");
  if (steps == nullptr || !steps->is_array() || steps->get_array().empty()) {
    return Wrong("steps: not a list of at least one step");
  }
  Scenario scenario{TextOf(entry, "id"), TextOf(entry, "title"), TextOf(entry, "class"), {}, {}};
  if (scenario.id.empty()) {
    return Wrong("id: it is empty");
  }
  if (const json::value* settings = entry.if_contains("settings")) {
    scenario.settings = settings->get_object();
  }
  for (const json::value& step : steps->get_array()) {
    if (!step.is_object()) {
      return Wrong(fmt::format("step {}: not an object", scenario.steps.size() + 1));
    }
    scenario.steps.push_back(step.get_object());
  }
  return scenario;
}

Status CheckScenario(const Scenario& scenario) {
  RETURN_IF_ERROR(CheckSettings(scenario.settings));
  ScenarioNames names;
  std::size_t number = 0;
  for (const json::object& step : scenario.steps) {
    ++number;
    if (const Status status = CheckStep(step, names); !status.ok()) {
      return Wrong(fmt::format("step {}: {}", number, status.text()));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Scenario>> ReadScenarios(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Wrong("it is empty: a scenario file is a JSON list of scenarios");
  }
  ASSIGN_OR_RETURN(json::value document, Parse(text));
  if (document.is_object()) {
    document = json::array{document};
  }
  if (!document.is_array() || document.get_array().empty()) {
    return Wrong("not a list of at least one scenario");
  }
  std::vector<Scenario> scenarios;
  std::set<std::string> ids;
  for (const json::value& entry : document.get_array()) {
    const std::size_t number = scenarios.size() + 1;
    if (!entry.is_object()) {
      return Wrong(fmt::format("scenario {}: not an object", number));
    }
    const std::string id = TextOf(entry.get_object(), "id");
    const std::string name = id.empty() ? fmt::format("scenario {}", number) : id;
    auto scenario = ReadScenario(entry.get_object());
    if (!scenario.ok()) {
      return Wrong(fmt::format("{}: {}", name, scenario.status().text()));
    }
    if (!ids.insert(id).second) {
      return Wrong(fmt::format("{}: another scenario before has this id", name));
    }
    if (const Status status = CheckScenario(*scenario); !status.ok()) {
      return Wrong(fmt::format("{}: {}", name, status.text()));
    }
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

Result<std::vector<Scenario>> LoadScenarios(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    return Status(Code::kNotFound, fmt::format("{}: there is no such file", file.string()));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return Wrong(fmt::format("{}: not a file: name a file of scenarios", file.string()));
  }
  if (const auto size = std::filesystem::file_size(file, error); size > kRequestSizeMax) {
    return Wrong(fmt::format("{}: {} bytes, allowed are {}: split it into several files",
                             file.string(), size, kRequestSizeMax));
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.good()) {
    return Status(Code::kIoError, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  }
  auto scenarios = ReadScenarios(text);
  if (!scenarios.ok()) {
    return Status(scenarios.status().code(),
                  fmt::format("{}: {}", file.string(), scenarios.status().text()));
  }
  return scenarios;
}

}  // namespace sagalog::tools
