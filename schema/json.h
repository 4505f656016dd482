// JSON both ways, derived from the FlatBuffers schema by reflection: there is no second list of
// fields. What the attributes mean: schema/saga.fbs.
//
// Thread-safe: all functions are pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "schema/commands_generated.h"
#include "schema/events_generated.h"
#include "schema/status.h"

namespace sagalog {

// `table` as one line of JSON. `type` is the full name of its schema type
// ("sagalog.answers.Saga"). The table must have been verified or built by us. Fields that have
// their default value are left out unless the schema says `always`.
[[nodiscard]] std::string TableToJson(std::string_view type, const flatbuffers::Table& table);

// The same for a native object of the generated object API.
template <typename Native>
[[nodiscard]] std::string ToJson(const Native& native) {
  using Table = typename Native::TableType;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(Table::Pack(builder, &native));
  return TableToJson(Table::GetFullyQualifiedName(),
                     *flatbuffers::GetRoot<flatbuffers::Table>(builder.GetBufferPointer()));
}

// The bytes of a table of `type` from JSON. kInvalidArgument, naming the field by its path
// ("owner.pid"), for an unknown, repeated, mistyped or out-of-range field; nothing is guessed: "7"
// is no number and 7 no string. `null` is the same as leaving the field out.
[[nodiscard]] Result<std::string> TableFromJson(std::string_view type, std::string_view json);

template <typename Native>
[[nodiscard]] Result<Native> FromJson(std::string_view json) {
  using Table = typename Native::TableType;
  ASSIGN_OR_RETURN(const std::string bytes, TableFromJson(Table::GetFullyQualifiedName(), json));
  Native native;
  flatbuffers::GetRoot<Table>(bytes.data())->UnPackTo(&native);
  return native;
}

// {"sequence", "saga_id", "version", "previous", "time", "type": "leased", "body": {…}, …}
[[nodiscard]] std::string EventToJson(const events::Event& event);
// The same at the end of `out`, without a line break: for NDJSON.
void AppendEventJson(std::string& out, const events::Event& event);
[[nodiscard]] Result<events::EventT> EventFromJson(std::string_view json);

// The name of an event or command type: "dispatch_aborted", "claim_next".
[[nodiscard]] std::string_view EventTypeName(events::Body type);
[[nodiscard]] std::string_view CommandName(commands::Body type);
// All command names in schema order.
[[nodiscard]] const std::vector<std::string>& CommandNames();

// A command from the flat object callers write: fields of the command's own table and of the
// envelope (request_id, expected_version, actor, traceparent) side by side. `name` is a command's
// name with underscores or hyphens. `saga_id` comes from the path; the body may repeat it only
// with the same value (a plan, whose path is empty, gives it in the body). `principal` is never
// taken from JSON. An empty `json` is an empty object.
[[nodiscard]] Result<commands::CommandT> CommandFromJson(std::string_view name,
                                                         std::string_view saga_id,
                                                         std::string_view json);

// {"atomic": bool, "commands": [{"do": "complete", "saga_id": …, …}, …]}
struct CommandBatch {
  bool atomic = false;
  // Each the command, or what is wrong with it, by its path ("commands[3].owner.pid").
  std::vector<Result<commands::CommandT>> commands;
};

// kInvalidArgument unless the document itself is one of these, of kBatchCommandsMax commands at
// most; what is wrong with one command stands in its place.
[[nodiscard]] Result<CommandBatch> BatchFromJson(std::string_view json);

}  // namespace sagalog
