// The places of the log's readers under the HTTP interface.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

namespace json = boost::json;

TEST(ApiReaders, ComeMoveAndGo) {
  ApiStore api;
  api.Acquire("T1");
  EXPECT_TRUE(api.Get("/v1/readers").at("items").as_array().empty());
  const ApiResponse placed = api.Send("PUT", "/v1/readers/mirror", R"({"position":2})");
  EXPECT_EQ(placed.status, 200) << placed.body;
  EXPECT_EQ(Member(Document(placed), "outcome"), "ok");
  EXPECT_EQ(Member(Document(api.Send("PUT", "/v1/readers/mirror", R"({"position":2})")), "outcome"),
            "unchanged");
  EXPECT_EQ(api.Send("PUT", "/v1/readers/a%20b", R"({"position":2})").status, 400);
  const json::object page = api.Get("/v1/readers");
  ASSERT_EQ(page.at("items").as_array().size(), 1U);
  const json::object& reader = page.at("items").as_array()[0].as_object();
  EXPECT_EQ(Member(reader, "reader"), "mirror");
  EXPECT_EQ(Member(reader, "position"), "2");
  EXPECT_EQ(Member(reader, "moved_at"), "2026-11-21T03:18:00.000000Z");
  EXPECT_EQ(Member(page, "cursor"), "");
  EXPECT_EQ(api.Send("DELETE", "/v1/readers/mirror").status, 200);
  EXPECT_EQ(api.Send("DELETE", "/v1/readers/mirror").status, 404);
}

TEST(ApiReaders, AreWithinTheLog) {
  ApiStore api;
  api.Acquire("T1");
  const std::uint64_t last = api.store().log().Last().value();
  const auto place = [&](const std::string& position) {
    return api.Send("PUT", "/v1/readers/r", "{\"position\":" + position + "}").status;
  };
  EXPECT_EQ(place(std::to_string(last + 1)), 200) << "what comes next";
  EXPECT_EQ(place("1"), 200) << "from the beginning again";
  for (const std::string& wrong :
       {std::to_string(last + 2), std::string("0"), std::string("-1"), std::string("\"7\""),
        std::string("1.5"), std::string("99999999999999999999")}) {
    EXPECT_EQ(place(wrong), 400) << wrong;
  }
  EXPECT_EQ(api.Send("PUT", "/v1/readers/r", "{}").status, 400);
  EXPECT_EQ(api.Send("PUT", "/v1/readers/r", R"({"place":1})").status, 400);
  EXPECT_EQ(api.Send("PUT", "/v1/readers/r?position=1").status, 400);
  EXPECT_EQ(api.Send("DELETE", "/v1/readers/r", R"({"position":1})").status, 400);
}

TEST(ApiReaders, OneTooManyIsToldTheLimit) {
  ApiStore api;
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(api.Send("PUT", fmt::format("/v1/readers/r{}", i), R"({"position":1})").status, 200);
  }
  const ApiResponse refused = api.Send("PUT", "/v1/readers/more", R"({"position":1})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(Member(Document(refused), "code"), "limit_reached");
}

TEST(ApiReaders, SurviveTheStoreAndHoldItsCompactionBack) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  for (int i = 0; i < 3; ++i) {
    api.clock().Advance(std::chrono::seconds(10));
    api.Post("/v1/sagas/T1:heartbeat", fmt::format(R"({{"token":{}}})", token));
  }
  ASSERT_EQ(api.Send("PUT", "/v1/readers/mirror", R"({"position":5})").status, 200);
  const json::object done = api.Post("/v1/admin/compact", R"({"older_than":"0s"})");
  EXPECT_EQ(Member(done, "stubs"), "1");
  EXPECT_EQ(Member(done, "held_by"), "mirror");
}

}  // namespace
}  // namespace sagalog
