// What can go wrong outside the program, as a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "schema/check.h"

namespace sagalog {

// What the caller can do about it. There is no code for where it happened; the text says that.
enum class Code {
  kOk,
  kInvalidArgument,     // the request is wrong: change it
  kNotFound,            // no such thing
  kConflict,            // somebody was faster: read again, then decide
  kIndeterminate,       // it may have happened or not: read to know
  kReadOnly,            // opened for reading, or poisoned by an earlier write error
  kLocked,              // another process holds it: talk to that one
  kUnsupportedVersion,  // written by a newer release: update the program
  kCorruption,          // bytes are not what was written: restore, or ask the doctor
  kIoError,             // the machine refused: disk full, no permission, …
  kOverloaded,          // a bounded queue is full: wait and try again
  kCancelled,           // given up because the store is closing
};

[[nodiscard]] std::string_view CodeName(Code code);

// OK, or a code and one line for a person. A value; copies are independent.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string text) : code_(code), text_(std::move(text)) {
    CHECK(code != Code::kOk);
  }

  [[nodiscard]] bool ok() const { return code_ == Code::kOk; }
  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  // Says on purpose that an error changes nothing here.
  void IgnoreBecause(std::string_view /*reason*/) const {}

 private:
  Code code_ = Code::kOk;
  std::string text_;
};

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : value_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    CHECK(!std::get<Status>(value_).ok());
  }

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(value_); }
  [[nodiscard]] Status status() const { return ok() ? Status() : std::get<Status>(value_); }

  // Only when ok().
  [[nodiscard]] T& operator*() & { return std::get<T>(value_); }
  [[nodiscard]] const T& operator*() const& { return std::get<T>(value_); }
  // By value, so that a loop over *Function() keeps what it loops over.
  [[nodiscard]] T operator*() && { return std::get<T>(std::move(value_)); }
  [[nodiscard]] T* operator->() { return &std::get<T>(value_); }
  [[nodiscard]] const T* operator->() const { return &std::get<T>(value_); }

 private:
  std::variant<T, Status> value_;
};

}  // namespace sagalog

#define RETURN_IF_ERROR(expression)                                \
  do {                                                             \
    if (::sagalog::Status status_ = (expression); !status_.ok()) { \
      return status_;                                              \
    }                                                              \
  } while (false)

#define SAGALOG_JOIN_(a, b) a##b
#define SAGALOG_JOIN(a, b) SAGALOG_JOIN_(a, b)
// ASSIGN_OR_RETURN(auto value, Function()): declares or assigns the value, or returns the error.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_(SAGALOG_JOIN(result_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                         \
  if (!result.ok()) {                                 \
    return result.status();                           \
  }                                                   \
  target = *std::move(result)
