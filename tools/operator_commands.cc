// Commands of those who keep the store running.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "schema/limits.h"
#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/page_reading.h"
#include "tools/policy_sheet.h"
#include "tools/saga_sheet.h"
#include "tools/sheet.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// `store` is the store's own policy: what is asked about, when it is no queue.
std::string QueueSheet(const json::object& queue, const json::object& store, bool color) {
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
  const bool is_queue = queue.contains("queue");
  AddEffectivePolicy(sheet, is_queue ? &ObjectIn(queue, "policy") : nullptr,
                     ObjectIn(store, "policy"));
  return sheet.Render(color);
}

void PrintQueues(const GlobalOptions& global, const json::array& items) {
  Table table({"QUEUE", "PLANNED", "SLOTS USED", "LIMIT", "FROZEN"});
  for (const json::value& item : items) {
    const json::object& queue = AsObject(item);
    const std::string limit = InWords(queue, "limit");
    const bool frozen = FlagIn(queue, "frozen");
    table.Add({std::string(TextIn(queue, "queue")), InWords(queue, "planned"),
               InWords(queue, "slots_used"), limit.empty() ? "off" : limit,
               Cell(frozen ? "yes" : "no", frozen ? Style::kBad : Style::kPlain)});
  }
  PrintLine(table.empty() ? "no queue is configured or holds a saga"
                          : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

constexpr const char* kAtHelp = "Show it as it was at a sequence or a time (RFC 3339)";

// --at of a command that only looks, as a query; beside what would be set it stays in the body,
// and is refused.
UrlQuery TakeMoment(json::object& body) {
  UrlQuery query;
  if (body.size() == 1 && body.contains("at")) {
    query.Add("at", TextIn(body, "at"));
    body.clear();
  }
  return query;
}

// Says of which moment an answer is that was asked for with --at; the query to ask for more of it.
std::string TellMoment(const GlobalOptions& global, const json::object& answer) {
  UrlQuery query;
  if (!TextIn(answer, "time").empty()) {
    PrintLine(ThenInWords(global, answer));
    query.Add("at", InWords(answer, "sequence"));
  }
  return query.text();
}

// Prints what is configured now, whether the command changed it or only looked.
StoreCommand::Print PrintQueue(const GlobalOptions& global, std::shared_ptr<std::string> path) {
  return [&global, path = std::move(path)](StoreClient& client, const json::object& answer) {
    const std::string at = TellMoment(global, answer);
    if (answer.contains("items")) {
      PrintQueues(global, ArrayIn(answer, "items"));
      return;
    }
    const auto store = client.Look("/v1/policy" + at);
    const auto queue = answer.contains("outcome") ? client.Look(*path) : std::optional(answer);
    if (queue && store) {
      PrintLine(QueueSheet(*queue, *store, global.color));
    } else {
      PrintLine(AnswerLine(answer, std::nullopt, global.color));
    }
  };
}

void AddQueueCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  constexpr const char* kSlots =
      "A slot is used by each dispatched or running saga whose lease is not over, or in grace, or "
      "inside a section that is not overdue. --limit 0 starts nothing, as --freeze does; --limit "
      "off "
      "takes the limit away. Each value says whether the queue, the store or nobody set it.";
  const auto path = std::make_shared<std::string>();
  StoreCommand queue(app, global, exit_code,
                     {"queue", "configure-queue", "List the queues; show one, or set its limit",
                      "sagalog queue build --limit 4 --policy lease_ttl=2m"});
  queue
      .Text("queue,--queue", "queue",
            "The queue; without one all are listed, and \"default\" is set")
      .NumberOr("off", "--limit", "limit",
                "How many of its sagas may run at once (off); 0 starts nothing")
      .Switch("--freeze", "frozen", true, "Start nothing from it")
      .Switch("--unfreeze", "frozen", false, "Start from it again")
      .Text("--at", "at", kAtHelp)
      .Policy()
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends([path](StoreCommand::Request& request) {
        const std::string_view name = TextIn(request.body, "queue");
        *path = "/v1/queues/" + UrlPart(name.empty() ? "default" : name);
        request.target = *path;
        const bool unnamed = name.empty();
        request.body.erase("queue");
        UrlQuery query = TakeMoment(request.body);
        request.method = request.body.empty() ? "GET" : "PUT";
        if (request.body.empty() && unnamed) {
          request.target = "/v1/queues";
          query.Add("limit", fmt::format("{}", kPageRowsMax));
        }
        request.target += query.text();
      })
      .Prints(PrintQueue(global, path))
      .Explains(kSlots)
      .app()
      .group(kOperationGroup);
  queue.app().get_option("--freeze")->excludes(queue.app().get_option("--unfreeze"));
}

void AddPolicyCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"policy", "change-policy", "Show or set what holds for all queues",
                "sagalog policy --policy max_recoveries=5 --limit 32"})
      .NumberOr("off", "--limit", "limit", "How many sagas may run at once in all queues (off)")
      .Text("--at", "at", kAtHelp)
      .Policy()
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends([](StoreCommand::Request& request) {
        request.target = "/v1/policy" + TakeMoment(request.body).text();
        request.method = request.body.empty() ? "GET" : "PUT";
      })
      .Prints([&global](StoreClient& client, const json::object& answer) {
        static_cast<void>(TellMoment(global, answer));
        const auto store =
            answer.contains("outcome") ? client.Look("/v1/policy") : std::optional(answer);
        PrintLine(store ? QueueSheet(*store, *store, global.color)
                        : AnswerLine(answer, std::nullopt, global.color));
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
      const std::int64_t hashes_only = NumberIn(*report, "hashes_only").value_or(0);
      const std::string as_written =
          hashes_only == 0 ? std::string("all of them as they were written")
                           : fmt::format(
                                 "of {} only the hash of what was written is left "
                                 "(compacted or redacted), the others are as they were",
                                 hashes_only);
      PrintLine(
          fmt::format("ok: {} events, {}; the projections are what they fold to (sequence {})",
                      NumberIn(*report, "events").value_or(0), as_written,
                      NumberIn(*report, "sequence").value_or(0)));
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
