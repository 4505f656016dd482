// sagalog token: access tokens for a daemon on TCP.
#include <memory>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/access.h"
#include "reactor/token_file.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

struct NewToken {
  std::string name;
  std::string role;
  std::string owner_prefix;
  std::string file;
};

int Fail(const GlobalOptions& global, const Status& status) {
  PrintError(global, fmt::format("token new: {}", status.text()));
  return status.code() == Code::kInvalidArgument ? kExitUsage : kExitUnavailable;
}

int MakeToken(const GlobalOptions& global, const NewToken& wanted) {
  const Caller caller{wanted.name, *RoleFromName(wanted.role), wanted.owner_prefix};
  const auto secret = NewTokenSecret();
  if (!secret.ok()) {
    return Fail(global, secret.status());
  }
  const auto line = TokenLineFor(caller, *secret);
  if (!line.ok()) {
    return Fail(global, line.status());
  }
  if (!wanted.file.empty()) {
    if (const Status added = AppendTokenLine(wanted.file, *line); !added.ok()) {
      return Fail(global, added);
    }
  }
  if (global.json) {
    PrintLine(boost::json::serialize(boost::json::object{
        {"name", wanted.name}, {"role", wanted.role}, {"token", *secret}, {"line", *line}}));
    return kExitDone;
  }
  PrintLine(fmt::format("token: {}", *secret));
  PrintLine(wanted.file.empty()
                ? fmt::format("line of the token file: {}", *line)
                : fmt::format("added to {}; it is shown this once and kept nowhere", wanted.file));
  return kExitDone;
}

}  // namespace

void AddTokenCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* token = app.add_subcommand("token", "Access tokens for a daemon on TCP");
  token->group(kOperationGroup);
  token->require_subcommand(1);
  const auto wanted = std::make_shared<NewToken>();
  CLI::App* make =
      AddDescribed(*token, "new", "Make a token, and the line of the token file",
                   "sagalog token new ci --role worker --owner-prefix ci- --file tokens");
  make->add_option("name", wanted->name, "Whose it is: the principal of the events")->required();
  make->add_option("--role", wanted->role,
                   "What it may do: worker, orchestrator, operator, auditor, admin")
      ->required()
      ->type_name("WORD")
      ->check(CLI::IsMember({"worker", "orchestrator", "operator", "auditor", "admin"})
                  .description(""));  // its help says them
  make->add_option("--owner-prefix", wanted->owner_prefix, "Only for owners whose name begins so")
      ->type_name("PREFIX");
  make->add_option("--file", wanted->file, "Add the line to this file")->type_name("FILE");
  make->callback([wanted, &global, &exit_code] { exit_code = MakeToken(global, *wanted); });
}

}  // namespace sagalog::tools
