// A command of the store as people type it: flags become the fields of its JSON body.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>

#include "tools/global_options.h"
#include "tools/store_client.h"

namespace sagalog::tools {

// Registers one subcommand. Each method adds flags and returns the same object, so that a command
// is one expression. `field` is the name in the body, with a dot where it lies in an object
// ("owner.pid"). `flags` as CLI11 takes them: a name without dashes may also stand by position.
//
// Values are passed as the JSON type that the schema asks for. What cannot be the command (a flag
// missing, "7x" for a number, "30" for a duration) is an error of usage: nothing is opened or sent.
class StoreCommand {
 public:
  struct Words {
    std::string name;     // on the command line: "stage"
    std::string command;  // to the store: "advance-stage"
    std::string help;
    std::string example;
  };

  // What is sent: changed by a command whose path is not that of a saga's command. A "GET" has no
  // body, and opens the store for reading.
  struct Request {
    std::string method = "POST";
    std::string target;
    std::string saga;
    boost::json::object body;
  };

  // `global` and `exit_code` must outlive the parsing of `parent`.
  StoreCommand(CLI::App& parent, const GlobalOptions& global, int& exit_code, Words words);

  // The saga, by position or --saga.
  StoreCommand& Saga(bool required = true);
  // The same, else $SAGALOG_SAGA, as sagalog run sets it.
  StoreCommand& SagaOfRun();
  StoreCommand& Text(const std::string& flags, std::string field, const std::string& help);
  // The same, and the command makes no sense without it.
  StoreCommand& RequiredText(const std::string& flags, std::string field, const std::string& help);
  StoreCommand& Number(const std::string& flags, std::string field, const std::string& help);
  StoreCommand& RequiredNumber(const std::string& flags, std::string field,
                               const std::string& help);
  // A number, or the word that the schema takes instead ("off", "none").
  StoreCommand& NumberOr(const std::string& word, const std::string& flags, std::string field,
                         const std::string& help);
  StoreCommand& Duration(const std::string& flags, std::string field, const std::string& help);
  StoreCommand& Choice(const std::string& flags, std::string field,
                       std::vector<std::string> choices, const std::string& help,
                       bool required = false);
  // A flag without a value.
  StoreCommand& Switch(const std::string& flags, std::string field, bool value,
                       const std::string& help);
  // Repeatable: name=value pairs of an object, or values of a list.
  StoreCommand& Pairs(const std::string& flags, std::string field, const std::string& help);
  StoreCommand& List(const std::string& flags, std::string field, const std::string& help);
  // Repeatable name=value pairs of a policy: digits alone are a number.
  StoreCommand& Policy();
  // --owner and the incarnation behind it, in the object `field`.
  StoreCommand& Owner(const std::string& field, bool required);
  // --token, else $SAGALOG_TOKEN, as sagalog run sets it: unless another saga than that of the run
  // is named.
  StoreCommand& Token();
  // --token, or nothing where an --actor may act without one. $SAGALOG_TOKEN stands in for it
  // unless an actor is named.
  StoreCommand& TokenOrActor(const std::string& help);
  // --request-id, --expected-version, --actor, --traceparent: on every command.
  StoreCommand& Envelope();

  // Repeatable: `add` is called with each value of the flag and says what is wrong with it, or
  // nothing.
  using AddValue = std::function<std::string(boost::json::object& body, const std::string& value)>;
  StoreCommand& Values(const std::string& flags, const std::string& type_name,
                       const std::string& help, AddValue add);

  // Changes the request before it is sent.
  StoreCommand& Sends(std::function<void(Request&)> change);
  // Ends its help.
  StoreCommand& Explains(const std::string& text);
  // Called first: true = it has done what was asked for, and nothing is checked or sent.
  StoreCommand& Instead(std::function<bool()> act);
  StoreCommand& Opens(StoreClient::Access access);
  // Prints the answer to a person, instead of AnswerLine.
  using Print = std::function<void(StoreClient& client, const boost::json::object& answer)>;
  StoreCommand& Prints(Print print);

  [[nodiscard]] CLI::App& app() { return *app_; }

 private:
  struct State;

  CLI::Option* Add(const std::string& flags, const std::string& type_name, const std::string& help,
                   AddValue add);

  CLI::App* app_;
  std::shared_ptr<State> state_;
};

// Adds a subcommand that is described like all others: its example in the list of commands and at
// the end of its own help.
CLI::App* AddDescribed(CLI::App& parent, const std::string& name, const std::string& help,
                       const std::string& example);

// All of `text` as a decimal number, or nothing.
[[nodiscard]] std::optional<boost::json::value> ParseNumber(std::string_view text);

// Writes `value` into `body` at "a" or "a.b".
void SetField(boost::json::object& body, std::string_view field, boost::json::value value);

// "name=value" as a field of the object `field`, or what is wrong.
[[nodiscard]] std::string AddPair(boost::json::object& body, std::string_view field,
                                  const std::string& pair, bool digits_are_numbers);

}  // namespace sagalog::tools
