#include "reactor/checked_execution.h"

#include <utility>

namespace sagalog {
namespace {

answers::RefusalT Unreadable(const Status& status) {
  answers::RefusalT refusal;
  refusal.code = schema::RefusalCode::invalid_argument;
  refusal.detail = status.text();
  return refusal;
}

}  // namespace

void CountReply(DaemonFigures& figures, commands::Body type, const Reply& reply) {
  if (reply.ok()) {
    figures.commands.CountAnswer(type, reply.answer().outcome);
  } else {
    figures.commands.CountRefusal(type, reply.refusal().code);
  }
}

bool MayBlockToCheck(const Caller& caller) {
  return !caller.owner_prefix.empty() && caller.role != Role::kAdmin;
}

void ExecuteFor(const Caller& caller, Store& store, DaemonFigures& figures,
                commands::CommandT command, bool with_saga,
                std::function<void(const Reply&)> answer) {
  const commands::Body type = command.body.type;
  if (auto refusal = CheckCommand(caller, store, command)) {
    const Reply refused(*std::move(refusal));
    CountReply(figures, type, refused);
    answer(refused);
    return;
  }
  store.Execute(std::move(command), with_saga)
      .Then([&figures, type, answer = std::move(answer)](const Reply& reply) {
        CountReply(figures, type, reply);
        answer(reply);
      });
}

Reply ExecuteNowFor(const Caller& caller, Store& store, DaemonFigures& figures,
                    commands::CommandT command, bool with_saga) {
  const commands::Body type = command.body.type;
  auto refusal = CheckCommand(caller, store, command);
  Reply reply =
      refusal ? Reply(*std::move(refusal)) : store.Execute(std::move(command), with_saga).Get();
  CountReply(figures, type, reply);
  return reply;
}

BatchReply ExecuteBatchFor(const Caller& caller, Store& store, DaemonFigures* figures,
                           std::vector<Result<commands::CommandT>> batch, bool atomic,
                           bool with_saga) {
  std::vector<std::optional<answers::RefusalT>> refused;
  std::vector<commands::Body> types;
  std::vector<commands::CommandT> allowed;
  for (Result<commands::CommandT>& command : batch) {
    types.push_back(command.ok() ? command->body.type : commands::Body::NONE);
    refused.push_back(command.ok() ? CheckCommand(caller, store, *command)
                                   : Unreadable(command.status()));
    if (!refused.back()) {
      allowed.push_back(*std::move(command));
    } else if (atomic) {
      refused.back()->index = static_cast<std::uint32_t>(refused.size() - 1);
      return BatchReply{{}, std::move(refused.back())};
    }
  }
  BatchReply done = store.ExecuteBatch(std::move(allowed), atomic, with_saga);
  if (done.refusal) {
    return done;
  }
  BatchReply all;
  auto answered = done.answers.begin();
  for (std::size_t i = 0; i < refused.size(); ++i) {
    all.answers.push_back(refused[i] ? Reply(*std::move(refused[i])) : std::move(*answered++));
    if (figures != nullptr && types[i] != commands::Body::NONE) {
      CountReply(*figures, types[i], all.answers.back());
    }
  }
  return all;
}

}  // namespace sagalog
