#include "tests/tools/cli_directory.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/generated/places.h"

namespace sagalog {
namespace {

namespace json = boost::json;

// Becomes the program. Only what is safe between fork and exec.
[[noreturn]] void Become(const std::vector<std::string>& words,
                         const std::vector<std::string>& variables) {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& text : variables) environment.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  execve(kProgram, arguments.data(), environment.data());
  _exit(127);
}

std::vector<std::string> Program(const Words& words) {
  std::vector<std::string> all = {"sagalog"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::vector<std::string> Variables(const Environment& environment) {
  std::vector<std::string> all = {"PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : environment) all.push_back(name + "=" + value);
  return all;
}

int ExitCode(pid_t process) {
  int status = 0;
  EXPECT_EQ(waitpid(process, &status, 0), process);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Redirect(const std::filesystem::path& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
}

std::filesystem::path TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "sagalog-cli-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

// Reads one line; what is read so far when the other end closes first.
std::string ReadLine(int descriptor) {
  std::string line;
  for (char c = 0; read(descriptor, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

}  // namespace

CliResult RunCli(const Words& words, const Environment& environment, const std::string& input) {
  const std::filesystem::path files = TemporaryDirectory();
  std::ofstream(files / "in", std::ios::binary) << input;
  const auto program = Program(words);
  const auto variables = Variables(environment);
  const pid_t process = fork();
  if (process == 0) {
    Redirect(files / "in", O_RDONLY, STDIN_FILENO);
    Redirect(files / "out", O_WRONLY | O_CREAT, STDOUT_FILENO);
    Redirect(files / "error", O_WRONLY | O_CREAT, STDERR_FILENO);
    Become(program, variables);
  }
  CliResult result;
  result.exit_code = ExitCode(process);
  result.out = FileText(files / "out");
  result.error = FileText(files / "error");
  std::filesystem::remove_all(files);
  return result;
}

CliResult RunCliOnTerminal(const Words& words, const Environment& environment,
                           unsigned short columns) {
  const auto program = Program(words);
  const auto variables = Variables(environment);
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 25;
  int terminal = -1;
  const pid_t process = forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) {
    Become(program, variables);
  }
  CliResult result;
  std::array<char, 4096> bytes{};
  for (ssize_t got = 0; (got = read(terminal, bytes.data(), bytes.size())) > 0;) {
    result.out.append(bytes.data(), static_cast<std::size_t>(got));
  }
  result.exit_code = ExitCode(process);
  close(terminal);
  return result;
}

CliDirectory::CliDirectory() : root_(TemporaryDirectory()) {}

CliDirectory::~CliDirectory() {
  if (daemon_ != 0) {
    StopServing();
  }
  std::filesystem::remove_all(root_);
}

CliResult CliDirectory::Run(Words words, const Environment& environment, const std::string& input) {
  words.insert(words.begin(), {"--data", data().string()});
  return RunCli(words, environment, input);
}

json::object CliDirectory::Json(Words words) {
  words.insert(words.begin(), "--json");
  const CliResult result = Run(words);
  EXPECT_EQ(result.exit_code, 0) << result.error << ::testing::PrintToString(words);
  boost::system::error_code error;
  json::value value = json::parse(result.out, error);
  EXPECT_FALSE(error) << result.out << ::testing::PrintToString(words);
  return value.is_object() ? value.get_object() : json::object();
}

std::string CliDirectory::Token(Words words) { return Word(Json(std::move(words)), "token"); }

std::string CliDirectory::Serve(const Words& flags) {
  Words words = {"serve", "--data", data().string()};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto program = Program(words);
  const auto variables = Variables({});
  std::array<int, 2> ready{};
  EXPECT_EQ(pipe2(ready.data(), O_CLOEXEC), 0);
  daemon_ = fork();
  if (daemon_ == 0) {
    if (dup2(ready[1], STDOUT_FILENO) < 0) _exit(126);
    Become(program, variables);
  }
  close(ready[1]);
  const std::string line = ReadLine(ready[0]);
  close(ready[0]);
  EXPECT_NE(line, "") << "the daemon did not come up";
  return line;
}

int CliDirectory::StopServing() {
  kill(daemon_, SIGTERM);
  const int exit_code = ExitCode(daemon_);
  daemon_ = 0;
  return exit_code;
}

std::string Word(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (value == nullptr) {
    return "";
  }
  return value->is_string() ? std::string(std::string_view(value->get_string()))
                            : json::serialize(*value);
}

}  // namespace sagalog
