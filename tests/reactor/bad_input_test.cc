// Every field of every command at, below and beyond what it may be: taken from the schema itself,
// so that a new field without a limit is found here. What is refused is refused by the field's
// name, and stores nothing.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "schema/limits.h"
#include "schema/schema_reflection.h"
#include "schema/verify.h"
#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

namespace json = boost::json;

// What each command needs at least; the rest of its fields is optional.
const std::map<std::string_view, std::string_view> kLeast = {
    {"plan", "{}"},
    {"dispatch", R"({"owner":"w"})"},
    {"abort_dispatch", R"({"dispatch_token":1})"},
    {"acquire", R"({"owner":"w"})"},
    {"claim_next", R"({"queue":"q","owner":"w"})"},
    {"heartbeat", R"({"token":1})"},
    {"release", R"({"token":1})"},
    {"advance_stage", R"({"token":1})"},
    {"enter_section", R"({"token":1,"name":"n"})"},
    {"leave_section", R"({"token":1,"outcome":"o"})"},
    {"begin_effect", R"({"token":1,"effect":"e","fingerprint":"f"})"},
    {"settle_effect", R"({"effect":"e","outcome":"o"})"},
    {"record_exit", R"({"token":1,"exit_code":0})"},
    {"register_compensation", R"({"id":"i","kind":"k","target":"t"})"},
    {"complete", R"({"token":1})"},
    {"fail", R"({"token":1})"},
    {"compensate", R"({"token":1})"},
    {"mark_compensated", "{}"},
    {"quarantine", "{}"},
    {"cancel", "{}"},
    {"park", "{}"},
    {"unpark", "{}"},
    {"recover", R"({"observed":1,"decision":"fail"})"},
    {"claim_compensation", R"({"id":"i","executor":"x"})"},
    {"settle_compensation", R"({"id":"i","token":1,"outcome":"done"})"},
    {"report_owner", R"({"identity":"w","verdict":"dead"})"},
    {"annotate", R"({"text":"t"})"},
    {"force_release", R"({"reason":"r"})"},
    {"configure_queue", R"({"queue":"q"})"},
    {"change_policy", "{}"},
    {"report_owners", R"({"identity":{"host":"h","boot_id":"b"},"verdict":"dead"})"},
};

bool NamesNoSaga(std::string_view command) {
  return command == "claim_next" || command == "configure_queue" || command == "change_policy" ||
         command == "report_owners";
}

// What a table within a command needs at least.
json::object LeastOf(const TableForm& form) {
  if (form.short_form == "owner") {
    return {{"owner", "w"}};
  }
  if (form.Find("target") != nullptr) {
    return {{"id", "i"}, {"kind", "k"}, {"target", "t"}};
  }
  return {};
}

class BadInput : public testing::Test {
 protected:
  // What is said of the command; "" = there is nothing wrong with it by itself.
  std::string Said(const json::object& arguments) {
    const std::string_view saga = NamesNoSaga(command_) ? "" : "T";
    const auto parsed = CommandFromJson(command_, saga, json::serialize(arguments));
    return parsed.ok() ? ValidateCommand(*parsed).text() : parsed.status().text();
  }

  // The command with this value in the field at hand.
  json::object With(const json::value& value) const {
    json::object arguments = json::parse(kLeast.at(command_)).as_object();
    if (table_ == nullptr) {
      arguments[field_] = value;
      return arguments;
    }
    json::object inner = LeastOf(*table_);
    inner[field_] = value;
    arguments[outer_] = is_list_ ? json::value(json::array{inner}) : json::value(inner);
    return arguments;
  }

  std::string Path() const {
    return table_ == nullptr ? field_ : outer_ + (is_list_ ? "[0]." : ".") + field_;
  }

  void Accepts(const json::value& value) {
    const std::string said = Said(With(value));
    EXPECT_EQ(said, "") << command_ << " " << Path() << " " << json::serialize(value).substr(0, 80);
  }

  // Refused by the field's name, by the store too, and nothing is stored.
  void Refuses(const json::value& value) {
    const json::object arguments = With(value);
    const std::string said = Said(arguments);
    EXPECT_TRUE(said.starts_with(Path()))
        << command_ << " " << Path() << " " << json::serialize(value).substr(0, 80) << ": " << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    const std::uint64_t last = store_.LastSequence();
    const std::string answer =
        store_.Run(command_, NamesNoSaga(command_) ? "" : "T", json::serialize(arguments));
    EXPECT_TRUE(answer == "invalid_argument" || answer.starts_with("unparsable: ")) << answer;
    EXPECT_EQ(store_.LastSequence(), last);
  }

  // A text far beyond every limit is refused and says the limit; at it all is well.
  void CheckText(bool in_list) {
    const auto value = [in_list](std::size_t size) {
      const std::string text(size, 'a');
      return in_list ? json::value(json::array{text}) : json::value(text);
    };
    Refuses(value(1'000'000));
    const std::string said = Said(With(value(1'000'000)));
    const std::size_t at = said.find("allowed are ");
    ASSERT_NE(at, std::string::npos) << command_ << " " << Path() << ": " << said;
    const std::size_t limit = std::stoul(said.substr(at + 12));
    Accepts(value(limit));
    Accepts(value(1));
    Refuses(value(limit + 1));
    Refuses(in_list ? json::value("a") : json::value(json::array{"a"}));
    Refuses(in_list ? json::value(json::array{7}) : json::value(7));
  }

  void CheckDuration(const FieldForm& field) {
    for (const char* good : {"1us", "3660d"}) {
      Accepts(good);
    }
    for (const char* bad : {"0s", "-1us", "316224000000001us", "soon", "5", "", "Off"}) {
      Refuses(bad);
    }
    Refuses(5);
    field.off ? Accepts("off") : Refuses("off");
  }

  void CheckNumber(const FieldForm& field) {
    Refuses("7");
    Refuses(1.5);
    Refuses(json::array{7});
    if (!field.is_signed || field.off) {
      Refuses(-1);
    }
    if (field.off) {
      Accepts("off");
      Accepts(0);
      Refuses("Off");
    }
    if (field.width == 4) {
      Accepts(2'147'483'647);
      Accepts(-2'147'483'648LL);
      Refuses(2'147'483'648LL);
      Refuses(-2'147'483'649LL);
    } else {
      Accepts(1);
      Refuses(1e30);
    }
    if (field.version_or_none && !NamesNoSaga(command_)) {
      Accepts("none");
      Refuses("nothing");
    }
  }

  void CheckMap() {
    json::object many;
    for (int i = 0; i < 64; ++i) {
      many["n" + std::to_string(i)] = "v";
    }
    Accepts(many);
    many["one more"] = "v";
    Refuses(many);
    Refuses(json::object{{"n", 7}});
    Refuses(json::object{{"", "v"}});
    Refuses(json::object{{std::string(129, 'n'), "v"}});
    Refuses(json::object{{"n", std::string(4097, 'v')}});
    Accepts(json::object{{"n", std::string(4096, 'v')}});
    Refuses(json::array{"n"});
  }

  void CheckList(const FieldForm& field) {
    json::array elements;
    for (int i = 0; i < 10'000; ++i) {
      if (field.kind == FieldKind::kStringList) {
        elements.push_back(json::string("s" + std::to_string(i)));
      } else {
        json::object element = LeastOf(*field.table);
        element["id"] = "i" + std::to_string(i);
        elements.emplace_back(std::move(element));
      }
    }
    Refuses(elements);
    Refuses(json::object{});
    Refuses(7);
  }

  void CheckField(const FieldForm& field) {
    field_ = field.name;
    switch (field.kind) {
      case FieldKind::kBool:
        Accepts(true);
        Refuses("true");
        return Refuses(1);
      case FieldKind::kEnum:
        Refuses("no such value");
        Refuses(0);
        return Refuses("");
      case FieldKind::kInteger: return CheckNumber(field);
      case FieldKind::kDuration: return CheckDuration(field);
      case FieldKind::kTime:
        Accepts("2026-11-21T03:18:00+05:30");
        Accepts("3660d");
        for (const char* bad : {"soon", "2026-13-01T00:00:00Z", "2026-11-21", "-1s", "3661d"}) {
          Refuses(bad);
        }
        return Refuses(1763695080);
      case FieldKind::kRequestId:
        for (const char* bad :
             {"0", "0000000000000000000000000000000g", "", "000000000000000000000000000000000"}) {
          Refuses(bad);
        }
        return Accepts("0000000000000000000000000000000a");
      case FieldKind::kString: return CheckText(false);
      case FieldKind::kStringList: CheckList(field); return CheckText(true);
      case FieldKind::kBase64:
        Refuses("no base64!");
        Refuses(json::string(kPayloadSizeMax * 4 / 3 + 8, 'A'));
        return Accepts(json::string(kPayloadSizeMax / 3 * 4, 'A'));
      case FieldKind::kMap: return CheckMap();
      case FieldKind::kTableList: CheckList(field); [[fallthrough]];
      case FieldKind::kTable: return CheckTable(field);
      case FieldKind::kEnumList:
      case FieldKind::kUnion: break;
    }
    ADD_FAILURE() << "nothing checks a field like " << Path();
  }

  void CheckTable(const FieldForm& field) {
    Refuses(7);
    field_ = "no_such_field";
    Within(field);
    Refuses("x");
    for (const FieldForm& inner : field.table->fields) {
      CheckField(inner);
    }
    table_ = nullptr;
  }

  // From here on the fields of this one.
  void Within(const FieldForm& field) {
    ASSERT_EQ(table_, nullptr) << "tables within tables need a deeper test";
    outer_ = field.name;
    table_ = field.table;
    is_list_ = field.kind == FieldKind::kTableList;
  }

  RulesStore store_;
  std::string command_;
  std::string field_;
  // Of a field within a table: the field that holds the table.
  std::string outer_;
  const TableForm* table_ = nullptr;
  bool is_list_ = false;
};

TEST_F(BadInput, IsRefusedByTheNameOfEveryFieldOfEveryCommand) {
  const auto& bodies =
      FindTableForm("sagalog.commands.Command").Find("body")->alternatives->members;
  for (std::size_t i = 1; i < bodies.size(); ++i) {
    command_ = bodies[i].name;
    ASSERT_TRUE(kLeast.contains(command_)) << "a new command: say what it needs";
    for (const FieldForm& field : bodies[i].table->fields) {
      // Given as the duration that not_before may also be.
      if (field.name != "not_before_in") {
        CheckField(field);
      }
    }
  }
}

TEST_F(BadInput, IsRefusedInTheEnvelopeToo) {
  for (const auto& [command, least] : kLeast) {
    command_ = command;
    for (const FieldForm& field : FindTableForm("sagalog.commands.Command").fields) {
      const bool own = field.name == "body" || field.name == "saga_id" ||
                       (field.name == "expected_version" && NamesNoSaga(command));
      if (field.name == "principal") {
        field_ = field.name;
        Refuses("me");  // the server alone says who it is
      } else if (!own) {
        CheckField(field);
      }
    }
    field_ = "no_such_field";
    Refuses("x");
  }
}

}  // namespace
}  // namespace sagalog
