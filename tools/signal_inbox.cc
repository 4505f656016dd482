#include "tools/signal_inbox.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "schema/check.h"

namespace sagalog::tools {

SignalInbox::SignalInbox(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  CHECK(descriptor_ >= 0);
}

SignalInbox::~SignalInbox() {
  while (Next()) {
    // What came too late to be acted on must not strike when it is unblocked.
  }
  close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalInbox::Next() {
  signalfd_siginfo info{};
  if (read(descriptor_, &info, sizeof info) != sizeof info) {
    return std::nullopt;
  }
  return static_cast<int>(info.ssi_signo);
}

}  // namespace sagalog::tools
