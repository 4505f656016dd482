// Threads whose work may wait for everybody else's, and what a thread takes.
#pragma once

#include <chrono>

namespace sagalog {

// From now on the calling thread gets the processors that others leave idle, and a small part of
// one where none is: it always gets on. It must not hold for long what others wait for.
void WorkInSpareTime();

// The processor time that the calling thread has taken. Where other threads interrupt it, this
// stands still.
[[nodiscard]] std::chrono::nanoseconds ThreadTime();

}  // namespace sagalog
