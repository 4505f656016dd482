// sagalog reader: the places in the log that compaction stays below.
#include <unistd.h>

#include <memory>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/argument_checks.h"
#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr const char* kReaderText =
    R"(Example:
  sagalog reader mirror --position 4711

A reader is a name and the sequence that it reads next. Compaction makes nothing small that a reader
has still to read, so one that reads no longer has to be removed. sagalog events --reader NAME moves
it by itself.)";

void PrintReaders(const GlobalOptions& global, StoreClient& client, const json::array& items) {
  const auto now = client.Now();
  Table table({"READER", "POSITION", "MOVED"});
  for (const json::value& item : items) {
    const json::object& reader = AsObject(item);
    table.Add({std::string(TextIn(reader, "reader")), InWords(reader, "position"),
               MomentCell(TextIn(reader, "moved_at"), now)});
  }
  PrintLine(table.empty() ? "no readers" : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

struct Arguments {
  std::string name;
  std::uint64_t position = 0;
  bool remove = false;
};

void List(const GlobalOptions& global, int& exit_code) {
  const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
  const auto page = client ? client->Ask("GET", "/v1/readers") : std::nullopt;
  if (page && global.json) {
    PrintLine(client->raw());
  } else if (page) {
    PrintReaders(global, *client, ArrayIn(*page, "items"));
  }
}

void Change(const GlobalOptions& global, const Arguments& arguments, int& exit_code) {
  const auto client = StoreClient::Open(global, StoreClient::Access::kChange, exit_code);
  if (client == nullptr) {
    return;
  }
  const std::string path = "/v1/readers/" + UrlPart(arguments.name);
  const auto answer =
      arguments.remove
          ? client->Ask("DELETE", path)
          : client->Ask("PUT", path,
                        json::serialize(json::object{{"position", arguments.position}}));
  if (answer && global.json) {
    PrintLine(client->raw());
  } else if (answer) {
    PrintLine(fmt::format(
        "{}: {} {}", TextIn(*answer, "outcome"), arguments.name,
        arguments.remove ? "reads no longer" : fmt::format("reads {} next", arguments.position)));
  }
}

}  // namespace

void AddReaderCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* reader =
      app.add_subcommand("reader", "List who reads the log, or say how far one has come");
  reader->footer(kReaderText);
  reader->group(kOperationGroup);
  CLI::Option* name =
      reader->add_option("NAME", arguments->name, "The reader; without one all are listed")
          ->type_name("");
  CLI::Option* position =
      AddNumber(*reader, "--position", arguments->position, "The sequence that it reads next")
          ->type_name("SEQUENCE")
          ->needs(name);
  reader->add_flag("--remove", arguments->remove, "It reads no longer")
      ->needs(name)
      ->excludes(position);
  reader->callback([arguments, name, position, &global, &exit_code] {
    if (name->count() == 0) {
      List(global, exit_code);
    } else if (position->count() == 0 && !arguments->remove) {
      throw CLI::RequiredError("--position SEQUENCE or --remove");
    } else {
      Change(global, *arguments, exit_code);
    }
  });
}

}  // namespace sagalog::tools
