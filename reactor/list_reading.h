// The lists that callers ask for, of a store as it is and as it was: what a page shows is copied
// while nothing changes, and written out afterwards.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/projections.h"
#include "reactor/page_cursor.h"
#include "schema/answers_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// One page of one list. Copy, and then Write once: what is written is true of sequence(). A list
// takes a window; its cursor() is empty on the last page. One thread.
class ListReading {
 public:
  virtual ~ListReading() = default;
  // In a turn of a running store, or of a fold. What was copied before is forgotten.
  void Copy(const Projections& state, StoreTime now);

  [[nodiscard]] Sequence sequence() const { return sequence_; }
  // What the clock showed.
  [[nodiscard]] StoreTime time() const { return time_; }
  [[nodiscard]] const std::string& cursor() const { return cursor_; }

 protected:
  ListReading() = default;
  explicit ListReading(PageWindow window) : window_(window) {}
  [[nodiscard]] const PageWindow& window() const { return window_; }
  // How many rows there are, as far as the window had to know.
  void Count(std::size_t rows) { cursor_ = window_.NextCursor(rows); }

 private:
  virtual void CopyRows(const Projections& state, StoreTime now) = 0;

  PageWindow window_;
  Sequence sequence_;
  StoreTime time_;
  std::string cursor_;
};

class StaleReading final : public ListReading {
 public:
  explicit StaleReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] Result<answers::StalePageT> Write(const EventLog& log);

 private:
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<std::unique_ptr<answers::StaleRowT>> rows_;
};

// What is to be undone.
class BacklogReading final : public ListReading {
 public:
  explicit BacklogReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] Result<answers::CompensationPageT> Write(const EventLog& log);

 private:
  struct Entry {
    std::unique_ptr<answers::CompensationRowT> row;
    CompensationRecord record;
  };
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<Entry> entries_;
};

// Who holds which sagas, by the owners' identities.
class OwnersReading final : public ListReading {
 public:
  explicit OwnersReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] Result<answers::OwnerPageT> Write(const EventLog& log);

 private:
  struct Holder {
    InternedText owner;
    std::vector<std::string> sagas;
  };
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<Holder> holders_;
};

// Effects that were begun and are not settled, by the planning of their sagas.
class EffectsReading final : public ListReading {
 public:
  explicit EffectsReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] Result<answers::EffectPageT> Write(const EventLog& log);

 private:
  struct Entry {
    std::unique_ptr<answers::EffectRowT> row;
    EffectRecord record;
  };
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<Entry> entries_;
};

// Open sections, by the planning of their sagas.
class SectionsReading final : public ListReading {
 public:
  explicit SectionsReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] Result<answers::SectionPageT> Write(const EventLog& log);

 private:
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<std::unique_ptr<answers::SectionRowT>> rows_;
};

// The queues that are configured or hold a saga that has not ended, by name. There are more, of
// which nothing could be told: a queue needs no creation.
class QueuesReading final : public ListReading {
 public:
  explicit QueuesReading(PageWindow window) : ListReading(window) {}
  [[nodiscard]] std::vector<answers::QueueT> Write() { return std::move(rows_); }

 private:
  void CopyRows(const Projections& state, StoreTime now) override;
  std::vector<answers::QueueT> rows_;
};

// One queue, configured or not.
class QueueReading final : public ListReading {
 public:
  explicit QueueReading(std::string queue) : queue_(std::move(queue)) {}
  [[nodiscard]] answers::QueueT Write() { return std::move(row_); }

 private:
  void CopyRows(const Projections& state, StoreTime now) override;
  const std::string queue_;
  answers::QueueT row_;
};

// The store's own policy as it was set.
class PolicyReading final : public ListReading {
 public:
  [[nodiscard]] answers::StorePolicyT Write() { return std::move(policy_); }

 private:
  void CopyRows(const Projections& state, StoreTime now) override;
  answers::StorePolicyT policy_;
};

}  // namespace sagalog
