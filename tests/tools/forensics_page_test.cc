// The commands of docs/forensics.md, played in their order: each prints what the page says.
//
// To renew what the page shows after a change of words: SAGALOG_RENEW_STORIES=1
// build/tests/sagalog_tests_tools --gtest_filter='ForensicsPage*', and look at the difference. A
// run that renews fails, so that it cannot be mistaken for a test.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

// What a shell says to `command` in `folder`, where the program is `sagalog` and the tree's tests
// lie below tests/: both streams.
std::string Typed(const std::string& command, const fs::path& folder) {
  const std::string line = fmt::format(
      "cd '{}' && PATH='{}':\"$PATH\" COLUMNS=100 SAGALOG_DATA= sh -c \"$COMMAND\" 2>&1",
      folder.string(), fs::path(kProgram).parent_path().string());
  setenv("COMMAND", command.c_str(), 1);
  FILE* pipe = popen(line.c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), size);
  }
  pclose(pipe);
  unsetenv("COMMAND");
  return out;
}

// The page with what its commands print now.
std::string Replayed(const std::string& page, const fs::path& folder) {
  std::string out;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
      out += line + "\n";
    } else if (!inside) {
      out += line + "\n";
    } else if (line.starts_with("$ ")) {
      out += line + "\n" + Typed(line.substr(2), folder);
    }
  }
  return out;
}

TEST(ForensicsPage, ItsCommandsPrintWhatItSays) {
  const fs::path path = fs::path(kSourceDirectory) / "docs/forensics.md";
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  const CliDirectory directory;
  fs::create_directory_symlink(fs::path(kSourceDirectory) / "tests", directory.root() / "tests");
  const std::string replayed = Replayed(page.str(), directory.root());
  if (std::getenv("SAGALOG_RENEW_STORIES") != nullptr) {
    std::ofstream(path) << replayed;
    FAIL() << path << " was renewed: look at the difference";
  }
  EXPECT_EQ(replayed, page.str()) << "to renew it: see the top of this test";
}

}  // namespace
}  // namespace sagalog
