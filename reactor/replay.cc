#include "reactor/replay.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/limits.h"

namespace sagalog {
namespace {

std::string_view SagaIdOf(const events::Event& event) {
  return event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
}

Token GrantedBy(const events::Event& event) {
  switch (event.body_type()) {
    case events::Body::Leased: return Token(event.body_as_Leased()->token());
    case events::Body::Dispatched: return Token(event.body_as_Dispatched()->token());
    case events::Body::CompensationClaimed:
      return Token(event.body_as_CompensationClaimed()->token());
    default: return {};
  }
}

answers::Outcome OutcomeOf(const events::Event& first, const Saga& saga) {
  if (first.body_type() == events::Body::CancelRequested && !saga.IsTerminal()) {
    return answers::Outcome::deferred;
  }
  if (const events::OwnerReported* reported = first.body_as_OwnerReported()) {
    switch (reported->verdict()) {
      case schema::Verdict::alive: return answers::Outcome::alive;
      case schema::Verdict::dead: return answers::Outcome::dead;
      case schema::Verdict::unknown: return answers::Outcome::unknown;
    }
  }
  return answers::Outcome::ok;
}

// The end of the append that `first` begins, and what it reports of owners.
struct AppendEnd {
  Sequence last;
  Sequence last_of_saga;
  std::vector<HolderReport> reports;
};

void AddReport(std::vector<HolderReport>& reports, const events::Event& event) {
  const events::OwnerReported* reported = event.body_as_OwnerReported();
  if (reported != nullptr && reported->of_holders()) {
    reports.push_back({std::string(SagaIdOf(event)), reported->verdict()});
  }
}

Result<AppendEnd> FindAppendEnd(const EventLog& log, const events::Event& first) {
  const Sequence begin(first.sequence());
  AppendEnd end{begin, begin, {}};
  AddReport(end.reports, first);
  if (first.request_content() == 0 || begin >= log.Last()) {
    return end;
  }
  const Status over(Code::kCancelled, "the next append begins");
  const Status scanned = log.Scan(
      begin.Next(), Sequence(begin.value() + kBatchEventsMax - 1),
      [&](const events::Event& event, std::string_view) {
        if (event.request_id() != nullptr || event.request_content() != first.request_content()) {
          return over;
        }
        end.last = Sequence(event.sequence());
        AddReport(end.reports, event);
        if (SagaIdOf(event) == SagaIdOf(first)) {
          end.last_of_saga = end.last;
        }
        return Status();
      });
  if (!scanned.ok() && scanned.code() != Code::kCancelled) {
    return scanned;
  }
  return end;
}

}  // namespace

Result<Saga> FoldHistory(const EventLog& log, Sequence newest) {
  std::vector<std::string> history;
  RETURN_IF_ERROR(log.WalkBack(newest, false, [&](const events::Event&, std::string_view bytes) {
    history.emplace_back(bytes);
    return Status();
  }));
  Saga saga;
  std::for_each(history.rbegin(), history.rend(), [&saga](const std::string& bytes) {
    ApplyToSaga(saga, *events::GetEvent(bytes.data()));
  });
  return saga;
}

Result<ReplayedAnswer> ReplayAnswer(const EventLog& log, Sequence first) {
  ASSIGN_OR_RETURN(const StoredEvent event, log.Read(first));
  ASSIGN_OR_RETURN(AppendEnd end, FindAppendEnd(log, *event));
  ReplayedAnswer answer;
  answer.sequence = end.last;
  answer.time = TimeFromMicros(event->time());
  answer.token = GrantedBy(*event);
  answer.reports = std::move(end.reports);
  if (SagaIdOf(*event).empty() || !answer.reports.empty()) {
    return answer;
  }
  ASSIGN_OR_RETURN(answer.saga, FoldHistory(log, end.last_of_saga));
  answer.outcome = OutcomeOf(*event, answer.saga);
  answer.cancel_pending =
      event->body_type() == events::Body::Heartbeated && answer.saga.IsCancelPending();
  return answer;
}

}  // namespace sagalog
