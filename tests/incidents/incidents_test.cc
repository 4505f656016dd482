// Every incident of incidents.json is a test of its own, named by its id.
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/incidents/scenario_player.h"

namespace sagalog::incidents {
namespace {

namespace json = boost::json;

const json::array& AllIncidents() {
  static const json::value kIncidents = [] {
    std::ifstream file(std::string(kSourceDirectory) + "/tests/incidents/incidents.json");
    std::stringstream text;
    text << file.rdbuf();
    return json::parse(text.str());
  }();
  return kIncidents.as_array();
}

// Steps that need what is not built: backup, restore and compaction.
bool IsPlayable(const json::object& incident) {
  for (const json::value& step : incident.at("steps").as_array()) {
    const auto& what = step.at("do").as_string();
    if (what == "backup" || what == "compact") {
      return false;
    }
  }
  return true;
}

std::vector<std::size_t> Playable() {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < AllIncidents().size(); ++i) {
    if (IsPlayable(AllIncidents()[i].as_object())) {
      places.push_back(i);
    }
  }
  return places;
}

class Incident : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] static const json::object& incident() {
    return AllIncidents()[GetParam()].as_object();
  }
};

TEST_P(Incident, IsAnsweredAsItMustBe) {
  ScenarioPlayer player;
  player.Configure(incident().at("settings").as_object());
  for (const json::value& step : incident().at("steps").as_array()) {
    ASSERT_EQ(player.Play(step.as_object()), "");
  }
}

TEST_P(Incident, IsAnsweredAlikeAfterARebuildInTheMiddle) {
  ScenarioPlayer player;
  player.Configure(incident().at("settings").as_object());
  const json::array& steps = incident().at("steps").as_array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i == steps.size() / 2) {
      player.Rebuild();
    }
    ASSERT_EQ(player.Play(steps[i].as_object()), "");
  }
}

INSTANTIATE_TEST_SUITE_P(All, Incident, testing::ValuesIn(Playable()), [](const auto& place) {
  return std::string(AllIncidents()[place.param].at("id").as_string());
});

}  // namespace
}  // namespace sagalog::incidents
