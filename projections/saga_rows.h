// Which rows of a checkpoint speak of a saga.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "projections/checkpoint_batch.h"
#include "projections/ended_rows.h"
#include "projections/labels.h"
#include "projections/saga.h"
#include "schema/status.h"

namespace sagalog {

// Whether nothing is left that could change on its own, block others, or has to be listed.
[[nodiscard]] bool MayLeaveMemory(const Saga& saga);

// Adds what has changed: a live saga's row, or an ended one's and, when it ended just now, those
// by which it is looked up. Notes in its places which rows it has.
void WriteSagaRows(Saga& saga, const Labels& labels, CheckpointBatch& batch);

// Those by which an ended saga is looked up, each as visit(family, key, value): written once, for
// what they say does not change any more.
using RowVisitor =
    std::function<void(RowFamily family, std::string_view key, std::string_view value)>;
void VisitLookUpRows(const Saga& saga, const RowVisitor& visit);

// A row of kLive.
struct LiveRow {
  Saga saga;
  std::vector<std::pair<std::string, std::string>> labels;
};
[[nodiscard]] Result<LiveRow> DecodeLiveRow(std::string_view bytes);
// A row of kEnded.
[[nodiscard]] Result<Saga> DecodeEndedRow(std::string_view bytes);

// A row of kKeys: generation as 4 bytes big-endian, state, saga id. Of two, the one that compares
// greater is the newer.
[[nodiscard]] std::string EncodeKeyRow(const EndedKey& key);
[[nodiscard]] Result<EndedKey> DecodeKeyRow(std::string_view bytes);

// A row of kRequests: sequence as 8 bytes big-endian, saga id.
[[nodiscard]] Result<EndedRequest> DecodeRequestRow(std::string_view bytes);

// Keys of rows.
[[nodiscard]] std::string PlanRowKey(Sequence planned);
[[nodiscard]] std::string GenerationRowKey(std::string_view key, std::uint32_t generation);
// What all of a key's generations begin with.
[[nodiscard]] std::string GenerationRowPrefix(std::string_view key);
[[nodiscard]] std::string RequestRowKey(std::uint64_t high, std::uint64_t low);

}  // namespace sagalog
