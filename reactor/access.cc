#include "reactor/access.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "reactor/store.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;

constexpr std::size_t kRoles = 6;
constexpr std::array<std::string_view, kRoles> kRoleNames = {"",         "worker",  "orchestrator",
                                                             "operator", "auditor", "admin"};

struct RightRow {
  Right right;
  std::string_view what;
  std::array<bool, kRoles> roles;
};

// clang-format off
constexpr std::array kRights = {
    //                                                     none   worker orch.  oper.  audit. admin
    RightRow{Right::kAnyone,      "be asked",             {true,  true,  true,  true,  true,  true}},
    RightRow{Right::kRead,        "read",                 {false, true,  true,  true,  true,  true}},
    RightRow{Right::kWork,        "work on sagas",        {false, true,  true,  true,  false, true}},
    RightRow{Right::kOrchestrate, "orchestrate sagas",    {false, false, true,  true,  false, true}},
    RightRow{Right::kOperate,     "operate the store",    {false, false, false, true,  false, true}},
    RightRow{Right::kExport,      "export",               {false, false, false, false, true,  true}},
    RightRow{Right::kFollow,      "keep a place in the log", {false, false, true, true, true, true}},
    RightRow{Right::kAdminister,  "administer the store", {false, false, false, false, false, true}},
};

struct CommandRow {
  Body type;
  Right right;
};

constexpr std::array kCommands = {
    CommandRow{Body::Plan, Right::kOrchestrate},
    CommandRow{Body::Dispatch, Right::kOrchestrate},
    CommandRow{Body::AbortDispatch, Right::kWork},
    CommandRow{Body::Acquire, Right::kWork},
    CommandRow{Body::ClaimNext, Right::kWork},
    CommandRow{Body::Heartbeat, Right::kWork},
    CommandRow{Body::Release, Right::kWork},
    CommandRow{Body::AdvanceStage, Right::kWork},
    CommandRow{Body::EnterSection, Right::kWork},
    CommandRow{Body::LeaveSection, Right::kWork},
    CommandRow{Body::BeginEffect, Right::kWork},
    CommandRow{Body::SettleEffect, Right::kWork},
    CommandRow{Body::RecordExit, Right::kWork},
    CommandRow{Body::RegisterCompensation, Right::kWork},
    CommandRow{Body::Complete, Right::kWork},
    CommandRow{Body::Fail, Right::kWork},
    CommandRow{Body::Compensate, Right::kWork},
    CommandRow{Body::MarkCompensated, Right::kOrchestrate},
    CommandRow{Body::Quarantine, Right::kOperate},
    CommandRow{Body::Cancel, Right::kOrchestrate},
    CommandRow{Body::Park, Right::kOrchestrate},
    CommandRow{Body::Unpark, Right::kOrchestrate},
    CommandRow{Body::Recover, Right::kOrchestrate},
    CommandRow{Body::ClaimCompensation, Right::kOrchestrate},
    CommandRow{Body::SettleCompensation, Right::kOrchestrate},
    CommandRow{Body::ReportOwner, Right::kOrchestrate},
    CommandRow{Body::Annotate, Right::kWork},
    CommandRow{Body::ForceRelease, Right::kOperate},
    CommandRow{Body::ConfigureQueue, Right::kOperate},
    CommandRow{Body::ChangePolicy, Right::kOperate},
    CommandRow{Body::ReportOwners, Right::kOrchestrate},
};
// clang-format on

static_assert(kCommands.size() == static_cast<std::size_t>(Body::MAX), "a command has no right");
static_assert(
    [] {
      for (std::size_t i = 0; i < kCommands.size(); ++i) {
        if (static_cast<std::size_t>(kCommands[i].type) != i + 1) {
          return false;
        }
      }
      return true;
    }(),
    "the commands stand in the order of the schema");

const RightRow& RowOf(Right right) { return kRights[static_cast<std::size_t>(right)]; }

answers::RefusalT Forbidden(std::string detail, std::string_view saga = {}) {
  answers::RefusalT refusal;
  refusal.code = RefusalCode::forbidden;
  refusal.detail = std::move(detail);
  refusal.saga_id = saga;
  return refusal;
}

// The owner that a command names beside no token: who is to hold the saga.
const schema::OwnerT* NewOwner(const commands::CommandT& command) {
  const commands::BodyUnion& body = command.body;
  switch (body.type) {
    case Body::Acquire: return body.AsAcquire()->owner.get();
    case Body::Dispatch: return body.AsDispatch()->owner.get();
    case Body::ClaimNext: return body.AsClaimNext()->owner.get();
    default: return nullptr;
  }
}

// What the prefix says. A token's owner never changes, so what is looked up here is still true
// when the store compares the token.
std::optional<answers::RefusalT> CheckOwner(const Caller& caller, Store& store,
                                            const commands::CommandT& command) {
  const bool of_owner = command.body.type == Body::Dispatch || RightOf(command) == Right::kWork;
  if (caller.owner_prefix.empty() || caller.role == Role::kAdmin || !of_owner) {
    return std::nullopt;
  }
  const schema::OwnerT* named = NewOwner(command);
  if (named != nullptr) {
    return named->owner.starts_with(caller.owner_prefix)
               ? std::nullopt
               : std::optional(Forbidden(
                     fmt::format("{} may act for owners whose name begins with \"{}\", not for {}",
                                 caller.principal, caller.owner_prefix, named->owner),
                     command.saga_id));
  }
  const Result<std::string> owner = store.OwnerName(command.saga_id);
  if (!owner.ok() || owner->starts_with(caller.owner_prefix)) {
    return std::nullopt;  // The store says what is wrong with a saga that cannot be found.
  }
  return Forbidden(fmt::format("{} may act on sagas whose owner's name begins with \"{}\"",
                               caller.principal, caller.owner_prefix),
                   command.saga_id);
}

}  // namespace

std::string_view RoleName(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

std::optional<Role> RoleFromName(std::string_view name) {
  for (std::size_t i = 1; i < kRoles; ++i) {
    if (name == kRoleNames[i]) {
      return static_cast<Role>(i);
    }
  }
  return std::nullopt;
}

bool HasRight(Role role, Right right) { return RowOf(right).roles[static_cast<std::size_t>(role)]; }

Right LeastRightOf(Body type) { return kCommands[static_cast<std::size_t>(type) - 1].right; }

Right RightOf(const commands::CommandT& command) {
  const commands::BodyUnion& body = command.body;
  switch (body.type) {
    case Body::ClaimNext:
      if (body.AsClaimNext()->as == schema::ClaimAs::dispatch) {
        return Right::kOrchestrate;
      }
      break;
    case Body::AdvanceStage:
      if (!body.AsAdvanceStage()->token) {
        return Right::kOrchestrate;
      }
      break;
    case Body::RegisterCompensation:
      if (!body.AsRegisterCompensation()->token) {
        return Right::kOrchestrate;
      }
      break;
    case Body::SettleCompensation:
      if (body.AsSettleCompensation()->outcome == schema::CompensationOutcome::waived) {
        return Right::kOperate;
      }
      break;
    default: break;
  }
  return LeastRightOf(body.type);
}

std::optional<answers::RefusalT> CheckRight(const Caller& caller, Right right) {
  if (HasRight(caller.role, right)) {
    return std::nullopt;
  }
  if (caller.role == Role::kNone) {
    answers::RefusalT refusal;
    refusal.code = RefusalCode::unauthenticated;
    refusal.detail = kWhoAsks;
    return refusal;
  }
  return Forbidden(fmt::format("{} has the role {}, which may not {}", caller.principal,
                               RoleName(caller.role), RowOf(right).what));
}

std::optional<answers::RefusalT> CheckCommand(const Caller& caller, Store& store,
                                              const commands::CommandT& command) {
  std::optional<answers::RefusalT> refusal = CheckRight(caller, RightOf(command));
  if (refusal && refusal->code == RefusalCode::forbidden) {
    refusal->detail += fmt::format(" ({})", CommandName(command.body.type));
    refusal->saga_id = command.saga_id;
  }
  if (!refusal) {
    refusal = CheckOwner(caller, store, command);
  }
  if (refusal && refusal->code == RefusalCode::forbidden) {
    store.NoteRefusal(command, *refusal);
  }
  return refusal;
}

}  // namespace sagalog
