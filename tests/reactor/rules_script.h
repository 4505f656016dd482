// Scripts for tests of the rules: a line a command, and the facts of a refusal as one text.
#pragma once

#include <string>
#include <string_view>

#include "tests/reactor/rules_store.h"

namespace sagalog {

// Plays the lines "COMMAND SAGA [ARGUMENTS]", "advance DURATION" and "crash DURATION"; the saga is
// "-" for a command that names none. All but the last must be answered "ok…"; what the last is
// answered comes back.
std::string Play(RulesStore& store, std::string_view script);

// What the refusal tells beside its code and words: "saga=T state=running version=2 holder=w
// since=0s …". Times are counted from the beginning of the store.
std::string FactsOf(const answers::RefusalT& refusal);

}  // namespace sagalog
