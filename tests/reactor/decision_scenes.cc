#include "tests/reactor/decision_scenes.h"

#include <fmt/format.h>

#include "schema/check.h"

namespace sagalog {
namespace {

using std::chrono::seconds;

constexpr const char* kHolder =
    R"({"owner":"w","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":1})";

// A history with a neighbour that has registered a target, in which one saga T gets into a scene.
class Stage {
 public:
  Stage() {
    Do("plan", "neighbour",
       R"({"compensations":[{"id":"n","kind":"undo","target":"taken"}],"queue":"elsewhere"})");
  }

  void Do(std::string_view command, std::string_view saga, std::string_view arguments = "{}") {
    const std::string answer = history_.Run(command, saga, arguments);
    CHECK(answer.starts_with("ok"));
  }
  void Plan(std::string_view policy, bool compensated, std::string_view more = "") {
    const char* owed = R"(,"compensations":[{"id":"c","kind":"undo","target":"mine"}])";
    Do("plan", "T",
       fmt::format(R"({{"stage":"build","policy":{{{}}}{}{}}})", policy, compensated ? owed : "",
                   more));
  }
  void Acquire(std::string_view ttl) {
    Do("acquire", "T", fmt::format(R"({{"owner":{},"ttl":"{}"}})", kHolder, ttl));
  }
  void Report(std::string_view verdict) {
    Do("report_owner", "T", fmt::format(R"({{"identity":{},"verdict":"{}"}})", kHolder, verdict));
  }
  void Exit() { Do("record_exit", "T", R"({"token":$TOKEN,"exit_code":0})"); }
  void Pass(seconds by) { history_.Advance(by); }
  void ComeBack() { history_.ComeBack(); }

  void Show(const std::function<void(const Scene&)>& visitor, Facts facts) {
    visitor({"T", std::move(facts), history_});
  }

 private:
  DecidedHistory history_;
};

// What is true of most.
Facts LiveFacts(const char* state, bool held) {
  return {{"saga", "live"},
          {"state", state},
          {"held", held ? "yes" : "no"},
          {"owned", held ? "yes" : "no"},
          {"lease", "none"},
          {"grace", "no"},
          {"section", "none"},
          {"cancel", "no"},
          {"owner", "unknown"},
          {"exit", "none"},
          {"undo", "none"},
          {"effect", "new"},
          {"spent", "no"},
          {"recoveries", "left"},
          {"dispatches", "left"}};
}

void ShowPlanned(const std::function<void(const Scene&)>& visitor, const Facts& wish) {
  const auto is = [&wish](const char* name, const char* value) { return wish.at(name) == value; };
  const bool dead = is("past", "dead");
  const bool before = is("before", "yes");
  const bool spent = is("dispatches", "spent");
  if ((is("waits", "yes") && (dead || spent)) || (before && spent)) {
    return;  // it could not have been started before
  }
  Stage stage;
  stage.Do("plan", "dependency", R"({"queue":"elsewhere"})");
  stage.Plan(dead && before ? R"("max_dispatch_failures":1,"requeue_backoff":"36000s")"
                            : R"("max_dispatch_failures":1)",
             false,
             std::string(is("waits", "yes") ? R"(,"depends_on":["dependency"])" : "") +
                 (before && !dead ? R"(,"not_before":"36000s")" : ""));
  if (dead) {
    stage.Acquire("60s");
    stage.Report("dead");
    stage.Do("recover", "T", R"({"observed":$VERSION,"decision":"requeue","counts":false})");
  }
  if (spent) {
    stage.Do("dispatch", "T", R"({"owner":"d"})");
    stage.Do("abort_dispatch", "T", R"({"dispatch_token":$TOKEN})");
  }
  if (is("park", "yes")) {
    stage.Do("park", "T");
  }
  if (is("queue", "full")) {
    stage.Do("configure_queue", "", R"({"queue":"default","limit":1})");
    stage.Do("plan", "first");
    stage.Do("acquire", "first", R"({"owner":"f","ttl":"600s"})");
  } else if (is("queue", "frozen")) {
    stage.Do("configure_queue", "", R"({"queue":"default","frozen":true})");
  }
  Facts facts = LiveFacts("planned", false);
  for (const auto& [name, value] : wish) {
    facts[name] = value;
  }
  stage.Show(visitor, facts);
}

void ShowDispatched(const std::function<void(const Scene&)>& visitor, const Facts& wish) {
  Stage stage;
  stage.Plan("", wish.at("undo") == "owed");
  stage.Do("dispatch", "T", fmt::format(R"({{"owner":{},"ttl":"400s"}})", kHolder));
  stage.Pass(seconds(wish.at("lease") == "over" ? 400 : 399));
  if (wish.at("owner") != "unknown") {
    stage.Report(wish.at("owner"));
  }
  Facts facts = LiveFacts("dispatched", true);
  for (const auto& [name, value] : wish) {
    facts[name] = value;
  }
  stage.Show(visitor, facts);
}

// Every wait ends at the very instant that makes the difference.
void ShowRunning(const std::function<void(const Scene&)>& visitor, const Facts& wish) {
  const auto is = [&wish](const char* name, const char* value) { return wish.at(name) == value; };
  if ((is("lease", "live") && is("grace", "yes")) ||
      (is("section", "none") && is("cancel", "yes"))) {
    return;  // there is no such thing
  }
  Stage stage;
  stage.Plan(R"("max_recoveries":1)", is("undo", "owed"));
  if (is("recoveries", "spent")) {
    stage.Do("acquire", "T", R"({"owner":"before","ttl":"1s"})");
    stage.Pass(seconds(1));
    stage.Do("recover", "T", R"({"observed":$VERSION,"decision":"requeue"})");
  }
  if (is("spent", "yes")) {
    stage.Do("dispatch", "T", R"({"owner":"d"})");
    stage.Do("acquire", "T",
             fmt::format(R"({{"owner":{},"ttl":"400s","dispatch_token":$TOKEN}})", kHolder));
  } else {
    stage.Acquire("400s");
  }
  if (!is("section", "none")) {
    stage.Do("enter_section", "T",
             fmt::format(R"({{"token":$TOKEN,"name":"merge","max_age":"{}s"}})",
                         is("section", "open") ? 5000 : 399));
  }
  if (is("cancel", "yes")) {
    stage.Do("cancel", "T");
  }
  if (!is("effect", "new")) {
    stage.Do("begin_effect", "T", R"({"token":$TOKEN,"effect":"e","fingerprint":"f"})");
  }
  if (is("effect", "settled")) {
    stage.Do("settle_effect", "T", R"({"effect":"e","outcome":"done"})");
  }
  const int moment = is("lease", "over") ? 400 : 399;
  const int exited = is("exit", "old") ? moment - 300 : moment - 299;  // finalize_grace is 300 s
  stage.Pass(seconds(exited));
  if (!is("exit", "none")) {
    stage.Exit();
  }
  // That it is alive counts for a minute. Where nothing is known, that was said too long ago.
  const int reported = is("owner", "alive") ? moment - 59 : moment - 60;
  stage.Pass(seconds(reported - exited));
  stage.Report(is("owner", "dead") ? "dead" : "alive");
  stage.Pass(seconds(moment - reported));
  if (is("grace", "yes")) {
    stage.ComeBack();
  }
  Facts facts = LiveFacts("running", true);
  for (const auto& [name, value] : wish) {
    facts[name] = value;
  }
  stage.Show(visitor, facts);
}

// After the end, or on the way to it. `how` is how the holder came to be gone, or is not.
void ShowEnding(const std::function<void(const Scene&)>& visitor, const char* state,
                const char* how, const char* undo) {
  const std::string_view end = state;
  const std::string_view gone = how;
  Stage stage;
  stage.Plan("", std::string_view(undo) != "none");
  if (gone != "never_there") {
    stage.Acquire("60s");
  }
  if (gone == "exited") {
    stage.Exit();
  } else if (gone == "dead") {
    stage.Report("dead");
  } else if (gone == "lease_over" || gone == "lease_lives") {
    stage.Pass(gone == "lease_over" ? seconds(60) : seconds(59));
  }
  if (end == "completed") {
    stage.Do("complete", "T", R"({"token":$TOKEN})");
  } else if (end == "failed") {
    stage.Do("fail", "T", R"({"token":$TOKEN,"no_compensation_reason":"r"})");
  } else if (end == "compensating" || end == "compensated") {
    stage.Do("compensate", "T", R"({"token":$TOKEN})");
  } else {
    stage.Do(end == "quarantined" ? "quarantine" : "cancel", "T");
  }
  const std::string_view owed = undo;
  if (owed == "claimed" || owed == "lapsed" || owed == "failed" || owed == "done") {
    stage.Do("claim_compensation", "T", R"({"id":"c","executor":"j","ttl":"60s"})");
    stage.Pass(owed == "lapsed" ? seconds(60) : seconds(59));
  }
  if (owed == "failed" || owed == "done") {
    stage.Do("settle_compensation", "T",
             fmt::format(R"({{"id":"c","token":$CLAIM,"outcome":"{}"}})", owed));
  }
  Facts facts = LiveFacts(state, false);
  facts["saga"] = end == "compensating" ? "live" : "ended";
  facts["owned"] = gone == "never_there" ? "no" : "yes";
  facts["undo"] = end == "completed" && owed == "owed" ? "dropped" : undo;
  facts["gone"] = gone == "lease_lives" ? "no" : "yes";
  facts["exit"] = gone == "exited" ? "recent" : "none";
  facts["owner"] = gone == "dead" ? "dead" : "unknown";
  stage.Show(visitor, facts);
}

// Calls `visitor` with each way to choose one value of each name.
void ForEachChoice(const std::vector<std::pair<const char*, std::vector<const char*>>>& names,
                   const std::function<void(const Facts&)>& visitor) {
  std::vector<std::size_t> chosen(names.size(), 0);
  while (true) {
    Facts facts;
    for (std::size_t i = 0; i < names.size(); ++i) {
      facts[names[i].first] = names[i].second[chosen[i]];
    }
    visitor(facts);
    std::size_t place = 0;
    while (place < names.size() && ++chosen[place] == names[place].second.size()) {
      chosen[place++] = 0;
    }
    if (place == names.size()) {
      return;
    }
  }
}

void ShowHeldScenes(const std::function<void(const Scene&)>& visitor) {
  ForEachChoice({{"lease", {"live", "over"}},
                 {"owner", {"unknown", "alive", "dead"}},
                 {"undo", {"none", "owed"}}},
                [&](const Facts& wish) { ShowDispatched(visitor, wish); });
  ForEachChoice({{"lease", {"live", "over"}},
                 {"grace", {"no", "yes"}},
                 {"section", {"none", "open", "overdue"}},
                 {"cancel", {"no", "yes"}},
                 {"owner", {"unknown", "alive", "dead"}},
                 {"exit", {"none", "recent", "old"}},
                 {"recoveries", {"left"}},
                 {"undo", {"none"}},
                 {"effect", {"new"}},
                 {"spent", {"no"}}},
                [&](const Facts& wish) { ShowRunning(visitor, wish); });
  ForEachChoice({{"lease", {"live", "over"}},
                 {"grace", {"no"}},
                 {"section", {"none", "overdue"}},
                 {"cancel", {"no"}},
                 {"owner", {"unknown", "alive", "dead"}},
                 {"exit", {"none", "old"}},
                 {"recoveries", {"spent"}},
                 {"undo", {"none"}},
                 {"effect", {"new"}},
                 {"spent", {"no"}}},
                [&](const Facts& wish) { ShowRunning(visitor, wish); });
  ForEachChoice({{"lease", {"live", "over"}},
                 {"grace", {"no"}},
                 {"section", {"none", "open"}},
                 {"cancel", {"no"}},
                 {"owner", {"unknown", "dead"}},
                 {"exit", {"none"}},
                 {"recoveries", {"left"}},
                 {"undo", {"owed"}},
                 {"effect", {"new", "begun", "settled"}},
                 {"spent", {"no", "yes"}}},
                [&](const Facts& wish) { ShowRunning(visitor, wish); });
}

}  // namespace

void ForEachScene(const std::function<void(const Scene&)>& visitor) {
  Stage().Show(visitor, {{"saga", "none"}, {"state", "none"}});
  ForEachChoice({{"park", {"no", "yes"}},
                 {"before", {"no", "yes"}},
                 {"waits", {"no", "yes"}},
                 {"queue", {"open", "frozen", "full"}},
                 {"dispatches", {"left", "spent"}},
                 {"past", {"fresh", "dead"}}},
                [&](const Facts& wish) { ShowPlanned(visitor, wish); });
  ShowHeldScenes(visitor);
  for (const char* undo : {"owed", "claimed", "lapsed", "failed"}) {
    ShowEnding(visitor, "compensating", "let_go", undo);
  }
  ShowEnding(visitor, "compensated", "let_go", "done");
  for (const char* undo : {"none", "owed"}) {
    ShowEnding(visitor, "completed", "let_go", undo);
    ShowEnding(visitor, "failed", "let_go", undo);
    for (const char* state : {"quarantined", "cancelled"}) {
      for (const char* how : {"never_there", "lease_lives", "lease_over", "exited", "dead"}) {
        ShowEnding(visitor, state, how, undo);
      }
    }
  }
  for (const char* undo : {"claimed", "lapsed", "failed", "done"}) {
    ShowEnding(visitor, "failed", "exited", undo);
  }
}

}  // namespace sagalog
