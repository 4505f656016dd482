// sagalog bench remote: a daemon under load, its figures, its daemon's health afterwards.
#include <string>

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

TEST(BenchRemote, MeasuresBothProtocolsAloneAndBesideACrowd) {
  CliDirectory directory;
  directory.Serve();
  const auto figures = directory.Json(
      {"bench", "remote", "--quick", "--sagas", "200", "--idle", "5", "--followers", "3"});
  for (const std::string load :
       {"native_1x1", "native_32x1", "native_32x100", "http_1x1", "http_32x1"}) {
    for (const std::string figure : {"per_second", "p50_us", "p99_us", "p999_us"}) {
      const auto* value = figures.if_contains(load + "_" + figure);
      ASSERT_NE(value, nullptr) << load << " " << figure;
      EXPECT_GT(value->to_number<double>(), 0) << load << " " << figure;
    }
    EXPECT_TRUE(figures.contains(load + "_cpu_s_per_million")) << load;
    EXPECT_GT(figures.at("crowd_" + load + "_ratio").to_number<double>(), 0) << load;
  }
  EXPECT_EQ(figures.at("followers").to_number<double>(), 3);
  EXPECT_GT(figures.at("followed_bytes_per_second").to_number<double>(), 0);
  EXPECT_GT(figures.at("resident_bytes_with_crowd").to_number<double>(), 1e6);
  EXPECT_EQ(figures.at("idle_connections").to_number<double>(), 5);
  // Every saga of every load came to its end.
  const auto status = directory.Json({"status"});
  EXPECT_EQ(Word(status, "live"), "[]");
}

TEST(BenchRemote, SaysThatNobodyListens) {
  CliDirectory directory;
  const CliResult result = directory.Run({"bench", "remote"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, ::testing::HasSubstr("nobody listens"));
}

}  // namespace
}  // namespace sagalog
