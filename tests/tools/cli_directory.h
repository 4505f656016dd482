// The program itself, run on a data directory of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

namespace sagalog {

struct CliResult {
  int exit_code = -1;  // 128 + n when signal n ended it
  std::string out;
  std::string error;
};

using Words = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

// Runs the program with these words alone: no flag is added. Variables are set over PATH and
// nothing else.
CliResult RunCli(const Words& words, const Environment& environment = {},
                 const std::string& input = "");

// What the program writes to a terminal `columns` wide: both streams together.
CliResult RunCliOnTerminal(const Words& words, const Environment& environment,
                           unsigned short columns);

// A place for a data directory, gone with the object, as is the daemon on it.
class CliDirectory {
 public:
  CliDirectory();
  ~CliDirectory();
  CliDirectory(const CliDirectory&) = delete;
  CliDirectory& operator=(const CliDirectory&) = delete;

  // The data directory: not there before the first command creates it. Beside it is room.
  [[nodiscard]] std::filesystem::path data() const { return root_ / "data"; }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  // With --data.
  CliResult Run(Words words, const Environment& environment = {}, const std::string& input = "");
  // With --data and --json: the answer, expected to be a JSON object and the exit code 0.
  boost::json::object Json(Words words);
  // The token of the answer.
  std::string Token(Words words);

  // Starts `sagalog serve`; returns the line it prints when it is ready.
  std::string Serve(const Words& flags = {});
  [[nodiscard]] pid_t daemon() const { return daemon_; }
  // Sends SIGTERM, if none ended the daemon before; its exit code.
  int StopServing();

 private:
  std::filesystem::path root_;
  pid_t daemon_ = 0;
};

// A member in one word; empty when there is none.
std::string Word(const boost::json::object& object, std::string_view member);

}  // namespace sagalog
