#include "tools/scenario_arguments.h"

#include <array>
#include <string_view>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/json.h"
#include "tools/scenario_words.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// Words of the step itself, which the command does not see.
constexpr std::array kOwnWords = {"do",     "saga",        "as",    "ack",
                                  "expect", "caller_zone", "times", "reports"};
constexpr std::array kIncarnation = {"host", "boot_id", "pid_namespace", "pid", "pid_start"};

// What a step leaves unsaid is the same text each time, so that a redelivery has the same content.
constexpr std::string_view kUnsaid = "not said by the scenario";

// A request id is any text in a scenario: two FNV-1a hashes make 16 bytes of it.
std::string HexOf(std::string_view request) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : request) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return fmt::format("{:016x}{:016x}", hash, ~hash);
}

Status Wrong(std::string_view word, std::string_view what) {
  return {Code::kInvalidArgument, fmt::format("{}: {}", word, what)};
}

// Gives a word the name that the command knows it by.
Status Rename(json::object& arguments, std::string_view from, std::string_view to) {
  const json::value* value = arguments.if_contains(from);
  if (value == nullptr) {
    return {};
  }
  if (arguments.contains(to)) {
    return Wrong(from, fmt::format("it stands for {}, which is given too", to));
  }
  json::value moved = *value;
  arguments.erase(from);
  arguments[to] = std::move(moved);
  return {};
}

// The incarnation stands beside the owner that it belongs to.
Status GatherOwner(json::object& arguments, std::string_view field) {
  json::object owner;
  for (const char* name : kIncarnation) {
    if (const json::value* value = arguments.if_contains(name)) {
      owner[name] = *value;
      arguments.erase(name);
    }
  }
  if (const json::value* name = arguments.if_contains("owner")) {
    if (name->is_object()) {
      return owner.empty() ? Status()
                           : Wrong(owner.begin()->key(), "the owner is an object: say it there");
    }
    owner["owner"] = *name;
    arguments.erase("owner");
  } else if (!owner.empty() && field == "owner") {
    return Wrong(owner.begin()->key(), "there is no owner beside it");
  }
  if (!owner.empty() || field == "identity") {
    arguments[field] = std::move(owner);
  }
  return {};
}

Status GatherReport(json::object& arguments) {
  if (!arguments.contains("identity")) {
    RETURN_IF_ERROR(GatherOwner(arguments, "identity"));
  }
  const json::value* alive = arguments.if_contains("alive");
  if (alive == nullptr) {
    return arguments.contains("verdict") ? Status() : Wrong("alive", "it is missing");
  }
  if (!alive->is_bool()) {
    return Wrong("alive", "neither true nor false");
  }
  if (arguments.contains("verdict")) {
    return Wrong("alive", "it stands for verdict, which is given too");
  }
  arguments["verdict"] = alive->get_bool() ? "alive" : "dead";
  arguments.erase("alive");
  return {};
}

Status BindNames(json::object& arguments, const ScenarioBindings& bindings) {
  for (const char* word : {"token", "dispatch_token"}) {
    const json::value* name = arguments.if_contains(word);
    if (name == nullptr) {
      continue;
    }
    if (!name->is_string()) {
      return Wrong(word, "not a text: it is the name that a step before was bound to with as");
    }
    const auto bound = bindings.tokens.find(std::string(name->get_string()));
    arguments[word] = bound == bindings.tokens.end() ? kTokenNeverGiven : bound->second;
  }
  if (const json::value* request = arguments.if_contains("request")) {
    if (!request->is_string()) {
      return Wrong("request", "not a text");
    }
    const std::string hex = HexOf(request->get_string());
    RETURN_IF_ERROR(Rename(arguments, "request", "request_id"));
    arguments["request_id"] = hex;
  }
  return {};
}

// Reasons, evidence and details that a step does not name.
void FillUnsaid(std::string_view command, json::object& arguments) {
  constexpr std::string_view kWithReason =
      " abort_dispatch release fail compensate mark_compensated quarantine cancel park "
      "force_release ";
  const auto fill = [&](std::string_view word) {
    if (!arguments.contains(word)) {
      arguments[word] = kUnsaid;
    }
  };
  if (kWithReason.find(fmt::format(" {} ", command)) != std::string_view::npos) {
    fill("reason");
  } else if (command == "recover" || command.starts_with("report_owner")) {
    fill("evidence");
  } else if (command == "settle_compensation") {
    fill("detail");
  }
}

}  // namespace

Result<commands::CommandT> CommandOfStep(const json::object& step,
                                         const ScenarioBindings& bindings) {
  const std::string what = TextOf(step, "do");
  json::object arguments = step;
  for (const char* word : kOwnWords) {
    arguments.erase(word);
  }
  RETURN_IF_ERROR(BindNames(arguments, bindings));
  if (arguments.contains("compensation")) {
    RETURN_IF_ERROR(Rename(arguments, "compensation", "id"));
  }
  if (what == "report_owner" || what == "report_owners") {
    RETURN_IF_ERROR(GatherReport(arguments));
  } else {
    RETURN_IF_ERROR(GatherOwner(arguments, "owner"));
  }
  if (what == "claim_next") {
    RETURN_IF_ERROR(Rename(arguments, "claim_as", "as"));
  }
  if (what == "recover") {
    arguments["observed"] = bindings.observed;
  }
  if (const json::value* text = arguments.if_contains("text");
      what == "annotate" && text != nullptr && !text->is_string()) {
    arguments["text"] = json::serialize(*text);
  }
  FillUnsaid(what, arguments);
  return CommandFromJson(what, TextOf(step, "saga"), json::serialize(arguments));
}

}  // namespace sagalog::tools
