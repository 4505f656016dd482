// Backup and compaction under the HTTP interface.
#include <chrono>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

TEST(ApiKeeping, ABackupSaysWhereItIsAndWhatItHolds) {
  ApiStore api;
  api.Acquire("T1");
  const std::string directory = (api.folder() / "backups").string();
  const json::object made =
      api.Post("/v1/admin/backup", fmt::format(R"({{"directory":"{}","keep":1}})", directory));
  EXPECT_EQ(Member(made, "outcome"), "ok");
  EXPECT_EQ(Member(made, "path"), directory + "/000001");
  EXPECT_EQ(Member(made, "sequence"), "3");
  EXPECT_EQ(Member(made, "size_bytes"), Member(made, "copied_bytes"));
  EXPECT_TRUE(std::filesystem::exists(directory + "/000001/HEAD"));
}

TEST(ApiKeeping, WhatIsNoBackupIsRefused) {
  ApiStore api;
  for (const char* body : {"{}", "[]", R"({"directory":"relative"})", R"({"directory":7})",
                           R"({"directory":"/tmp/x","keep":0})", R"({"elsewhere":"/tmp/x"})"}) {
    EXPECT_EQ(api.Send("POST", "/v1/admin/backup", body).status, 400) << body;
  }
}

// The store is well: it is the place that cannot be written.
TEST(ApiKeeping, APlaceThatCannotBeWrittenIsTheCallersMatter) {
  ApiStore api;
  const ApiResponse refused =
      api.Send("POST", "/v1/admin/backup", R"({"directory":"/proc/sagalog-backups"})");
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(Member(Document(refused), "subject"), "directory");
  EXPECT_TRUE(api.store().Health().ok());
}

TEST(ApiKeeping, CompactionSaysHowMuchItDid) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  for (int i = 0; i < 3; ++i) {
    api.clock().Advance(std::chrono::seconds(10));
    api.Post("/v1/sagas/T1:heartbeat", fmt::format(R"({{"token":{}}})", token));
  }
  EXPECT_EQ(Member(api.Post("/v1/admin/compact"), "outcome"), "unchanged")
      << "an hour, unless said";
  const json::object done =
      api.Post("/v1/admin/compact", R"({"older_than":"0s","actor":"nightly"})");
  EXPECT_EQ(Member(done, "outcome"), "ok");
  EXPECT_EQ(Member(done, "stubs"), "2");
  EXPECT_EQ(Member(done, "through"), "6");
  EXPECT_EQ(Member(done, "sequence"), "7");
  EXPECT_EQ(Member(api.Post("/v1/admin/verify"), "ok"), "true");
}

TEST(ApiKeeping, WhatIsNoAgeIsRefused) {
  ApiStore api;
  for (const char* body : {R"({"older_than":"-1s"})", R"({"older_than":3600})",
                           R"({"older_than":"soon"})", R"({"younger_than":"1s"})"}) {
    EXPECT_EQ(api.Send("POST", "/v1/admin/compact", body).status, 400) << body;
  }
}

}  // namespace
}  // namespace sagalog
