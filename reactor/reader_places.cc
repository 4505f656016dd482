#include "reactor/reader_places.h"

#include <fmt/format.h>

#include "reactor/store_engine.h"
#include "schema/field_checks.h"

namespace sagalog {
namespace {

Status CheckWritable(Store::Engine& engine) {
  return engine.keeper() == nullptr
             ? Status(Code::kReadOnly,
                      "the store is open for reading only: readers stay where "
                      "they are")
             : Status();
}

}  // namespace

Result<std::vector<LogReader>> ReadReaders(Store& store) {
  return Store::Engine::Of(store).readers().All();
}

Result<bool> MoveReader(Store& store, std::string_view name, Sequence position) {
  RETURN_IF_ERROR(CheckSagaId(FieldPath("reader"), name));
  Store::Engine& engine = Store::Engine::Of(store);
  RETURN_IF_ERROR(CheckWritable(engine));
  StoreTime now;
  Sequence end;
  RETURN_IF_ERROR(engine.RunInTurn([&](const Decider& decider) {
    now = decider.now();
    end = decider.Applied().Next();
  }));
  if (position.IsNone() || position > end) {
    return Status(Code::kInvalidArgument,
                  fmt::format("position: what is read next is from 1 to {}, where the log goes on",
                              end.value()));
  }
  return engine.readers().Place({std::string(name), position, now});
}

Result<bool> ForgetReader(Store& store, std::string_view name) {
  Store::Engine& engine = Store::Engine::Of(store);
  RETURN_IF_ERROR(CheckWritable(engine));
  return engine.readers().Remove(name);
}

}  // namespace sagalog
