// sagalog timeline: what is in the pictures, and that nothing callers wrote becomes markup.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class CliTimeline : public testing::Test {
 protected:
  // Plays a scenario of tests/tools/stories/, and keeps it.
  void Play(const std::string& id) {
    const fs::path file = fs::path(kSourceDirectory) / "tests/tools/stories/scenarios.json";
    const CliResult played =
        RunCli({"incidents", "run", file.string(), "--only", id, "--keep", record()});
    ASSERT_EQ(played.exit_code, 0) << played.out << played.error;
  }

  std::string record() const { return (directory_.root() / "record").string(); }
  fs::path out(const std::string& format) const { return directory_.root() / ("out." + format); }

  CliResult Draw(const std::string& format, Words more = {}) {
    Words words = {"timeline", "--record",          record(), "--format", format,
                   "--out",    out(format).string()};
    words.insert(words.end(), more.begin(), more.end());
    return RunCli(words);
  }

  std::string Drawn(const std::string& format, Words more = {}) {
    const CliResult drawn = Draw(format, std::move(more));
    EXPECT_EQ(drawn.exit_code, 0) << drawn.error;
    return ReadText(out(format));
  }

  // What the page's script is given.
  json::object Model(const Words& more = {}) {
    const std::string page = Drawn("html", more);
    const std::string begin = "id=\"data\">";
    const std::size_t from = page.find(begin) + begin.size();
    return json::parse(page.substr(from, page.find("</script>", from) - from)).as_object();
  }

  CliDirectory directory_;
};

// kind, from, to and lane of the items of one kind.
std::vector<std::vector<std::int64_t>> Of(const json::object& saga, const std::string& kind) {
  std::vector<std::vector<std::int64_t>> found;
  for (const json::value& item : saga.at("items").as_array()) {
    const json::array& row = item.as_array();
    if (row[0].as_string() == kind.c_str()) {
      found.push_back({row[1].to_number<std::int64_t>() / 1'000'000,
                       row[2].to_number<std::int64_t>() / 1'000'000,
                       row[3].to_number<std::int64_t>()});
    }
  }
  return found;
}

const json::object& OnlySaga(const json::object& model) {
  return model.at("sagas").as_array().at(0).as_object();
}

using Spans = std::vector<std::vector<std::int64_t>>;

TEST_F(CliTimeline, ShowsWhoseItWasAndWhenThatWasUnclear) {
  Play("taken-over");
  const json::object model = Model();
  const json::object& saga = OnlySaga(model);
  EXPECT_EQ(Of(saga, "owned"), (Spans{{0, 30, 0}, {45, 48, 0}}));
  EXPECT_EQ(Of(saga, "unclear"), (Spans{{30, 45, 0}}));
  EXPECT_EQ(Of(saga, "lapsed"), (Spans{{30, 45, 1}}));
  EXPECT_EQ(Of(saga, "lease"), (Spans{{0, 30, 1}, {45, 48, 2}}));
  EXPECT_EQ(Of(saga, "refused"), (Spans{{45, 45, 1}, {45, 45, 1}}));
  EXPECT_EQ(saga.at("unclear").as_int64(), 15'000'000);
  EXPECT_EQ(Of(saga, "ended").size(), 1U);
}

// As root a file would stand in the place of /dev/null afterwards.
TEST_F(CliTimeline, WhatIsNoFileIsWrittenToAndStaysWhatItIs) {
  Play("taken-over");
  ASSERT_EQ(::mkfifo(out("svg").c_str(), 0600), 0);
  const int reader = ::open(out("svg").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(::fcntl(reader, F_SETPIPE_SZ, 1 << 20), 1 << 20);
  const CliResult drawn = Draw("svg");
  EXPECT_EQ(drawn.exit_code, 0) << drawn.error;
  std::array<char, 5> begin{};
  EXPECT_EQ(::read(reader, begin.data(), begin.size()), 5);
  EXPECT_EQ(std::string(begin.data(), begin.size()), "<?xml");
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(out("svg")));
}

TEST_F(CliTimeline, AnAbsenceOfTheStoreIsGraceAndNotSilence) {
  Play("store-outage");
  const json::object model = Model();
  const json::object& saga = OnlySaga(model);
  EXPECT_EQ(Of(saga, "grace"), (Spans{{120, 128, 0}}));
  EXPECT_EQ(saga.at("grace").as_int64(), 8'000'000);
  EXPECT_EQ(saga.at("unclear").as_int64(), 0);
  EXPECT_TRUE(Of(saga, "unclear").empty());
  const json::array& store = model.at("store").as_array();
  ASSERT_EQ(store.size(), 1U);
  EXPECT_EQ(store[0].as_array()[0].as_string(), "away");
  EXPECT_EQ(store[0].as_array()[1].as_int64(), 20'000'000);
}

TEST_F(CliTimeline, AFinaliserIsNotUnclear) {
  Play("reaped-finaliser");
  const json::object model = Model();
  const json::object& saga = OnlySaga(model);
  EXPECT_EQ(Of(saga, "finalising"), (Spans{{60, 200, 0}}));
  EXPECT_TRUE(Of(saga, "unclear").empty());
  EXPECT_EQ(Of(saga, "exit").size(), 1U);
}

TEST_F(CliTimeline, SectionsAndClaimsAreSpans) {
  Play("double-entry");
  const json::object model = Model();
  EXPECT_EQ(Of(OnlySaga(model), "section"), (Spans{{0, 31, 1}}));
}

TEST_F(CliTimeline, AWindowIsCutOut) {
  Play("taken-over");
  const json::object model =
      Model({"--from", "2026-01-01T00:00:20Z", "--to", "2026-01-01T00:00:40Z"});
  const json::object& saga = OnlySaga(model);
  EXPECT_EQ(model.at("length").as_int64(), 20'000'000);
  EXPECT_EQ(Of(saga, "unclear"), (Spans{{10, 20, 0}}));
  EXPECT_TRUE(Of(saga, "ended").empty());
}

// Whoever looks a week later sees what happened, and not the week.
TEST_F(CliTimeline, OfSagasThatAreOverThePictureEndsWithThem) {
  CliDirectory store;
  store.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  for (const char* saga : {"over", "open"}) {
    store.Json({"plan", saga});
  }
  store.Json({"cancel", "over", "--reason", "r"});
  AdvanceClock(store, "7d");
  const auto drawn_to = [&](Words words) {
    words.insert(words.begin(), "timeline");
    words.insert(words.end(), {"--out", (store.root() / "t.html").string()});
    return Word(store.Json(words), "to");
  };
  EXPECT_EQ(drawn_to({"over"}), "2026-11-21T03:18:00.000000Z");
  EXPECT_EQ(drawn_to({"over", "open"}), "2026-11-28T03:18:00.000000Z");
  EXPECT_EQ(drawn_to({}), "2026-11-28T03:18:00.000000Z");
}

TEST_F(CliTimeline, AWindowMayBeGivenInSequences) {
  Play("taken-over");
  const CliResult drawn = Draw("html", {"--from", "3", "--to", "4"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.error;
  EXPECT_THAT(drawn.out, HasSubstr("from 2026-01-01T00:00:00.000000Z to 2026-01-01T00:00:45"));
  EXPECT_EQ(Draw("html", {"--to", "99"}).exit_code, 2);
  EXPECT_THAT(Draw("html", {"--to", "99"}).error, HasSubstr("--to: the log ends at sequence"));
}

TEST_F(CliTimeline, OneSagaIsDrawnAlone) {
  Play("dependency-dead");
  EXPECT_EQ(Model().at("sagas").as_array().size(), 2U);
  const json::object model = Model({"A"});
  EXPECT_EQ(OnlySaga(model).at("id").as_string(), "A");
  EXPECT_EQ(model.at("sagas").as_array().size(), 1U);
}

TEST_F(CliTimeline, TheTraceIsOfTheFormat) {
  Play("killed-worker");
  const json::value trace = json::parse(Drawn("trace"));
  std::set<std::string> phases;
  for (const json::value& value : trace.at("traceEvents").as_array()) {
    const json::object& event = value.as_object();
    const std::string phase = Word(event, "ph");
    phases.insert(phase);
    EXPECT_TRUE(event.at("pid").is_number() && event.at("tid").is_number());
    EXPECT_TRUE(event.at("name").is_string());
    if (phase == "X") {
      EXPECT_GE(event.at("dur").to_number<std::int64_t>(), 0);
    }
    if (phase != "M") {
      EXPECT_GE(event.at("ts").to_number<std::int64_t>(), 1'767'225'600'000'000);
    }
  }
  EXPECT_EQ(phases, (std::set<std::string>{"M", "X", "i"}));
}

TEST_F(CliTimeline, ThePageNeedsNothingElse) {
  Play("killed-worker");
  std::string page = Drawn("html");
  // The name of a namespace is no address.
  const std::string name = "http://www.w3.org/2000/svg";
  page.replace(page.find(name), name.size(), "");
  for (const char* reference :
       {"http:", "https:", "src=", "href=", "@import", "url(//", "fetch("}) {
    EXPECT_THAT(page, Not(HasSubstr(reference)));
  }
  EXPECT_THAT(page, AllOf(HasSubstr("default-src 'none'"), HasSubstr("prefers-color-scheme")));
}

TEST_F(CliTimeline, WhateverIsInTheModelHasALookOnThePage) {
  std::set<std::string> kinds;
  std::string page;
  for (const char* id : {"taken-over", "store-outage", "reaped-finaliser", "double-entry", "forced",
                         "ghost-dispatch", "failed-cleanup", "clock-step", "restored-store"}) {
    fs::remove_all(record());
    Play(id);
    const json::object model = Model();
    page = Drawn("html");
    std::vector<json::array> lists = {model.at("store").as_array()};
    for (const json::value& saga : model.at("sagas").as_array()) {
      lists.push_back(saga.as_object().at("items").as_array());
    }
    for (const json::array& list : lists) {
      for (const json::value& item : list) {
        kinds.insert(item.as_array().at(0).as_string().c_str());
      }
    }
  }
  EXPECT_GE(kinds.size(), 15U);
  for (const std::string& kind : kinds) {
    EXPECT_THAT(page, HasSubstr(" " + kind + ": ["));  // in BARS, or in GLYPHS
  }
}

TEST_F(CliTimeline, WhatCallersWroteIsNoMarkup) {
  Play("hostile-words");
  const std::string page = Drawn("html");
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script>alert")), Not(HasSubstr("<img")),
                          Not(HasSubstr("<b>1")), HasSubstr("\\u003cscript\\u003ealert")));
  std::size_t scripts = 0;
  for (std::size_t at = page.find("</script>"); at != std::string::npos;
       at = page.find("</script>", at + 1)) {
    ++scripts;
  }
  EXPECT_EQ(scripts, 2U);
  const std::string svg = Drawn("svg");
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("<img")),
                         HasSubstr("&lt;script&gt;alert(2)")));
}

TEST_F(CliTimeline, TheSvgIsWellFormed) {
  for (const char* id : {"hostile-words", "killed-worker", "failed-cleanup", "store-outage"}) {
    Play(id);
    Drawn("svg");
    const std::string parse = fmt::format(
        "python3 -c 'import sys, xml.dom.minidom; "
        "d = xml.dom.minidom.parse(sys.argv[1]); "
        "sys.exit(d.documentElement.tagName != \"svg\" or "
        "len(d.getElementsByTagName(\"script\")))' {}",
        out("svg").string());
    EXPECT_EQ(std::system(parse.c_str()), 0) << id;
    fs::remove_all(record());
  }
}

TEST_F(CliTimeline, SaysWhatIsWrong) {
  Play("taken-over");
  const CliResult unknown = Draw("html", {"U"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.error, HasSubstr("there is no saga U"));
  const CliResult turned =
      Draw("html", {"--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"});
  EXPECT_EQ(turned.exit_code, 2);
  EXPECT_THAT(turned.error, HasSubstr("--to lies before --from"));
  EXPECT_EQ(Draw("html", {"--from", "2026-01-01T00:00:00"}).exit_code, 2);
  EXPECT_THAT(Draw("html", {"--from", "2030-01-01T00:00:00Z"}).error, HasSubstr("the log ends at"));
  EXPECT_EQ(Draw("pdf").exit_code, 2);
  const CliResult nowhere = RunCli({"timeline", "--record", record(), "--out", "/nowhere/t.html"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.error, HasSubstr("/nowhere/t.html"));
  EXPECT_FALSE(fs::exists(out("html")));
}

TEST_F(CliTimeline, TooManySagasForAnSvgAreRefused) {
  std::string steps;
  for (int i = 0; i <= 200; ++i) {
    steps += fmt::format(R"({{"do": "plan", "saga": "S{0}", "expect": "ok"}},
      {{"do": "acquire", "saga": "S{0}", "owner": "w", "expect": "ok"}},)",
                         i);
  }
  const fs::path file = directory_.root() / "many.json";
  std::ofstream(file) << R"({"id": "many", "title": "many", "steps": [)" << steps
                      << R"({"do": "advance_clock", "by": "1s", "expect": "ok"}]})";
  ASSERT_EQ(RunCli({"incidents", "run", file.string(), "--keep", record()}).exit_code, 0);
  const CliResult refused = Draw("svg");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("201 sagas are too many for an SVG"), HasSubstr("--from and --to")));
  EXPECT_EQ(Draw("html").exit_code, 0);
}

}  // namespace
}  // namespace sagalog
