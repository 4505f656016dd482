#include "tests/tools/owed_compensations.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace sagalog {
namespace json = boost::json;

void FailOwing(CliDirectory& directory, const std::string& saga, const std::vector<Owed>& owed) {
  Words words = {"plan", saga};
  for (const Owed& one : owed) {
    json::object params;
    for (const auto& [name, value] : one.params) {
      params[name] = value;
    }
    words.emplace_back("--compensation-json");
    words.push_back(json::serialize(json::object{
        {"id", one.id}, {"kind", one.kind}, {"target", one.target}, {"params", params}}));
  }
  directory.Json(words);
  const std::string token = directory.Token({"acquire", saga, "--owner", "w1"});
  directory.Json({"fail", saga, "--token", token, "--reason", "tests are red"});
}

CompensationRunResult RunCompensations(CliDirectory& directory, const Words& flags) {
  Words words = {"--json", "compensation", "run"};
  words.insert(words.end(), flags.begin(), flags.end());
  const CliResult run = directory.Run(words, {{"GIT_CONFIG_GLOBAL", "/dev/null"}});
  CompensationRunResult result;
  result.exit_code = run.exit_code;
  result.error = run.error;
  boost::system::error_code error;
  const json::value summary = json::parse(run.out, error);
  EXPECT_FALSE(error) << run.out << run.error;
  if (error) {
    return result;
  }
  for (const json::value& item : summary.at("items").as_array()) {
    const std::string id = Word(item.as_object(), "id");
    result.outcomes[id] = Word(item.as_object(), "outcome");
    result.details[id] = Word(item.as_object(), "detail");
  }
  return result;
}

std::string CompensationState(CliDirectory& directory, const std::string& saga,
                              const std::string& id) {
  const json::object shown = directory.Json({"show", saga});
  for (const json::value& entry : shown.at("compensations").as_array()) {
    if (Word(entry.as_object(), "id") == id) {
      return Word(entry.as_object(), "state");
    }
  }
  return "";
}

}  // namespace sagalog
