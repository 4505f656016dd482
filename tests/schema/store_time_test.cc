#include "schema/store_time.h"

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

struct TimeCase {
  std::string_view text;
  std::int64_t micros;
};

TEST(StoreTime, IsWrittenInUtcWithMicroseconds) {
  const TimeCase cases[] = {
      {"1970-01-01T00:00:00.000000Z", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"2026-11-21T03:18:00.000000Z", 1'795'231'080 * kSecond},
      {"2000-02-29T12:34:56.789012Z", 951'827'696 * kSecond + 789'012},
      {"1900-03-01T00:00:00.000000Z", -2'203'891'200 * kSecond},
      {"2100-02-28T23:59:59.000000Z", 4'107'542'399 * kSecond},
      {"0000-01-01T00:00:00.000000Z", ToMicros(kStoreTimeMin)},
      {"0000-02-29T00:00:00.000000Z", ToMicros(kStoreTimeMin) + 59 * 86'400 * kSecond},
      {"9999-12-31T23:59:59.999999Z", ToMicros(kStoreTimeMax)},
  };
  for (const TimeCase& one : cases) {
    EXPECT_EQ(FormatTime(TimeFromMicros(one.micros)), one.text);
    const Result<StoreTime> parsed = ParseTime(one.text);
    ASSERT_TRUE(parsed.ok()) << one.text;
    EXPECT_EQ(ToMicros(*parsed), one.micros) << one.text;
  }
}

TEST(StoreTime, OutsideTheFourDigitYearsIsStillShown) {
  EXPECT_EQ(FormatTime(kStoreTimeMax + Duration(1)), "+10000-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTime(kStoreTimeMin - Duration(1)), "-0001-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTime(TimeFromMicros(std::numeric_limits<std::int64_t>::max())),
            "+294247-01-10T04:00:54.775807Z");
  EXPECT_EQ(FormatTime(TimeFromMicros(std::numeric_limits<std::int64_t>::min())),
            "-290308-12-21T19:59:05.224192Z");
}

TEST(StoreTime, AnyOffsetMeansTheSameInstant) {
  const std::int64_t instant = 1'795'231'080 * kSecond;
  for (const std::string_view text :
       {"2026-11-21T03:18:00Z", "2026-11-21t03:18:00z", "2026-11-21T05:18:00+02:00",
        "2026-11-20T22:48:00-04:30", "2026-11-22T03:17:00+23:59", "2026-11-20T03:19:00-23:59",
        "2026-11-21T03:18:00-00:00", "2026-11-21T03:18:00.0Z"}) {
    const Result<StoreTime> parsed = ParseTime(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(ToMicros(*parsed), instant) << text;
  }
}

TEST(StoreTime, DecimalsBelowAMicrosecondAreCut) {
  const TimeCase cases[] = {
      {"1970-01-01T00:00:00.1Z", 100'000},    {"1970-01-01T00:00:00.000001Z", 1},
      {"1970-01-01T00:00:00.0000019Z", 1},    {"1970-01-01T00:00:00.123456789Z", 123'456},
      {"1969-12-31T23:59:59.999999999Z", -1}, {"1970-01-01T00:00:00.999999999Z", 999'999},
  };
  for (const TimeCase& one : cases) {
    const Result<StoreTime> parsed = ParseTime(one.text);
    ASSERT_TRUE(parsed.ok()) << one.text;
    EXPECT_EQ(ToMicros(*parsed), one.micros) << one.text;
  }
}

TEST(StoreTime, LeapYearsFollowTheGregorianRule) {
  for (const std::string_view year : {"2024", "2000", "1600", "0004", "0000", "9996"}) {
    EXPECT_TRUE(ParseTime(std::string(year) + "-02-29T00:00:00Z").ok()) << year;
  }
  for (const std::string_view year : {"2023", "1900", "2100", "0100", "9999"}) {
    EXPECT_FALSE(ParseTime(std::string(year) + "-02-29T00:00:00Z").ok()) << year;
  }
}

TEST(StoreTime, WhatIsNoRfc3339TimeIsRefused) {
  for (const std::string_view text : {"",
                                      "now",
                                      "2026-11-21",
                                      "2026-11-21T03:18:00",
                                      "2026-11-21 03:18:00Z",
                                      "2026-11-21T03:18Z",
                                      "2026-11-21T03:18:00.Z",
                                      "2026-11-21T03:18:00.0123456789Z",
                                      "2026-11-21T03:18:00,5Z",
                                      "2026-11-21T03:18:00+0200",
                                      "2026-11-21T03:18:00+02",
                                      "2026-11-21T03:18:00+24:00",
                                      "2026-11-21T03:18:00+02:60",
                                      "2026-11-21T03:18:00Z ",
                                      " 2026-11-21T03:18:00Z",
                                      "2026-13-21T03:18:00Z",
                                      "2026-00-21T03:18:00Z",
                                      "2026-11-31T03:18:00Z",
                                      "2026-11-00T03:18:00Z",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T03:60:00Z",
                                      "2026-12-31T23:59:60Z",
                                      "26-11-21T03:18:00Z",
                                      "+2026-11-21T03:18:00Z",
                                      "-001-11-21T03:18:00Z",
                                      "2026-1-21T03:18:00Z",
                                      "1795230000",
                                      "30s"}) {
    const Result<StoreTime> parsed = ParseTime(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
  }
}

TEST(StoreTime, AnOffsetMayNotLeadOutOfTheYears) {
  EXPECT_TRUE(ParseTime("0000-01-01T01:00:00+01:00").ok());
  EXPECT_FALSE(ParseTime("0000-01-01T00:59:59+01:00").ok());
  EXPECT_TRUE(ParseTime("9999-12-31T22:59:59.999999-01:00").ok());
  EXPECT_FALSE(ParseTime("9999-12-31T23:00:00-01:00").ok());
}

TEST(StoreTime, ComesBackFromItsText) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> any(ToMicros(kStoreTimeMin), ToMicros(kStoreTimeMax));
  for (int i = 0; i < 20'000; ++i) {
    const StoreTime time = TimeFromMicros(any(random));
    const Result<StoreTime> parsed = ParseTime(FormatTime(time));
    ASSERT_TRUE(parsed.ok()) << FormatTime(time);
    ASSERT_EQ(ToMicros(*parsed), ToMicros(time));
  }
}

struct DurationCase {
  std::string_view text;
  std::int64_t micros;
};

TEST(Duration, IsWrittenInItsShortestForm) {
  const DurationCase cases[] = {
      {"0s", 0},
      {"30s", 30 * kSecond},
      {"90s", 90 * kSecond},
      {"1m", 60 * kSecond},
      {"1.5s", 1'500'000},
      {"2h", 7200 * kSecond},
      {"1d", 86'400 * kSecond},
      {"36h", 36 * 3600 * kSecond},
      {"5m", 300 * kSecond},
      {"500us", 500},
      {"1ms", 1000},
      {"0.5s", 500'000},
      {"1us", 1},
      {"999us", 999},
      {"1001us", 1001},
      {"1.5ms", 1500},
      {"1500h", 1500LL * 3600 * kSecond},
      {"-1us", -1},
      {"-30s", -30 * kSecond},
      {"3660d", 3660LL * 86'400 * kSecond},
      {"9223372036854775807us", std::numeric_limits<std::int64_t>::max()},
      {"-9223372036854775808us", std::numeric_limits<std::int64_t>::min()},
  };
  for (const DurationCase& one : cases) {
    EXPECT_EQ(FormatDuration(Duration(one.micros)), one.text);
    const Result<Duration> parsed = ParseDuration(one.text);
    ASSERT_TRUE(parsed.ok()) << one.text;
    EXPECT_EQ(parsed->count(), one.micros) << one.text;
  }
}

TEST(Duration, ReadsEveryUnitExactly) {
  const DurationCase cases[] = {
      {"1.5h", 5400 * kSecond},
      {"0.5d", 43'200 * kSecond},
      {"0.001ms", 1},
      {"1.000us", 1},
      {"007s", 7 * kSecond},
      {"-0s", 0},
      {"0.00001m", 600},
      {"0.1s", 100'000},
      {"0.0001220703125d", 10'546'875},
      {"1000000000000000000.0000000000000000000us", 1'000'000'000'000'000'000},
      {"000000000000000000000000000000001s", kSecond},
      {"9223372036854775807us", std::numeric_limits<std::int64_t>::max()},
      {"-9223372036854775808us", std::numeric_limits<std::int64_t>::min()},
  };
  for (const DurationCase& one : cases) {
    const Result<Duration> parsed = ParseDuration(one.text);
    ASSERT_TRUE(parsed.ok()) << one.text << ": " << parsed.status().text();
    EXPECT_EQ(parsed->count(), one.micros) << one.text;
  }
}

TEST(Duration, WhatIsInexactUnitlessOrTooLongIsRefused) {
  for (const std::string_view text : {"",
                                      "s",
                                      "30",
                                      "-",
                                      "-s",
                                      "+30s",
                                      "30 s",
                                      " 30s",
                                      "30s ",
                                      "30S",
                                      "30sec",
                                      "1h30m",
                                      ".5s",
                                      "5.s",
                                      "1.5us",
                                      "0.0001ms",
                                      "0.0000001s",
                                      "0.00000000000001d",
                                      "1e3s",
                                      "0x10s",
                                      "--1s",
                                      "9223372036854775808us",
                                      "-9223372036854775809us",
                                      "106751992d",
                                      "99999999999999999999us",
                                      "9999999999999999999d",
                                      "off"}) {
    const Result<Duration> parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
  }
}

TEST(Duration, ComesBackFromItsText) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    // All magnitudes, and round ones, which have short forms.
    const auto micros = static_cast<std::int64_t>(random()) >> (random() % 64);
    const std::int64_t round = micros / 60'000'000 * 60'000'000;
    for (const std::int64_t value : {micros, round}) {
      const std::string text = FormatDuration(Duration(value));
      const Result<Duration> parsed = ParseDuration(text);
      ASSERT_TRUE(parsed.ok()) << text;
      ASSERT_EQ(parsed->count(), value) << text;
    }
  }
}

}  // namespace
}  // namespace sagalog
