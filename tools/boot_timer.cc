#include "tools/boot_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "reactor/clock.h"
#include "schema/check.h"

namespace sagalog::tools {

Duration BootNow() { return SystemClock().Read().boot; }

BootTimer::BootTimer() : descriptor_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  CHECK(descriptor_ >= 0);
}

BootTimer::~BootTimer() { close(descriptor_); }

void BootTimer::Set(Duration moment) {
  // Zero would switch the timer off.
  const auto micros = std::max<Duration::rep>(moment.count(), 1);
  itimerspec spec{};
  spec.it_value.tv_sec = micros / 1'000'000;
  spec.it_value.tv_nsec = micros % 1'000'000 * 1000;
  CHECK(timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

void BootTimer::Clear() {
  const itimerspec spec{};
  CHECK(timerfd_settime(descriptor_, 0, &spec, nullptr) == 0);
}

}  // namespace sagalog::tools
