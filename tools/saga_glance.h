// What of a saga matters at a glance: its state beside each event of a replay.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "projections/saga.h"
#include "projections/staleness.h"

namespace sagalog::tools {

struct SagaGlance {
  // False = not planned, and nothing below says anything.
  bool planned = false;
  State state = State::planned;
  InternedText stage;
  // The holder, or once it ended the last one.
  InternedText owner;
  // Of a saga that is held.
  Token token;
  std::optional<StoreTime> expires_at;
  InternedText section;
  std::uint32_t attempts = 0;
  std::uint32_t recoveries = 0;
  bool cancel_pending = false;
  bool parked = false;
  CompensationStatus compensation_status = CompensationStatus::none;
  // Each that was registered: "claimed by janitor"; each that was begun, and whether it is settled.
  std::vector<std::pair<std::string, std::string>> compensations;
  std::vector<std::pair<std::string, bool>> effects;
  std::vector<StaleSince> stale;

  friend bool operator==(const SagaGlance&, const SagaGlance&) = default;
};

[[nodiscard]] SagaGlance GlanceAt(const Saga& saga, std::vector<StaleSince> stale);

// An object with the fields of a saga, as far as they say something; `null` when it is not planned.
void AppendJson(std::string& out, const SagaGlance& glance);

// "running, stage build, w1, token 17, expires in 30 s; stale: …", seen at `now`.
[[nodiscard]] std::string InWords(const SagaGlance& glance, StoreTime now);

// The same field by field, "" where there is nothing to say; every glance gives the same names.
[[nodiscard]] std::vector<std::pair<const char*, std::string>> FieldsOf(const SagaGlance& glance,
                                                                        StoreTime now);

}  // namespace sagalog::tools
