// `sagalog report-owner --probe`: what this host can say of those who hold sagas.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace json = boost::json;

class OwnerProbing : public ::testing::TestWithParam<bool> {
 protected:
  OwnerProbing() {
    if (GetParam()) {
      directory_.Serve();
    }
  }

  void Acquire(const std::string& saga, const json::object& owner) {
    directory_.Json({"plan", saga});
    Words words{"acquire", saga, "--ttl", "10m", "--owner", Word(owner, "owner")};
    for (const auto& [field, flag] : {std::pair{"host", "--host"},
                                      {"boot_id", "--boot-id"},
                                      {"pid_namespace", "--pid-namespace"},
                                      {"pid", "--pid"},
                                      {"pid_start", "--pid-start"}}) {
      if (const std::string value = Word(owner, field); !value.empty()) {
        words.insert(words.end(), {flag, value});
      }
    }
    directory_.Json(words);
  }
  // The verdicts by the first saga of each holder.
  std::map<std::string, std::string> Probe() {
    std::map<std::string, std::string> verdicts;
    const json::object found = directory_.Json({"report-owner", "--probe"});
    for (const json::value& item : found.at("items").as_array()) {
      const json::object& row = item.as_object();
      EXPECT_FALSE(Word(row, "evidence").empty());
      verdicts[std::string(row.at("sagas").as_array().at(0).as_string())] = Word(row, "verdict");
    }
    return verdicts;
  }
  std::string Stale(const std::string& saga) {
    return Word(directory_.Json({"show", saga}), "stale");
  }

  CliDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Ways, OwnerProbing, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "Daemon" : "OwnOpening"; });

// This very process, as /proc describes it.
json::object This(const std::string& name) {
  std::array<char, 256> host{};
  EXPECT_EQ(gethostname(host.data(), host.size() - 1), 0);
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  struct stat pid_namespace {};
  EXPECT_EQ(stat("/proc/self/ns/pid", &pid_namespace), 0);
  std::string line;
  std::ifstream file("/proc/self/stat");
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  return json::object{{"owner", name},      {"host", host.data()},
                      {"boot_id", boot_id}, {"pid_namespace", std::to_string(pid_namespace.st_ino)},
                      {"pid", getpid()},    {"pid_start", std::stoull(words.at(19))}};
}

json::object With(json::object owner, std::string_view field, json::value value) {
  owner[field] = std::move(value);
  return owner;
}

// The pid of a process that has ended and was waited for.
pid_t GonePid() {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return child;
}

TEST_P(OwnerProbing, TellsTheLivingFromTheDeadAndFromThoseItCannotJudge) {
  const json::object self = This("w");
  Acquire("living", self);
  Acquire("gone", With(self, "pid", GonePid()));
  Acquire("reused", With(self, "pid_start", 1));
  Acquire("rebooted", With(self, "boot_id", "00000000-0000-4000-8000-000000000000"));
  Acquire("elsewhere", With(self, "host", "elsewhere.example"));
  Acquire("contained", With(self, "pid_namespace", "1"));
  Acquire("undated", With(self, "pid_start", 0));
  Acquire("nameonly", json::object{{"owner", "somebody"}});
  EXPECT_THAT(Probe(), ::testing::UnorderedElementsAre(
                           std::pair("living", "alive"), std::pair("gone", "dead"),
                           std::pair("reused", "dead"), std::pair("rebooted", "dead"),
                           std::pair("elsewhere", "unknown"), std::pair("contained", "unknown"),
                           std::pair("undated", "unknown"), std::pair("nameonly", "unknown")));
  for (const char* dead : {"gone", "reused", "rebooted"}) {
    EXPECT_THAT(Stale(dead), HasSubstr("owner_dead")) << dead;
  }
  for (const char* other : {"living", "elsewhere", "contained", "undated", "nameonly"}) {
    EXPECT_EQ(Stale(other), "[]") << other;
  }
  EXPECT_THAT(directory_.Run({"history", "gone"}).out, HasSubstr("there is no process"));
  EXPECT_THAT(directory_.Run({"history", "elsewhere"}).out, Not(HasSubstr("owner_reported")));
}

TEST_P(OwnerProbing, PrintsATableForPeople) {
  EXPECT_THAT(directory_.Run({"plan", "T1"}).error, IsEmpty());
  EXPECT_EQ(directory_.Run({"report-owner", "--probe"}).out, "nobody holds a saga\n");
  Acquire("T2", With(This("w1"), "pid", GonePid()));
  const std::string table = directory_.Run({"report-owner", "--probe"}).out;
  EXPECT_THAT(table, HasSubstr("VERDICT"));
  EXPECT_THAT(table, HasSubstr("dead"));
  EXPECT_THAT(table, HasSubstr("T2"));
}

TEST_P(OwnerProbing, StandsAlone) {
  EXPECT_EQ(directory_.Run({"report-owner", "--probe", "--owner", "w"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"report-owner", "--owner", "w"}).exit_code, 2);
}

TEST_P(OwnerProbing, FindsAWorkerOfSagalogRunAliveByAllThatItSaysOfItself) {
  if (!GetParam()) {
    directory_.Serve();  // a worker without a daemon keeps the directory to itself
  }
  directory_.Json({"plan", "T1"});
  BackgroundRun worker(directory_, {"--saga", "T1", "--owner", "w1"}, {"sh", "-c", kPoliteWorker});
  EXPECT_THAT(worker.ReadLine(), HasSubstr("ready"));
  const json::object owner = directory_.Json({"show", "T1"}).at("owner").as_object();
  for (const char* field : {"host", "boot_id", "pid_namespace", "pid", "pid_start"}) {
    EXPECT_FALSE(Word(owner, field).empty()) << field;
  }
  EXPECT_THAT(Probe(), ::testing::ElementsAre(std::pair("T1", "alive")));
}

}  // namespace
}  // namespace sagalog
