// Every limit on frames of the native protocol, with its reason; what is in them has those of
// schema/limits.h.
#pragma once

#include <cstddef>

#include "schema/limits.h"

namespace sagalog {

// A frame of the native protocol: the largest request, and what the frame adds to it.
inline constexpr std::size_t kRequestFrameSizeMax = kRequestSizeMax + 1024;
// The first frame of a client: nobody is known yet, and an access token is a line.
inline constexpr std::size_t kHelloFrameSizeMax = 16UL << 10;
// A frame of answers. A page that would be larger is refused; a smaller limit gives it.
inline constexpr std::size_t kAnswerFrameSizeMax = 64UL << 20;
// Tables of a whole batch in one frame: as many as a JSON document has values.
inline constexpr std::size_t kFrameTablesMax = 1UL << 18;
// Requests of one connection that are not answered yet, and what they may hold in memory; then no
// more is read from it. A connection may always have one, however large.
inline constexpr std::size_t kPipelinedRequestsMax = 1024;
inline constexpr std::size_t kPipelinedBytesMax = 1UL << 20;
// What a request counts for that is answered with a whole saga, or with a page of anything.
inline constexpr std::size_t kSagaAnswerBytes = 4096;
inline constexpr std::size_t kPageAnswerBytes = 256UL << 10;
// Follows of one connection at a time: each has a place in the log, and a piece of it.
inline constexpr std::size_t kFollowsMax = 16;
// Answers that a peer has not taken and beside which it is sent no more events.
inline constexpr std::size_t kUntakenEventsMax = 64UL << 10;
// Answers that a peer has not taken; then no more is read from it.
inline constexpr std::size_t kUntakenBytesMax = 1UL << 20;

}  // namespace sagalog
