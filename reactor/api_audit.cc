#include "reactor/api_audit.h"

#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/audit_trail.h"
#include "schema/base64.h"
#include "schema/json_text.h"
#include "schema/json_writer.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

ApiResponse NoTree(const ApiCall& call) {
  return Problem(call.Last(), RefusalCode::not_found,
                 "no audit tree is kept beside this store: a daemon keeps one");
}

std::string PathJson(const MerkleProof& path) {
  std::string json = "[";
  for (const EventHash& hash : path) {
    json += fmt::format("{}\"{}\"", json.size() > 1 ? "," : "", ToBase64(hash));
  }
  return json + "]";
}

// The proof's own members, and the checkpoint that it leads to.
ApiResponse AnswerProof(const ApiCall& call, const std::string& members, const MerkleProof& path,
                        const std::string& note) {
  const auto parsed = SignedNote::Parse(note);
  const auto checkpoint =
      parsed.ok() ? ParseCheckpointText(parsed->text) : Result<Checkpoint>(parsed.status());
  if (!checkpoint.ok()) {
    return Problem(call.Last(), checkpoint.status());
  }
  std::string json =
      fmt::format(R"({{{},"path":{},"size":{},"root":"{}","checkpoint":)", members, PathJson(path),
                  checkpoint->head.size, ToBase64(checkpoint->head.root));
  AppendJsonString(json, note);
  return Answer(WithSequence(json + "}", Sequence(checkpoint->head.size)));
}

ApiResponse ShowEventProof(const ApiCall& call, AuditTrail& trail, Sequence sequence) {
  const auto proof = trail.Prove(sequence);
  if (!proof.ok()) {
    return Problem(call.Last(), proof.status());
  }
  std::string members = fmt::format(R"("index":{},"event":")", proof->index);
  AppendBase64(members,
               {reinterpret_cast<const std::uint8_t*>(proof->event.data()), proof->event.size()});
  return AnswerProof(call, members + '"', proof->path, proof->checkpoint);
}

ApiResponse ShowGrowthProof(const ApiCall& call, AuditTrail& trail, std::uint64_t from) {
  const auto proof = trail.ProveFrom(from);
  if (!proof.ok()) {
    return Problem(call.Last(), proof.status());
  }
  const std::string members =
      fmt::format(R"("from":{},"from_root":"{}")", from, ToBase64(proof->from.root));
  return AnswerProof(call, members, proof->path, proof->checkpoint);
}

}  // namespace

ApiResponse ShowAuditCheckpoint(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  AuditTrail* const trail = AuditTrail::Of(call.store.log());
  if (trail == nullptr) {
    return NoTree(call);
  }
  const auto note = trail->TakeCheckpoint();
  if (!note.ok()) {
    return Problem(call.Last(), note.status());
  }
  return ApiResponse{200, "text/plain; charset=utf-8", *note};
}

ApiResponse ShowAuditProof(const ApiCall& call) {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  ApiQuery query(call.target.parameters);
  const std::uint64_t sequence = query.Number("sequence", kNone, 1, kNone - 1);
  const std::uint64_t from = query.Number("from", kNone, 1, kNone - 1);
  if ((sequence == kNone) == (from == kNone)) {
    query.Refuse("sequence", "either this, an event, or from, a number of events, is needed");
  }
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  AuditTrail* const trail = AuditTrail::Of(call.store.log());
  if (trail == nullptr) {
    return NoTree(call);
  }
  return sequence != kNone ? ShowEventProof(call, *trail, Sequence(sequence))
                           : ShowGrowthProof(call, *trail, from);
}

}  // namespace sagalog
