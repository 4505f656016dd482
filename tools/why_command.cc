// sagalog why: the causal story of one saga.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/past_place.h"
#include "schema/json.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/standard_streams.h"
#include "tools/store_command.h"
#include "tools/story_commands.h"
#include "tools/story_source.h"
#include "tools/story_text.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

struct WhyArguments {
  std::string saga;
  std::string record;
  std::string at;
};

// Refusals that the store knows and has not noted in the log yet.
std::vector<events::NotedRefusalT> WaitingRefusals(StoreClient& client, const std::string& saga) {
  std::vector<events::NotedRefusalT> waiting;
  const auto page = client.Look("/v1/sagas/" + UrlPart(saga) + "/events?limit=1&refusals=true");
  if (!page) {
    return waiting;
  }
  for (const json::value& item : ArrayIn(*page, "items")) {
    const json::object& row = AsObject(item);
    if (TextIn(row, "type") != "refused" || row.contains("noted")) {
      continue;
    }
    auto refusal = FromJson<events::NotedRefusalT>(json::serialize(ObjectIn(row, "body")));
    const auto time = ParseTime(TextIn(row, "time"));
    if (refusal.ok() && time.ok()) {
      refusal->saga_id = saga;
      refusal->time = ToMicros(*time);
      waiting.push_back(*std::move(refusal));
    }
  }
  return waiting;
}

// None = now. Of a record also a moment after its end: nothing else had happened by then.
Result<std::optional<PastPlace>> PlaceOf(const std::string& text, const EventLog& log,
                                         const std::optional<StoreTime>& now) {
  if (text.empty()) {
    return std::optional<PastPlace>();
  }
  const auto moment = ParsePastMoment(text);
  const auto place = moment.ok() ? FindPlace(log, log.Last(), *moment, now.value_or(kStoreTimeMax))
                                 : Result<PastPlace>(moment.status());
  if (place.status().code() == Code::kInvalidArgument) {
    return Status(Code::kInvalidArgument, "--at: " + place.status().text());
  }
  RETURN_IF_ERROR(place.status());
  return std::optional(*place);
}

// What the story is told from, or why it cannot be.
Result<StoryRecord> ReadRecord(const WhyArguments& arguments, StorySource& source) {
  const EventLog& log = *source.record.log;
  ASSIGN_OR_RETURN(const std::optional<PastPlace> at, PlaceOf(arguments.at, log, source.now));
  std::vector<events::NotedRefusalT> waiting;
  if (source.client != nullptr && arguments.at.empty()) {
    waiting = WaitingRefusals(*source.client, arguments.saga);
  }
  ASSIGN_OR_RETURN(StoryRecord record, ReadStoryRecord(log, arguments.saga, at));
  AddWaitingRefusals(record, std::move(waiting));
  if (arguments.at.empty() && source.now) {
    record.now = std::max(record.now, *source.now);
  }
  return record;
}

void Why(const GlobalOptions& global, const WhyArguments& arguments, int& exit_code) {
  auto source = OpenStorySource(global, arguments.record, exit_code);
  if (!source) {
    return;
  }
  const auto record = ReadRecord(arguments, *source);
  if (!record.ok()) {
    const bool unread = record.status().code() == Code::kNotFound && source->record.damage;
    PrintError(global,
               unread ? fmt::format("why: {} is not in what can be read: the log is damaged behind "
                                    "sequence {} (sagalog show may know it)",
                                    arguments.saga, source->record.log->Last().value())
                      : fmt::format("why: {}", record.status().text()));
    exit_code = unread ? kExitUnavailable : StoryExitCode(record.status());
    return;
  }
  const Story story = TellStory(*record);
  if (global.json) {
    json::object document = StoryJson(story);
    if (source->record.damage) {
      document["damage"] = source->record.damage->text;
    }
    PrintLine(json::serialize(document));
  } else {
    PrintLine(StoryText(story, ColumnsOf(STDOUT_FILENO), global.color));
  }
  if (source->record.damage) {
    exit_code = kExitUnavailable;
  }
}

}  // namespace

void AddWhyCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<WhyArguments>();
  CLI::App* why = AddDescribed(
      app, "why",
      "Tell the story of a saga: who had it, how long it was silent, which deadline passed, who "
      "decided what, who was refused, and what is left to do",
      "sagalog why T1");
  why->group(kLookingGroup);
  why->add_option("saga,--saga", arguments->saga, "The saga's id")->required()->type_name("ID");
  why->add_option("--at", arguments->at,
                  "As it could be told at a sequence or a time (RFC 3339); with --record also a "
                  "time after its end, when nothing else had happened")
      ->type_name("SEQUENCE|TIME");
  why->add_option("--record", arguments->record,
                  "Read this data directory or backup instead, also a damaged one up to its "
                  "damage (exit code 3 then); no store is opened")
      ->type_name("DIR");
  why->callback([arguments, &global, &exit_code] { Why(global, *arguments, exit_code); });
}

}  // namespace sagalog::tools
