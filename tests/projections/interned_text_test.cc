#include "projections/interned_text.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

TEST(InternedText, EqualTextsAreOne) {
  const std::size_t before = InternedText::CountDistinct();
  {
    const InternedText a("owner with a name longer than any inline buffer");
    const InternedText b("owner with a name longer than any inline buffer");
    InternedText c("another");
    EXPECT_TRUE(a == b);
    EXPECT_FALSE(a == c);
    EXPECT_EQ(a.view().data(), b.view().data());
    EXPECT_EQ(InternedText::CountDistinct(), before + 2);
    c = a;
    EXPECT_TRUE(a == c);
    EXPECT_EQ(InternedText::CountDistinct(), before + 1);
  }
  EXPECT_EQ(InternedText::CountDistinct(), before);
}

TEST(InternedText, EmptyTextCostsNothing) {
  const std::size_t before = InternedText::CountDistinct();
  const InternedText empty("");
  EXPECT_TRUE(empty.empty());
  EXPECT_TRUE(empty == InternedText());
  EXPECT_EQ(empty.view(), "");
  EXPECT_EQ(InternedText::CountDistinct(), before);
}

TEST(InternedText, IsSharedBetweenThreads) {
  const std::size_t before = InternedText::CountDistinct();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong] {
      for (int i = 0; i < 20'000; ++i) {
        // Few texts and short lives, so that the last holder and the first often meet.
        const std::string text = "text" + std::to_string(i % 3);
        const InternedText one(text);
        const InternedText copy = one;
        wrong += copy.view() == text ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(InternedText::CountDistinct(), before);
}

}  // namespace
}  // namespace sagalog
