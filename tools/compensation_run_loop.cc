#include "tools/compensation_run_loop.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/boot_timer.h"
#include "tools/command_words.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/standard_streams.h"
#include "tools/store_answer.h"
#include "tools/store_client.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr int kPageRows = 1000;
// Of a failed command's output in the history: its end, where programs say what went wrong.
constexpr std::size_t kSaidSizeMax = 2000;
// Left of a claim when its action is ended, to settle it in.
constexpr Duration kSettleReserve = std::chrono::seconds(1);

// The claim is somebody else's, or the order has another one first: no failure.
bool IsNotItsTurn(std::string_view code) {
  static constexpr std::array<std::string_view, 5> kLater = {
      "busy", "compensation_order", "compensation_settled", "wrong_state", "not_found"};
  return std::find(kLater.begin(), kLater.end(), code) != kLater.end();
}

// A refusal that every other claim would get too.
bool IsHopeless(const StoreAnswer& answer) {
  return answer.status >= 500 || answer.code() == "read_only" || answer.code() == "corrupt" ||
         answer.code() == "forbidden" || answer.code() == "unauthenticated";
}

std::string Said(const CommandResult& result) {
  std::string text = result.errors.empty() ? result.output : result.errors;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.size() > kSaidSizeMax) {
    text = "…" + text.substr(text.size() - kSaidSizeMax);
  }
  return Printable(text);
}

}  // namespace

std::string_view CompensationRun::Word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone: return "done";
    case Outcome::kFailed: return "failed";
    case Outcome::kRefused: return "refused";
    case Outcome::kSkipped: return "skipped";
    case Outcome::kWaiting: return "waiting";
    case Outcome::kWould: return "would";
  }
  return "unknown";
}

int CompensationRun::Run() {
  Result<bool> progressed = true;
  std::vector<Row> rows;
  while (progressed.ok() && *progressed && !MustEnd()) {
    auto listed = Backlog();
    if (!listed.ok()) {
      progressed = listed.status();
      break;
    }
    rows = *std::move(listed);
    progressed = Pass(rows);
  }
  ReportWaiting(rows);
  PrintSummary();
  if (!progressed.ok()) {
    WriteError(fmt::format("sagalog: {}\n", Printable(progressed.status().text())));
    return progressed.status().code() == Code::kConflict ? kExitRefused : kExitUnavailable;
  }
  return ExitCode();
}

Result<std::vector<CompensationRun::Row>> CompensationRun::Backlog() {
  std::vector<Row> rows;
  std::string cursor;
  do {
    UrlQuery query;
    query.Add("limit", std::to_string(kPageRows));
    query.Add("cursor", cursor);
    ASSIGN_OR_RETURN(const StoreAnswer page,
                     Ask(connection_, "GET", "/v1/compensations" + query.text()));
    if (!page.ok()) {
      return Status(IsHopeless(page) ? Code::kIoError : Code::kConflict, page.Line());
    }
    for (const json::value& item : ArrayIn(page.body, "items")) {
      const json::object& listed = AsObject(item);
      const json::object& entry = ObjectIn(listed, "compensation");
      Row row;
      row.claimable = FlagIn(listed, "claimable");
      row.task.saga_id = TextIn(listed, "saga_id");
      row.task.id = TextIn(entry, "id");
      row.task.kind = TextIn(entry, "kind");
      row.task.target = TextIn(entry, "target");
      for (const auto& [name, value] : ObjectIn(entry, "params")) {
        row.task.params[std::string(name)] = InWords(value);
      }
      if (options_.saga_id.empty() || options_.saga_id == row.task.saga_id) {
        rows.push_back(std::move(row));
      }
    }
    cursor = TextIn(page.body, "cursor");
  } while (!cursor.empty());
  return rows;
}

std::string CompensationRun::RepositoryOf(const std::string& saga_id) {
  const auto known = repositories_.find(saga_id);
  if (known != repositories_.end()) {
    return known->second;
  }
  const auto saga = Ask(connection_, "GET", "/v1/sagas/" + UrlPart(saga_id));
  const std::string repository(saga.ok() && saga->ok() ? TextIn(saga->body, "repository") : "");
  repositories_[saga_id] = repository;
  return repository;
}

Result<bool> CompensationRun::Pass(const std::vector<Row>& rows) {
  bool progressed = false;
  for (const Row& row : rows) {
    if (!row.claimable || handled_.contains({row.task.saga_id, row.task.id})) {
      continue;
    }
    if (MustEnd()) {
      return false;
    }
    CompensationTask task = row.task;
    task.saga_repository = RepositoryOf(task.saga_id);
    ASSIGN_OR_RETURN(const Outcome outcome, Handle(task));
    // What waits for its turn may have it in the next pass.
    if (outcome != Outcome::kWaiting) {
      handled_.insert({task.saga_id, task.id});
    }
    progressed = progressed || outcome == Outcome::kDone;
  }
  return progressed;
}

Result<CompensationRun::Outcome> CompensationRun::Handle(const CompensationTask& task) {
  const Intention intention = IntendFor(task, permissions_);
  if (intention.kind == Intention::Kind::kNotOurs) {
    return Report(task, Outcome::kSkipped, intention.text);
  }
  if (intention.kind == Intention::Kind::kRefused) {
    return Report(task, Outcome::kRefused, intention.text);
  }
  if (!options_.dry_run) {
    return ClaimAndAct(task);
  }
  ++claims_;
  std::string text = intention.text;
  if (!intention.commands.empty()) {
    text = "run";
    for (const CommandLine& command : intention.commands) {
      text += fmt::format(" {}", JoinWords(command.arguments));
    }
  }
  return Report(task, Outcome::kWould, std::move(text));
}

Result<CompensationRun::Outcome> CompensationRun::ClaimAndAct(const CompensationTask& task) {
  const Duration claimed_at = BootNow();
  ASSIGN_OR_RETURN(const StoreAnswer claim, AskSaga(connection_, task.saga_id, "claim-compensation",
                                                    {{"id", task.id},
                                                     {"executor", options_.executor},
                                                     {"ttl", FormatDuration(options_.ttl)},
                                                     {"request_id", FreshRequestId()}}));
  if (!claim.ok()) {
    if (IsNotItsTurn(claim.code())) {
      return Outcome::kWaiting;
    }
    return Status(IsHopeless(claim) ? Code::kIoError : Code::kConflict, claim.Line());
  }
  ++claims_;
  // Looked at again under the claim: what was seen before may have changed since.
  const Intention intention = IntendFor(task, permissions_);
  const auto [done, detail] = Act(task, intention, claimed_at);
  ASSIGN_OR_RETURN(const StoreAnswer settled,
                   AskSaga(connection_, task.saga_id, "settle-compensation",
                           {{"id", task.id},
                            {"token", NumberIn(claim.body, "token").value_or(0)},
                            {"outcome", done ? "done" : "failed"},
                            {"detail", detail},
                            {"request_id", FreshRequestId()}}));
  if (!settled.ok()) {
    return Report(task, Outcome::kFailed,
                  fmt::format("{}, but settling it is refused: {}", detail, settled.Line()));
  }
  return Report(task, done ? Outcome::kDone : Outcome::kFailed, detail);
}

std::pair<bool, std::string> CompensationRun::Act(const CompensationTask& task,
                                                  const Intention& intention, Duration claimed_at) {
  if (intention.kind != Intention::Kind::kAct) {
    return {intention.kind == Intention::Kind::kGone, intention.text};
  }
  for (const CommandLine& command : intention.commands) {
    const Duration left = claimed_at + options_.ttl - kSettleReserve - BootNow();
    const auto result = RunToEnd(command, std::chrono::duration_cast<std::chrono::milliseconds>(
                                              std::max(left, Duration::zero())));
    if (!result.ok()) {
      return {false, result.status().text()};
    }
    if (!result->ok()) {
      const std::string said = Said(*result);
      return {false,
              fmt::format("{} {}{}{}", JoinWords(command.arguments),
                          result->timed_out ? "took longer than the claim" : result->end.Text(),
                          said.empty() ? "" : ": ", said)};
    }
  }
  if (intention.verifiable) {
    const Intention after = IntendFor(task, permissions_);
    if (after.kind != Intention::Kind::kGone) {
      return {false, fmt::format("ran without an error, but it is still there: {}", after.text)};
    }
  }
  return {true, intention.text};
}

void CompensationRun::ReportWaiting(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (!handled_.contains({row.task.saga_id, row.task.id})) {
      Report(row.task, Outcome::kWaiting,
             row.claimable ? "for the next run" : "for the one before it, its claim or its owner");
    }
  }
}

CompensationRun::Outcome CompensationRun::Report(const CompensationTask& task, Outcome outcome,
                                                 std::string text) {
  ++counts_[outcome];
  if (options_.json) {
    items_.push_back(json::object{{"saga_id", task.saga_id},
                                  {"id", task.id},
                                  {"kind", task.kind},
                                  {"target", task.target},
                                  {"outcome", Word(outcome)},
                                  {"detail", text}});
    return outcome;
  }
  Style style = Style::kDim;
  if (outcome == Outcome::kDone) style = Style::kGood;
  if (outcome == Outcome::kFailed || outcome == Outcome::kRefused) style = Style::kBad;
  if (outcome == Outcome::kWould) style = Style::kBusy;
  // What is or would be done names its target already.
  const bool named = outcome == Outcome::kDone || outcome == Outcome::kWould;
  const std::string target =
      named ? "" : Printable(fmt::format(" ({} {})", task.kind, task.target));
  PrintLine(fmt::format("{} {} {}{}: {}",
                        Paint(fmt::format("{:<7}", Word(outcome)), style, options_.color),
                        Printable(task.saga_id), Printable(task.id), target, Printable(text)));
  FlushOutput();
  return outcome;
}

void CompensationRun::PrintSummary() const {
  if (!options_.json) {
    if (counts_.empty()) {
      PrintLine("nothing is owed");
    }
    return;
  }
  json::object summary{{"items", items_}, {"dry_run", options_.dry_run}};
  for (const Outcome outcome : {Outcome::kDone, Outcome::kFailed, Outcome::kRefused,
                                Outcome::kSkipped, Outcome::kWaiting, Outcome::kWould}) {
    const auto count = counts_.find(outcome);
    summary[Word(outcome)] = count == counts_.end() ? 0 : count->second;
  }
  PrintLine(json::serialize(summary));
}

int CompensationRun::ExitCode() const {
  if (signal_) {
    return 128 + *signal_;
  }
  const bool something_failed =
      counts_.contains(Outcome::kFailed) || counts_.contains(Outcome::kRefused);
  return something_failed ? kExitRefused : kExitDone;
}

bool CompensationRun::MustEnd() {
  if (const auto signal = inbox_.Next()) {
    signal_ = signal;
  }
  return signal_.has_value() || (options_.limit && claims_ >= *options_.limit);
}

}  // namespace sagalog::tools
