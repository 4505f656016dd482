// sagalog timeline: pictures of sagas over time.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/past_place.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/store_command.h"
#include "tools/story_commands.h"
#include "tools/story_source.h"
#include "tools/timeline_render.h"

namespace sagalog::tools {
namespace {

struct TimelineArguments {
  std::vector<std::string> sagas;
  std::string from, to, out, record;
  std::string format = "html";
};

// A time as it is given, a sequence as the time of its event.
Result<std::optional<StoreTime>> ReadMoment(const std::string& text, const char* flag,
                                            const EventLog& log) {
  if (text.empty()) {
    return std::optional<StoreTime>();
  }
  const auto moment = ParsePastMoment(text);
  const auto place = moment.ok() ? FindPlace(log, log.Last(), *moment, kStoreTimeMax)
                                 : Result<PastPlace>(moment.status());
  if (!place.ok()) {
    return Status(place.status().code(), fmt::format("{}: {}", flag, place.status().text()));
  }
  return std::optional<StoreTime>(place->moment);
}

Result<Timeline> ReadPicture(const TimelineArguments& arguments, const StorySource& source) {
  TimelineRequest request;
  request.sagas.insert(arguments.sagas.begin(), arguments.sagas.end());
  ASSIGN_OR_RETURN(request.from, ReadMoment(arguments.from, "--from", *source.record.log));
  ASSIGN_OR_RETURN(request.to, ReadMoment(arguments.to, "--to", *source.record.log));
  request.now = source.now;
  ASSIGN_OR_RETURN(Timeline timeline, ReadTimeline(*source.record.log, request));
  if (source.record.damage) {
    timeline.damage = source.record.damage->text;
  }
  return timeline;
}

Result<std::string> Draw(const Timeline& timeline, const std::string& format) {
  if (format == "svg") {
    return TimelineSvg(timeline);
  }
  return format == "trace" ? TimelineTrace(timeline) : TimelineHtml(timeline);
}

// Whole or not at all: nothing half-written is left looking whole. What is no file, as a device or
// a pipe, is written to and stays what it is.
Status Write(const std::filesystem::path& path, const std::string& bytes) {
  std::error_code unknown;
  const bool in_place =
      std::filesystem::exists(path, unknown) && !std::filesystem::is_regular_file(path, unknown);
  const std::filesystem::path part = in_place ? path.string() : path.string() + ".part";
  std::ofstream stream(part, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::error_code error;
  if (!stream) {
    const std::string why = std::strerror(errno);
    if (!in_place) {
      std::filesystem::remove(part, error);
    }
    return {Code::kIoError, fmt::format("{}: {}", path.string(), why)};
  }
  if (!in_place) {
    std::filesystem::rename(part, path, error);
  }
  if (!error) {
    return {};
  }
  const std::string why = error.message();
  std::filesystem::remove(part, error);
  return {Code::kIoError, fmt::format("{}: {}", path.string(), why)};
}

void Say(const GlobalOptions& global, const TimelineArguments& arguments,
         const Timeline& timeline) {
  if (global.json) {
    PrintLine(
        boost::json::serialize(boost::json::object{{"out", arguments.out},
                                                   {"format", arguments.format},
                                                   {"sagas", timeline.sagas.size()},
                                                   {"from", FormatTime(timeline.from)},
                                                   {"to", FormatTime(timeline.to)},
                                                   {"sequence", timeline.last.value()},
                                                   {"ticks_left_out", timeline.ticks_left_out},
                                                   {"damage", timeline.damage}}));
    return;
  }
  PrintLine(fmt::format("{}: {} saga{} from {} to {}", arguments.out, timeline.sagas.size(),
                        timeline.sagas.size() == 1 ? "" : "s", FormatTime(timeline.from),
                        FormatTime(timeline.to)));
  if (timeline.ticks_left_out > 0) {
    PrintLine(fmt::format("{} heartbeats are not drawn: --from and --to make room",
                          timeline.ticks_left_out));
  }
}

void Run(const GlobalOptions& global, const TimelineArguments& arguments, int& exit_code) {
  const auto source = OpenStorySource(global, arguments.record, exit_code);
  if (!source) {
    return;
  }
  const auto fail = [&](const Status& status) {
    const bool unread = status.code() == Code::kNotFound && source->record.damage;
    PrintError(global, fmt::format("timeline: {}{}", status.text(),
                                   unread ? ", as far as it can be read" : ""));
    exit_code = unread ? kExitUnavailable : StoryExitCode(status);
  };
  const auto timeline = ReadPicture(arguments, *source);
  if (!timeline.ok()) {
    return fail(timeline.status());
  }
  const auto drawn = Draw(*timeline, arguments.format);
  if (!drawn.ok()) {
    return fail(drawn.status());
  }
  if (const Status written = Write(arguments.out, *drawn); !written.ok()) {
    return fail(written);
  }
  Say(global, arguments, *timeline);
  if (source->record.damage) {
    exit_code = kExitUnavailable;
  }
}

}  // namespace

void AddTimelineCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<TimelineArguments>();
  CLI::App* timeline =
      AddDescribed(app, "timeline",
                   "Draw who had which saga when: as a page for a browser, an SVG, or a trace for "
                   "Perfetto. Without ids all sagas of the window",
                   "sagalog timeline T1 --out t1.html");
  timeline->group(kLookingGroup);
  timeline->add_option("sagas", arguments->sagas, "Their ids; all when none is given")
      ->type_name("ID");
  timeline->add_option("--from", arguments->from, "Where it begins (RFC 3339)")
      ->type_name("SEQUENCE|TIME");
  timeline->add_option("--to", arguments->to, "Where it ends (RFC 3339)")
      ->type_name("SEQUENCE|TIME");
  timeline->add_option("--format", arguments->format, "html, svg or trace (html)")
      ->type_name("WORD")
      ->check(CLI::IsMember({"html", "svg", "trace"}));
  timeline->add_option("--out", arguments->out, "The file to write")->required()->type_name("FILE");
  timeline
      ->add_option("--record", arguments->record,
                   "Read this data directory or backup instead, also a damaged one up to its "
                   "damage (exit code 3 then)")
      ->type_name("DIR");
  timeline->callback([arguments, &global, &exit_code] { Run(global, *arguments, exit_code); });
}

}  // namespace sagalog::tools
