// A store under its HTTP interface, as the tests of the interface and of the server ask it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "reactor/api.h"
#include "reactor/clock.h"
#include "reactor/store.h"

namespace sagalog {

// A folder that is gone when the object is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A new store in a folder of its own, whose time is a manual clock's: 2026-11-21T03:18:00Z.
class ApiStore {
 public:
  ApiStore();

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  // Asks as the user "tester".
  [[nodiscard]] ApiResponse Send(std::string_view method, std::string_view target,
                                 std::string_view body = {}, const ApiOptions& options = {});
  // Expect 200 and give its document.
  [[nodiscard]] boost::json::object Get(std::string_view target);
  boost::json::object Post(std::string_view target, std::string_view body = {});
  // Plans a saga and acquires it as the owner "W"; the token.
  std::uint64_t Acquire(std::string_view saga);

 private:
  TemporaryFolder folder_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

// The document of a response; {} and a failed test when it is no JSON object.
[[nodiscard]] boost::json::object Document(const ApiResponse& response);
// A member of a document as text ("" when it is not there): strings without quotes, all else as
// JSON.
[[nodiscard]] std::string Member(const boost::json::object& document, std::string_view name);

}  // namespace sagalog
