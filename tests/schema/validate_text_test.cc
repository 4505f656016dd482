// How long the texts of a command may be, and of which characters.
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "schema/limits.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

std::string TextOf(std::string_view name, std::string_view saga_id, std::string_view json) {
  const Result<commands::CommandT> command = CommandFromJson(name, saga_id, json);
  return command.ok() ? ValidateCommand(*command).text() : "no command: " + command.status().text();
}

std::string Repeated(std::size_t size) { return std::string(size, 'a'); }

enum class TextKind { kName, kText, kSagaId, kAscii };

// A string field of a command: the JSON around it, and what it may be.
struct Limited {
  std::string_view command;
  std::string_view saga_id;
  std::string_view path;
  std::string_view before;
  std::string_view after;
  std::size_t size_max;
  TextKind kind;
};

constexpr Limited kLimited[] = {
    {"cancel", "a", "actor", R"({"actor":")", R"("})", kNameSizeMax, TextKind::kName},
    {"cancel", "a", "traceparent", R"({"traceparent":")", R"("})", kTraceparentSizeMax,
     TextKind::kAscii},
    {"plan", "a", "key", R"({"key":")", R"("})", kKeySizeMax, TextKind::kName},
    {"plan", "a", "rerun", R"({"rerun":")", R"("})", kTextSizeMax, TextKind::kText},
    {"plan", "a", "queue", R"({"queue":")", R"("})", kNameSizeMax, TextKind::kName},
    {"plan", "a", "issue", R"({"issue":")", R"("})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "repository", R"({"repository":")", R"("})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "branch", R"({"branch":")", R"("})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "worktree", R"({"worktree":")", R"("})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "stage", R"({"stage":")", R"("})", kNameSizeMax, TextKind::kName},
    {"plan", "x", "parent", R"({"parent":")", R"("})", kSagaIdSizeMax, TextKind::kSagaId},
    {"plan", "x", "depends_on[1]", R"({"depends_on":["y",")", R"("]})", kSagaIdSizeMax,
     TextKind::kSagaId},
    {"plan", "a", "labels.n", R"({"labels":{"n":")", R"("}})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "labels.name", R"({"labels":{")", R"(":""}})", kNameSizeMax, TextKind::kName},
    {"plan", "a", "compensations[0].id", R"({"compensations":[{"kind":"k","target":"t","id":")",
     R"("}]})", kNameSizeMax, TextKind::kName},
    {"plan", "a", "compensations[0].kind", R"({"compensations":[{"id":"i","target":"t","kind":")",
     R"("}]})", kNameSizeMax, TextKind::kName},
    {"plan", "a", "compensations[0].target", R"({"compensations":[{"id":"i","kind":"k","target":")",
     R"("}]})", kFactSizeMax, TextKind::kText},
    {"plan", "a", "compensations[0].params.p",
     R"({"compensations":[{"id":"i","kind":"k","target":"t","params":{"p":")", R"("}}]})",
     kFactSizeMax, TextKind::kText},
    {"acquire", "a", "owner.owner", R"({"owner":{"owner":")", R"("}})", kOwnerFieldSizeMax,
     TextKind::kName},
    {"acquire", "a", "owner.host", R"({"owner":{"owner":"w","host":")", R"("}})",
     kOwnerFieldSizeMax, TextKind::kName},
    {"dispatch", "a", "owner.boot_id", R"({"owner":{"owner":"w","boot_id":")", R"("}})",
     kOwnerFieldSizeMax, TextKind::kName},
    {"claim_next", "", "owner.pid_namespace",
     R"({"queue":"q","owner":{"owner":"w","pid_namespace":")", R"("}})", kOwnerFieldSizeMax,
     TextKind::kName},
    {"claim_next", "", "queue", R"({"owner":"w","queue":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"abort_dispatch", "a", "reason", R"({"dispatch_token":1,"reason":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"abort_dispatch", "a", "no_compensation_reason",
     R"({"dispatch_token":1,"no_compensation_reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"heartbeat", "a", "progress", R"({"token":1,"progress":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"release", "a", "reason", R"({"token":1,"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"advance_stage", "a", "expected", R"({"token":1,"expected":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"advance_stage", "a", "next", R"({"token":1,"next":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"enter_section", "a", "name", R"({"token":1,"name":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"enter_section", "a", "expected_stage", R"({"token":1,"name":"n","expected_stage":")", R"("})",
     kNameSizeMax, TextKind::kName},
    {"leave_section", "a", "outcome", R"({"token":1,"outcome":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"leave_section", "a", "no_compensation_reason",
     R"({"token":1,"outcome":"o","no_compensation_reason":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"begin_effect", "a", "effect", R"({"token":1,"fingerprint":"f","effect":")", R"("})",
     kNameSizeMax, TextKind::kName},
    {"begin_effect", "a", "fingerprint", R"({"token":1,"effect":"e","fingerprint":")", R"("})",
     kFactSizeMax, TextKind::kText},
    {"settle_effect", "a", "effect", R"({"outcome":"o","effect":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"settle_effect", "a", "outcome", R"({"effect":"e","outcome":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"settle_effect", "a", "result", R"({"effect":"e","outcome":"o","result":")", R"("})",
     kTextSizeMax, TextKind::kText},
    {"register_compensation", "a", "id", R"({"kind":"k","target":"t","id":")", R"("})",
     kNameSizeMax, TextKind::kName},
    {"register_compensation", "a", "kind", R"({"id":"i","target":"t","kind":")", R"("})",
     kNameSizeMax, TextKind::kName},
    {"register_compensation", "a", "target", R"({"id":"i","kind":"k","target":")", R"("})",
     kFactSizeMax, TextKind::kText},
    {"register_compensation", "a", "params.p",
     R"({"id":"i","kind":"k","target":"t","params":{"p":")", R"("}})", kFactSizeMax,
     TextKind::kText},
    {"complete", "a", "result", R"({"token":1,"result":")", R"("})", kTextSizeMax, TextKind::kText},
    {"fail", "a", "reason", R"({"token":1,"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"fail", "a", "no_compensation_reason", R"({"token":1,"no_compensation_reason":")", R"("})",
     kTextSizeMax, TextKind::kText},
    {"compensate", "a", "reason", R"({"token":1,"reason":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"mark_compensated", "a", "reason", R"({"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"quarantine", "a", "reason", R"({"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"cancel", "a", "reason", R"({"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"park", "a", "reason", R"({"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"recover", "a", "evidence", R"({"observed":1,"decision":"fail","evidence":")", R"("})",
     kTextSizeMax, TextKind::kText},
    {"recover", "a", "section_outcome", R"({"observed":1,"decision":"fail","section_outcome":")",
     R"("})", kTextSizeMax, TextKind::kText},
    {"recover", "a", "no_compensation_reason",
     R"({"observed":1,"decision":"fail","no_compensation_reason":")", R"("})", kTextSizeMax,
     TextKind::kText},
    {"claim_compensation", "a", "id", R"({"executor":"x","id":")", R"("})", kNameSizeMax,
     TextKind::kName},
    {"claim_compensation", "a", "executor", R"({"id":"i","executor":")", R"("})",
     kOwnerFieldSizeMax, TextKind::kName},
    {"settle_compensation", "a", "id", R"({"token":1,"outcome":"done","id":")", R"("})",
     kNameSizeMax, TextKind::kName},
    {"settle_compensation", "a", "detail", R"({"id":"i","token":1,"outcome":"done","detail":")",
     R"("})", kTextSizeMax, TextKind::kText},
    {"report_owner", "a", "identity.host", R"({"verdict":"dead","identity":{"host":")", R"("}})",
     kOwnerFieldSizeMax, TextKind::kName},
    {"report_owner", "a", "evidence", R"({"verdict":"dead","identity":"w","evidence":")", R"("})",
     kTextSizeMax, TextKind::kText},
    {"annotate", "a", "text", R"({"text":")", R"("})", kTextSizeMax, TextKind::kText},
    {"force_release", "a", "reason", R"({"reason":")", R"("})", kTextSizeMax, TextKind::kText},
    {"configure_queue", "", "queue", R"({"queue":")", R"("})", kNameSizeMax, TextKind::kName},
};

TEST(ValidateCommand, TextHasItsLimit) {
  for (const Limited& one : kLimited) {
    const auto text_of = [&](std::size_t size) {
      return TextOf(one.command, one.saga_id,
                    fmt::format("{}{}{}", one.before, Repeated(size), one.after));
    };
    EXPECT_EQ(text_of(one.size_max), "") << one.command << " " << one.path;
    EXPECT_EQ(text_of(one.size_max + 1), fmt::format("{}: has {} bytes, allowed are {}", one.path,
                                                     one.size_max + 1, one.size_max));
  }
}

TEST(ValidateCommand, NamesHaveNoControlCharactersAndTextsMay) {
  for (const Limited& one : kLimited) {
    for (const std::string_view escaped : {R"(a\nb)", R"(\u0000)", R"(\u007f)", R"(\u0085)"}) {
      const std::string text =
          TextOf(one.command, one.saga_id, fmt::format("{}{}{}", one.before, escaped, one.after));
      if (one.kind == TextKind::kName) {
        EXPECT_EQ(text, fmt::format("{}: is no UTF-8 or has control characters", one.path));
      } else if (one.kind == TextKind::kText) {
        EXPECT_EQ(text, "") << one.command << " " << one.path;
      } else {
        EXPECT_NE(text, "") << one.command << " " << one.path;
      }
    }
    if (one.kind == TextKind::kName) {
      EXPECT_EQ(TextOf(one.command, one.saga_id,
                       fmt::format("{}{}{}", one.before, "größe €\u00a0", one.after)),
                "");
    }
  }
}

// The native protocol and the library bring bytes that JSON could not.
TEST(ValidateCommand, TextIsUtf8) {
  const std::string bad = "a\xff";
  commands::CommandT command = *CommandFromJson("plan", "a", R"({"labels":{"n":"v"}})");
  commands::PlanT& plan = *command.body.AsPlan();
  struct Field {
    std::string* text;
    std::string problem;
  };
  const Field fields[] = {
      {&plan.branch, "branch: is no UTF-8"},
      {&plan.rerun, "rerun: is no UTF-8"},
      {&plan.labels[0]->value, "labels.n: is no UTF-8"},
      {&plan.key, "key: is no UTF-8 or has control characters"},
      {&command.actor, "actor: is no UTF-8 or has control characters"},
      {&command.principal, "principal: is no UTF-8 or has control characters"},
      {&command.traceparent, "traceparent: is no UTF-8 or has control characters"},
  };
  for (const Field& field : fields) {
    const std::string before = std::exchange(*field.text, bad);
    EXPECT_EQ(ValidateCommand(command).text(), field.problem);
    *field.text = before;
  }
  EXPECT_TRUE(ValidateCommand(command).ok());
  command.principal = Repeated(kOwnerFieldSizeMax + 1);
  EXPECT_FALSE(ValidateCommand(command).ok());
}

TEST(ValidateCommand, ATraceparentIsPrintableAscii) {
  EXPECT_EQ(TextOf("cancel", "a",
                   R"({"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})"),
            "");
  EXPECT_EQ(TextOf("cancel", "a", R"({"traceparent":"é"})"),
            "traceparent: may only have printable ASCII characters");
  EXPECT_EQ(TextOf("cancel", "a", R"({"traceparent":"\t"})"),
            "traceparent: is no UTF-8 or has control characters");
}

}  // namespace
}  // namespace sagalog
