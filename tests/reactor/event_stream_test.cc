// What a stream of events holds: its place, its filters, its form.
#include "reactor/event_stream.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/export_line.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ReadToEnd(EventStream& stream) {
  std::string all;
  while (!stream.CaughtUp()) {
    const auto piece = stream.Next();
    EXPECT_TRUE(piece.ok()) << piece.status().text();
    all += piece.ok() ? *piece : "";
  }
  return all;
}

std::vector<std::uint64_t> SequencesOf(const std::string& lines) {
  std::vector<std::uint64_t> sequences;
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = lines.find('\n', start);
    sequences.push_back(boost::json::parse(lines.substr(start, end - start))
                            .at("sequence")
                            .to_number<std::uint64_t>());
    start = end + 1;
  }
  return sequences;
}

// 1 store_opened; 2 and 3 plan and acquire T1; 4 and 5 T2; 6 completes T1.
class EventStreamOfTwo : public ::testing::Test {
 protected:
  EventStreamOfTwo() {
    const std::uint64_t token = api_.Acquire("T1");
    api_.Acquire("T2");
    api_.Post("/v1/sagas/T1:complete", fmt::format(R"({{"token":{}}})", token));
  }

  std::vector<std::uint64_t> Of(const std::string& target) {
    const ApiResponse response = api_.Send("GET", target);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.events ? SequencesOf(ReadToEnd(*response.events))
                           : std::vector<std::uint64_t>();
  }

  ApiStore api_;
};

TEST_F(EventStreamOfTwo, BeginsWhereItIsTold) {
  EXPECT_THAT(Of("/v1/events"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Of("/v1/events?from=5"), ElementsAre(5, 6));
  EXPECT_THAT(Of("/v1/events?from=7"), IsEmpty());
}

TEST_F(EventStreamOfTwo, HoldsOnlyWhatWasAskedFor) {
  EXPECT_THAT(Of("/v1/events?type=leased"), ElementsAre(3, 5));
  EXPECT_THAT(Of("/v1/events?type=planned,terminal"), ElementsAre(2, 4, 6));
  EXPECT_THAT(Of("/v1/events?saga=T1"), ElementsAre(2, 3, 6));
  EXPECT_THAT(Of("/v1/events?saga=T1&type=leased&from=2"), ElementsAre(3));
  EXPECT_THAT(Of("/v1/events?saga=T9"), IsEmpty());
}

TEST_F(EventStreamOfTwo, AnExportHasTheRangeThatWasAskedFor) {
  EXPECT_THAT(Of("/v1/audit/export?format=ndjson"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Of("/v1/audit/export?from=2&to=4"), ElementsAre(2, 3, 4));
  EXPECT_THAT(Of("/v1/audit/export?from=6"), ElementsAre(6));
}

TEST_F(EventStreamOfTwo, AnExportCarriesTheStoredBytes) {
  const ApiResponse response = api_.Send("GET", "/v1/audit/export?from=3&to=3");
  std::string line = ReadToEnd(*response.events);
  ASSERT_TRUE(line.ends_with('\n'));
  line.pop_back();
  const auto stored = api_.store().log().Read(Sequence(3));
  std::string bytes;
  ASSERT_TRUE(DecodeExportLine(line, bytes));
  EXPECT_EQ(bytes, stored->bytes());
  EXPECT_TRUE(CheckExportLine(line, **stored).ok());
}

TEST_F(EventStreamOfTwo, AnExportOfWhatTheLogDoesNotHoldIsRefused) {
  for (const char* query :
       {"from=7", "to=7", "from=4&to=3", "format=csv", "from=x", "follow=true"}) {
    const ApiResponse response = api_.Send("GET", fmt::format("/v1/audit/export?{}", query));
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(response.events, nullptr) << query;
  }
}

TEST_F(EventStreamOfTwo, ASagasStreamIsItsHistoryAndWhatComes) {
  EXPECT_THAT(Of("/v1/sagas/T1/events?follow=true"), ElementsAre(2, 3, 6));
  EXPECT_THAT(Of("/v1/sagas/T1/events?follow=true&from=3"), ElementsAre(3, 6));
  EXPECT_THAT(Of("/v1/sagas/T1/events?follow=true&from=4&type=leased"), IsEmpty());
  const ApiResponse response = api_.Send("GET", "/v1/sagas/T1/events?follow=true");
  ReadToEnd(*response.events);
  api_.Post("/v1/sagas/T2:annotate", R"({"text":"t"})");
  api_.Post("/v1/sagas/T1:annotate", R"({"text":"t"})");
  EXPECT_THAT(SequencesOf(ReadToEnd(*response.events)), ElementsAre(8));
}

TEST_F(EventStreamOfTwo, WithoutFollowItEndsWhereTheLogWas) {
  const ApiResponse response = api_.Send("GET", "/v1/events?from=6");
  api_.Post("/v1/sagas/T2:annotate", R"({"text":"t"})");
  EXPECT_THAT(SequencesOf(ReadToEnd(*response.events)), ElementsAre(6));
}

TEST_F(EventStreamOfTwo, TheSameFromWhatAllShare) {
  EventTail tail;
  ASSERT_TRUE(tail.CatchUp(api_.store().log()).ok());
  for (std::uint64_t seen = 0; seen <= 6; ++seen) {
    EventQuery query;
    query.seen = Sequence(seen);
    query.follow = true;
    query.types = {events::Body::Leased, events::Body::Terminal};
    EventStream shared(api_.store().log(), query, &tail);
    EventStream read(api_.store().log(), query, nullptr);
    EXPECT_EQ(**shared.NextOfFollower(), ReadToEnd(read)) << seen;
    EXPECT_TRUE(shared.CaughtUp());
  }
}

TEST_F(EventStreamOfTwo, APieceIsBounded) {
  const std::string text = fmt::format(R"({{"text":"{}"}})", std::string(kTextSizeMax, 't'));
  for (int i = 0; i < 100; ++i) {
    api_.Post("/v1/sagas/T2:annotate", text);
  }
  const ApiResponse response = api_.Send("GET", "/v1/events");
  std::string all;
  while (!response.events->CaughtUp()) {
    const std::string piece = *response.events->Next();
    EXPECT_LT(piece.size(), kEventPieceSizeMax + 2 * kTextSizeMax);
    all += piece;
  }
  EXPECT_THAT(SequencesOf(all), SizeIs(106));
}

TEST(EventTail, HoldsTheNewestWithoutAGap) {
  ApiStore api;
  EventTail tail;
  EXPECT_THAT(tail.Behind(Sequence(), 1000).events, IsEmpty());
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  ASSERT_TRUE(tail.CatchUp(api.store().log()).ok());
  EXPECT_EQ(tail.Last(), Sequence(2));
  EXPECT_THAT(tail.Behind(Sequence(), 1000).events, SizeIs(2));
  EXPECT_THAT(tail.Behind(Sequence(1), 1000).events, SizeIs(1));
  EXPECT_THAT(tail.Behind(Sequence(2), 1000).events, IsEmpty());
  const std::string text = fmt::format(R"({{"text":"{}"}})", std::string(kTextSizeMax, 't'));
  for (std::size_t bytes = 0; bytes <= kEventTailSizeMax; bytes += kTextSizeMax) {
    api.Post("/v1/sagas/T1:annotate", text);
  }
  ASSERT_TRUE(tail.CatchUp(api.store().log()).ok());
  EXPECT_EQ(tail.Last(), api.store().log().Last());
  EXPECT_THAT(tail.Behind(Sequence(1), 1000).events, IsEmpty());  // Too long ago.
  EXPECT_EQ(tail.Behind(Sequence(tail.Last().value() - 1), 1000).events.front()->sequence(),
            tail.Last());
}

// A log of some hundred events, and those who follow it.
class SharedEvents : public ::testing::Test {
 protected:
  SharedEvents() {
    for (int i = 0; i < 200; ++i) {
      api_.Acquire(fmt::format("T{}", i));
    }
  }

  [[nodiscard]] EventStream Follow(std::uint64_t seen, std::vector<events::Body> types = {},
                                   EventForm form = EventForm::kLines) {
    EventQuery query;
    query.seen = Sequence(seen);
    query.follow = true;
    query.types = std::move(types);
    query.form = form;
    return {api_.store().log(), query, &tail_};
  }

  ApiStore api_;
  EventTail tail_;
};

TEST_F(SharedEvents, ThoseAtTheSamePlaceWhoWantTheSameAreGivenOneText) {
  const std::vector<events::Body> leases{events::Body::Leased};
  EventStream first = Follow(7, leases);
  EventStream second = Follow(7, leases);
  EXPECT_TRUE(second.NextShared()->empty());
  const EventPiece made = *first.NextOfFollower();
  EXPECT_EQ(second.NextShared(), made);
  EXPECT_EQ(second.seen(), first.seen());
  // Others want something else, or in another form.
  EXPECT_TRUE(Follow(7).NextShared()->empty());
  EXPECT_TRUE(Follow(7, leases, EventForm::kServerSent).NextShared()->empty());
  EXPECT_TRUE(Follow(8, leases).NextShared()->empty());
  EXPECT_EQ(*Follow(7, leases).NextOfFollower(), made);
}

TEST_F(SharedEvents, WhoBeganElsewhereIsSoonAtTheSamePlacesAsTheOthers) {
  EventStream early = Follow(0);
  EventStream late = Follow(100);
  std::string all;
  while (early.seen() < Sequence(128)) {
    all += **early.NextOfFollower();
  }
  std::string rest;
  while (late.seen() < Sequence(128)) {
    rest += **late.NextOfFollower();
  }
  EXPECT_EQ(early.seen(), late.seen());
  const EventPiece next = *early.NextOfFollower();
  EXPECT_EQ(late.NextShared(), next);
  // Neither misses anything, or gets it twice.
  all += *next;
  std::vector<std::uint64_t> sequences = SequencesOf(all);
  for (std::uint64_t i = 0; i < sequences.size(); ++i) {
    ASSERT_EQ(sequences[i], i + 1);
  }
  EXPECT_EQ(SequencesOf(rest).front(), 101U);
  EXPECT_EQ(SequencesOf(rest).back() + 1, SequencesOf(*next).front());
}

TEST_F(SharedEvents, NobodyIsGivenMoreThanIsAllowed) {
  EventStream first = Follow(0);
  const EventPiece made = *first.NextOfFollower();
  const std::size_t events = SequencesOf(*made).size();
  EventStream little = Follow(0);
  little.AllowOnly(events - 1);
  EXPECT_TRUE(little.NextShared()->empty());
  EXPECT_THAT(SequencesOf(**little.NextOfFollower()), SizeIs(events - 1));
  EXPECT_EQ(little.allowed(), 0U);
  EventStream enough = Follow(0);
  enough.AllowOnly(events);
  EXPECT_EQ(enough.NextShared(), made);
  EXPECT_EQ(enough.allowed(), 0U);
}

TEST_F(SharedEvents, WhatIsNotWantedIsPassedOverWithoutARead) {
  ASSERT_TRUE(tail_.CatchUp(api_.store().log()).ok());
  EventStream stream = Follow(0, {events::Body::Terminal});
  EXPECT_TRUE(stream.NextShared()->empty());
  EXPECT_TRUE(stream.CaughtUp());
  EventStream some = Follow(0, {events::Body::Leased});
  EXPECT_TRUE(some.NextShared()->empty());
  EXPECT_EQ(some.seen(), Sequence(2));  // the first lease is behind it
}

// Rendered before the redaction, kept after it.
TEST_F(SharedEvents, WhatARedactionTookAwayIsGivenToNobodyElse) {
  const std::uint64_t before = tail_.CountRedactions();
  const auto piece = std::make_shared<const SharedPiece>(
      SharedPiece{Sequence(1), Sequence(2), EventForm::kLines, EventFilter{}, 1, "with a secret"});
  tail_.KeepPiece(piece, before);
  EXPECT_EQ(tail_.FindPiece(Sequence(1), EventForm::kLines, {}), piece);
  const ApiResponse redacted =
      api_.Send("POST", "/v1/admin/redact", R"({"sequence":3,"reason":"a secret"})");
  ASSERT_EQ(redacted.status, 200) << redacted.body;
  ASSERT_TRUE(tail_.CatchUp(api_.store().log()).ok());
  EXPECT_EQ(tail_.FindPiece(Sequence(1), EventForm::kLines, {}), nullptr);
  tail_.KeepPiece(piece, before);
  EXPECT_EQ(tail_.FindPiece(Sequence(1), EventForm::kLines, {}), nullptr);
}

}  // namespace
}  // namespace sagalog
