#include "reactor/reaper_loop.h"

#include <algorithm>
#include <utility>

namespace sagalog {

ReaperLoop::ReaperLoop(const Clock& clock, Act act)
    : clock_(clock), act_(std::move(act)), thread_([this] { Loop(); }) {}

ReaperLoop::~ReaperLoop() { Stop(); }

void ReaperLoop::Stop() {
  stopping_ = true;
  alarm_.Ring();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ReaperLoop::Loop() {
  while (!stopping_) {
    // Read before acting, so that the wait ends rather early than late.
    const Duration before = clock_.Read().boot;
    const std::optional<Duration> rest = act_();
    clock_.WaitUntil(before + std::min(rest.value_or(kReaperLookMax), kReaperLookMax), alarm_);
  }
}

}  // namespace sagalog
