// JSON with every field set, derived from the schema: a new field is in every test at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/commands_generated.h"
#include "schema/events_generated.h"
#include "schema/schema_reflection.h"

namespace sagalog {

// An object of this form with every field set to something that is not its default, in schema order
// and without spaces: just what the writer must write again.
[[nodiscard]] std::string SampleObject(const TableForm& form);
// Its members alone: "\"a\":1,\"b\":2", or nothing.
[[nodiscard]] std::string SampleMembers(const TableForm& form);

[[nodiscard]] std::vector<events::Body> AllEventTypes();
[[nodiscard]] std::vector<commands::Body> AllCommandTypes();
[[nodiscard]] const TableForm& BodyForm(events::Body type);
[[nodiscard]] const TableForm& BodyForm(commands::Body type);

// A whole event of this type that is valid, with every field set.
[[nodiscard]] std::string SampleEvent(events::Body type);
// The envelope's members of a command that callers may give, every one set.
[[nodiscard]] std::string SampleEnvelope();

// The encoded forms.
[[nodiscard]] std::string SampleEventBytes(events::Body type);
[[nodiscard]] std::string EncodeCommand(const commands::CommandT& command);
[[nodiscard]] commands::CommandT SampleCommand(commands::Body type);
[[nodiscard]] std::string SampleCommandBytes(commands::Body type);

}  // namespace sagalog
