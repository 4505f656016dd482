// Signals as something to read, instead of something that interrupts.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

namespace sagalog::tools {

// Blocks signals for this thread, and the threads it starts from now on, as long as it lives. To be
// made before any other thread is started: a signal goes to any thread that does not block it.
class SignalInbox {
 public:
  explicit SignalInbox(std::initializer_list<int> signals);
  ~SignalInbox();
  SignalInbox(const SignalInbox&) = delete;
  SignalInbox& operator=(const SignalInbox&) = delete;

  // Readable when a signal waits.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // The next that waits; none when none does.
  [[nodiscard]] std::optional<int> Next();

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace sagalog::tools
