// A process of its own for a test that kills one.
//
// It is the test's program anew and not a mere fork: what RocksDB started in the parent, its
// threads above all, does not live on in a fork, and whatever waits for them would wait for ever.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace sagalog {

// What a child was started with.
struct ChildTask {
  int told_fd = -1;  // what it writes here reaches the parent
  std::string round;
  std::filesystem::path directory;
};

// Set in the child: then the test's first step is to carry it out, and not to return.
[[nodiscard]] std::optional<ChildTask> TaskOfThisChild();

// Ends the child, with its reason on standard error.
[[noreturn]] void EndChild(int code, const std::string& why);

// Runs the present test in a child; its own part begins at TaskOfThisChild. `read` is called with
// the descriptor as long as it gives true: it reads what the child told, and kills it when it has
// seen enough. Expects that the child was killed and did not end by itself.
void RunAndKill(const std::string& round, const std::filesystem::path& directory,
                const std::function<bool(int fd, pid_t child)>& read);

}  // namespace sagalog
