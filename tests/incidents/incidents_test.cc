// Every scenario of incidents.json, and every one of our own in scenarios.json, is a test of its
// own, named by its id: in memory and in a data directory, and again with rebuilt projections.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tools/scenario.h"
#include "tools/scenario_player.h"

namespace sagalog::tools {
namespace {

std::vector<Scenario> Load(const std::string& name) {
  auto scenarios = LoadScenarios(std::string(kSourceDirectory) + "/tests/incidents/" + name);
  EXPECT_TRUE(scenarios.ok()) << scenarios.status().text();
  return scenarios.ok() ? *std::move(scenarios) : std::vector<Scenario>();
}

class Incident : public testing::TestWithParam<Scenario> {
 protected:
  static void ExpectHolds(PlayOptions::Disk disk, PlayOptions::Rebuild rebuild) {
    const Scenario& scenario = GetParam();
    const auto played = PlayScenario(scenario, {disk, rebuild, {}});
    ASSERT_TRUE(played.ok()) << played.status().text();
    EXPECT_EQ(played->settings_refused, "");
    for (std::size_t i = 0; i < played->steps.size(); ++i) {
      const PlayedStep& step = played->steps[i];
      EXPECT_TRUE(step.holds) << "step " << i + 1 << " "
                              << boost::json::serialize(scenario.steps[i]) << " got " << step.answer
                              << ": " << step.detail;
    }
    EXPECT_TRUE(played->holds());
  }
};

TEST_P(Incident, IsAnsweredAsItMustBe) {
  using Disk = PlayOptions::Disk;
  using Rebuild = PlayOptions::Rebuild;
  {
    SCOPED_TRACE("in memory");
    ExpectHolds(Disk::kMemory, Rebuild::kNever);
  }
  {
    SCOPED_TRACE("in memory, rebuilt in the middle");
    ExpectHolds(Disk::kMemory, Rebuild::kInTheMiddle);
  }
  {
    SCOPED_TRACE("in a directory");
    ExpectHolds(Disk::kDirectory, Rebuild::kNever);
  }
  {
    SCOPED_TRACE("in a directory, rebuilt in the middle");
    ExpectHolds(Disk::kDirectory, Rebuild::kInTheMiddle);
  }
}

std::string IdOf(const testing::TestParamInfo<Scenario>& info) { return info.param.id; }

INSTANTIATE_TEST_SUITE_P(All, Incident, testing::ValuesIn(Load("incidents.json")), IdOf);
INSTANTIATE_TEST_SUITE_P(OfOurOwn, Incident, testing::ValuesIn(Load("scenarios.json")), IdOf);

TEST(IncidentsPage, TellsEachIncidentWithItsSource) {
  std::stringstream page;
  page << std::ifstream(std::string(kSourceDirectory) + "/docs/incidents.md").rdbuf();
  std::stringstream file;
  file << std::ifstream(std::string(kSourceDirectory) + "/tests/incidents/incidents.json").rdbuf();
  const boost::json::value incidents = boost::json::parse(file.str());
  ASSERT_EQ(incidents.as_array().size(), 100U);
  for (const auto& value : incidents.as_array()) {
    const auto& incident = value.as_object();
    const std::string id(incident.at("id").as_string());
    const std::string title(incident.at("title").as_string());
    EXPECT_NE(page.str().find("### " + id + ": " + title + "\n"), std::string::npos) << id;
    EXPECT_NE(page.str().find("](" + std::string(incident.at("source").as_string()) + ")"),
              std::string::npos)
        << id;
    for (const auto& also : incident.at("also").as_array()) {
      EXPECT_NE(page.str().find("](" + std::string(also.as_string()) + ")"), std::string::npos)
          << id;
    }
  }
}

}  // namespace
}  // namespace sagalog::tools
