// Every (state, command, condition) is decided by exactly one row. The rows are written from the
// contract's table of commands (docs/guarantees.md), not from the rules; a combination that no row
// or two rows decide fails, as does one that the rules decide otherwise.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/decision_scenes.h"

namespace sagalog {
namespace {

// When all of `when` holds ("name=value|value", separated by blanks), the answer is `then`.
struct Row {
  std::string_view when;
  std::string_view then;
};

// The general refusals, before any command's own. "pass": the command's own rows decide.
// `takes` is whether the ended saga takes this command all the same.
constexpr Row kGeneralRows[] = {
    {"saga=none", "not_found"},
    {"saga=ended takes=no", "terminal"},
    // A compensation or effect that the saga does not know.
    {"takes=yes part=missing", "not_found"},
    {"takes=yes part=known version=wrong", "version_conflict"},
    {"takes=yes part=known version=right proof=none", "pass"},
    // The holder's token, and its lease lives.
    {"takes=yes version=right proof=live|late held=no", "stale_token"},
    {"takes=yes version=right proof=live|late held=yes given=stale", "stale_token"},
    {"takes=yes version=right proof=live|late held=yes given=mine named=other", "not_owner"},
    {"takes=yes version=right proof=live held=yes given=mine named=no|same lease=over",
     "lease_expired"},
    {"takes=yes version=right proof=live held=yes given=mine named=no|same lease=live", "pass"},
    // The holder's token; the lease may be over.
    {"takes=yes version=right proof=late held=yes given=mine named=no|same", "pass"},
    // The last owner's token.
    {"takes=yes version=right proof=last owned=no", "stale_token"},
    {"takes=yes version=right proof=last owned=yes given=stale", "stale_token"},
    {"takes=yes version=right proof=last owned=yes given=mine named=other", "not_owner"},
    {"takes=yes version=right proof=last owned=yes given=mine named=no|same", "pass"},
    // The dispatch's token, also when its worker has spent it.
    {"takes=yes version=right proof=dispatch state=planned|compensating", "stale_token"},
    {"takes=yes version=right proof=dispatch state=dispatched given=stale|spent", "stale_token"},
    {"takes=yes version=right proof=dispatch state=dispatched given=mine named=other", "not_owner"},
    {"takes=yes version=right proof=dispatch state=dispatched given=mine named=no|same", "pass"},
    {"takes=yes version=right proof=dispatch state=running given=mine|stale", "stale_token"},
    {"takes=yes version=right proof=dispatch state=running given=spent", "pass"},
};

// What holds a planned saga back, in this order; for commands that start one.
constexpr Row kStartRows[] = {
    {"state=planned barred=no park=yes", "parked"},
    {"state=planned barred=no park=no before=yes", "not_before"},
    {"state=planned barred=no park=no before=no waits=yes", "dependency_unmet"},
    {"state=planned barred=no park=no before=no waits=no queue=frozen", "frozen"},
    {"state=planned barred=no park=no before=no waits=no queue=full", "limit_reached"},
};

using Rows = std::vector<Row>;

Rows Starting(Rows more) {
  more.insert(more.end(), std::begin(kStartRows), std::end(kStartRows));
  return more;
}

// The rows of each command, for what the general refusals let pass.
const std::map<std::string_view, Rows, std::less<>> kOwnRows = {
    {"dispatch",
     Starting({
         {"state=dispatched|running", "lease_held"},
         {"state=planned park=no before=no waits=no queue=open dispatches=spent", "limit_reached"},
         {"state=planned park=no before=no waits=no queue=open dispatches=left", "ok"},
         {"state=compensating", "wrong_state"},
     })},
    {"abort_dispatch",
     {
         {"state=running", "lease_held"},
         {"state=dispatched then=requeue", "ok"},
         {"state=dispatched then=fail undo=owed", "ok"},
         {"state=dispatched then=fail undo=none reason=yes", "ok"},
         {"state=dispatched then=fail undo=none reason=no", "compensation_missing"},
     }},
    {"acquire",
     Starting({
         {"state=planned barred=yes", "owner_dead"},
         {"state=planned barred=no park=no before=no waits=no queue=open", "ok"},
         {"state=dispatched|running lease=live", "lease_held"},
         {"state=dispatched lease=over by=other", "ok"},
         {"state=dispatched lease=over by=same owner=alive|unknown", "ok"},
         {"state=dispatched lease=over by=same owner=dead", "owner_dead"},
         // To another incarnation: alive, finalising, in grace.
         {"state=running lease=over by=other owner=alive", "lease_held"},
         {"state=running lease=over by=other owner=unknown exit=recent", "lease_held"},
         {"state=running lease=over by=other owner=unknown exit=none|old grace=yes", "in_grace"},
         // An open section is not the acquirer's to end, overdue or not.
         {"state=running lease=over by=other owner=unknown exit=none|old grace=no "
          "section=open|overdue",
          "section_open"},
         {"state=running lease=over by=same owner=unknown|alive section=open|overdue",
          "section_open"},
         {"state=running lease=over owner=dead section=open|overdue", "section_open"},
         {"state=running lease=over by=same owner=dead section=none", "owner_dead"},
         {"state=running lease=over by=same owner=unknown|alive section=none", "ok"},
         {"state=running lease=over by=other owner=unknown exit=none|old grace=no "
          "section=none recoveries=spent",
          "limit_reached"},
         {"state=running lease=over by=other owner=unknown exit=none|old grace=no "
          "section=none recoveries=left",
          "ok"},
         {"state=running lease=over by=other owner=dead section=none recoveries=spent",
          "limit_reached"},
         {"state=running lease=over by=other owner=dead section=none recoveries=left", "ok"},
         {"state=compensating", "wrong_state"},
     })},
    {"acquire_dispatched",
     {
         {"state=dispatched given=stale", "stale_token"},
         {"state=planned|running|compensating", "stale_token"},
         {"state=dispatched given=mine by=other", "ok"},
         {"state=dispatched given=mine by=same owner=unknown|alive", "ok"},
         {"state=dispatched given=mine by=same owner=dead", "owner_dead"},
     }},
    {"heartbeat",
     {
         {"state=dispatched|running extends=yes", "ok"},
         {"state=dispatched|running extends=no", "ok:unchanged"},
     }},
    {"release",
     {
         {"state=dispatched", "wrong_state"},
         {"state=running section=open|overdue", "section_open"},
         {"state=running section=none", "ok"},
     }},
    {"advance_stage",
     {
         {"by=actor state=dispatched|running", "lease_held"},
         {"by=token cancel=yes", "cancel_pending"},
         {"by=token cancel=no expects=wrong", "stage_conflict"},
         {"by=token cancel=no expects=right", "ok"},
         {"by=actor state=planned|compensating expects=wrong", "stage_conflict"},
         {"by=actor state=planned|compensating expects=right", "ok"},
     }},
    {"enter_section",
     {
         {"state=dispatched expects=wrong", "stage_conflict"},
         {"state=dispatched expects=right|no", "wrong_state"},
         {"state=running cancel=yes", "cancel_pending"},
         {"state=running cancel=no section=open|overdue", "section_open"},
         {"state=running cancel=no section=none expects=wrong", "stage_conflict"},
         {"state=running cancel=no section=none expects=right|no", "ok"},
     }},
    {"leave_section",
     {
         {"state=dispatched final=none|completed", "wrong_state"},
         {"final=failed undo=none reason=no", "compensation_missing"},
         {"state=dispatched final=failed undo=none reason=yes", "wrong_state"},
         {"state=dispatched final=failed undo=owed", "wrong_state"},
         {"state=running final=none section=none", "ok:unchanged"},
         {"state=running final=none section=open|overdue", "ok"},
         {"state=running final=completed section=none", "wrong_state"},
         {"state=running final=completed section=open|overdue", "ok"},
         {"state=running final=failed undo=owed section=none", "wrong_state"},
         {"state=running final=failed undo=owed section=open|overdue", "ok"},
         {"state=running final=failed undo=none reason=yes section=none", "wrong_state"},
         {"state=running final=failed undo=none reason=yes section=open|overdue", "ok"},
     }},
    {"begin_effect",
     {
         {"state=dispatched", "wrong_state"},
         {"state=running effect=new", "ok"},
         {"state=running effect=begun|settled print=other", "request_conflict"},
         {"state=running effect=begun print=same", "effect_begun"},
         {"state=running effect=settled print=same", "effect_settled"},
     }},
    {"settle_effect",
     {
         {"effect=begun", "ok"},
         {"effect=settled outcome=same", "ok:unchanged"},
         {"effect=settled outcome=other", "effect_settled"},
     }},
    {"record_exit",
     {
         {"state=dispatched", "wrong_state"},
         {"exit=none "
          "state=running|compensating|completed|failed|compensated|quarantined|cancelled",
          "ok"},
         {"exit=recent|old code=same", "ok:unchanged"},
         {"exit=recent|old code=other", "wrong_state"},
     }},
    {"register_compensation",
     {
         {"new=yes target=free", "ok"},
         {"new=yes target=taken shared=no", "busy"},
         {"new=yes target=taken shared=yes", "ok"},
         {"new=no undo=none", "ok"},
         {"new=no undo=owed|claimed|lapsed|failed|done|dropped alike=yes", "ok:unchanged"},
         {"new=no undo=owed|claimed|lapsed|failed alike=no", "already_exists"},
     }},
    {"complete",
     {
         {"state=dispatched", "wrong_state"},
         {"state=running section=open|overdue", "section_open"},
         {"state=running section=none", "ok"},
     }},
    {"fail",
     {
         {"section=open|overdue", "section_open"},
         {"section=none undo=none reason=no", "compensation_missing"},
         {"section=none undo=none reason=yes", "ok"},
         {"section=none undo=owed", "ok"},
     }},
    {"compensate",
     {
         {"state=dispatched undo=none", "compensation_missing"},
         {"state=dispatched undo=owed", "wrong_state"},
         {"state=running section=open|overdue", "section_open"},
         {"state=running section=none undo=none", "compensation_missing"},
         {"state=running section=none undo=owed", "ok"},
     }},
    {"mark_compensated",
     {
         {"state=planned|dispatched|running", "wrong_state"},
         {"state=compensating", "compensation_owed"},
         {"state=compensated", "ok:unchanged"},
     }},
    {"quarantine",
     {
         {"state=planned|dispatched|compensating", "ok"},
         {"state=running section=open|overdue", "section_open"},
         {"state=running section=none", "ok"},
     }},
    {"cancel",
     {
         {"state=planned|dispatched|compensating", "ok"},
         {"state=running section=none", "ok"},
         // A dead owner leaves no section.
         {"state=running section=open|overdue owner=dead", "ok"},
         {"state=running section=open|overdue owner=unknown|alive cancel=no", "ok:deferred"},
         {"state=running section=open|overdue owner=unknown|alive cancel=yes", "ok:unchanged"},
         {"state=cancelled", "ok:unchanged"},
     }},
    {"park",
     {
         {"state=planned park=yes", "ok:unchanged"},
         {"state=planned park=no", "ok"},
         {"state=dispatched|running|compensating", "wrong_state"},
     }},
    {"unpark",
     {
         {"state=planned park=yes", "ok"},
         {"state=planned park=no", "ok:unchanged"},
         {"state=dispatched|running|compensating", "wrong_state"},
     }},
    {"claim_compensation",
     {
         {"undo=owed state=planned|dispatched|running", "busy"},
         {"undo=dropped|done", "compensation_settled"},
         {"undo=claimed", "busy"},
         {"undo=owed|failed|lapsed state=compensating", "ok"},
         {"undo=owed state=completed|failed|quarantined|cancelled gone=no", "busy"},
         {"undo=owed|failed|lapsed state=completed|failed|quarantined|cancelled gone=yes", "ok"},
     }},
    {"settle_compensation",
     {
         {"undo=owed outcome=done|failed", "stale_token"},
         {"undo=dropped outcome=done|failed", "stale_token"},
         {"undo=owed outcome=waived state=planned|dispatched|running", "wrong_state"},
         {"undo=owed outcome=waived state=compensating|failed|quarantined|cancelled", "ok"},
         {"undo=dropped outcome=waived", "compensation_settled"},
         {"undo=claimed|lapsed|failed|done outcome=done|failed claim=stale", "stale_token"},
         {"undo=claimed|lapsed outcome=done|failed claim=newest", "ok"},
         {"undo=claimed|lapsed outcome=waived", "ok"},
         {"undo=failed outcome=failed claim=newest", "ok:unchanged"},
         {"undo=failed outcome=done claim=newest", "ok"},
         {"undo=failed outcome=waived", "ok"},
         {"undo=done outcome=done claim=newest", "ok:unchanged"},
         {"undo=done outcome=failed claim=newest", "compensation_settled"},
         {"undo=done outcome=waived", "compensation_settled"},
     }},
    {"report_owner",
     {
         {"owner=dead", "ok:dead"},
         {"owner=unknown|alive owned=no", "ok:unknown"},
         {"owner=unknown|alive owned=yes who=stranger", "ok:unknown"},
         {"owner=unknown|alive owned=yes who=holder verdict=alive", "ok:alive"},
         {"owner=unknown|alive owned=yes who=holder verdict=dead", "ok:dead"},
         {"owner=unknown|alive owned=yes who=reused", "ok:dead"},
     }},
    {"recover",
     {
         {"observed=wrong", "version_conflict"},
         {"observed=right state=planned dispatches=left", "not_stale"},
         {"observed=right state=planned dispatches=spent", "pass"},
         {"observed=right state=compensating", "not_stale"},
         {"observed=right state=dispatched owner=unknown|alive lease=live", "not_stale"},
         {"observed=right state=dispatched owner=unknown|alive lease=over", "pass"},
         {"observed=right state=dispatched|running owner=dead section=none", "pass"},
         {"observed=right state=running owner=dead section=open|overdue told=no", "section_open"},
         {"observed=right state=running owner=dead section=open|overdue told=yes", "pass"},
         {"observed=right state=running owner=unknown|alive lease=over grace=yes", "in_grace"},
         {"observed=right state=running owner=unknown|alive grace=no section=overdue told=no",
          "section_open"},
         {"observed=right state=running owner=unknown|alive grace=no section=overdue told=yes",
          "pass"},
         {"observed=right state=running owner=unknown|alive lease=live section=none", "not_stale"},
         {"observed=right state=running owner=unknown|alive lease=live section=open cancel=no",
          "not_stale"},
         {"observed=right state=running owner=unknown|alive lease=live section=open cancel=yes",
          "section_open"},
         {"observed=right state=running owner=unknown|alive lease=over grace=no section=open",
          "section_open"},
         {"observed=right state=running owner=unknown|alive lease=over grace=no section=none "
          "exit=recent",
          "not_stale"},
         {"observed=right state=running owner=unknown|alive lease=over grace=no section=none "
          "exit=old",
          "pass"},
         {"observed=right state=running owner=alive lease=over grace=no section=none exit=none",
          "owner_alive"},
         {"observed=right state=running owner=unknown lease=over grace=no section=none exit=none",
          "pass"},
     }},
    {"recover/pass",
     {
         {"decision=complete gate=none|fail", "gate_missing"},
         {"decision=complete gate=pass", "ok"},
         {"decision=requeue cancel=yes", "cancel_pending"},
         {"decision=requeue cancel=no state=planned", "wrong_state"},
         {"decision=requeue cancel=no state=dispatched", "ok"},
         {"decision=requeue cancel=no state=running counts=no", "ok"},
         {"decision=requeue cancel=no state=running counts=yes recoveries=left", "ok"},
         {"decision=requeue cancel=no state=running counts=yes recoveries=spent", "limit_reached"},
         {"decision=fail|compensate undo=owed", "ok"},
         {"decision=fail undo=none reason=yes", "ok"},
         {"decision=fail undo=none reason=no", "compensation_missing"},
         {"decision=compensate undo=none", "compensation_missing"},
         {"decision=quarantine|cancel", "ok"},
     }},
    {"annotate", {{"takes=yes", "ok"}}},
    {"force_release",
     {
         {"state=dispatched|running", "ok"},
         {"state=planned|compensating", "wrong_state"},
     }},
};

// A fact and the values of it that a row allows.
using Term = std::pair<std::string_view, std::vector<std::string_view>>;

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    parts.push_back(text.substr(0, text.find(at)));
    text.remove_prefix(std::min(text.size(), parts.back().size() + 1));
  }
  return parts;
}

// Each `when` is taken apart once.
const std::vector<Term>& TermsOf(std::string_view when) {
  static std::unordered_map<const char*, std::vector<Term>> known;
  const auto [place, added] = known.try_emplace(when.data());
  if (added) {
    for (const std::string_view term : Split(when, ' ')) {
      const std::size_t equals = term.find('=');
      place->second.emplace_back(term.substr(0, equals), Split(term.substr(equals + 1), '|'));
    }
  }
  return place->second;
}

bool Holds(std::string_view when, const Facts& facts) {
  for (const auto& [name, values] : TermsOf(when)) {
    const auto fact = facts.find(name);
    if (fact == facts.end() ||
        std::find(values.begin(), values.end(), fact->second) == values.end()) {
      return false;
    }
  }
  return true;
}

std::string Text(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : facts) {
    text += name + "=" + value + " ";
  }
  return text;
}

// What the one row that holds says; a complaint where it is none or more than one.
template <typename AllRows>
std::string OneOf(const AllRows& rows, const Facts& facts, std::set<std::string_view>& used) {
  std::string answer;
  for (const Row& row : rows) {
    if (Holds(row.when, facts)) {
      if (!answer.empty()) {
        return "two rows";
      }
      answer = row.then;
      used.insert(row.when);
    }
  }
  return answer.empty() ? "no row" : answer;
}

// Adds what follows from the facts of a scene and a question together.
Facts Joined(const Facts& scene, const Facts& question) {
  Facts facts = scene;
  for (const auto& [name, value] : question) {
    facts[name] = value;
  }
  if (facts["given"] == "spent" && facts["spent"] != "yes") {
    facts["given"] = "stale";
  }
  // Of the planned: whether it is the incarnation that was proven dead.
  facts["barred"] = facts["past"] == "dead" && facts["by"] == "same" ? "yes" : "no";
  const bool ended = facts["saga"] == "ended";
  const std::string& after = facts["after"];  // whether ended sagas take the command
  const bool registered = facts["undo"] != "none";
  const bool takes = after == "yes" || after == facts["state"] ||
                     (after == "registered" && registered) ||
                     (after == "last" && facts["owned"] == "yes" && facts["given"] == "mine");
  facts["part"] = (facts["names"] == "effect" && facts["effect"] == "new") ||
                          (facts["names"] == "compensation" && !registered)
                      ? "missing"
                      : "known";
  facts["takes"] = facts["saga"] == "none" ? "-" : !ended || takes ? "yes" : "no";
  return facts;
}

std::string Expected(const Question& question, const Facts& facts,
                     std::set<std::string_view>& used) {
  std::string answer = OneOf(kGeneralRows, facts, used);
  if (answer != "pass") {
    return answer;
  }
  const auto own = kOwnRows.find(question.rows);
  if (own == kOwnRows.end()) {
    return "no rows";
  }
  answer = OneOf(own->second, facts, used);
  const auto more = kOwnRows.find(question.rows + "/pass");
  return answer == "pass" ? OneOf(more->second, facts, used) : answer;
}

// Every scene, every question: one row decides, and the rules decide the same.
TEST(DecisionTable, HasExactlyOneRowForEverythingThatCanBeAsked) {
  constexpr std::size_t kComplaintsMax = 5;
  std::set<std::string_view> used;
  std::size_t asked = 0;
  std::size_t complaints = 0;
  const std::vector<Question> questions = AllQuestions();
  ForEachScene([&](const Scene& scene) {
    for (const Question& question : questions) {
      if (complaints == kComplaintsMax) {
        return;
      }
      const Facts facts = Joined(scene.facts, question.facts);
      const std::string expected = Expected(question, facts, used);
      const std::string answer =
          scene.history.Ask(question.command, scene.saga, question.arguments);
      EXPECT_EQ(answer, expected) << question.rows << " " << question.arguments << "\nwhere "
                                  << Text(facts);
      complaints += answer == expected ? 0 : 1;
      ++asked;
    }
  });
  ASSERT_EQ(complaints, 0U);
  EXPECT_GT(asked, 10'000U);
  for (const Row& row : kGeneralRows) {
    EXPECT_TRUE(used.contains(row.when)) << "nothing asked for the row: " << row.when;
  }
  for (const auto& [name, rows] : kOwnRows) {
    for (const Row& row : rows) {
      EXPECT_TRUE(used.contains(row.when))
          << "nothing asked for the row of " << name << ": " << row.when;
    }
  }
}

// The rows above, and so the table of the rules, name every command that is about one saga.
TEST(DecisionTable, AsksEveryCommand) {
  std::set<std::string> asked{"plan", "claim_next", "configure_queue", "change_policy",
                              "report_owners"};
  for (const Question& question : AllQuestions()) {
    asked.insert(question.command);
  }
  for (const std::string& name : CommandNames()) {
    EXPECT_TRUE(asked.contains(name)) << name;
  }
}

}  // namespace
}  // namespace sagalog
