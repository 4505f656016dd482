#include "tools/store_command.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/json.h"
#include "schema/store_time.h"
#include "tools/answer_text.h"
#include "tools/exit_code.h"
#include "tools/help_formatter.h"
#include "tools/json_fields.h"
#include "tools/policy_sheet.h"

namespace sagalog::tools {
namespace json = boost::json;

struct StoreCommand::State {
  const GlobalOptions& global;
  int& exit_code;
  Words words;
  StoreClient::Access access = StoreClient::Access::kChange;
  bool saga_required = false;
  // Whether $SAGALOG_SAGA stands in for a saga.
  bool saga_from_environment = false;
  Request request = {};
  // Fields that must be set, and the flag that sets each.
  std::vector<std::pair<std::string, std::string>> required = {};
  // Whether $SAGALOG_TOKEN stands in for a token.
  bool token_from_environment = false;
  // An actor who is named acts without a token.
  bool actor_replaces_token = false;
  std::vector<std::function<void(Request&)>> changes = {};
  Print print = {};
  std::function<bool()> instead = {};

  void TakeSagaFromEnvironment();
  void TakeTokenFromEnvironment();
  [[nodiscard]] std::string FirstFault();
  void Run();
};

namespace {

// The value at "a" or "a.b"; null when there is none.
const json::value* FieldAt(const json::object& body, std::string_view field) {
  const std::size_t dot = field.find('.');
  if (dot == std::string_view::npos) {
    return body.if_contains(field);
  }
  return ObjectIn(body, field.substr(0, dot)).if_contains(field.substr(dot + 1));
}

std::string VariableText(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The name of a flag for messages: the first that has dashes in "saga,--saga".
std::string FlagName(const std::string& flags) {
  const std::size_t start = flags.find("--");
  return flags.substr(start, flags.find(',', start) - start);
}

}  // namespace

std::optional<json::value> ParseNumber(std::string_view text) {
  const char* end = text.data() + text.size();
  std::int64_t number = 0;
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return json::value(number);
  }
  std::uint64_t large = 0;
  if (const auto parsed = std::from_chars(text.data(), end, large);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return json::value(large);
  }
  return std::nullopt;
}

void SetField(json::object& body, std::string_view field, json::value value) {
  const std::size_t dot = field.find('.');
  if (dot == std::string_view::npos) {
    body[field] = std::move(value);
    return;
  }
  json::value& outer = body[field.substr(0, dot)];
  if (!outer.is_object()) {
    outer = json::object();
  }
  outer.get_object()[field.substr(dot + 1)] = std::move(value);
}

std::string AddPair(json::object& body, std::string_view field, const std::string& pair,
                    bool digits_are_numbers) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fmt::format("\"{}\" is not NAME=VALUE", pair);
  }
  const std::string name = pair.substr(0, equals);
  const std::string value = pair.substr(equals + 1);
  json::value& object = body[field];
  if (!object.is_object()) {
    object = json::object();
  }
  if (object.get_object().contains(name)) {
    return fmt::format("\"{}\" is given twice", name);
  }
  const auto number = digits_are_numbers ? ParseNumber(value) : std::nullopt;
  object.get_object()[name] = number ? *number : json::value(value);
  return "";
}

CLI::App* AddDescribed(CLI::App& parent, const std::string& name, const std::string& help,
                       const std::string& example) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->footer("Example:\n  " + example);
  return app;
}

void StoreCommand::State::TakeSagaFromEnvironment() {
  if (saga_from_environment && request.saga.empty()) {
    request.saga = VariableText("SAGALOG_SAGA");
  }
}

void StoreCommand::State::TakeTokenFromEnvironment() {
  const std::string of = VariableText("SAGALOG_SAGA");
  if (!token_from_environment || (!of.empty() && of != request.saga)) {
    return;  // it is of another saga
  }
  const auto number = ParseNumber(VariableText("SAGALOG_TOKEN"));
  const bool by_actor = actor_replaces_token && request.body.contains("actor");
  if (number && !by_actor && !request.body.contains("token")) {
    request.body["token"] = *number;
  }
}

// What makes the request one that the store could never take, or nothing.
std::string StoreCommand::State::FirstFault() {
  if (saga_required && request.saga.empty()) {
    return saga_from_environment
               ? "which saga? It stands first, or behind --saga, or in $SAGALOG_SAGA"
               : "which saga? It stands first, or behind --saga";
  }
  for (const auto& [field, flag] : required) {
    if (FieldAt(request.body, field) == nullptr) {
      return fmt::format("{} is required", flag);
    }
  }
  // The path of a plan has no saga id, and the body of a claim no queue: both are checked here.
  // A moment asks about the past, and is no field of any command.
  json::object fields = request.body;
  fields.erase("at");
  const auto command = CommandFromJson(words.command, request.saga, json::serialize(fields));
  return command.ok() ? "" : command.status().text();
}

void StoreCommand::State::Run() {
  if (instead && instead()) {
    return;
  }
  TakeSagaFromEnvironment();
  TakeTokenFromEnvironment();
  if (const std::string fault = FirstFault(); !fault.empty()) {
    PrintError(global, fmt::format("{}: {}. See sagalog {} --help", words.name, fault, words.name));
    exit_code = kExitUsage;
    return;
  }
  request.target = fmt::format("/v1/sagas/{}:{}", UrlPart(request.saga), words.command);
  for (const auto& change : changes) {
    change(request);
  }
  const bool reads = request.method == "GET";
  const auto client =
      StoreClient::Open(global, reads ? StoreClient::Access::kRead : access, exit_code);
  if (client == nullptr) {
    return;
  }
  const auto answer = client->Ask(request.method, request.target,
                                  reads ? std::string() : json::serialize(request.body));
  if (!answer) {
    return;
  }
  if (global.json) {
    PrintLine(client->raw());
  } else if (print) {
    print(*client, *answer);
  } else {
    const bool expires = ObjectIn(*answer, "saga").contains("expires_at");
    PrintLine(AnswerLine(*answer, expires ? client->Now() : std::nullopt, global.color));
  }
}

StoreCommand::StoreCommand(CLI::App& parent, const GlobalOptions& global, int& exit_code,
                           Words words)
    : app_(AddDescribed(parent, words.name, words.help, words.example)),
      state_(std::make_shared<State>(State{global, exit_code, std::move(words)})) {
  app_->callback([state = state_] { state->Run(); });
}

CLI::Option* StoreCommand::Add(const std::string& flags, const std::string& type_name,
                               const std::string& help, AddValue add) {
  const std::string flag = FlagName(flags);
  const CLI::callback_t take = [state = state_, flag,
                                add = std::move(add)](const CLI::results_t& values) {
    for (const std::string& value : values) {
      if (const std::string fault = add(state->request.body, value); !fault.empty()) {
        throw CLI::ValidationError(flag, fault);
      }
    }
    return true;
  };
  CLI::Option* option = app_->add_option(flags, take, help);
  option->type_name(type_name)->allow_extra_args(false);
  return option;
}

StoreCommand& StoreCommand::Values(const std::string& flags, const std::string& type_name,
                                   const std::string& help, AddValue add) {
  Add(flags, type_name, help, std::move(add))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->option_text(type_name + " ...");
  return *this;
}

StoreCommand& StoreCommand::Saga(bool required) {
  state_->saga_required = required;
  app_->add_option_function<std::string>(
          "saga,--saga", [state = state_](const std::string& saga) { state->request.saga = saga; },
          required ? std::string("The saga's id") + kRequiredMark : "The saga's id")
      ->type_name("");
  return *this;
}

StoreCommand& StoreCommand::SagaOfRun() {
  Saga();
  state_->saga_from_environment = true;
  app_->get_option("--saga")->description("The saga's id, else $SAGALOG_SAGA");
  return *this;
}

StoreCommand& StoreCommand::Text(const std::string& flags, std::string field,
                                 const std::string& help) {
  Add(flags, "TEXT", help,
      [field = std::move(field)](json::object& body, const std::string& value) {
        SetField(body, field, json::value(value));
        return std::string();
      });
  return *this;
}

StoreCommand& StoreCommand::RequiredText(const std::string& flags, std::string field,
                                         const std::string& help) {
  state_->required.emplace_back(field, FlagName(flags));
  return Text(flags, std::move(field), help + kRequiredMark);
}

StoreCommand& StoreCommand::Number(const std::string& flags, std::string field,
                                   const std::string& help) {
  Add(flags, "N", help, [field = std::move(field)](json::object& body, const std::string& value) {
    const auto number = ParseNumber(value);
    if (!number) {
      return fmt::format("\"{}\" is not a number", value);
    }
    SetField(body, field, *number);
    return std::string();
  });
  return *this;
}

StoreCommand& StoreCommand::RequiredNumber(const std::string& flags, std::string field,
                                           const std::string& help) {
  state_->required.emplace_back(field, FlagName(flags));
  return Number(flags, std::move(field), help + kRequiredMark);
}

StoreCommand& StoreCommand::NumberOr(const std::string& word, const std::string& flags,
                                     std::string field, const std::string& help) {
  Add(flags, "N|" + word, help,
      [word, field = std::move(field)](json::object& body, const std::string& value) {
        const auto number = ParseNumber(value);
        if (!number && value != word) {
          return fmt::format("\"{}\" is neither a number nor \"{}\"", value, word);
        }
        SetField(body, field, number ? *number : json::value(word));
        return std::string();
      });
  return *this;
}

StoreCommand& StoreCommand::Duration(const std::string& flags, std::string field,
                                     const std::string& help) {
  Add(flags, "DURATION", help,
      [field = std::move(field)](json::object& body, const std::string& value) {
        if (const auto duration = ParseDuration(value); !duration.ok()) {
          return fmt::format("\"{}\" is no duration: write 30s, 1.5h or 200ms", value);
        }
        SetField(body, field, json::value(value));
        return std::string();
      });
  return *this;
}

StoreCommand& StoreCommand::Choice(const std::string& flags, std::string field,
                                   std::vector<std::string> choices, const std::string& help,
                                   bool required) {
  if (required) {
    state_->required.emplace_back(field, FlagName(flags));
  }
  const std::string listed = fmt::format("{}", fmt::join(choices, ", "));
  Add(flags, "WORD", fmt::format("{}: {}{}", help, listed, required ? kRequiredMark : ""),
      [field = std::move(field), choices = std::move(choices), listed](json::object& body,
                                                                       const std::string& value) {
        if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
          return fmt::format("\"{}\" is none of {}", value, listed);
        }
        SetField(body, field, json::value(value));
        return std::string();
      });
  return *this;
}

StoreCommand& StoreCommand::Switch(const std::string& flags, std::string field, bool value,
                                   const std::string& help) {
  app_->add_flag_callback(
      flags,
      [state = state_, field = std::move(field), value] {
        SetField(state->request.body, field, json::value(value));
      },
      help);
  return *this;
}

StoreCommand& StoreCommand::Pairs(const std::string& flags, std::string field,
                                  const std::string& help) {
  return Values(flags, "NAME=VALUE", help,
                [field = std::move(field)](json::object& body, const std::string& value) {
                  return AddPair(body, field, value, false);
                });
}

StoreCommand& StoreCommand::List(const std::string& flags, std::string field,
                                 const std::string& help) {
  return Values(flags, "ID", help,
                [field = std::move(field)](json::object& body, const std::string& value) {
                  json::value& list = body[field];
                  if (!list.is_array()) {
                    list = json::array();
                  }
                  list.get_array().emplace_back(value);
                  return std::string();
                });
}

StoreCommand& StoreCommand::Policy() {
  return Values("--policy", "NAME=VALUE",
                "Of the policy, off where it can be; names: " + PolicyNames(),
                [](json::object& body, const std::string& value) {
                  return AddPair(body, "policy", value, true);
                });
}

StoreCommand& StoreCommand::Owner(const std::string& field, bool required) {
  if (required) {
    RequiredText("--owner", field + ".owner", "The owner's name");
  } else {
    Text("--owner", field + ".owner", "The owner's name");
  }
  Text("--host", field + ".host", "Of the owner's process: its host");
  Text("--boot-id", field + ".boot_id", "Of the owner's process: the host's boot id");
  Text("--pid-namespace", field + ".pid_namespace", "Of the owner's process: its pid namespace");
  Number("--pid", field + ".pid", "Of the owner's process: its pid");
  return Number("--pid-start", field + ".pid_start", "Of the owner's process: its start time");
}

StoreCommand& StoreCommand::Token() {
  state_->token_from_environment = true;
  return RequiredNumber("--token", "token", "The fencing token, else $SAGALOG_TOKEN");
}

StoreCommand& StoreCommand::TokenOrActor(const std::string& help) {
  state_->token_from_environment = true;
  state_->actor_replaces_token = true;
  return Number("--token", "token", help);
}

StoreCommand& StoreCommand::Envelope() {
  const std::string group = "For programs";
  Text("--request-id", "request_id", "32 hex digits: sent again, the same answer comes again");
  NumberOr("none", "--expected-version", "expected_version",
           "Refuse unless the saga has this version (none = must not exist)");
  Text("--actor", "actor", "Who asks, as the event shall say");
  Text("--traceparent", "traceparent", "W3C trace context");
  for (const char* flag : {"--request-id", "--expected-version", "--actor", "--traceparent"}) {
    app_->get_option(flag)->group(group);
  }
  return *this;
}

StoreCommand& StoreCommand::Sends(std::function<void(Request&)> change) {
  state_->changes.push_back(std::move(change));
  return *this;
}

StoreCommand& StoreCommand::Explains(const std::string& text) {
  app_->footer(app_->get_footer() + "\n\n" + text);
  return *this;
}

StoreCommand& StoreCommand::Instead(std::function<bool()> act) {
  state_->instead = std::move(act);
  return *this;
}

StoreCommand& StoreCommand::Opens(StoreClient::Access access) {
  state_->access = access;
  return *this;
}

StoreCommand& StoreCommand::Prints(Print print) {
  state_->print = std::move(print);
  return *this;
}

}  // namespace sagalog::tools
