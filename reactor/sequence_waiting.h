// Reads that wait for the sequence they are to be true of.
#pragma once

#include <chrono>
#include <cstdint>

#include "eventlog/event_log.h"
#include "schema/status.h"

namespace sagalog {

// Waits until `wanted` is durable. kOverloaded when it is not within `patience`, or when
// kSequenceWaitersMax of this process wait already: each holds a thread. Thread-safe.
[[nodiscard]] Status AwaitSequence(const EventLog& log, std::uint64_t wanted,
                                   std::chrono::milliseconds patience);

}  // namespace sagalog
