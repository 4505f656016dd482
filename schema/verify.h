// Whether bytes from disk, network or client are what they claim to be.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "schema/commands_generated.h"
#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// kCorruption, in words, unless `bytes` are one whole event: size limit, file identifier, the
// generated verifier, then what that leaves open: known union type, enum values in range, required
// strings present, sequence > 0, version 0 exactly for store-level types, previous < sequence,
// a compensation's id, an owner's name.
[[nodiscard]] Status VerifyEvent(std::string_view bytes);

// The same for a command's bytes from the native protocol; kInvalidArgument.
[[nodiscard]] Status VerifyCommand(std::string_view bytes);

// The same for commands inside of other bytes, which have passed the generated verifier; all
// together they may not unpack to more than a request may be.
[[nodiscard]] Status VerifyCommands(std::span<const commands::Command* const> commands);

// kInvalidArgument, naming the field, when a command's values break schema/limits.h or the
// alphabet of saga ids, a required argument is missing, a duration is not positive, a time is out
// of range, text is not UTF-8 or holds control characters where a name is asked for, lists repeat
// an id, or a policy's values are out of range. Looks at the command alone: what depends on the
// store's state is the rules' matter.
[[nodiscard]] Status ValidateCommand(const commands::CommandT& command);

// FNV-1a (64 bit) over a canonical encoding of what the caller asked for: body and expected
// version; a plan's saga id is not part of it, any other command's is. Stable across releases: a
// request id's replay is compared with it for ever.
[[nodiscard]] std::uint64_t CommandContent(const commands::CommandT& command);

}  // namespace sagalog
