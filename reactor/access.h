// Who may do what: the roles, the rights they have, and the right that each command takes. The
// paths' own rights stand beside them in reactor/api.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/answers_generated.h"
#include "schema/commands_generated.h"

namespace sagalog {

class Store;

enum class Role : std::uint8_t {
  kNone,  // nobody has said who asks
  kWorker,
  kOrchestrator,
  kOperator,
  kAuditor,
  kAdmin,
};

enum class Right : std::uint8_t {
  kAnyone,       // also who has not said who asks: whether the daemon is well
  kRead,         // what there is
  kWork,         // acquire, claim next, use tokens
  kOrchestrate,  // plan, dispatch, cancel, park, recover, report owners, undo
  kOperate,      // quarantine, force-release, waive, redact, queues and policy
  kExport,       // everything there is, to take away
  kFollow,       // have a place in the log that compaction stays below
  kAdminister,   // the store's keeping, the manual clock
};

// Who asks.
struct Caller {
  // The name of the access token, or the socket peer's user.
  std::string principal;
  Role role = Role::kAdmin;
  // The owners this caller may be or speak for have names that begin so; empty = any.
  std::string owner_prefix = {};
};

// "worker"; empty for kNone.
[[nodiscard]] std::string_view RoleName(Role role);
// kNone is nobody's name.
[[nodiscard]] std::optional<Role> RoleFromName(std::string_view name);
[[nodiscard]] bool HasRight(Role role, Right right);

// The least that commands of this type take, and what this very command takes: a claim for a
// dispatch, a stage without a token, a waiver take more.
[[nodiscard]] Right LeastRightOf(commands::Body type);
[[nodiscard]] Right RightOf(const commands::CommandT& command);

// What is said to whom nothing is known of.
inline constexpr std::string_view kWhoAsks =
    "who asks? Send the header Authorization: Bearer TOKEN";

// Null = allowed; else `unauthenticated` or `forbidden`.
[[nodiscard]] std::optional<answers::RefusalT> CheckRight(const Caller& caller, Right right);
// The same for a command, with what the caller's owner prefix says of its owner. `forbidden` is
// noted in the store like its own refusals.
[[nodiscard]] std::optional<answers::RefusalT> CheckCommand(const Caller& caller, Store& store,
                                                            const commands::CommandT& command);

}  // namespace sagalog
