// The rules and the fold alone, without log, sequencer and disk: commands are decided at a moment
// set by hand, and what they decide is folded. For tests that ask thousands of questions.
#pragma once

#include <string>
#include <string_view>

#include "projections/projections.h"
#include "reactor/decide.h"
#include "schema/event_encoder.h"
#include "tests/projections/no_rows.h"

namespace sagalog {

class DecidedHistory {
 public:
  DecidedHistory() : projections_(rows_) {}

  // What the command would be answered now: "ok", "ok:unchanged", … or the code of the refusal.
  // Nothing changes. "$TOKEN" in the arguments stands for the token that the saga's holder has, or
  // had last, "$SPENT" for the dispatch's that its worker came with, "$VERSION" for its version,
  // and
  // "$CLAIM" for the token of the newest claim of "c".
  [[nodiscard]] std::string Ask(std::string_view command, std::string_view saga,
                                std::string_view arguments) const;
  // The same, and what it decides has happened.
  std::string Run(std::string_view command, std::string_view saga,
                  std::string_view arguments = "{}");

  void Advance(Duration by) { now_ = now_ + by; }
  // The store was away until now.
  void ComeBack();

  [[nodiscard]] const Projections& state() const { return projections_; }

 private:
  [[nodiscard]] const Result<commands::CommandT>& Parse(std::string_view command,
                                                        std::string_view saga,
                                                        std::string_view arguments) const;
  [[nodiscard]] Decision DecideNow(const commands::CommandT& command) const;
  void Fold(std::string_view saga, events::BodyUnion body);

  NoRows rows_;
  Projections projections_;
  EventEncoder encoder_;
  Lookups lookups_;
  StoreTime now_ = TimeFromMicros(1'767'225'600'000'000);
};

}  // namespace sagalog
