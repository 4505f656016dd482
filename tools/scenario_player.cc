#include "tools/scenario_player.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "reactor/store.h"
#include "schema/check.h"
#include "schema/limits.h"
#include "tools/scenario_answer.h"
#include "tools/scenario_arguments.h"
#include "tools/scenario_check.h"
#include "tools/scenario_clock.h"
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

using Answer = ScenarioAnswer;

std::size_t NumberOf(const json::object& step, std::string_view word, std::size_t absent) {
  const json::value* value = step.if_contains(word);
  return value == nullptr ? absent : value->to_number<std::size_t>();
}

bool FlagOf(const json::object& step, std::string_view word) {
  const json::value* value = step.if_contains(word);
  return value != nullptr && value->get_bool();
}

// Saga -> verdict.
json::object ReportsOf(const answers::AnswerT& answer) {
  json::object reports;
  for (const auto& report : answer.reports) {
    reports[report->saga_id] = schema::EnumNameVerdict(report->verdict);
  }
  return reports;
}

class Player {
 public:
  Player(const Scenario& scenario, std::unique_ptr<ScenarioDisk> disk)
      : scenario_(scenario), disk_(std::move(disk)), clock_(*ParseTime(kStart)) {}

  // Leaves the data directory at `directory`, as the last step left it.
  Status Keep(const std::filesystem::path& directory) {
    if (store_) {
      const Status closed = store_->Close();
      // A damaged one is kept as it is.
      if (!closed.ok() && store_->Health().ok()) {
        return closed;
      }
      store_.reset();
    }
    return disk_->MoveTo(directory);
  }

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

  Result<Answer> Open(bool accept_clock = false) {
    auto store = disk_->Open(clock_, accept_clock);
    if (!store.ok()) {
      return AnswerOf(store.status());
    }
    store_ = *std::move(store);
    return AnswerOf(store_->Health());
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
    if (!store_ && what != "reopen" && !what.ends_with("_clock") && what != "suspend_host") {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: the store was not opened again before this step", what));
    }
    if (what == "advance_clock") {
      clock_.Advance(DurationOf(step, "by"));
    } else if (what == "step_wall_clock") {
      clock_.StepWall(DurationOf(step, "by"));
    } else if (what == "suspend_host") {
      clock_.Suspend(DurationOf(step, "for"));
    } else if (what == "stall_store") {
      return Stall(DurationOf(step, "for"));
    } else if (what == "observe_stale") {
      return Observe(step);
    } else if (what == "reopen") {
      return Reopen(step);
    } else if (what == "backup") {
      return AnswerOf(disk_->Backup(*store_, TextOf(step, "as")));
    } else if (what == "compact") {
      return Compact(step);
    } else if (what == "sweep") {
      return Sweep(step);
    } else if (what == "batch") {
      return RunBatch(step);
    } else if (what == "check") {
      std::string difference = DifferenceFrom(step, *store_);
      return difference.empty() ? Answer{"ok", ""} : Otherwise(std::move(difference));
    } else {
      return Command(step);
    }
    return Answer{"ok", ""};
  }

  // A turn before it and one after it, and none between.
  Result<Answer> Stall(Duration by) {
    RETURN_IF_ERROR(TakeTurn());
    clock_.Advance(by);
    clock_.BeginSilence();
    const Status turn = TakeTurn();
    clock_.EndSilence();
    RETURN_IF_ERROR(turn);
    return Answer{"ok", ""};
  }

  // A read has one of its own.
  Status TakeTurn() { return store_->Policy().status(); }

  Result<Answer> Compact(const json::object& step) {
    CompactOptions options;
    options.older_than = DurationOf(step, "older_than");
    const auto report = store_->Compact(options);
    if (!report.ok()) {
      return AnswerOf(report.status());
    }
    return Answer{"ok", fmt::format("{} heartbeats became stubs", report->stubs)};
  }

  Result<Answer> Sweep(const json::object& step) {
    SweepOptions options;
    options.limit = NumberOf(step, "limit", kPageRowsMax);
    options.dry_run = FlagOf(step, "dry_run");
    const auto report = store_->Sweep(options);
    if (!report.ok()) {
      return AnswerOf(report.status());
    }
    return Answer{"ok", fmt::format("{} sagas looked at", report->items.size())};
  }

  Result<Answer> Observe(const json::object& step) {
    Observation seen;
    for (const std::string& saga : sagas_) {
      const auto found = store_->Find(saga);
      seen.versions[saga] = found.ok() ? found->version : 0;
    }
    PageQuery query;
    query.limit = NumberOf(step, "limit", kPageRowsMax);
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

  // What a recover names in `observed`; null for what is none.
  const Observation* SeenBy(const json::object& step) const {
    const auto found = observations_.find(TextOf(step, "observed"));
    return found == observations_.end() ? nullptr : &found->second;
  }

  Result<commands::CommandT> CommandOf(const json::object& step) {
    const std::string saga = TextOf(step, "saga");
    ScenarioBindings bindings{tokens_, 0};
    if (const Observation* seen = SeenBy(step)) {
      const auto version = seen->versions.find(saga);
      bindings.observed = version == seen->versions.end() ? 0 : version->second;
    }
    if (!saga.empty()) {
      sagas_.insert(saga);
    }
    return CommandOfStep(step, bindings);
  }

  // The answer to the step's command, and the token that it binds.
  Answer Conclude(const json::object& step, const Reply& reply) {
    const std::string saga = TextOf(step, "saga");
    if (const std::string name = TextOf(step, "as"); reply.ok() && !name.empty()) {
      tokens_[name] = reply.answer().token;
    }
    const Observation* seen = SeenBy(step);
    if (seen != nullptr && reply.ok() && !reply.answer().replayed && !seen->listed.contains(saga)) {
      return {"recovered", fmt::format("{} did not list {}", TextOf(step, "observed"), saga)};
    }
    if (const json::value* reports = step.if_contains("reports");
        reports != nullptr && reply.ok()) {
      const json::object actual = ReportsOf(reply.answer());
      if (actual != reports->get_object()) {
        return Otherwise(fmt::format("the reports are {}", json::serialize(actual)));
      }
    }
    return AnswerOf(reply);
  }

  Result<Answer> Command(const json::object& step) {
    if (TextOf(step, "ack") == "torn") {
      ASSIGN_OR_RETURN(commands::CommandT command, CommandOf(step));
      std::optional<Reply> reply;
      return DieInside([&](Store& store) { reply = store.Execute(std::move(command)).Get(); },
                       [&] { return AnswerOf(*reply); });
    }
    const std::size_t times = NumberOf(step, "times", 1);
    Answer answer;
    for (std::size_t call = 1; call <= times; ++call) {
      ASSIGN_OR_RETURN(commands::CommandT command, CommandOf(step));
      answer = Conclude(step, store_->Execute(std::move(command)).Get());
      if (answer.answer != TextOf(step, "expect")) {
        answer.detail += times == 1 ? "" : fmt::format("; call {} of {}", call, times);
        break;
      }
    }
    return answer;
  }

  Result<Answer> RunBatch(const json::object& step) {
    const json::array& steps = step.at("commands").get_array();
    std::vector<commands::CommandT> batch;
    for (const json::value& command : steps) {
      ASSIGN_OR_RETURN(batch.emplace_back(), CommandOf(command.get_object()));
    }
    BatchReply reply;
    const auto run = [&](Store& store) {
      reply = store.ExecuteBatch(std::move(batch), FlagOf(step, "atomic"));
    };
    const auto conclude = [&] { return ConcludeBatch(step, reply); };
    if (TextOf(step, "ack") == "torn") {
      return DieInside(run, conclude);
    }
    run(*store_);
    return conclude();
  }

  Answer ConcludeBatch(const json::object& step, const BatchReply& reply) {
    if (reply.refusal) {
      Answer answer = AnswerOf(*reply.refusal);
      const auto& index = reply.refusal->index;
      if (index) {
        answer.detail = fmt::format("commands[{}]: {}", *index, answer.detail);
      }
      const json::value* expected = step.if_contains("index");
      return expected == nullptr || (index && *expected == *index)
                 ? answer
                 : Otherwise(fmt::format("{}, {}", answer.answer, answer.detail));
    }
    const json::array& steps = step.at("commands").get_array();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const json::object& command = steps[i].get_object();
      const Answer answer = Conclude(command, reply.answers[i]);
      if (const std::string expected = TextOf(command, "expect"); answer.answer != expected) {
        return Otherwise(fmt::format("commands[{}]: expected {}, got {}{}{}", i, expected,
                                     answer.answer, answer.detail.empty() ? "" : ": ",
                                     answer.detail));
      }
    }
    return {"ok", ""};
  }

  // The process dies inside the append of `act`; where there is none, `conclude` says what came.
  Result<Answer> DieInside(const std::function<void(Store&)>& act,
                           const std::function<Answer()>& conclude) {
    ASSIGN_OR_RETURN(const bool died, disk_->KillInside(store_, act));
    return died ? Answer{"lost", "the process died inside the append"} : conclude();
  }

  // Nobody was told of this append, so whatever is left of it must be dropped.
  Status TearTail() {
    const auto append = [](Store& store) {
      commands::ChangePolicyT change;
      change.limit = 1'000'000;
      static_cast<void>(store.ChangePolicy(std::move(change)).Get());
    };
    return disk_->KillInside(store_, append).status();
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
    const bool accept_clock = FlagOf(step, "accept_clock");
    if (how == "restore") {
      const Status restored = disk_->Restore(TextOf(step, "from"), clock_, accept_clock);
      if (!restored.ok()) {
        return AnswerOf(restored);
      }
    }
    return Open(accept_clock);
  }

  const Scenario& scenario_;
  std::unique_ptr<ScenarioDisk> disk_;
  ScenarioClock clock_;
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
  Player player(scenario, std::move(disk));
  ASSIGN_OR_RETURN(PlayedScenario played, player.Play(options.rebuild));
  if (!options.keep.empty()) {
    RETURN_IF_ERROR(player.Keep(options.keep));
  }
  return played;
}

}  // namespace sagalog::tools
