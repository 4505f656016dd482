// Assertions for our own mistakes. Bytes from disk, network or client are never CHECKed.
#pragma once

namespace sagalog {

// Prints the condition and its place on standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace sagalog

// On in every build.
#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::sagalog::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)

// Only in builds without NDEBUG: for scans of whole structures.
#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(0)
#else
#define DCHECK(condition) CHECK(condition)
#endif
