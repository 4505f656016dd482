#include "reactor/store.h"

#include <utility>

#include "reactor/store_engine.h"

namespace sagalog {

struct Store::Call::Operation final : CommandOperation {
  explicit Operation(Engine& store_engine) : engine(store_engine) {}

  void Completed() override {
    if (!engine.Resume(*this)) {
      return;
    }
    if (callback) {
      callback(engine.Finish(*this));
      delete this;
      return;
    }
    reply.emplace(engine.Finish(*this));
    waiting.resume();
  }

  Engine& engine;
  // Who is told, when nobody blocks. With a callback the operation owns itself.
  std::function<void(Reply)> callback;
  std::coroutine_handle<> waiting;
  std::optional<Reply> reply;
};

Store::Call::Call(Engine& engine, commands::CommandT command, bool with_saga)
    : operation_(std::make_unique<Operation>(engine)) {
  operation_->command = std::move(command);
  operation_->with_saga = with_saga;
}

Store::Call::Call(Call&&) noexcept = default;
Store::Call::~Call() = default;

Reply Store::Call::Get() && { return operation_->engine.Run(*operation_); }

void Store::Call::await_suspend(std::coroutine_handle<> waiting) {
  operation_->waiting = waiting;
  operation_->engine.Submit(*operation_);
}

Reply Store::Call::await_resume() { return *std::move(operation_->reply); }

void Store::Call::Then(std::function<void(Reply)> callback) && {
  operation_->callback = std::move(callback);
  Operation* const operation = operation_.release();
  operation->engine.Submit(*operation);
}

Store::Store(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  ASSIGN_OR_RETURN(auto engine, Engine::Open(std::move(options)));
  return std::unique_ptr<Store>(new Store(std::move(engine)));
}

Status Store::Close() { return engine_->Close(); }

std::size_t Store::QueuedOperations() const { return engine_->QueuedOperations(); }

const AppendFigures* Store::Appends() const {
  const LogMaintenance* maintenance = engine_->maintenance();
  return maintenance == nullptr ? nullptr : maintenance->Figures();
}

Status Store::Health() const { return engine_->Health(); }

const EventLog& Store::log() const { return engine_->log(); }

Store::Call Store::Execute(commands::CommandT command, bool with_saga) {
  return {*engine_, std::move(command), with_saga};
}

}  // namespace sagalog
