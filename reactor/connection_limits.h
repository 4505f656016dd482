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

// Followers of the log are given their pieces in turn, so many each time and then a pause at least:
// nobody else waits for more than one such group.
inline constexpr std::chrono::microseconds kTurnPause{250};
inline constexpr std::size_t kTurnsTogether = 8;
// A turn is followed by a rest, as a multiple of what it took of the sockets' thread. Beside
// requests all followers together take a thirty-third of that thread, so that what they get is not
// paid by the commands; without requests they take half of it, which leaves room for one that
// comes.
inline constexpr int kRestBesideRequests = 32;
inline constexpr int kRestAlone = 1;
// So long after a request more of them are expected: a lonely caller's next one comes within the
// sync of a slow disk.
inline constexpr std::chrono::milliseconds kBusyAfterRequest{10};
// Turns that were not taken may be taken later, but not many at a stretch.
inline constexpr std::chrono::microseconds kTurnSavings{1000};
// What resuming a follower and putting it back into the row takes, beside the sending.
inline constexpr std::chrono::microseconds kTurnOverhead{8};
// What a byte is taken to cost that is sent, or encrypted, later than in the turn.
inline constexpr std::chrono::nanoseconds kUnmeasuredByteCost{1};

// When the log gets on, those at its end are told: after a pause in which so many all have a turn,
// since nobody needs it sooner. What comes meanwhile is taken together.
inline constexpr std::chrono::microseconds kNewsPause{2000};
// How long at most, so that a follower at the end of the log hears soon.
inline constexpr std::chrono::microseconds kWatchPauseMax{1'000'000};

}  // namespace sagalog
