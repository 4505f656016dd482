#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "reactor/client.h"
#include "reactor/client_link.h"
#include "reactor/status_refusal.h"
#include "schema/check.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

// Events that may be on their way, or here and not yet given to the caller: a caller that is slow
// holds no more, and the server sends no more.
constexpr std::uint32_t kFollowCredit = 1024;
// So many taken ones are made up for at once.
constexpr std::uint32_t kCreditStep = kFollowCredit / 4;

// What has come of one stream, from the link's thread to the caller's. Thread-safe.
class FollowInbox {
 public:
  struct Item {
    Status ended;  // an error: the stream is over
    bool is_over = false;
    std::vector<StoredEvent> events = {};
    Sequence through = {};
  };

  void Put(Item item) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    here_.notify_one();
  }
  [[nodiscard]] Item Take() {
    std::unique_lock lock(mutex_);
    here_.wait(lock, [this] { return !items_.empty(); });
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable here_;
  std::deque<Item> items_;  // guarded by mutex_
};

using Item = FollowInbox::Item;

Item Over(Status why) { return {std::move(why), true}; }

Item ItemOf(const Result<const frames::Frame*>& frame) {
  if (!frame.ok()) {
    return Over(frame.status());
  }
  if (const auto* refused = (*frame)->message_as_Refusal()) {
    answers::RefusalT refusal;
    refused->UnPackTo(&refusal);
    return Over(StatusOf(refusal));
  }
  const auto* const table = (*frame)->message_as_Events();
  if (table == nullptr) {
    return Over(Status(Code::kIoError, "the server answered something else"));
  }
  Item item;
  item.is_over = table->ended();
  item.through = Sequence(table->through());
  if (table->items() == nullptr) {
    return item;
  }
  for (const frames::EventBytes* one : *table->items()) {
    const std::string_view bytes =
        one->bytes() == nullptr
            ? std::string_view()
            : std::string_view(reinterpret_cast<const char*>(one->bytes()->data()),
                               one->bytes()->size());
    if (const Status good = VerifyEvent(bytes); !good.ok()) {
      return Over(good);
    }
    item.events.emplace_back(std::string(bytes));
  }
  return item;
}

frames::FollowT FollowOf(const EventFollow& query) {
  frames::FollowT follow;
  follow.seen = query.seen.value();
  follow.credit = kFollowCredit;
  follow.types = query.types;
  follow.saga = query.saga;
  return follow;
}

// One stream, until it is over for whatever reason.
class FollowedStream {
 public:
  FollowedStream(ClientLink& link, EventFollow& query)
      : link_(link), query_(query), inbox_(std::make_shared<FollowInbox>()) {
    number_ = link_.SendStream(FollowOf(query_),
                               [inbox = inbox_](const auto& frame) { inbox->Put(ItemOf(frame)); });
  }

  // OK when `each` has had enough; kCancelled when the server ended it, or the connection is gone:
  // it goes on from query.seen.
  Status GiveTo(const std::function<bool(const StoredEvent&)>& each) {
    for (;;) {
      const Item item = inbox_->Take();
      for (const StoredEvent& event : item.events) {
        query_.seen = Sequence(event->sequence());
        if (!each(event)) {
          link_.EndStream(number_);
          return {};
        }
      }
      query_.seen = std::max(query_.seen, item.through);
      if (item.is_over) {
        const bool goes_on = item.ended.ok() || item.ended.code() == Code::kIndeterminate;
        return goes_on ? Status(Code::kCancelled, "the stream was cut") : item.ended;
      }
      MakeUpFor(item.events.size());
    }
  }

 private:
  void MakeUpFor(std::size_t events) {
    taken_ += static_cast<std::uint32_t>(events);
    if (taken_ >= kCreditStep) {
      frames::CreditT credit;
      credit.events = std::exchange(taken_, 0);
      link_.SendBeside(number_, credit);
    }
  }

  ClientLink& link_;
  EventFollow& query_;
  const std::shared_ptr<FollowInbox> inbox_;
  std::uint64_t number_ = 0;
  std::uint32_t taken_ = 0;
};

}  // namespace

Status Client::Follow(EventFollow query, const std::function<bool(const StoredEvent&)>& each) {
  CHECK(!link_->IsOwnThread());
  for (;;) {
    const Status over = FollowedStream(*link_, query).GiveTo(each);
    if (over.code() != Code::kCancelled) {
      return over;
    }
  }
}

}  // namespace sagalog
