#include "reactor/native_request.h"

#include <fmt/format.h>

#include "schema/limits.h"
#include "schema/verify.h"

namespace sagalog {

Result<commands::CommandT> CommandOf(const frames::Execute& request, std::string_view principal) {
  const commands::Command* const asked = request.command();
  RETURN_IF_ERROR(VerifyCommands({&asked, 1}));
  commands::CommandT command;
  asked->UnPackTo(&command);
  command.principal = principal;
  return command;
}

Result<std::vector<Result<commands::CommandT>>> CommandsOf(const frames::Batch& request,
                                                           std::string_view principal) {
  const auto& asked = *request.commands();
  if (asked.size() > kBatchCommandsMax) {
    return Status(Code::kInvalidArgument, fmt::format("commands: has {} elements, allowed are {}",
                                                      asked.size(), kBatchCommandsMax));
  }
  const std::vector<const commands::Command*> tables(asked.begin(), asked.end());
  RETURN_IF_ERROR(VerifyCommands(tables));
  std::vector<Result<commands::CommandT>> batch;
  for (const commands::Command* table : asked) {
    commands::CommandT command;
    table->UnPackTo(&command);
    command.principal = principal;
    batch.emplace_back(std::move(command));
  }
  return batch;
}

bool AsksForPage(const frames::Read& request) {
  switch (request.what()) {
    case frames::ReadWhat::saga:
    case frames::ReadWhat::queue:
    case frames::ReadWhat::policy:
    case frames::ReadWhat::status: return false;
    default: return true;
  }
}

}  // namespace sagalog
