// sagalog serve as a service: its settings, its manager, what it loads anew, what it says.
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/token_file.h"
#include "tests/generated/places.h"
#include "tests/reactor/running_server.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

fs::path Write(const CliDirectory& directory, const std::string& name, const std::string& text) {
  std::ofstream(directory.root() / name) << text;
  return directory.root() / name;
}

TEST(ServeSettings, FlagsComeBeforeTheEnvironmentAndThatBeforeTheFile) {
  CliDirectory directory;
  const std::string file = Write(directory, "serve.conf",
                                 "# a comment\nlisten = 127.0.0.1:1\nlisten=127.0.0.1:2\n"
                                 "log-format = json  # for machines\nno-reaper = yes\n"
                                 "insecure = yes\nreserve = 1GiB\n");
  const CliResult printed =
      directory.Run({"serve", "--print-config", "--config", file, "--reserve", "2GiB"},
                    {{"SAGALOG_LISTEN", "127.0.0.1:3 127.0.0.1:4"}, {"SAGALOG_NO_REAPER", "off"}});
  EXPECT_EQ(printed.exit_code, 0) << printed.error;
  EXPECT_THAT(
      printed.out,
      AllOf(HasSubstr("listen = 127.0.0.1:3  # environment\n"
                      "listen = 127.0.0.1:4  # environment\n"),
            HasSubstr("reserve = 2GiB  # flag\n"), HasSubstr("log-format = json  # " + file + "\n"),
            HasSubstr("no-reaper = no  # environment\n"), HasSubstr("# connections-max = 8192\n"),
            HasSubstr("# token-file = \n"), Not(HasSubstr("127.0.0.1:1"))));
  // What is printed is a file that says the same.
  const std::string again = Write(directory, "again.conf", printed.out);
  const CliResult same = RunCli({"serve", "--print-config"}, {{"SAGALOG_CONFIG", again}});
  EXPECT_THAT(same.out, HasSubstr("listen = 127.0.0.1:4  # " + again));
}

TEST(ServeSettings, WhatIsWrongIsNamedByItsPlace) {
  CliDirectory directory;
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"\nlisten\n", "serve.conf:2: \"listen\" is no setting"},
           {"port = 1\n", "serve.conf:1: \"port\" is no setting"},
           {"insecure = perhaps\n", "serve.conf:1: insecure: it is yes or no"},
           {"tls-key = /a\ntls-key = /b\n", "serve.conf:2: tls-key is set twice"},
           {"connections-max = 0\n", "serve.conf:1: connections-max: it is a number from 1 to"},
           {"connections-max = 12x\n", "connections-max: it is a number"},
           {"log-format = xml\n", "text or json"},
           {"data = \"/var/lib/x y\"\n",
            "serve.conf:1: data: \"/var/lib/x y\": a value stands "
            "without quotes"},
           {"\ndata = ~/st\n", "serve.conf:2: data: ~/st: in a file a path begins with /"},
           {"tls-key = key.pem\n", "serve.conf:1: tls-key: key.pem: in a file"}}) {
    const std::string file = Write(directory, "serve.conf", text);
    const CliResult refused = directory.Run({"serve", "--config", file});
    EXPECT_EQ(refused.exit_code, 2) << text;
    EXPECT_THAT(refused.error, HasSubstr(problem));
  }
  EXPECT_EQ(directory.Run({"serve", "--config", "/nowhere/serve.conf"}).exit_code, 2);
  const CliResult refused = directory.Run({"serve"}, {{"SAGALOG_INSECURE", "perhaps"}});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.error, HasSubstr("$SAGALOG_INSECURE: insecure: it is yes or no"));
}

TEST(ServeSettings, WhatIsPrintedIsChecked) {
  CliDirectory directory;
  const CliResult bare = RunCli({"serve", "--print-config"});
  EXPECT_EQ(bare.exit_code, 0) << bare.error;
  EXPECT_THAT(bare.out, StartsWith("# data = ./.sagalog\n"));
  EXPECT_THAT(RunCli({"serve", "--print-config", "--data", "/tmp/../x"}).out,
              StartsWith("data = /x  # flag\n"));
  const std::string missing = (directory.root() / "missing").string();
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"listen = nonsense\ninsecure = yes\n", "\"nonsense\" is no address"},
           {"listen = 127.0.0.1:1\n", "--listen takes a --token-file"},
           {"tls-cert = /cert.pem\n", "TLS takes a certificate and a key"},
           {"listen = 127.0.0.1:1\ntoken-file = " + missing + "\n", missing}}) {
    const std::string file = Write(directory, "serve.conf", text);
    const CliResult printed = directory.Run({"serve", "--print-config", "--config", file});
    EXPECT_NE(printed.exit_code, 0) << text;
    EXPECT_THAT(printed.error, HasSubstr(problem));
    EXPECT_THAT(printed.out, HasSubstr("  # " + file + "\n"));
    EXPECT_EQ(directory.Run({"serve", "--config", file}).exit_code, printed.exit_code) << text;
  }
  EXPECT_FALSE(fs::exists(directory.data()));
}

// A daemon started as a service manager starts it.
class ManagedDaemon {
 public:
  // `inherited` becomes its first socket; -1 = none.
  ManagedDaemon(const CliDirectory& directory, std::vector<std::string> flags, int inherited = -1)
      : errors_(directory.root() / "errors") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = (directory.root() / "notify").string();
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    notify_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(notify_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    std::vector<std::string> words = {
        "/bin/sh", "-c",     "LISTEN_PID=$$ exec \"$@\"", "sh", kProgram,
        "serve",   "--data", directory.data().string()};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "NOTIFY_SOCKET=" + path};
    if (inherited >= 0) {
      environment.emplace_back("LISTEN_FDS=1");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, errors_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    if (inherited >= 0) {
      posix_spawn_file_actions_adddup2(&actions, inherited, 3);
    }
    EXPECT_EQ(posix_spawn(&pid_, "/bin/sh", &actions, nullptr, Pointers(words).data(),
                          Pointers(environment).data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~ManagedDaemon() {
    if (pid_ > 0) {
      Stop();
    }
    close(notify_);
  }

  // The next thing that it tells its manager.
  std::string Told() {
    std::array<char, 256> text{};
    const ssize_t size = recv(notify_, text.data(), text.size(), 0);
    return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  void Signal(int signal) const { kill(pid_, signal); }
  int Stop() {
    Signal(SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] std::string Errors() const {
    std::ostringstream text;
    text << std::ifstream(errors_).rdbuf();
    return text.str();
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
      pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
  }

  const fs::path errors_;
  int notify_ = -1;
  pid_t pid_ = 0;
};

int ListenOnAnyPort(std::string& address) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
  EXPECT_EQ(listen(descriptor, 16), 0);
  socklen_t size = sizeof(any);
  EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&any), &size), 0);
  address = "127.0.0.1:" + std::to_string(ntohs(any.sin_port));
  return descriptor;
}

std::string StatusLine(const std::string& address, const std::string& token) {
  RawConnection peer = RawConnection::ToAddress(address);
  peer.Send("GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
            token + "\r\n\r\n");
  const std::string answer = peer.ReadToEnd();
  return answer.substr(0, answer.find("\r\n"));
}

TEST(CliService, AnAddressThatIsTakenMakesNoStore) {
  CliDirectory directory;
  std::string address;
  const int listening = ListenOnAnyPort(address);
  const CliResult taken = directory.Run({"serve", "--listen", address, "--insecure"});
  close(listening);
  EXPECT_EQ(taken.exit_code, 3);
  EXPECT_THAT(taken.error,
              AllOf(HasSubstr(address + ": Address already in use"), Not(HasSubstr("doctor"))));
  EXPECT_FALSE(fs::exists(directory.data()));
}

TEST(CliService, ItsManagerIsToldWhenItIsReadyAndWhenItStops) {
  CliDirectory directory;
  ManagedDaemon daemon(directory, {"--log-format", "json"});
  EXPECT_EQ(daemon.Told(), "READY=1");
  EXPECT_EQ(directory.Run({"plan", "T1"}).exit_code, 0);
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_EQ(daemon.Told(), "STOPPING=1");
  // Each line of the log is an object.
  std::istringstream lines(daemon.Errors());
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const boost::json::object entry = boost::json::parse(line).as_object();
    EXPECT_TRUE(entry.contains("time") && entry.contains("level") && entry.contains("text"));
    if (Word(entry, "event") != "opening") {  // only where the machine is slow
      events.push_back(Word(entry, "event"));
    }
  }
  EXPECT_THAT(events, ::testing::ElementsAre("reserve", "ready", "stopping", "drained", "stopped"));
}

TEST(CliService, ASocketThatItIsHandedIsServed) {
  CliDirectory directory;
  std::string address;
  const int listening = ListenOnAnyPort(address);
  const fs::path tokens = directory.root() / "tokens";
  ASSERT_TRUE(AppendTokenLine(tokens, *TokenLineFor({"boss", Role::kAdmin}, "boss")).ok());
  ManagedDaemon daemon(directory, {"--token-file", tokens.string()}, listening);
  close(listening);
  EXPECT_EQ(daemon.Told(), "READY=1") << daemon.Errors();
  EXPECT_EQ(StatusLine(address, "boss"), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusLine(address, "ci"), "HTTP/1.1 401 Unauthorized");
}

TEST(CliService, AHangupLoadsTheTokensAnewIfTheyAreRight) {
  CliDirectory directory;
  std::string address;
  const int listening = ListenOnAnyPort(address);
  const fs::path tokens = directory.root() / "tokens";
  ASSERT_TRUE(AppendTokenLine(tokens, *TokenLineFor({"boss", Role::kAdmin}, "boss")).ok());
  ManagedDaemon daemon(directory, {"--token-file", tokens.string()}, listening);
  close(listening);
  ASSERT_EQ(daemon.Told(), "READY=1");
  ASSERT_TRUE(AppendTokenLine(tokens, *TokenLineFor({"ci", Role::kWorker}, "ci")).ok());
  daemon.Signal(SIGHUP);
  EXPECT_THAT(daemon.Told(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(daemon.Told(), "READY=1\nSTATUS=reloaded: 2 tokens");
  EXPECT_THAT(daemon.Errors(), HasSubstr("reloaded: 2 tokens"));
  EXPECT_EQ(StatusLine(address, "ci"), "HTTP/1.1 200 OK");
  std::ofstream(tokens, std::ios::app) << "half a line\n";
  daemon.Signal(SIGHUP);
  EXPECT_THAT(daemon.Told(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_THAT(daemon.Told(), StartsWith("READY=1\nSTATUS=reload_failed: "));
  EXPECT_THAT(daemon.Errors(), HasSubstr("reload_failed"));
  EXPECT_THAT(daemon.Errors(), HasSubstr("tokens:3: "));
  EXPECT_EQ(StatusLine(address, "ci"), "HTTP/1.1 200 OK");
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace sagalog
