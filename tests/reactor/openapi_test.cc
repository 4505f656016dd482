// The document of the interface and its routes: neither knows a path that the other does not.
#include "reactor/openapi.h"

#include <algorithm>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/api_routes.h"
#include "schema/json.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace json = boost::json;

// "GET /v1/sagas/*": an open segment has no name here.
std::set<std::string> DescribedPaths() {
  std::set<std::string> paths;
  const json::value document = json::parse(OpenApiDocument());
  for (const auto& item : document.at("paths").as_object()) {
    std::string path(item.key());
    if (const std::size_t open = path.find('{'); open != std::string::npos) {
      path.replace(open, path.find('}') + 1 - open, "*");
    }
    for (const auto& operation : item.value().as_object()) {
      std::string method(operation.key());
      std::transform(method.begin(), method.end(), method.begin(), ::toupper);
      paths.insert(method + " " + path);
    }
  }
  return paths;
}

std::set<std::string> ServedPaths() {
  std::set<std::string> paths;
  for (const ApiRoute& route : ApiRoutes()) {
    if (route.action != "*") {
      paths.insert(fmt::format("{} /{}{}{}", route.method, route.path,
                               route.action.empty() ? "" : ":", route.action));
      continue;
    }
    for (std::string name : CommandNames()) {
      std::replace(name.begin(), name.end(), '_', '-');
      if (SagaCommandOf(name) != commands::Body::NONE && name != "plan") {
        paths.insert(fmt::format("{} /{}:{}", route.method, route.path, name));
      }
    }
  }
  return paths;
}

// A new route says in reactor/openapi_operations.cc what it does.
TEST(OpenApi, DescribesEveryRouteAndNoOther) { EXPECT_EQ(DescribedPaths(), ServedPaths()); }

TEST(OpenApi, IsServedToEveryRoleThatReads) {
  ApiStore api;
  ApiRequest request{"GET", "/openapi.json", "", "somebody", Role::kAuditor};
  const ApiResponse response = HandleApi(api.store(), request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, OpenApiDocument());
  request.role = Role::kNone;
  EXPECT_EQ(HandleApi(api.store(), request).status, 401);
  EXPECT_EQ(api.Send("GET", "/openapi.json?version=1").status, 400);
}

// Validation refuses both where a command is about no saga.
TEST(OpenApi, OffersWhatIsSaidOfASagaOnlyWhereThereIsOne) {
  const json::value document = json::parse(OpenApiDocument());
  const auto offers = [&](const json::value& schema) {
    const json::object& fields = schema.at("properties").as_object();
    EXPECT_EQ(fields.contains("saga_id"), fields.contains("expected_version"));
    return fields.contains("saga_id");
  };
  const auto body = [&](const char* path, const char* method) {
    const json::value& operation = document.at("paths").at(path).at(method);
    return operation.at("requestBody").at("content").at("application/json").at("schema");
  };
  EXPECT_FALSE(offers(body("/v1/queues/{queue}:claim-next", "post")));
  EXPECT_FALSE(offers(body("/v1/queues/{queue}", "put")));
  EXPECT_FALSE(offers(body("/v1/policy", "put")));
  EXPECT_FALSE(offers(body("/v1/owners:report", "post")));
  EXPECT_TRUE(offers(body("/v1/sagas", "post")));
  EXPECT_TRUE(offers(body("/v1/sagas/{saga_id}:park", "post")));
  std::set<std::string> without;
  const json::value& batch = document.at("components").at("schemas").at("BatchRequest");
  for (const json::value& command :
       batch.at("properties").at("commands").at("items").at("oneOf").as_array()) {
    if (!offers(command)) {
      without.insert(json::value_to<std::string>(
          command.at("properties").at("do").at("enum").as_array().front()));
    }
  }
  EXPECT_THAT(without,
              ElementsAre("change_policy", "claim_next", "configure_queue", "report_owners"));
}

TEST(OpenApi, SaysWhichRolesMay) {
  const json::value document = json::parse(OpenApiDocument());
  const auto roles = [&](const char* path, const char* method) {
    return json::serialize(document.at("paths").at(path).at(method).at("x-sagalog-roles"));
  };
  EXPECT_EQ(roles("/v1/sagas/{saga_id}:quarantine", "post"), R"(["operator","admin"])");
  EXPECT_EQ(roles("/v1/sagas/{saga_id}:heartbeat", "post"),
            R"(["worker","orchestrator","operator","admin"])");
  EXPECT_EQ(roles("/v1/queues/{queue}", "put"), R"(["operator","admin"])");
  EXPECT_EQ(roles("/v1/queues/{queue}", "get"),
            R"(["worker","orchestrator","operator","auditor","admin"])");
}

}  // namespace
}  // namespace sagalog
