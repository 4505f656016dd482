// sagalog serve: the daemon of a data directory.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/clock.h"
#include "reactor/http_client.h"
#include "reactor/server.h"
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
  const bool says_all = status.code() == Code::kReadOnly || status.code() == Code::kInvalidArgument;
  PrintError(global, fmt::format("serve: {}{}", status.text(),
                                 says_all ? "" : " (sagalog doctor explains)"));
  return kExitUnavailable;
}

// One line, at once, for those who wait for it.
void SayReady(const GlobalOptions& global, const std::string& data, const ServerOptions& options,
              const std::vector<std::string>& addresses) {
  const std::string scheme = options.tls_certificate.empty() ? "http://" : "https://";
  boost::json::array urls;
  std::string line = fmt::format("serving {} on {}", data, options.socket.string());
  for (const std::string& address : addresses) {
    urls.emplace_back(scheme + address);
    line += fmt::format(", {}{}", scheme, address);
  }
  if (global.json) {
    PrintLine(boost::json::serialize(boost::json::object{
        {"serving", data}, {"socket", options.socket.string()}, {"addresses", std::move(urls)}}));
  } else {
    PrintLine(line);
  }
  FlushOutput();
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
}

int Serve(const GlobalOptions& global, const ServeSettings& settings, ServerOptions serving) {
  RaiseDescriptorLimit();
  ConnectionOptions options = global.Connect();
  options.data = DataDirectoryPath(settings.Text("data"));
  int exit_code = kExitDone;
  if (RefusesUrl(global, "serve", options.data, exit_code)) {
    return exit_code;
  }
  options.session = true;
  options.reaper = !settings.Flag("no-reaper");
  const std::filesystem::path socket = options.data / "socket";
  serving.socket = socket;
  std::error_code error;
  if (std::filesystem::exists(socket, error) && HttpClient::Connect(socket).ok()) {
    return Unavailable(global,
                       Status(Code::kLocked, fmt::format("a daemon serves {} already, on {}",
                                                         options.data.string(), socket.string())));
  }
  const DaemonLog log(settings.Text("log-format") == "json");
  serving.tell = [&log](const ServerNote& note) { Tell(log, note); };
  auto store = OpenStore(options, serving.manual_clock);
  if (!store.ok()) {
    return Unavailable(global, store.status());
  }
  AuditService audit(**store, options.data, settings, log);
  std::optional<ReserveKeeper> reserve;
  reserve.emplace(options.data, *ParseSize(settings.Text("reserve")), **store, log);
  auto server = Server::Listen(**store, serving);
  if (!server.ok() && server.status().code() == Code::kInvalidArgument) {
    PrintError(global, fmt::format("serve: {}", server.status().text()));
    return kExitUsage;
  }
  if (!server.ok()) {
    return Unavailable(global, server.status());
  }
  if (const Status health = (*store)->Health(); !health.ok()) {
    PrintError(global, fmt::format("serve: only reads are answered: {}", health.text()));
  }
  SayReady(global, options.data.string(), serving, (*server)->addresses());
  if (const Status told = TellServiceManager("READY=1"); !told.ok()) {
    log.Say({ServerNote::Level::kWarning, "manager", told.text()});
  }
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
  if (print) {
    PrintLine(settings->Print());
    return kExitDone;
  }
  std::optional<ManualClock> clock;
  if (const std::string start = settings->Text("manual-clock"); !start.empty()) {
    clock.emplace(*ParseTime(start));
  }
  ServerOptions options;
  options.manual_clock = clock ? &*clock : nullptr;
  options.listen = settings->All("listen");
  options.token_file = settings->Text("token-file");
  options.insecure = settings->Flag("insecure");
  options.tls_certificate = settings->Text("tls-cert");
  options.tls_key = settings->Text("tls-key");
  options.connections_max = std::stoul(settings->Text("connections-max"));
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
  serve->add_flag("--print-config", given->print, "Say what is set, and by what, and serve not");
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
    option->type_name("")->expected(1)->take_all();
    if (kind.values == ServeSettings::Kind::Values::kOne) {
      option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }
  }
  serve->callback([given, serve, &global, &exit_code] {
    exit_code = ServeAsSet(*serve, global, given->file, given->print);
  });
}

}  // namespace sagalog::tools
