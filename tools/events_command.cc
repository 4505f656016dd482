// sagalog events: the log, from a place on, and on.
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/command_words.h"
#include "tools/event_action.h"
#include "tools/event_text.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

struct EventsArguments {
  std::string from;
  bool follow = false;
  std::vector<std::string> types;
  std::string saga;
  std::string command;
  std::string reader;
};

// The place of `--reader` in the log.
class ReaderPlace {
 public:
  ReaderPlace(StoreClient& client, const std::string& name)
      : client_(client), path_("/v1/readers/" + UrlPart(name)), name_(name) {}

  // What it reads next; empty = it is not known yet, or nobody asked.
  [[nodiscard]] std::string Position() const {
    const auto page = name_.empty() ? std::nullopt : client_.Look("/v1/readers");
    if (page) {
      for (const json::value& item : ArrayIn(*page, "items")) {
        if (TextIn(AsObject(item), "reader") == name_) {
          return InWords(AsObject(item), "position");
        }
      }
    }
    return "";
  }

  // Everything before `position` is dealt with. False, and said, when the store does not take it.
  bool MoveTo(std::uint64_t position) {
    if (name_.empty() || position <= position_) {
      return true;
    }
    const bool moved =
        client_.Ask("PUT", path_, json::serialize(json::object{{"position", position}}))
            .has_value();
    if (moved) {
      position_ = position;
    }
    return moved;
  }

 private:
  StoreClient& client_;
  const std::string path_;
  const std::string name_;
  std::uint64_t position_ = 0;
};

// What one line of the stream becomes.
class EventPrinter {
 public:
  EventPrinter(const GlobalOptions& global, const EventsArguments& arguments,
               std::vector<std::string> command)
      : global_(global), flush_(arguments.follow), action_(global, std::move(command)) {}

  // Takes bytes as they come; lines may be cut anywhere.
  void Take(std::string_view bytes) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
         end = bytes.find('\n')) {
      line_ += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (!line_.empty()) {
        Show(line_);
      }
      line_.clear();
    }
    line_ += bytes;
    if (flush_) {
      FlushOutput();
    }
  }

  [[nodiscard]] EventAction& action() { return action_; }
  // Where one goes on who has dealt with all that was shown. Where a command failed, it stays.
  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  void Show(const std::string& line) {
    json::error_code error;
    const json::value value = json::parse(line, error);
    const json::object& event = AsObject(value);
    const std::string sequence = InWords(event, "sequence");
    if (action_.IsWanted()) {
      action_.Run(sequence, line);
    } else if (global_.json) {
      PrintLine(line);
    } else {
      const std::string saga = Printable(TextIn(event, "saga_id"));
      PrintLine(fmt::format("{:>8} {} {} {} {}", sequence, ToTheSecond(TextIn(event, "time")),
                            Paint(TextIn(event, "type"), Style::kStrong, global_.color),
                            saga.empty() ? "-" : saga, Printable(EventDetail(event))));
    }
    if (action_.failures() == 0) {
      next_ = static_cast<std::uint64_t>(NumberIn(event, "sequence").value_or(0)) + 1;
    }
  }

  const GlobalOptions& global_;
  const bool flush_;
  EventAction action_;
  std::string line_;
  std::uint64_t next_ = 0;
};

std::string TargetOf(const EventsArguments& arguments) {
  UrlQuery query;
  query.Add("from", arguments.from);
  query.Add("follow", arguments.follow ? "true" : "");
  std::string types;
  for (const std::string& type : arguments.types) {
    types += (types.empty() ? "" : ",") + type;
  }
  query.Add("type", types);
  query.Add("saga", arguments.saga);
  return "/v1/events" + query.text();
}

int ShowEvents(const GlobalOptions& global, EventsArguments arguments) {
  std::vector<std::string> command;
  if (!arguments.command.empty()) {
    auto words = SplitWords(arguments.command);
    if (!words.ok()) {
      PrintError(global, fmt::format("events: --exec: {}", words.status().text()));
      return kExitUsage;
    }
    command = *std::move(words);
  }
  int exit_code = kExitDone;
  const auto client = StoreClient::Open(
      global, arguments.reader.empty() ? StoreClient::Access::kRead : StoreClient::Access::kChange,
      exit_code);
  if (client == nullptr) {
    return exit_code;
  }
  ReaderPlace place(*client, arguments.reader);
  if (arguments.from.empty()) {
    arguments.from = place.Position();
    if (arguments.from.empty() && !place.MoveTo(1)) {
      return exit_code;
    }
  }
  EventPrinter printer(global, arguments, std::move(command));
  client->Follow(TargetOf(arguments), [&](std::string_view bytes) {
    printer.Take(bytes);
    if (arguments.follow) {
      place.MoveTo(printer.next());
    }
  });
  if (exit_code == kExitDone) {
    place.MoveTo(printer.next());
  }
  printer.action().SayHowManyFailed();
  if (exit_code != kExitDone) {
    return exit_code;
  }
  if (arguments.follow) {
    PrintError(global, client->IsDaemon()
                           ? "events: the daemon has ended the stream"
                           : "events: no daemon runs, so there is nothing to follow: sagalog "
                             "serve");
    return kExitUnavailable;
  }
  return printer.action().failures() == 0 ? kExitDone : kExitRefused;
}

}  // namespace

void AddEventsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<EventsArguments>();
  CLI::App* events =
      AddDescribed(app, "events", "Show the events of the log, and those to come",
                   "sagalog events --follow --type terminal --exec 'tools/notify --saga'");
  events->group(kLookingGroup);
  events->add_option("--from", arguments->from, "The first sequence (1)")->type_name("SEQUENCE");
  events->add_flag("--follow,-f", arguments->follow, "Go on with what comes");
  events->add_option("--type", arguments->types, "Only events of this type; several times")
      ->type_name("TYPE")
      ->expected(1)
      ->take_all();
  events->add_option("--saga", arguments->saga, "Only events of this saga")->type_name("");
  events
      ->add_option("--exec", arguments->command,
                   "Run this for each event, without a shell, its JSON on standard input; exit "
                   "code 1 when one of them failed")
      ->type_name("COMMAND");
  events
      ->add_option("--reader", arguments->reader,
                   "Go on where this reader was, unless --from is given, and move it along: "
                   "compaction stays below it")
      ->type_name("NAME");
  events->callback(
      [arguments, &global, &exit_code] { exit_code = ShowEvents(global, *arguments); });
}

}  // namespace sagalog::tools
