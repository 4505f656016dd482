#include "tools/past_diff.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "projections/effects_in_doubt.h"
#include "reactor/past_saga.h"
#include "reactor/past_store.h"
#include "schema/json.h"
#include "schema/text_view.h"
#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/saga_changes.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// The names of a saga's fields stand in a column, as wide as they are within these bounds.
constexpr std::size_t kFieldColumns = 22;
constexpr std::size_t kFieldColumnsMax = 40;

// Prints sagas one after the other; the first and the last line belong to all of them.
class DiffPrinter {
 public:
  DiffPrinter(const GlobalOptions& global, const PastPlace& from, const PastPlace& to)
      : global_(global) {
    const std::uint64_t events = to.through.value() - from.through.value();
    if (global_.json) {
      WriteOutput(fmt::format(R"({{"from":{},"to":{},"events":{},"sagas":[)", Place(from),
                              Place(to), events));
      return;
    }
    PrintLine(Paint(fmt::format("from {}\n  to {}: {} event{}", PlaceInWords(from),
                                PlaceInWords(to), events, events == 1 ? "" : "s"),
                    Style::kDim, global_.color));
  }

  // A saga as it was and as it became; empty = it was not planned.
  void Add(const json::object& before, const json::object& after) {
    const std::vector<SagaChange> changes = CompareSagas(before, after);
    if (changes.empty()) {
      return;
    }
    ++sagas_;
    if (global_.json) {
      AddJson(before, after, changes);
    } else {
      AddText(before, after, changes);
    }
  }

  void End() {
    if (global_.json) {
      PrintLine("]}");
    } else if (sagas_ == 0) {
      PrintLine("nothing changed");
    }
  }

 private:
  static std::string Place(const PastPlace& place) {
    return fmt::format(R"({{"sequence":{},"time":"{}"}})", place.through.value(),
                       FormatTime(place.moment));
  }

  static std::string_view KindOf(const json::object& before, const json::object& after) {
    if (before.empty()) {
      return "planned";
    }
    if (NumberIn(before, "version") == NumberIn(after, "version")) {
      return "unmoved";
    }
    const bool ended = TextIn(before, "ended_at").empty() && !TextIn(after, "ended_at").empty();
    return ended ? "ended" : "changed";
  }

  void AddJson(const json::object& before, const json::object& after,
               const std::vector<SagaChange>& changes) const {
    json::array list;
    for (const SagaChange& change : changes) {
      list.push_back(
          json::object{{"field", change.field}, {"from", change.from}, {"to", change.to}});
    }
    const json::object row{{"saga_id", TextIn(after, "saga_id")},
                           {"kind", KindOf(before, after)},
                           {"changes", std::move(list)}};
    WriteOutput((sagas_ == 1 ? "" : ",") + json::serialize(row));
  }

  void AddText(const json::object& before, const json::object& after,
               const std::vector<SagaChange>& changes) const {
    const std::string_view state = TextIn(after, "state");
    const std::string_view was = TextIn(before, "state");
    std::string line =
        "\n" + Paint(Printable(TextIn(after, "saga_id")), Style::kStrong, global_.color) + "  ";
    if (was != state) {
      line += fmt::format("{} → ", was.empty() ? "not planned" : was);
    }
    PrintLine(line + Paint(state, StateStyle(state), global_.color));
    std::vector<std::pair<std::string, std::string>> lines;
    std::size_t width = kFieldColumns;
    for (const SagaChange& change : changes) {
      if (IsTelling(change) && change.field != "state") {
        lines.emplace_back(Printable(change.field),
                           fmt::format("{} → {}", ChangedValue(change, change.from),
                                       ChangedValue(change, change.to)));
        width = std::max(width, std::min(DisplayWidth(lines.back().first), kFieldColumnsMax));
      }
    }
    for (const auto& [field, values] : lines) {
      const std::size_t columns = DisplayWidth(field);
      PrintLine(fmt::format("  {}{} {}", field,
                            std::string(columns < width ? width - columns : 0, ' '), values));
    }
    if (KindOf(before, after) == "unmoved") {
      PrintLine("  (by time, or by what happened to others: no event of its own)");
    }
  }

  const GlobalOptions& global_;
  std::size_t sagas_ = 0;
};

json::object ViewOf(const EventLog& log, const SagaSnapshot& snapshot, Status& status) {
  const auto view = SagaViewer(log).View(snapshot);
  if (!view.ok()) {
    status = view.status();
    return {};
  }
  return json::parse(ToJson(**view)).as_object();
}

Result<json::object> PastView(const EventLog& log, const std::string& saga,
                              const PastPlace& place) {
  const Result<SagaSnapshot> snapshot = FoldPastSaga(log, saga, place);
  if (snapshot.status().code() == Code::kNotFound) {
    return json::object();
  }
  RETURN_IF_ERROR(snapshot.status());
  Status status;
  json::object view = ViewOf(log, *snapshot, status);
  RETURN_IF_ERROR(status);
  return view;
}

Status ShowOneSaga(const GlobalOptions& global, const EventLog& log, const PastPlace& from,
                   const PastPlace& to, const std::string& saga) {
  ASSIGN_OR_RETURN(const json::object after, PastView(log, saga, to));
  if (after.empty()) {
    return {Code::kNotFound, fmt::format("there was no saga {} by then", saga)};
  }
  ASSIGN_OR_RETURN(const json::object before, PastView(log, saga, from));
  DiffPrinter printer(global, from, to);
  printer.Add(before, after);
  printer.End();
  return {};
}

// The sagas in which anything may differ at the later moment, and each as it was at the earlier.
class Concerned {
 public:
  Concerned(const EventLog& log, const PastStore& store) : log_(log), store_(store) {}

  // What the events through `through` touch, which the store has not folded yet.
  Status Collect(Sequence through) {
    bool any_settled = false;
    RETURN_IF_ERROR(log_.Scan(
        store_.place().through.Next(), through, [&](const events::Event& event, std::string_view) {
          any_settled = any_settled || event.body_type() == events::Body::EffectSettled;
          Touch(event);
          return Status();
        }));
    // By a generation of its key.
    if (any_settled) {
      store_.projections().VisitPlannedAfter(Sequence(), [this](const Saga& saga) {
        if (AwaitsSettlement(saga)) {
          before_.try_emplace(saga.id);
        }
        return true;
      });
    }
    return Remember();
  }

  // What is stale now is compared too: time alone changes it.
  Status AddStale() {
    for (const answers::StaleRowT& row : store_.Stale()) {
      before_.try_emplace(row.saga_id);
    }
    return Remember();
  }

  [[nodiscard]] const std::unordered_map<std::string, std::string>& before() const {
    return before_;
  }

 private:
  void Touch(const events::Event& event) {
    const std::string_view saga = View(event.saga_id());
    if (saga.empty()) {
      return;
    }
    before_.try_emplace(std::string(saga));
    if (const auto* planned = event.body_as_Planned(); planned != nullptr && planned->parent()) {
      before_.try_emplace(planned->parent()->str());
    }
    if (event.body_type() == events::Body::Terminal) {
      for (const Saga* waiting : store_.projections().DependentsOf(saga)) {
        before_.try_emplace(waiting->id);
      }
    }
  }

  // As JSON: a tree of values would take ten times the memory.
  Status Remember() {
    for (auto& [id, view] : before_) {
      if (!view.empty()) {
        continue;
      }
      ASSIGN_OR_RETURN(const auto snapshot, store_.Find(id));
      if (snapshot) {
        ASSIGN_OR_RETURN(const auto saga, SagaViewer(log_).View(*snapshot));
        view = ToJson(*saga);
      }
    }
    return {};
  }

  const EventLog& log_;
  const PastStore& store_;
  std::unordered_map<std::string, std::string> before_;
};

// Those that were stale at neither of both moments, and had no event, are the same.
Status ShowAllSagas(const GlobalOptions& global, const EventLog& log, const PastPlace& from,
                    const PastPlace& to) {
  ASSIGN_OR_RETURN(const auto store, PastStore::Open(log, std::filesystem::temp_directory_path()));
  RETURN_IF_ERROR(store->MoveTo(from));
  Concerned concerned(log, *store);
  RETURN_IF_ERROR(concerned.Collect(to.through));
  RETURN_IF_ERROR(concerned.AddStale());
  RETURN_IF_ERROR(store->MoveTo(to));
  // Of these, those that are not concerned became stale without an event: by time, or by a policy.
  std::unordered_set<std::string> stale;
  for (const answers::StaleRowT& row : store->Stale()) {
    stale.insert(row.saga_id);
  }
  DiffPrinter printer(global, from, to);
  const auto compare = [&](const SagaSnapshot& snapshot) -> Status {
    Status status;
    const auto before = concerned.before().find(snapshot.saga.id);
    const bool is_silent = before == concerned.before().end();
    if (is_silent && !stale.contains(snapshot.saga.id)) {
      return {};
    }
    const json::object after = ViewOf(log, snapshot, status);
    RETURN_IF_ERROR(status);
    if (!is_silent) {
      printer.Add(before->second.empty() ? json::object() : json::parse(before->second).as_object(),
                  after);
      return {};
    }
    json::object was = after;
    was["stale"] = json::array();
    printer.Add(was, after);
    return {};
  };
  RETURN_IF_ERROR(store->VisitSagas(Sequence(), true, compare));
  printer.End();
  return {};
}

}  // namespace

Status ShowPastDiff(const GlobalOptions& global, const PastRecord& record, const PastPlace& from,
                    const PastPlace& to, const std::string& saga) {
  if (from.through > to.through || from.moment > to.moment) {
    return {Code::kInvalidArgument,
            fmt::format("the first moment ({}) is later than the second ({})", PlaceInWords(from),
                        PlaceInWords(to))};
  }
  return saga.empty() ? ShowAllSagas(global, record.log(), from, to)
                      : ShowOneSaga(global, record.log(), from, to, saga);
}

}  // namespace sagalog::tools
