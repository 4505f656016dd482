#include "tools/scenario_player.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "reactor/clock.h"
#include "reactor/store.h"
#include "schema/check.h"
#include "schema/limits.h"
#include "tools/scenario_arguments.h"
#include "tools/scenario_check.h"
#include "tools/scenario_disk.h"
#include "tools/scenario_words.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

constexpr std::string_view kStart = "2026-01-01T00:00:00Z";

Duration DurationOf(const json::object& step, std::string_view word) {
  const auto parsed = ParseDuration(TextOf(step, word, "0s"));
  CHECK(parsed.ok());
  return *parsed;
}

struct Answer {
  std::string answer;
  std::string detail;
};

// A refusal with the facts that a person would ask for.
std::string FactsOf(const answers::RefusalT& refusal) {
  std::string facts = refusal.detail;
  if (refusal.holder) {
    facts += fmt::format("; {} holds it", refusal.holder->owner);
  }
  return facts;
}

Answer AnswerOf(const Reply& reply) {
  if (!reply.ok()) {
    return {schema::EnumNameRefusalCode(reply.refusal().code), FactsOf(reply.refusal())};
  }
  const answers::AnswerT& answer = reply.answer();
  if (answer.replayed) {
    return {"ok:unchanged", "the answer to the same request before"};
  }
  if (answer.cancel_pending) {
    return {"ok:cancel_pending", ""};
  }
  return {answer.outcome == answers::Outcome::ok
              ? "ok"
              : fmt::format("ok:{}", answers::EnumNameOutcome(answer.outcome)),
          answer.token == 0 ? "" : fmt::format("token {}", answer.token)};
}

class Player {
 public:
  Player(const Scenario& scenario, std::unique_ptr<ScenarioDisk> disk)
      : scenario_(scenario), disk_(std::move(disk)), clock_(*ParseTime(kStart)) {}

  [[nodiscard]] Result<PlayedScenario> Play(PlayOptions::Rebuild rebuild) {
    RETURN_IF_ERROR(Open().status());
    PlayedScenario played;
    ASSIGN_OR_RETURN(played.settings_refused, Configure());
    if (!played.settings_refused.empty()) {
      return played;
    }
    for (std::size_t place = 0; place < scenario_.steps.size(); ++place) {
      const bool now =
          rebuild == PlayOptions::Rebuild::kBeforeEveryStep ||
          (rebuild == PlayOptions::Rebuild::kInTheMiddle && place == scenario_.steps.size() / 2);
      // A damaged store opens for reading: there is nothing to fold all of.
      if (now && store_ && store_->Health().ok()) {
        RETURN_IF_ERROR(store_->Rebuild());
      }
      const json::object& step = scenario_.steps[place];
      ASSIGN_OR_RETURN(Answer answer, Do(step));
      const bool holds = answer.answer == TextOf(step, "expect");
      played.steps.push_back({std::move(answer.answer), std::move(answer.detail), holds});
      if (!holds) {
        break;
      }
    }
    return played;
  }

 private:
  // The versions that were seen, of all sagas there were, and which of them were listed.
  struct Observation {
    std::map<std::string, std::uint64_t> versions;
    std::set<std::string> listed;
  };

  Result<Answer> Open() {
    ASSIGN_OR_RETURN(store_, disk_->Open(clock_));
    const Status health = store_->Health();
    if (health.ok()) {
      return Answer{"ok", ""};
    }
    return Answer{health.code() == Code::kCorruption ? "corrupt" : "read_only", health.text()};
  }

  // Why the settings cannot be; empty when they hold.
  Result<std::string> Configure() {
    const json::object& settings = scenario_.settings;
    if (settings.empty()) {
      return std::string();
    }
    json::object policy;
    json::object arguments{{"queue", "default"}};
    for (const auto& [name, value] : settings) {
      if (name == "queue_limit") {
        arguments["limit"] = value;
      } else {
        policy[name] = value;
      }
    }
    if (!policy.empty()) {
      arguments["policy"] = std::move(policy);
    }
    arguments["do"] = "configure_queue";
    ASSIGN_OR_RETURN(commands::CommandT command, CommandOfStep(arguments, {}));
    const Reply reply = store_->Execute(std::move(command)).Get();
    return reply.ok() ? std::string() : reply.refusal().detail;
  }

  Result<Answer> Do(const json::object& step) {
    const std::string what = TextOf(step, "do");
    if (what == "advance_clock") {
      clock_.Advance(DurationOf(step, "by"));
    } else if (what == "step_wall_clock") {
      clock_.StepWall(DurationOf(step, "by"));
    } else if (what == "suspend_host") {
      clock_.Suspend(DurationOf(step, "for"));
    } else if (what == "observe_stale") {
      return Observe(step);
    } else if (what == "reopen") {
      return Reopen(step);
    } else if (what == "check") {
      std::string difference = DifferenceFrom(step, *store_);
      return difference.empty() ? Answer{"ok", ""} : Answer{"otherwise", std::move(difference)};
    } else {
      return Command(step);
    }
    return Answer{"ok", ""};
  }

  Result<Answer> Observe(const json::object& step) {
    Observation seen;
    for (const std::string& saga : sagas_) {
      const auto found = store_->Find(saga);
      seen.versions[saga] = found.ok() ? found->version : 0;
    }
    const json::value* limit = step.if_contains("limit");
    PageQuery query;
    query.limit = limit == nullptr ? kPageRowsMax : limit->to_number<std::size_t>();
    ASSIGN_OR_RETURN(const answers::StalePageT page, store_->Stale(query));
    std::string rows;
    for (const auto& row : page.items) {
      seen.versions[row->saga_id] = row->version;
      seen.listed.insert(row->saga_id);
      rows += (rows.empty() ? "" : ", ") + row->saga_id;
    }
    observations_[TextOf(step, "as")] = std::move(seen);
    return Answer{"ok", rows.empty() ? "nothing is stale" : rows};
  }

  Result<Answer> Command(const json::object& step) {
    const std::string saga = TextOf(step, "saga");
    const Observation* seen = nullptr;
    ScenarioBindings bindings{tokens_, 0};
    if (const auto found = observations_.find(TextOf(step, "observed"));
        found != observations_.end()) {
      seen = &found->second;
      const auto version = seen->versions.find(saga);
      bindings.observed = version == seen->versions.end() ? 0 : version->second;
    }
    ASSIGN_OR_RETURN(commands::CommandT command, CommandOfStep(step, bindings));
    if (!saga.empty()) {
      sagas_.insert(saga);
    }
    if (TextOf(step, "ack") == "torn") {
      return Torn(std::move(command));
    }
    const Reply reply = store_->Execute(std::move(command)).Get();
    if (const std::string name = TextOf(step, "as"); reply.ok() && !name.empty()) {
      tokens_[name] = reply.answer().token;
    }
    if (seen != nullptr && reply.ok() && !reply.answer().replayed && !seen->listed.contains(saga)) {
      return Answer{"recovered", fmt::format("{} did not list {}", TextOf(step, "observed"), saga)};
    }
    return AnswerOf(reply);
  }

  Result<Answer> Torn(commands::CommandT command) {
    ASSIGN_OR_RETURN(const std::optional<Reply> reply,
                     disk_->KillInside(store_, std::move(command)));
    return reply ? AnswerOf(*reply) : Answer{"lost", "the process died inside the append"};
  }

  // Nobody was told of this append, so whatever is left of it must be dropped.
  Status TearTail() {
    commands::ChangePolicyT change;
    change.limit = 1'000'000;
    commands::CommandT command;
    command.body.Set(std::move(change));
    return disk_->KillInside(store_, std::move(command)).status();
  }

  Status LetGo(const std::string& how) {
    if (!store_) {
      return {};  // died inside an append
    }
    if (how == "torn_tail") {
      RETURN_IF_ERROR(TearTail());
      return store_ ? disk_->Kill(std::move(store_)) : Status();
    }
    if (how == "corrupt_mid") {
      const Sequence middle(store_->log().Last().value() / 2);
      return disk_->Damage(std::move(store_), middle);
    }
    if (how == "clean") {
      RETURN_IF_ERROR(store_->Close());
      store_.reset();
      return {};
    }
    return disk_->Kill(std::move(store_));
  }

  Result<Answer> Reopen(const json::object& step) {
    const std::string how = TextOf(step, "how");
    RETURN_IF_ERROR(LetGo(how));
    if (how == "index_lost") {
      RETURN_IF_ERROR(disk_->LoseProjections());
    }
    clock_.Advance(DurationOf(step, "down_for"));
    return Open();
  }

  const Scenario& scenario_;
  std::unique_ptr<ScenarioDisk> disk_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::uint64_t> tokens_;
  std::map<std::string, Observation> observations_;
  std::set<std::string> sagas_;
};

}  // namespace

Result<PlayedScenario> PlayScenario(const Scenario& scenario, const PlayOptions& options) {
  std::unique_ptr<ScenarioDisk> disk;
  if (options.disk == PlayOptions::Disk::kMemory) {
    disk = MakeMemoryDisk();
  } else {
    ASSIGN_OR_RETURN(disk, MakeDirectoryDisk());
  }
  return Player(scenario, std::move(disk)).Play(options.rebuild);
}

}  // namespace sagalog::tools
