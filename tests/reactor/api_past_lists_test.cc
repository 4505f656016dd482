// The lists of the HTTP interface as they were.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/past_looks.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace json = boost::json;

constexpr std::array<std::string_view, 9> kLists = {
    "/v1/sagas",  "/v1/stale",    "/v1/compensations", "/v1/effects?in_doubt=true",
    "/v1/owners", "/v1/sections", "/v1/queues",        "/v1/queues/q",
    "/v1/policy"};

std::string With(std::string_view list, std::string_view parameter) {
  const char separator = list.find('?') == std::string_view::npos ? '?' : '&';
  return fmt::format("{}{}{}", list, separator, parameter);
}

std::vector<std::string> Sagas(const json::object& page) {
  std::vector<std::string> ids;
  for (const json::value& item : page.at("items").as_array()) {
    ids.push_back(Member(item.as_object(), "saga_id"));
  }
  return ids;
}

// What every list said at one moment.
struct Look {
  std::uint64_t sequence = 0;
  std::string time;
  std::map<std::string_view, json::object> lists;
};

class ApiPastLists : public testing::Test {
 protected:
  void Take() {
    const json::object status = api_.Get("/v1/status");
    Look look;
    look.sequence = status.at("last_sequence").to_number<std::uint64_t>();
    look.time = Member(status, "time");
    for (const std::string_view list : kLists) {
      look.lists[list] = api_.Get(list);
    }
    looks_.push_back(std::move(look));
  }

  json::object Post(std::string_view target, std::string_view body = {}) {
    json::object answer = api_.Post(target, body);
    Take();
    Pass("1s");
    return answer;
  }

  void Put(std::string_view target, std::string_view body) {
    ASSERT_EQ(api_.Send("PUT", target, body).status, 200);
    Take();
    Pass("1s");
  }

  void Pass(const char* by) {
    ApiOptions options;
    options.manual_clock = &api_.clock();
    ASSERT_EQ(
        api_.Send("POST", "/v1/clock:advance", fmt::format(R"({{"by":"{}"}})", by), options).status,
        200);
  }

  // Something on every list, and off it again.
  void Live() {
    Put("/v1/queues/q", R"({"limit":3})");
    Post("/v1/sagas", R"({"saga_id":"A","queue":"q","key":"k","labels":{"team":"blue"},
         "compensations":[{"id":"c","kind":"k","target":"t"}]})");
    Post("/v1/sagas", R"({"saga_id":"B","queue":"q"})");
    const std::string token =
        Member(Post("/v1/sagas/A:acquire", R"({"owner":"W","ttl":"30s"})"), "token");
    Post("/v1/sagas/A:enter-section",
         fmt::format(R"({{"token":{},"name":"merge","max_age":"20s"}})", token));
    Post("/v1/sagas/A:begin-effect",
         fmt::format(R"({{"token":{},"effect":"push","fingerprint":"f"}})", token));
    Put("/v1/policy", R"({"policy":{"max_recoveries":7},"limit":9})");
    Pass("60s");
    Take();
    Pass("1s");
    Post("/v1/sagas/A:settle-effect", R"({"effect":"push","outcome":"pushed"})");
    Post("/v1/sagas/A:leave-section", fmt::format(R"({{"token":{},"outcome":"o"}})", token));
    Post("/v1/sagas/A:recover",
         fmt::format(R"({{"observed":{},"decision":"fail","evidence":"gone"}})",
                     Member(api_.Get("/v1/sagas/A"), "version")));
    Put("/v1/queues/q", R"({"frozen":true})");
    Post("/v1/sagas/B:cancel", R"({"reason":"r"})");
    ASSERT_TRUE(api_.store().Checkpoint().ok());
    const std::string claim =
        Member(Post("/v1/sagas/A:claim-compensation", R"({"id":"c","executor":"x"})"), "token");
    Post("/v1/sagas/A:settle-compensation",
         fmt::format(R"({{"id":"c","token":{},"outcome":"done"}})", claim));
    Post("/v1/sagas", R"({"saga_id":"C","queue":"q","key":"k"})");
  }

  void ExpectShown(const Look& look, std::string_view at) {
    for (const std::string_view list : kLists) {
      SCOPED_TRACE(With(list, fmt::format("at={}", at)));
      json::object then = api_.Get(With(list, fmt::format("at={}", at)));
      EXPECT_EQ(Member(then, "time"), look.time);
      then.erase("time");
      EXPECT_EQ(json::serialize(Sorted(then)), json::serialize(Sorted(look.lists.at(list))));
    }
  }

  // The members in the order of their names: how they are written is of no meaning.
  static json::object Sorted(const json::object& object) {
    std::map<std::string, json::value> members;
    for (const auto& member : object) {
      members[std::string(member.key())] = member.value();
    }
    json::object sorted;
    for (const auto& [name, value] : members) {
      sorted[name] = value;
    }
    return sorted;
  }

  ApiStore api_;
  std::vector<Look> looks_;
};

TEST_F(ApiPastLists, EveryListShowsWhatItShowedAtThatTime) {
  Live();
  ASSERT_GE(looks_.size(), 15U);
  for (const Look& look : looks_) {
    ExpectShown(look, look.time);
  }
  std::reverse(looks_.begin(), looks_.end());
  for (const Look& look : looks_) {
    ExpectShown(look, look.time);
  }
}

TEST_F(ApiPastLists, EveryListShowsWhatItShowedWhenThatEventHadHappened) {
  Live();
  std::size_t compared = 0;
  for (std::size_t i = 0; i < looks_.size(); ++i) {
    if (i == 0 || looks_[i].sequence > looks_[i - 1].sequence) {  // else only time has passed
      ExpectShown(looks_[i], std::to_string(looks_[i].sequence));
      ++compared;
    }
  }
  EXPECT_GE(compared, 14U);
}

TEST_F(ApiPastLists, PagesOfThePastFollowEachOtherWhileTheStoreGoesOn) {
  for (const char* id : {"A", "B", "C", "D", "E"}) {
    api_.Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", id));
  }
  const std::uint64_t then = api_.store().log().Last().value();
  std::vector<std::string> all;
  std::string cursor;
  int pages = 0;
  do {
    const json::object page =
        api_.Get(fmt::format("/v1/sagas?state=planned&limit=2&at={}&cursor={}", then, cursor));
    EXPECT_EQ(page.at("sequence").to_number<std::uint64_t>(), then);
    for (std::string& id : Sagas(page)) {
      all.push_back(std::move(id));
    }
    cursor = Member(page, "cursor");
    api_.Post("/v1/sagas/E:cancel", R"({"reason":"late"})");
    api_.Post("/v1/sagas", fmt::format(R"({{"saga_id":"F{}"}})", ++pages));
    EXPECT_FALSE(api_.Get("/v1/sagas?at=2").empty());  // another's look in between
  } while (!cursor.empty() && pages < 5);
  EXPECT_THAT(all, ElementsAre("A", "B", "C", "D", "E"));
  EXPECT_EQ(pages, 3);
}

TEST_F(ApiPastLists, FiltersTakeWhatWasSoThen) {
  Live();
  const auto at = [&](const char* filter, std::size_t look) {
    return Sagas(api_.Get(fmt::format("/v1/sagas?{}&at={}", filter, looks_[look].sequence)));
  };
  EXPECT_THAT(at("state=planned", 2), ElementsAre("A", "B"));
  EXPECT_THAT(at("state=running", 3), ElementsAre("A"));
  EXPECT_THAT(at("owner=W", 2), ElementsAre());
  EXPECT_THAT(at("owner=W", 3), ElementsAre("A"));
  EXPECT_THAT(at("label=team%3Dblue", 3), ElementsAre("A"));
  EXPECT_THAT(at("label=team%3Dred", 3), ElementsAre());
  EXPECT_THAT(at("key=k", 3), ElementsAre("A"));
  EXPECT_THAT(at("key=k", looks_.size() - 1), ElementsAre("A", "C"));
  EXPECT_THAT(at("queue=q&state=failed", looks_.size() - 1), ElementsAre("A"));
  EXPECT_THAT(at("stage=x", 3), ElementsAre());
}

TEST_F(ApiPastLists, AMomentThatIsNotPastIsRefused) {
  Live();
  const std::uint64_t beyond = api_.store().log().Last().value() + 1;
  for (const std::string_view list : kLists) {
    for (const auto& [at, detail] : std::vector<std::pair<std::string, std::string>>{
             {"0", "there is no event 0"},
             {std::to_string(beyond), "the log ends at sequence"},
             {"2026-11-21T03:17:59Z", "the log begins at 2026-11-21T03:18:00.000000Z"},
             {"2027-01-01T00:00:00Z", "what is to come is not known"},
             {"2026-11-21T03:18:30", "names no zone"},
             {"yesterday", "is neither a sequence nor a time"}}) {
      SCOPED_TRACE(With(list, "at=" + at));
      const ApiResponse response = api_.Send("GET", With(list, "at=" + at));
      EXPECT_EQ(response.status, 400);
      const json::object problem = Document(response);
      EXPECT_EQ(Member(problem, "code"), "invalid_argument");
      EXPECT_EQ(Member(problem, "subject"), "at");
      EXPECT_THAT(Member(problem, "detail"), HasSubstr(detail));
    }
  }
  EXPECT_EQ(api_.Send("GET", "/v1/sagas?at=3&cursor=x").status, 400);
  EXPECT_EQ(api_.Send("GET", "/v1/stale?at=3&cursor=x").status, 400);
  EXPECT_EQ(api_.Send("GET", "/v1/status?at=3").status, 400);
}

TEST_F(ApiPastLists, ALookIsRefusedWhileAsManyAsMayLookBackAlready) {
  api_.Post("/v1/sagas", R"({"saga_id":"A"})");
  PastLooks looks(api_.store().log());
  const PastPlace place{Sequence(2), *ParseTime("2026-11-21T03:18:00Z")};
  constexpr std::size_t kTooMany = 3;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t refused = 0;
  std::atomic<std::size_t> looked{0};
  std::vector<std::thread> others;
  const Status first = looks.At(place, [&](const PastStore&) -> Result<bool> {
    for (std::size_t i = 1; i < kPastLooksMax + kTooMany; ++i) {
      others.emplace_back([&] {
        const Status status = looks.At(place, [&](const PastStore&) -> Result<bool> {
          ++looked;
          return false;
        });
        if (!status.ok()) {
          const std::lock_guard lock(mutex);
          refused += status.code() == Code::kOverloaded ? 1 : 0;
          changed.notify_one();
        }
      });
    }
    std::unique_lock lock(mutex);
    EXPECT_TRUE(
        changed.wait_for(lock, std::chrono::minutes(5), [&] { return refused == kTooMany; }));
    return true;
  });
  EXPECT_TRUE(first.ok()) << first.text();
  for (std::thread& other : others) {
    other.join();
  }
  EXPECT_EQ(refused, kTooMany);
  EXPECT_EQ(looked.load(), kPastLooksMax - 1);
}

}  // namespace
}  // namespace sagalog
