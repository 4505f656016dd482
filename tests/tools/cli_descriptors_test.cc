// Whoever starts the program may have closed its standard descriptors: nothing that is printed gets
// into a file of the store.
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

TEST(CliDescriptors, ClosedOnesLeaveTheStoreWhole) {
  CliDirectory directory;
  // More than a block, so that the answer would be written at once.
  Words plan{"plan", "A"};
  for (int label = 0; label < 30; ++label) {
    plan.insert(plan.end(), {"--label", fmt::format("l{}={}", label, std::string(250, 'x'))});
  }
  directory.Json(plan);
  int notes = 0;
  for (const char* closing : {"<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    SCOPED_TRACE(closing);
    const std::string command =
        fmt::format("'{}' --data '{}' --json annotate A --text 'note {}' >/dev/null {}", kProgram,
                    directory.data().string(), ++notes, closing);
    const int status = std::system(command.c_str());
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(directory.Run({"verify"}).exit_code, 0);
  }
  const auto events = directory.Json({"history", "A"}).at("items").as_array();
  EXPECT_EQ(events.size(), 1U + static_cast<std::size_t>(notes));
}

}  // namespace
}  // namespace sagalog
