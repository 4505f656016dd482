#include "tests/reactor/api_store.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sagalog {

namespace json = boost::json;

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "sagalog-api-XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ApiStore::ApiStore() : clock_(*ParseTime("2026-11-21T03:18:00Z")) {
  StoreOptions options;
  options.directory = folder_.path() / "data";
  options.clock = &clock_;
  auto store = Store::Open(std::move(options));
  EXPECT_TRUE(store.ok()) << store.status().text();
  store_ = *std::move(store);
}

ApiResponse ApiStore::Send(std::string_view method, std::string_view target, std::string_view body,
                           const ApiOptions& options) {
  return HandleApi(
      *store_, ApiRequest{std::string(method), std::string(target), std::string(body), "tester"},
      options);
}

json::object ApiStore::Get(std::string_view target) {
  const ApiResponse response = Send("GET", target);
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  EXPECT_EQ(response.content_type, "application/json");
  return Document(response);
}

json::object ApiStore::Post(std::string_view target, std::string_view body) {
  const ApiResponse response = Send("POST", target, body);
  EXPECT_EQ(response.status, 200) << target << ": " << response.body;
  EXPECT_EQ(response.content_type, "application/json");
  return Document(response);
}

std::uint64_t ApiStore::Acquire(std::string_view saga) {
  Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", saga));
  const json::object answer =
      Post(fmt::format("/v1/sagas/{}:acquire", saga), R"({"owner":"W","ttl":"30s"})");
  return answer.at("token").to_number<std::uint64_t>();
}

json::object Document(const ApiResponse& response) {
  json::error_code error;
  const json::value document = json::parse(response.body, error);
  EXPECT_FALSE(error) << response.body;
  EXPECT_TRUE(document.is_object()) << response.body;
  return document.is_object() ? document.as_object() : json::object();
}

std::string Member(const json::object& document, std::string_view name) {
  const json::value* member = document.if_contains(name);
  if (member == nullptr) {
    return "";
  }
  return member->is_string() ? std::string(member->as_string()) : json::serialize(*member);
}

}  // namespace sagalog
