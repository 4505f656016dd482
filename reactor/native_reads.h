// Reads that a connection of the native protocol has asked for, and how they are answered.
#pragma once

#include <cstdint>
#include <memory>

#include "reactor/native_outbox.h"
#include "reactor/store.h"
#include "schema/frames_generated.h"

namespace sagalog {

struct WaitingRead {
  std::uint64_t number;
  std::shared_ptr<frames::ReadT> what;
  RequestLoad load;
};

// Carries it out and puts its answer, or why there is none, into the box. May block.
void AnswerInto(NativeOutbox& outbox, Store& store, const WaitingRead& read);

}  // namespace sagalog
