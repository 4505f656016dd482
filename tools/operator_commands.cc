// Commands of those who keep the store running.
#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/saga_sheet.h"
#include "tools/sheet.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

std::string QueueSheet(const json::object& queue, bool color) {
  Sheet sheet;
  sheet.Add("queue", TextIn(queue, "queue"), Style::kStrong);
  const std::string limit = InWords(queue, "limit");
  sheet.Add("limit", limit.empty() ? "off" : limit);
  if (queue.contains("frozen")) {
    sheet.Add("frozen", FlagIn(queue, "frozen") ? "yes: nothing is started" : "no",
              FlagIn(queue, "frozen") ? Style::kBad : Style::kPlain);
  }
  sheet.Add("slots used", InWords(queue, "slots_used"));
  sheet.Add("planned", InWords(queue, "planned"));
  sheet.Add("policy", PairsInWords(ObjectIn(queue, "policy")));
  return sheet.Render(color);
}

// Prints what is configured now, whether the command changed it or only looked.
StoreCommand::Print PrintQueue(const GlobalOptions& global, std::shared_ptr<std::string> path) {
  return [&global, path = std::move(path)](StoreClient& client, const json::object& answer) {
    if (!answer.contains("outcome")) {
      PrintLine(QueueSheet(answer, global.color));
    } else if (const auto queue = client.Ask("GET", *path)) {
      PrintLine(QueueSheet(*queue, global.color));
    }
  };
}

void AddQueueCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto path = std::make_shared<std::string>();
  StoreCommand queue(app, global, exit_code,
                     {"queue", "configure-queue", "Show a queue, or set its limit and freeze it",
                      "sagalog queue build --limit 4 --policy lease_ttl=2m"});
  queue.Text("queue,--queue", "queue", "The queue (\"default\")")
      .NumberOr("off", "--limit", "limit", "How many of its sagas may run at once, or off")
      .Switch("--freeze", "frozen", true, "Start nothing from it")
      .Switch("--unfreeze", "frozen", false, "Start from it again")
      .Policy()
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends([path](StoreCommand::Request& request) {
        const std::string_view name = TextIn(request.body, "queue");
        *path = "/v1/queues/" + UrlPart(name.empty() ? "default" : name);
        request.target = *path;
        request.body.erase("queue");
        request.method = request.body.empty() ? "GET" : "PUT";
      })
      .Prints(PrintQueue(global, path))
      .app()
      .group(kOperationGroup);
  queue.app().get_option("--freeze")->excludes(queue.app().get_option("--unfreeze"));
}

void AddPolicyCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"policy", "change-policy", "Show or set what holds for all queues",
                "sagalog policy --policy max_recoveries=5 --limit 32"})
      .NumberOr("off", "--limit", "limit", "How many sagas may run at once in all queues, or off")
      .Policy()
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends([](StoreCommand::Request& request) {
        request.target = "/v1/policy";
        request.method = request.body.empty() ? "GET" : "PUT";
      })
      .Prints([&global](StoreClient& /*client*/, const json::object& answer) {
        PrintLine(answer.contains("outcome") ? AnswerLine(answer, std::nullopt, global.color)
                                             : QueueSheet(answer, global.color));
      })
      .app()
      .group(kOperationGroup);
}

void AddVerifyCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* verify = AddDescribed(
      app, "verify", "Read the whole log and fold it again beside the live copy", "sagalog verify");
  verify->group(kOperationGroup);
  verify->callback([&global, &exit_code] {
    const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
    const auto report = client ? client->Ask("POST", "/v1/admin/verify") : std::nullopt;
    if (!report) {
      return;
    }
    const std::string_view broken = TextIn(*report, "broken");
    if (!FlagIn(*report, "ok")) {
      PrintError(global, fmt::format("verify: {}", broken));
      exit_code = kExitUnavailable;
    }
    if (global.json) {
      PrintLine(client->raw());
    } else if (FlagIn(*report, "ok")) {
      PrintLine(fmt::format(
          "ok: {} events, all of them as they were written; the projections are "
          "what they fold to (sequence {})",
          NumberIn(*report, "events").value_or(0), NumberIn(*report, "sequence").value_or(0)));
    }
  });
}

void AddRebuildCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* rebuild =
      AddDescribed(app, "rebuild", "Write the projections anew from the log", "sagalog rebuild");
  rebuild->group(kOperationGroup);
  rebuild->callback([&global, &exit_code] {
    const auto client = StoreClient::Open(global, StoreClient::Access::kChange, exit_code);
    const auto answer = client ? client->Ask("POST", "/v1/admin/rebuild") : std::nullopt;
    if (answer) {
      PrintLine(global.json ? client->raw()
                            : fmt::format("rebuilt from the log up to sequence {}",
                                          NumberIn(*answer, "sequence").value_or(0)));
    }
  });
}

}  // namespace

void AddOperatorCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddQueueCommand(app, global, exit_code);
  AddPolicyCommand(app, global, exit_code);
  AddVerifyCommand(app, global, exit_code);
  AddRebuildCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
