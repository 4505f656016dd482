// All queues, as callers see them.
#pragma once

#include <string>
#include <vector>

#include "reactor/store.h"

namespace sagalog {

struct QueuePage {
  std::vector<answers::QueueT> items;
  std::string cursor;
  Sequence sequence;
};

// The queues that are configured or hold a saga that has not ended, by name. There are more, of
// which nothing could be told: a queue needs no creation.
[[nodiscard]] Result<QueuePage> ReadQueues(Store& store, const PageQuery& query);

}  // namespace sagalog
