// One pass over the backlog of compensations: claim, act, settle.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/store_time.h"
#include "tools/compensation_run_intention.h"
#include "tools/connection.h"
#include "tools/signal_inbox.h"

namespace sagalog::tools {

struct CompensationRunOptions {
  std::string saga_id;  // empty = all
  std::string executor;
  // How long a claim lasts, and an action may take at most: it is never done beyond its claim.
  Duration ttl = std::chrono::minutes(5);
  bool dry_run = false;
  std::optional<std::size_t> limit;  // claims at most
  bool json = false;
  bool color = false;
};

class CompensationRun {
 public:
  // All are borrowed.
  CompensationRun(Connection& connection, SignalInbox& inbox,
                  const CompensationPermissions& permissions, const CompensationRunOptions& options)
      : connection_(connection), inbox_(inbox), permissions_(permissions), options_(options) {}

  // Does all that may be done now and what that lets be done next, but nothing twice. A signal ends
  // it after the action under way. Prints what it did; the exit code of the program.
  [[nodiscard]] int Run();

 private:
  // What became of one compensation.
  enum class Outcome { kDone, kFailed, kRefused, kSkipped, kWaiting, kWould };

  struct Row {
    CompensationTask task;
    bool claimable = false;
  };

  [[nodiscard]] Result<std::vector<Row>> Backlog();
  // The repository that a saga notes of itself.
  [[nodiscard]] std::string RepositoryOf(const std::string& saga_id);
  // Handles what is new and may be claimed. True when something was settled as done.
  [[nodiscard]] Result<bool> Pass(const std::vector<Row>& rows);
  [[nodiscard]] Result<Outcome> Handle(const CompensationTask& task);
  [[nodiscard]] Result<Outcome> ClaimAndAct(const CompensationTask& task);
  // Whether it is done, and how it went in words.
  [[nodiscard]] std::pair<bool, std::string> Act(const CompensationTask& task,
                                                 const Intention& intention, Duration claimed_at);
  void ReportWaiting(const std::vector<Row>& rows);
  Outcome Report(const CompensationTask& task, Outcome outcome, std::string text);
  void PrintSummary() const;
  [[nodiscard]] int ExitCode() const;
  // Whether the limit or a signal says that nothing more is begun.
  [[nodiscard]] bool MustEnd();

  static std::string_view Word(Outcome outcome);

  Connection& connection_;
  SignalInbox& inbox_;
  const CompensationPermissions& permissions_;
  const CompensationRunOptions& options_;

  std::set<std::pair<std::string, std::string>> handled_;  // saga, compensation
  std::map<std::string, std::string> repositories_;        // by saga
  std::map<Outcome, std::size_t> counts_;
  std::size_t claims_ = 0;
  std::optional<int> signal_;
  boost::json::array items_;
};

}  // namespace sagalog::tools
