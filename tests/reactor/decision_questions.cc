#include <set>

#include <fmt/format.h>

#include "tests/reactor/decision_scenes.h"

namespace sagalog {
namespace {

constexpr const char* kHolder =
    R"({"owner":"w","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":1})";
constexpr const char* kOtherIncarnation =
    R"({"owner":"w","host":"h","boot_id":"b","pid_namespace":"n","pid":8,"pid_start":2})";
constexpr const char* kReusedPid =
    R"({"owner":"w","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":2})";
constexpr const char* kStranger = R"({"owner":"w","host":"elsewhere","boot_id":"b","pid":7})";

// What all forms of one command share.
struct Form {
  const char* command;
  const char* rows;   // those that decide it
  const char* proof;  // none, live, late, last, dispatch
  const char* after;  // whether ended sagas take it
};

// Collects questions: each in all the ways to carry a token, an owner and a version.
class Questions {
 public:
  // `arguments` are the fields of the command's own, each behind a comma.
  void Add(const Form& form, std::string_view arguments, Facts facts = {}) {
    facts["proof"] = form.proof;
    facts["after"] = form.after;
    facts.try_emplace("given", "mine");
    facts.try_emplace("named", "no");
    facts["version"] = "right";
    const std::string_view proof = form.proof;
    if (proof == "none") {
      WithVersions(form, arguments, facts);
      return;
    }
    const char* field = proof == "dispatch" ? "dispatch_token" : "token";
    const auto with = [&](const char* token, std::string_view owner) {
      return fmt::format(R"(,"{}":{}{}{}{})", field, token, owner.empty() ? "" : R"(,"owner":)",
                         owner, arguments);
    };
    WithVersions(form, with("$TOKEN", ""), facts);
    facts["named"] = "same";
    Push(form, with("$TOKEN", kHolder), facts);
    facts["named"] = "other";
    Push(form, with("$TOKEN", kOtherIncarnation), facts);
    facts["given"] = "stale";
    Push(form, with("1", kOtherIncarnation), facts);
    facts["named"] = "no";
    Push(form, with("1", ""), facts);
    if (proof == "dispatch") {
      facts["given"] = "spent";
      Push(form, with("$SPENT", ""), facts);
    }
  }

  [[nodiscard]] std::vector<Question> Take() { return std::move(questions_); }

 private:
  void WithVersions(const Form& form, std::string_view arguments, Facts facts) {
    Push(form, arguments, facts);
    if (!with_versions_.insert(form.rows).second) {
      return;
    }
    Push(form, fmt::format(R"({},"expected_version":$VERSION)", arguments), facts);
    facts["version"] = "wrong";
    Push(form, fmt::format(R"({},"expected_version":999)", arguments), facts);
  }

  void Push(const Form& form, std::string_view arguments, const Facts& facts) {
    const std::string_view fields = arguments.substr(arguments.empty() ? 0 : 1);
    questions_.push_back({form.rows, form.command, fmt::format("{{{}}}", fields), facts});
  }

  std::vector<Question> questions_;
  std::set<std::string_view> with_versions_;  // one form of each command will do
};

std::string Owner(std::string_view owner) { return fmt::format(R"(,"owner":{})", owner); }

void AddLeasing(Questions& questions) {
  questions.Add({"dispatch", "dispatch", "none", "no"}, Owner(kOtherIncarnation));
  const Form abort{"abort_dispatch", "abort_dispatch", "dispatch", "no"};
  questions.Add(abort, "", {{"then", "requeue"}});
  questions.Add(abort, R"(,"then":"fail")", {{"then", "fail"}, {"reason", "no"}});
  questions.Add(abort, R"(,"then":"fail","no_compensation_reason":"r")",
                {{"then", "fail"}, {"reason", "yes"}});
  const Form acquire{"acquire", "acquire", "none", "no"};
  questions.Add(acquire, Owner(kHolder), {{"by", "same"}});
  questions.Add(acquire, Owner(kOtherIncarnation), {{"by", "other"}});
  const Form dispatched{"acquire", "acquire_dispatched", "none", "no"};
  for (const char* token : {"$TOKEN", "1"}) {
    const char* given = std::string_view(token) == "1" ? "stale" : "mine";
    const std::string field = fmt::format(R"(,"dispatch_token":{})", token);
    questions.Add(dispatched, Owner(kHolder) + field, {{"by", "same"}, {"given", given}});
    questions.Add(dispatched, Owner(kOtherIncarnation) + field,
                  {{"by", "other"}, {"given", given}});
  }
  const Form heartbeat{"heartbeat", "heartbeat", "live", "no"};
  questions.Add(heartbeat, R"(,"ttl":"5000s")", {{"extends", "yes"}});
  questions.Add(heartbeat, R"(,"ttl":"1s")", {{"extends", "no"}});
  questions.Add({"release", "release", "live", "no"}, "");
}

void AddStages(Questions& questions) {
  const Form by_token{"advance_stage", "advance_stage", "live", "no"};
  const Form by_actor{"advance_stage", "advance_stage", "none", "no"};
  for (const char* expected : {"build", "test"}) {
    const std::string stage = fmt::format(R"(,"expected":"{}","next":"merge")", expected);
    const char* expects = std::string_view(expected) == "build" ? "right" : "wrong";
    questions.Add(by_token, stage, {{"by", "token"}, {"expects", expects}});
    questions.Add(by_actor, R"(,"actor":"a")" + stage, {{"by", "actor"}, {"expects", expects}});
  }
  const Form enter{"enter_section", "enter_section", "live", "no"};
  questions.Add(enter, R"(,"name":"s")", {{"expects", "no"}});
  questions.Add(enter, R"(,"name":"s","expected_stage":"build")", {{"expects", "right"}});
  questions.Add(enter, R"(,"name":"s","expected_stage":"test")", {{"expects", "wrong"}});
  const Form leave{"leave_section", "leave_section", "late", "no"};
  questions.Add(leave, R"(,"outcome":"o")", {{"final", "none"}});
  questions.Add(leave, R"(,"outcome":"o","final":"completed")", {{"final", "completed"}});
  questions.Add(leave, R"(,"outcome":"o","final":"failed")",
                {{"final", "failed"}, {"reason", "no"}});
  questions.Add(leave, R"(,"outcome":"o","final":"failed","no_compensation_reason":"r")",
                {{"final", "failed"}, {"reason", "yes"}});
}

void AddEvidence(Questions& questions) {
  const Form begin{"begin_effect", "begin_effect", "live", "no"};
  questions.Add(begin, R"(,"effect":"e","fingerprint":"f")", {{"print", "same"}});
  questions.Add(begin, R"(,"effect":"e","fingerprint":"g")", {{"print", "other"}});
  const Form settle{"settle_effect", "settle_effect", "none", "yes"};
  questions.Add(settle, R"(,"effect":"e","outcome":"done")",
                {{"outcome", "same"}, {"names", "effect"}});
  questions.Add(settle, R"(,"effect":"e","outcome":"undone")",
                {{"outcome", "other"}, {"names", "effect"}});
  const Form exit{"record_exit", "record_exit", "last", "last"};
  questions.Add(exit, R"(,"exit_code":0)", {{"code", "same"}});
  questions.Add(exit, R"(,"exit_code":1)", {{"code", "other"}});
  const Form report{"report_owner", "report_owner", "none", "yes"};
  const auto add = [&](const char* who, const char* identity, const char* verdict) {
    questions.Add(report, fmt::format(R"(,"identity":{},"verdict":"{}")", identity, verdict),
                  {{"who", who}, {"verdict", verdict}});
  };
  for (const char* verdict : {"alive", "dead"}) {
    add("holder", kHolder, verdict);
    add("reused", kReusedPid, verdict);
    add("stranger", kStranger, verdict);
    add("stranger", kOtherIncarnation, verdict);
    add("stranger", R"({"owner":"w"})", verdict);
  }
  questions.Add({"annotate", "annotate", "none", "yes"}, R"(,"text":"n")");
}

void AddEnding(Questions& questions) {
  questions.Add({"complete", "complete", "live", "no"}, "");
  const Form fail{"fail", "fail", "live", "no"};
  questions.Add(fail, "", {{"reason", "no"}});
  questions.Add(fail, R"(,"no_compensation_reason":"r")", {{"reason", "yes"}});
  questions.Add({"compensate", "compensate", "live", "no"}, "");
  questions.Add({"mark_compensated", "mark_compensated", "none", "compensated"}, "");
  questions.Add({"quarantine", "quarantine", "none", "no"}, "");
  questions.Add({"cancel", "cancel", "none", "cancelled"}, "");
  questions.Add({"park", "park", "none", "no"}, "");
  questions.Add({"unpark", "unpark", "none", "no"}, "");
  questions.Add({"force_release", "force_release", "none", "no"}, R"(,"reason":"r")");
}

void AddCompensations(Questions& questions) {
  for (const char* proof : {"live", "none"}) {
    const Form add{"register_compensation", "register_compensation", proof, "no"};
    questions.Add(add, R"(,"id":"d","kind":"undo","target":"free")",
                  {{"new", "yes"}, {"target", "free"}});
    questions.Add(add, R"(,"id":"d","kind":"undo","target":"taken")",
                  {{"new", "yes"}, {"target", "taken"}, {"shared", "no"}});
    questions.Add(add, R"(,"id":"d","kind":"undo","target":"taken","shared":true)",
                  {{"new", "yes"}, {"target", "taken"}, {"shared", "yes"}});
    const bool by_token = std::string_view(proof) == "live";
    questions.Add({add.command, add.rows, proof, by_token ? "no" : "registered"},
                  R"(,"id":"c","kind":"undo","target":"mine")", {{"new", "no"}, {"alike", "yes"}});
    for (const char* other : {R"("kind":"other","target":"mine")", R"("kind":"undo","target":"m")",
                              R"("kind":"undo","target":"mine","when":"always")",
                              R"("kind":"undo","target":"mine","shared":true)"}) {
      questions.Add(add, fmt::format(R"(,"id":"c",{})", other), {{"new", "no"}, {"alike", "no"}});
    }
  }
  questions.Add({"claim_compensation", "claim_compensation", "none", "yes"},
                R"(,"id":"c","executor":"k")", {{"names", "compensation"}});
  const Form settle{"settle_compensation", "settle_compensation", "none", "yes"};
  for (const char* outcome : {"done", "failed"}) {
    for (const char* token : {"$CLAIM", "1"}) {
      questions.Add(settle, fmt::format(R"(,"id":"c","token":{},"outcome":"{}")", token, outcome),
                    {{"outcome", outcome},
                     {"claim", std::string_view(token) == "1" ? "stale" : "newest"},
                     {"names", "compensation"}});
    }
  }
  questions.Add(settle, R"(,"id":"c","actor":"o","detail":"by hand","outcome":"waived")",
                {{"outcome", "waived"}, {"names", "compensation"}});
}

void AddRecovery(Questions& questions) {
  const Form recover{"recover", "recover", "none", "no"};
  questions.Add(recover, R"(,"observed":999,"decision":"requeue")", {{"observed", "wrong"}});
  const auto add = [&](const char* decision, std::string_view more, Facts facts) {
    facts.insert({{"observed", "right"}, {"decision", decision}});
    for (const char* told : {"no", "yes"}) {
      facts["told"] = told;
      questions.Add(recover,
                    fmt::format(R"(,"observed":$VERSION,"decision":"{}"{}{})", decision, more,
                                std::string_view(told) == "yes" ? R"(,"section_outcome":"s")" : ""),
                    facts);
    }
  };
  add("requeue", "", {{"counts", "yes"}});
  add("requeue", R"(,"counts":false)", {{"counts", "no"}});
  add("complete", "", {{"gate", "none"}});
  add("complete", R"(,"gate":"fail")", {{"gate", "fail"}});
  add("complete", R"(,"gate":"pass")", {{"gate", "pass"}});
  add("fail", "", {{"reason", "no"}});
  add("fail", R"(,"no_compensation_reason":"r")", {{"reason", "yes"}});
  add("compensate", R"(,"no_compensation_reason":"r")", {});
  add("quarantine", "", {});
  add("cancel", "", {});
}

}  // namespace

std::vector<Question> AllQuestions() {
  Questions questions;
  AddLeasing(questions);
  AddStages(questions);
  AddEvidence(questions);
  AddEnding(questions);
  AddCompensations(questions);
  AddRecovery(questions);
  return questions.Take();
}

}  // namespace sagalog
