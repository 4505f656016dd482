// How many peers the daemon holds, how fast those who follow the log are served, and why so.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace sagalog {

// Open connections unless `serve --connections-max` says otherwise: five thousand workers that are
// idle most of the time, a thousand followers of the log, and as many again for what nobody
// planned. An idle one costs about 7 KiB (`sagalog bench remote --idle 5000`) and a descriptor, so
// all of them together cost less than the log's caches. The next one is answered `overloaded` and
// closed.
inline constexpr std::size_t kConnectionsDefault = 8192;
// More than this is a typing error: the descriptors alone would take a machine of their own.
inline constexpr std::size_t kConnectionsSettableMax = 1'000'000;
// Of all places, those that only peers of the Unix socket take: whoever reaches TCP cannot lock out
// who is on the machine.
[[nodiscard]] constexpr std::size_t PlacesKeptForLocal(std::size_t places) {
  return std::min(places / 2, std::max<std::size_t>(places / 8, 8));
}
// Peers on TCP that nobody knows yet; each has kHeaderPatience to show a token.
[[nodiscard]] constexpr std::size_t PlacesOfStrangers(std::size_t places) {
  return std::max<std::size_t>(places / 4, 1);
}
// Peers without a place that are heard for a moment, to be refused in the protocol that they speak;
// others are refused at once, as HTTP.
inline constexpr std::size_t kRefusalsHeardMax = 64;
inline constexpr std::chrono::milliseconds kRefusalPatience{500};
// What the log's tables and everything else but connections may have open.
inline constexpr std::size_t kDescriptorsBesideMax = 512;

// Followers of the log are given their pieces in turn, so many each time, and then comes a pause:
// what they take together is bounded, and nobody else waits for more than one such group. A
// thousand that have something to read come round four times a second; few are not held up. What
// comes meanwhile is taken together.
inline constexpr std::chrono::microseconds kTurnPause{2000};
inline constexpr std::size_t kTurnsTogether = 8;
// From so many followers on, a piece that had to be read from the log for one of them, which takes
// about a fourth of this, is rested from so long.
inline constexpr std::size_t kFollowersMany = 64;
inline constexpr std::chrono::microseconds kReadingRest{2000};
// How long at most, so that a follower at the end of the log hears soon.
inline constexpr std::chrono::microseconds kWatchPauseMax{1'000'000};

}  // namespace sagalog
