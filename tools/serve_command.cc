// sagalog serve: the daemon of a data directory.
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/clock.h"
#include "reactor/http_client.h"
#include "reactor/server.h"
#include "reactor/server_check.h"
#include "reactor/store.h"
#include "schema/store_time.h"
#include "tools/audit_service.h"
#include "tools/command_groups.h"
#include "tools/daemon_log.h"
#include "tools/exit_code.h"
#include "tools/reserve_keeper.h"
#include "tools/sd_protocol.h"
#include "tools/serve_settings.h"
#include "tools/server_url.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/store_opening.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

int Unavailable(const GlobalOptions& global, const Status& status) {
  PrintError(global, fmt::format("serve: {}", status.text()));
  return kExitUnavailable;
}

// A directory that does not open, as doctor sees it too.
int CannotOpen(const GlobalOptions& global, const Status& status) {
  const bool says_all = status.code() == Code::kReadOnly ||
                        status.code() == Code::kInvalidArgument || status.code() == Code::kLocked;
  return Unavailable(
      global, Status(status.code(), fmt::format("{}{}", status.text(),
                                                says_all ? "" : " (sagalog doctor explains)")));
}

int Refused(const GlobalOptions& global, const Status& status) {
  PrintError(global, fmt::format("serve: {}", status.text()));
  return status.code() == Code::kInvalidArgument ? kExitUsage : kExitUnavailable;
}

// What is served where.
struct Serving {
  std::string data;
  const ServerOptions& options;
  const std::vector<std::string>& addresses;
};

// One line, at once, for those who wait for it. Where what is said is for programs, the line is
// too, and stands in the log as well.
void SayReady(const GlobalOptions& global, const ServeSettings& settings, const DaemonLog& log,
              const Serving& serving) {
  const std::string socket = serving.options.socket.string();
  const std::string scheme = serving.options.tls_certificate.empty() ? "http://" : "https://";
  boost::json::array urls;
  std::string line = fmt::format("serving {} on {}", serving.data, socket);
  for (const std::string& address : serving.addresses) {
    urls.emplace_back(scheme + address);
    line += fmt::format(", {}{}", scheme, address);
  }
  const bool json_log = settings.Text("log-format") == "json";
  if (json_log) {
    log.Say({ServerNote::Level::kInfo, "ready", line});
  }
  if (global.json || json_log) {
    PrintLine(boost::json::serialize(boost::json::object{
        {"serving", serving.data}, {"socket", socket}, {"addresses", std::move(urls)}}));
  } else {
    PrintLine(line);
  }
  FlushOutput();
  if (const Status told = TellServiceManager("READY=1"); !told.ok()) {
    log.Say({ServerNote::Level::kWarning, "manager", told.text()});
  }
}

// Each connection and each table of the log takes a descriptor, and the usual limit is low. What
// the machine grants at most is enough, or the service says that it is not.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);  // The service counts on what it gets.
  }
}

// What SIGHUP loads anew too, the manager hears of; so does whoever reads standard error.
void Tell(const DaemonLog& log, const ServerNote& note) {
  log.Say(note);
  if (note.event == "stopping") {
    TellServiceManager("STOPPING=1").IgnoreBecause("we stop all the same");
  }
  if (note.event == "reloaded" || note.event == "reload_failed") {
    // A manager that waits for a reload is told how it went.
    TellReloaded(fmt::format("{}: {}", note.event, note.text))
        .IgnoreBecause("it was told on standard error");
  }
}

// Says that the opening goes on when it takes long: nobody should wonder at a silent daemon.
class OpeningWatch {
 public:
  OpeningWatch(const DaemonLog& log, const std::filesystem::path& data)
      : thread_([&log, data](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any ended;
          std::unique_lock lock(mutex);
          ended.wait_for(lock, stop, kQuietMax, [] { return false; });
          if (!stop.stop_requested()) {
            log.Say({ServerNote::Level::kInfo, "opening",
                     fmt::format("{}: what came after the newest checkpoint is folded anew",
                                 data.string())});
          }
        }) {}

 private:
  static constexpr std::chrono::seconds kQuietMax{1};
  std::jthread thread_;
};

Result<std::unique_ptr<Store>> OpenSaying(const ConnectionOptions& options, const Clock* clock,
                                          const DaemonLog& log) {
  const OpeningWatch watch(log, options.data);
  return OpenStore(options, clock, [&log](const Status& locked) {
    log.Say({ServerNote::Level::kWarning, "waiting",
             fmt::format("{}: until it ends, {} s at most", locked.text(),
                         std::chrono::duration_cast<std::chrono::seconds>(kLockPatience).count())});
  });
}

// Before there is a store: what can be wrong without one.
Status CheckFirst(const ConnectionOptions& options, const ServerOptions& serving) {
  RETURN_IF_ERROR(CheckOptions(serving, false));
  std::error_code error;
  if (std::filesystem::exists(serving.socket, error) && HttpClient::Connect(serving.socket).ok()) {
    return {Code::kLocked, fmt::format("a daemon serves {} already, on {}", options.data.string(),
                                       serving.socket.string())};
  }
  return CheckAddresses(serving);
}

int ServeUntilStopped(const GlobalOptions& global, const ServeSettings& settings,
                      const ConnectionOptions& options, ServerOptions serving) {
  const DaemonLog log(settings.Text("log-format") == "json");
  serving.tell = [&log](const ServerNote& note) { Tell(log, note); };
  auto store = OpenSaying(options, serving.manual_clock, log);
  if (!store.ok()) {
    return CannotOpen(global, store.status());
  }
  AuditService audit(**store, options.data, settings, log);
  std::optional<ReserveKeeper> reserve;
  reserve.emplace(options.data, *ParseSize(settings.Text("reserve")), **store, log);
  auto server = Server::Listen(**store, serving);
  if (!server.ok()) {
    return Refused(global, server.status());
  }
  if (const Status health = (*store)->Health(); !health.ok()) {
    PrintError(global, fmt::format("serve: only reads are answered: {}", health.text()));
  }
  SayReady(global, settings, log, {options.data.string(), serving, (*server)->addresses()});
  const Status served = (*server)->Run();
  audit.Stop();
  reserve.reset();
  const Status closed = (*store)->Close();
  if (!served.ok() || !closed.ok()) {
    return Unavailable(global, served.ok() ? closed : served);
  }
  log.Say({ServerNote::Level::kInfo, "stopped", "the store is closed"});
  return kExitDone;
}

int Serve(const GlobalOptions& global, const ServeSettings& settings, ServerOptions serving) {
  RaiseDescriptorLimit();
  ConnectionOptions options = global.Connect();
  const std::vector<std::string> data = settings.All("data");
  options.data = DataDirectoryPath(data.empty() ? "" : data.front());
  int exit_code = kExitDone;
  if (RefusesUrl(global, "serve", options.data, exit_code)) {
    return exit_code;
  }
  options.session = true;
  options.reaper = !settings.Flag("no-reaper");
  serving.socket = options.data / "socket";
  if (const Status first = CheckFirst(options, serving); !first.ok()) {
    return Refused(global, first);
  }
  return ServeUntilStopped(global, settings, options, std::move(serving));
}

// File, environment, flags: each over the one before.
Result<ServeSettings> SettingsOf(const CLI::App& serve, const GlobalOptions& global,
                                 const std::string& file) {
  ServeSettings settings;
  const char* named = std::getenv("SAGALOG_CONFIG");
  const std::string path = !file.empty() ? file : named == nullptr ? "" : named;
  if (!path.empty()) {
    RETURN_IF_ERROR(settings.TakeFile(path));
  }
  RETURN_IF_ERROR(settings.TakeEnvironment([](const char* name) { return std::getenv(name); }));
  for (const ServeSettings::Kind& kind : ServeSettings::Kinds()) {
    const CLI::Option* option = serve.get_option_no_throw(fmt::format("--{}", kind.name));
    if (option == nullptr || option->count() == 0) {
      continue;
    }
    const bool flag = kind.values == ServeSettings::Kind::Values::kYesOrNo;
    RETURN_IF_ERROR(
        settings.TakeFlag(kind.name, flag ? std::vector<std::string>{"yes"} : option->results()));
  }
  if (!global.data.empty()) {
    RETURN_IF_ERROR(settings.TakeFlag("data", {global.data}));
  }
  return settings;
}

int ServeAsSet(const CLI::App& serve, const GlobalOptions& global, const std::string& file,
               bool print) {
  const auto settings = SettingsOf(serve, global, file);
  if (!settings.ok()) {
    PrintError(global, fmt::format("serve: {}", settings.status().text()));
    return kExitUsage;
  }
  ServerOptions options;
  options.listen = settings->All("listen");
  options.token_file = settings->Text("token-file");
  options.insecure = settings->Flag("insecure");
  options.tls_certificate = settings->Text("tls-cert");
  options.tls_key = settings->Text("tls-key");
  options.connections_max = std::stoul(settings->Text("connections-max"));
  if (print) {
    PrintLine(settings->Print());
    const Status checked = CheckOptions(options, true);
    return checked.ok() ? kExitDone : Refused(global, checked);
  }
  std::optional<ManualClock> clock;
  if (const std::string start = settings->Text("manual-clock"); !start.empty()) {
    clock.emplace(*ParseTime(start));
  }
  options.manual_clock = clock ? &*clock : nullptr;
  options.inherited = InheritedSockets();
  return Serve(global, *settings, std::move(options));
}

}  // namespace

void AddServeCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::string file;
    bool print = false;
    std::deque<std::vector<std::string>> values;  // CLI11 keeps a place for each
  };
  const auto given = std::make_shared<Arguments>();
  CLI::App* serve = AddDescribed(app, "serve", "Serve the data directory until SIGTERM",
                                 "sagalog serve --data /var/lib/sagalog");
  serve->group(kOperationGroup);
  serve
      ->add_option("--config", given->file,
                   "Settings, NAME = VALUE a line, with the names of the flags; $SAGALOG_NAME and "
                   "flags come before them. Else $SAGALOG_CONFIG")
      ->type_name("FILE");
  serve->add_flag("--print-config", given->print,
                  "Say what is set, and by what, check it, and serve not");
  for (const ServeSettings::Kind& kind : ServeSettings::Kinds()) {
    const std::string flag = fmt::format("--{}", kind.name);
    if (kind.name == "data") {
      continue;  // Every command has it.
    }
    if (kind.values == ServeSettings::Kind::Values::kYesOrNo) {
      serve->add_flag(flag)->description(std::string(kind.help));
      continue;
    }
    CLI::Option* option =
        serve->add_option(flag, given->values.emplace_back(), std::string(kind.help));
    // What a WORD may be is read from its help, by the completion of shells too.
    option->type_name(kind.name == "log-format" ? "WORD" : "")->expected(1)->take_all();
    if (kind.values == ServeSettings::Kind::Values::kOne) {
      option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }
  }
  serve->callback([given, serve, &global, &exit_code] {
    exit_code = ServeAsSet(*serve, global, given->file, given->print);
  });
}

}  // namespace sagalog::tools
