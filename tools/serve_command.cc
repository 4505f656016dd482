// sagalog serve: the daemon of a data directory.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/clock.h"
#include "reactor/http_client.h"
#include "reactor/server.h"
#include "reactor/store.h"
#include "schema/store_time.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
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
void SayReady(const GlobalOptions& global, const std::string& data, const std::string& socket) {
  if (global.json) {
    PrintLine(boost::json::serialize(boost::json::object{{"serving", data}, {"socket", socket}}));
  } else {
    PrintLine(fmt::format("serving {} on {}", data, socket));
  }
  FlushOutput();
}

int Serve(const GlobalOptions& global, ManualClock* clock, bool reaper) {
  ConnectionOptions options = global.Connect();
  options.session = true;
  options.reaper = reaper;
  const std::filesystem::path socket = options.data / "socket";
  std::error_code error;
  if (std::filesystem::exists(socket, error) && HttpClient::Connect(socket).ok()) {
    return Unavailable(global,
                       Status(Code::kLocked, fmt::format("a daemon serves {} already, on {}",
                                                         options.data.string(), socket.string())));
  }
  auto store = OpenStore(options, clock);
  if (!store.ok()) {
    return Unavailable(global, store.status());
  }
  auto server = Server::Listen(**store, {socket, clock});
  if (!server.ok()) {
    return Unavailable(global, server.status());
  }
  if (const Status health = (*store)->Health(); !health.ok()) {
    PrintError(global, fmt::format("serve: only reads are answered: {}", health.text()));
  }
  SayReady(global, options.data.string(), socket.string());
  const Status served = (*server)->Run();
  const Status closed = (*store)->Close();
  if (!served.ok() || !closed.ok()) {
    return Unavailable(global, served.ok() ? closed : served);
  }
  return kExitDone;
}

}  // namespace

void AddServeCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto manual = std::make_shared<std::string>();
  CLI::App* serve = AddDescribed(app, "serve", "Serve the data directory until SIGTERM",
                                 "sagalog serve --data /var/lib/sagalog");
  serve->group(kOperationGroup);
  serve
      ->add_option("--manual-clock", *manual,
                   "For tests: time starts at RFC 3339 and moves only by POST /v1/clock:advance")
      ->type_name("")
      ->check([](const std::string& value) {
        const auto time = ParseTime(value);
        return time.ok() ? std::string() : time.status().text();
      });
  const auto no_reaper = std::make_shared<bool>(false);
  serve->add_flag("--no-reaper", *no_reaper,
                  "Leave stale sagas to others, whatever their on_stale says");
  serve->callback([manual, no_reaper, &global, &exit_code] {
    std::optional<ManualClock> clock;
    if (!manual->empty()) {
      clock.emplace(*ParseTime(*manual));
    }
    exit_code = Serve(global, clock ? &*clock : nullptr, !*no_reaper);
  });
}

}  // namespace sagalog::tools
