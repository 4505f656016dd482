#include "eventlog/recent_events.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "schema/check.h"

namespace sagalog {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

std::size_t WordsOf(std::size_t bytes) { return (bytes + kWord - 1) / kWord; }

}  // namespace

AppendedEvents::AppendedEvents(Sequence first, std::span<const std::string_view> events)
    : first_(first) {
  places_.reserve(events.size());
  std::size_t words = 0;
  for (const std::string_view event : events) {
    places_.push_back({words, event.size()});
    words += WordsOf(event.size());
  }
  words_ = std::make_unique_for_overwrite<std::uint64_t[]>(words);
  for (std::size_t i = 0; i < events.size(); ++i) {
    std::memcpy(&words_[places_[i].word], events[i].data(), events[i].size());
  }
  size_bytes_ = sizeof(*this) + words * kWord + places_.size() * sizeof(Place);
}

std::string_view AppendedEvents::Bytes(Sequence sequence) const {
  CHECK(sequence >= first_ && sequence <= last());
  const Place& place = places_[sequence.value() - first_.value()];
  return {reinterpret_cast<const char*>(&words_[place.word]), place.size};
}

void RecentEvents::Add(Sequence first, std::span<const std::string_view> events) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes_unasked_ >= kBytesMax) {
      appends_.clear();
      bytes_ = 0;
      return;
    }
  }
  auto append = std::make_shared<const AppendedEvents>(first, events);
  const std::lock_guard lock(mutex_);
  if (!appends_.empty() && appends_.back()->last().Next() != first) {
    appends_.clear();
    bytes_ = 0;
  }
  bytes_ += append->size_bytes();
  bytes_unasked_ += append->size_bytes();
  appends_.push_back(std::move(append));
  while (bytes_ > kBytesMax) {
    bytes_ -= appends_.front()->size_bytes();
    appends_.pop_front();
  }
}

RecentEvents::Appends RecentEvents::Find(Sequence from, Sequence through) {
  const std::lock_guard lock(mutex_);
  bytes_unasked_ = 0;
  if (appends_.empty() || from < appends_.front()->first() || from > appends_.back()->last()) {
    return {};
  }
  auto append = std::lower_bound(
      appends_.begin(), appends_.end(), from,
      [](const auto& before, Sequence sequence) { return before->last() < sequence; });
  Appends found;
  for (; append != appends_.end() && (*append)->first() <= through; ++append) {
    found.push_back(*append);
  }
  return found;
}

void RecentEvents::Clear() {
  const std::lock_guard lock(mutex_);
  appends_.clear();
  bytes_ = 0;
}

}  // namespace sagalog
