// Every limit on input from outside, with its reason. What is over one is refused before it is
// stored; nothing is cut.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sagalog {

// A saga id is part of keys, paths and file names: short enough for each of them.
inline constexpr std::size_t kSagaIdSizeMax = 128;
// A natural key holds names like "owner/repository#number".
inline constexpr std::size_t kKeySizeMax = 512;
// Queue, stage, kind, label name, compensation id, section, effect, actor: words, not texts.
inline constexpr std::size_t kNameSizeMax = 128;
// Branch, worktree, target, repository, issue, label value: paths and URLs.
inline constexpr std::size_t kFactSizeMax = 4096;
// Reason, evidence, detail, result, progress, annotation: a paragraph or a small JSON document.
inline constexpr std::size_t kTextSizeMax = 16384;
// The caller's opaque payload (design: 64 KiB).
inline constexpr std::size_t kPayloadSizeMax = 65536;
// W3C trace context: version, ids and flags are 55 bytes; room for later versions.
inline constexpr std::size_t kTraceparentSizeMax = 128;
// Owner name, host, boot id, pid namespace, executor, principal.
inline constexpr std::size_t kOwnerFieldSizeMax = 256;
// Each label is a row in an index.
inline constexpr std::size_t kLabelsMax = 64;
// Each compensation is decided on in memory.
inline constexpr std::size_t kCompensationsMax = 256;
// Parameters of one compensation.
inline constexpr std::size_t kCompensationParamsMax = 64;
// Each dependency is watched in memory.
inline constexpr std::size_t kDependenciesMax = 256;
// How far a dependency cycle is searched for when a saga is planned.
inline constexpr std::size_t kDependencyDepthMax = 10000;
// A lease, grace or age longer than ten years is a typing error.
inline constexpr std::int64_t kDurationMicrosMax = 10LL * 366 * 24 * 3600 * 1'000'000;
// The whole encoded event: payload, a full set of compensations with long targets, and room.
inline constexpr std::size_t kEventSizeMax = 8UL << 20;
// The whole body of a request, before it is parsed.
inline constexpr std::size_t kRequestSizeMax = 8UL << 20;
// Request line and header fields: a path with a full query, and what proxies add.
inline constexpr std::size_t kRequestHeaderSizeMax = 16384;
// Large bodies that are being read or answered, over all connections; the next one is
// `overloaded`. One that holds a full payload in base64, and any heartbeat, is not large: the
// number of connections bounds those.
inline constexpr std::size_t kRequestBytesInFlightMax = 256UL << 20;
inline constexpr std::size_t kRequestLargeSizeMin = 128UL << 10;
static_assert(kPayloadSizeMax * 4 / 3 < kRequestLargeSizeMin, "a full payload fits beneath it");
// What a follower of the log gets at once, and what all followers share of the newest events: more
// would be memory that slow readers hold.
inline constexpr std::size_t kEventPieceSizeMax = 64UL << 10;
inline constexpr std::size_t kEventTailSizeMax = 8UL << 20;
// How often a follower with no news is told that the connection lives: proxies cut what is silent
// for a minute.
inline constexpr std::chrono::seconds kEventHeartbeat{15};
// A token file is compared line by line at each request of a peer that shows a token.
inline constexpr std::size_t kTokensMax = 1000;
inline constexpr std::size_t kTokenFileSizeMax = 1UL << 20;
// What a peer may keep us waiting for: between two requests; for a whole header, a whole body and
// the taking of a whole answer, however slowly they trickle.
inline constexpr std::chrono::seconds kIdlePatience{300};
inline constexpr std::chrono::seconds kHeaderPatience{10};
inline constexpr std::chrono::seconds kBodyPatience{60};
inline constexpr std::chrono::seconds kAnswerPatience{60};
// How long a stopping server lets requests arrive whose first bytes have.
inline constexpr std::chrono::seconds kStopPatience{3};
// Reads that wait for their `min_sequence`, and for how long; each of them holds a thread.
inline constexpr std::size_t kSequenceWaitersMax = 32;
inline constexpr std::chrono::seconds kSequencePatience{5};
// JSON nested deeper than any request of ours.
inline constexpr std::size_t kJsonDepthMax = 16;
// Values in one JSON document: a plan with every list full has 19,000. More would only cost memory.
inline constexpr std::size_t kJsonValuesMax = 1UL << 18;
// Rows of one page of a query, and what a page has when nothing is said.
inline constexpr std::size_t kPageRowsMax = 10000;
inline constexpr std::size_t kPageRowsDefault = 100;
// Operations waiting for the sequencer; the next one is answered `overloaded` at once.
inline constexpr std::size_t kQueuedOperationsMax = 1UL << 17;
// Events of one append: bounds what a failed write can leave in doubt, and its memory.
inline constexpr std::size_t kBatchEventsMax = 4096;
inline constexpr std::size_t kBatchBytesMax = 16UL << 20;
static_assert(kEventSizeMax * 2 <= kBatchBytesMax, "the largest command's events fit one append");
// Commands of one batch: they are decided in one turn, for which all others wait, and each answer
// carries its saga.
inline constexpr std::size_t kBatchCommandsMax = 1000;
// Refused commands that one event notes with their facts; those beyond are counted. With the
// interval it bounds what a flood of refusals costs the log.
inline constexpr std::size_t kNotedRefusalsMax = 100;
inline constexpr std::chrono::seconds kRefusalNoteInterval{1};
// Notes that a saga remembers, newest first: a caller that keeps on being refused is seen in them.
inline constexpr std::size_t kRefusalNotesPerSagaMax = 32;
// Boots of hosts on which sagas were granted, newest first: they tell an older boot from a newer
// one when a host reports its restart.
inline constexpr std::size_t kSeenBootsMax = 1024;
// Request ids of commands that concern no saga (queues, the store's policy), newest first:
// operators and deployments send them, not workers.
inline constexpr std::size_t kStoreRequestsMax = 16384;
// Request ids of heartbeats remembered per lease, newest first. They count only while the lease
// lives; at a heartbeat every 20 s these are over five hours, far beyond any redelivery.
inline constexpr std::size_t kHeartbeatRequestsMax = 1024;

}  // namespace sagalog
