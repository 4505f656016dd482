// How fast the reaper goes: at once where little is due, spread out where much is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "schema/store_time.h"

namespace sagalog {

// So many recoveries at once: the machine, and those who claim what was requeued, take them easily.
inline constexpr std::size_t kReaperBurst = 100;
// After a full burst the reaper rests so long, and up to as long again by chance: 500 to 1,000
// recoveries a second, in step with nobody else's timers.
inline constexpr Duration kReaperPause = std::chrono::milliseconds(100);

// A bucket of kReaperBurst permits that fills up again within kReaperPause. Chance comes from a
// seed alone, so that what happened once happens again. `now` never decreases.
class ReaperPace {
 public:
  explicit ReaperPace(std::uint64_t seed) : seed_(seed) {}

  // How many recoveries may begin now.
  [[nodiscard]] std::size_t Permits(StoreTime now) {
    if (now < resting_until_) {
      return 0;
    }
    const auto refill =
        static_cast<std::size_t>(std::min(now - filled_at_, kReaperPause) / kPermit);
    if (refill > 0) {
      permits_ = std::min(permits_ + refill, kReaperBurst);
      filled_at_ = now;
    }
    return permits_;
  }

  // So many have begun; at most as many as were permitted.
  void Spend(std::size_t count) { permits_ -= std::min(count, permits_); }

  // More is due than was permitted: when to go on.
  [[nodiscard]] StoreTime Rest(StoreTime now) {
    if (now >= resting_until_) {
      const auto chance = static_cast<Duration::rep>(
          NextChance() % static_cast<std::uint64_t>(kReaperPause.count()));
      resting_until_ = now + kReaperPause + Duration(chance);
    }
    return resting_until_;
  }

  // How often it had to rest.
  [[nodiscard]] std::uint64_t rests() const { return rests_; }

 private:
  static constexpr Duration kPermit = kReaperPause / kReaperBurst;

  // splitmix64.
  std::uint64_t NextChance() {
    std::uint64_t chance = seed_ + ++rests_ * 0x9e3779b97f4a7c15;
    chance = (chance ^ (chance >> 30)) * 0xbf58476d1ce4e5b9;
    chance = (chance ^ (chance >> 27)) * 0x94d049bb133111eb;
    return chance ^ (chance >> 31);
  }

  const std::uint64_t seed_;
  std::size_t permits_ = kReaperBurst;
  StoreTime filled_at_;
  StoreTime resting_until_;
  std::uint64_t rests_ = 0;
};

}  // namespace sagalog
