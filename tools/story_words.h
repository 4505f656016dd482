// The words that stories are made of.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "projections/saga.h"
#include "schema/events_generated.h"
#include "schema/store_time.h"

namespace sagalog::tools {

// What a caller wrote, in quotes, without what could play tricks, cut where it is very long.
[[nodiscard]] std::string Quoted(std::string_view text);

// ": \"reason\"", or nothing when there is none.
[[nodiscard]] std::string Because(std::string_view reason);

// "00:00:31" of the day, with milliseconds where there are some.
[[nodiscard]] std::string TimeOfDay(StoreTime time);

// "2026-01-01 00:00:31 UTC".
[[nodiscard]] std::string DateAndTime(StoreTime time);

// A length of time, with fractions of a second where it is short: "30 s", "0.25 s", "2 min 5 s".
[[nodiscard]] std::string Span(Duration duration);

// "1 command", "3 commands".
[[nodiscard]] std::string Count(std::uint64_t number, std::string_view noun);

// Who did it: what it said of itself, else who the store knows it to be.
[[nodiscard]] std::string ActorOf(const events::EventT& event);

// Tells owners apart: a name alone as long as all of that name are one process.
class OwnerNames {
 public:
  void Learn(const schema::OwnerT* owner);
  void LearnToken(std::uint64_t token, const InternedText& owner);

  // "w1"; "w1 (pid 7 on h1)" where several processes had that name.
  [[nodiscard]] std::string Of(const InternedText& identity) const;
  [[nodiscard]] std::string Of(const schema::OwnerT* owner) const;
  // With everything that is known of the process.
  [[nodiscard]] std::string InFull(const schema::OwnerT* owner) const;
  // Whose token it was; empty = nobody's that is known.
  [[nodiscard]] InternedText OwnerOfToken(std::uint64_t token) const;

 private:
  std::map<std::string, std::set<std::string>, std::less<>> processes_;
  std::map<std::uint64_t, InternedText> tokens_;
};

}  // namespace sagalog::tools
