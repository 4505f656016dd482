#include "reactor/queue_list.h"

#include "reactor/list_rows.h"
#include "reactor/page_cursor.h"
#include "reactor/store_engine.h"

namespace sagalog {

Result<QueuePage> ReadQueues(Store& store, const PageQuery& query) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  QueuePage page;
  RETURN_IF_ERROR(Store::Engine::Of(store).RunInTurn([&](const Decider& decider) {
    const std::vector<std::string> names = decider.projections().QueueNames();
    page.items.clear();
    for (std::size_t i = window.offset; i < names.size() && window.Shows(i); ++i) {
      page.items.push_back(QueueRowOf(decider.projections(), names[i], decider.now()));
    }
    page.cursor = window.NextCursor(names.size());
    page.sequence = decider.Applied();
  }));
  return page;
}

}  // namespace sagalog
