// Random batches against the same commands one by one, and against a fold of the log.
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "eventlog/memory_log.h"
#include "reactor/store.h"
#include "schema/json.h"

namespace sagalog {
namespace {

// A store in memory; a copy of it folds the same log.
class LogCopy {
 public:
  LogCopy(const ManualClock& clock, const EventLog* original, bool read_only) {
    auto log = MemoryLog::Open(disk_);
    EXPECT_TRUE(log.ok());
    if (original != nullptr) {
      EXPECT_TRUE(CopyEvents(*original, **log).ok());
    }
    StoreOptions options;
    options.log = *std::move(log);
    options.clock = &clock;
    options.read_only = read_only;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    store_ = *std::move(store);
  }

  Store& store() { return *store_; }

 private:
  static Status CopyEvents(const EventLog& from, EventLog& to) {
    std::vector<std::string> events;
    RETURN_IF_ERROR(
        from.Scan(Sequence(1), from.Last(), [&](const events::Event&, std::string_view bytes) {
          events.emplace_back(bytes);
          return Status();
        }));
    for (std::size_t i = 0; i < events.size(); ++i) {
      const std::string_view one = events[i];
      RETURN_IF_ERROR(to.Append(Sequence(i), {&one, 1}));
    }
    return {};
  }

  MemoryDisk disk_;
  std::unique_ptr<Store> store_;
};

// Everything that the lists say, as one text.
std::string Dump(Store& store) {
  std::string dump;
  const auto add = [&dump](const auto& page) {
    dump += page.ok() ? ToJson(*page) : page.status().text();
    dump += '\n';
  };
  PageQuery all;
  all.limit = 1000;
  SagaQuery sagas;
  sagas.limit = 1000;
  add(store.List(sagas));
  for (const char* team : {"red", "blue"}) {
    sagas.label_name = "team";
    sagas.label_value = team;
    add(store.List(sagas));
  }
  sagas = SagaQuery();
  sagas.key = "k";
  add(store.List(sagas));
  add(store.Stale(all));
  add(store.Compensations(all));
  add(store.Owners(all));
  add(store.EffectsInDoubt(all));
  add(store.Sections(all));
  add(store.Queue("default"));
  add(store.Queue("q"));
  add(store.Policy());
  answers::StatusT status = store.Describe();
  return dump + fmt::format("{} {}", status.last_sequence, status.stale.size());
}

std::string CodeOf(const Reply& reply) {
  return reply.ok() ? std::string("ok:") + answers::EnumNameOutcome(reply.answer().outcome)
                    : std::string(schema::EnumNameRefusalCode(reply.refusal().code));
}

class RandomBatches {
 public:
  explicit RandomBatches(std::uint64_t seed)
      : random_(seed),
        clock_(*ParseTime("2026-01-01T00:00:00Z")),
        original_(clock_, nullptr, false) {
    commands::ChangePolicyT policy;
    policy.policy = std::make_unique<schema::PolicyT>();
    policy.policy->reopen_grace = -1;  // a copy was away, the original was not
    policy.policy->section_max_age = 20'000'000;
    EXPECT_TRUE(original_.store().ChangePolicy(std::move(policy)).Get().ok());
  }

  void Step() {
    if (Pick(6) == 0) {
      clock_.Advance(std::chrono::milliseconds(Pick(20'000)));
    }
    if (Pick(8) == 0) {
      ASSERT_TRUE(original_.store().Checkpoint().ok());
    }
    const bool atomic = Pick(4) != 0;
    std::vector<std::string> batch;
    for (std::size_t i = 0, count = 1 + Pick(6); i < count; ++i) {
      batch.push_back(SomeCommand());
    }
    LogCopy one_by_one(clock_, &original_.store().log(), false);
    Compare(batch, atomic, one_by_one.store());
    // What is due to be noted is noted before the copy is made.
    static_cast<void>(original_.store().Describe());
    LogCopy folded(clock_, &original_.store().log(), true);
    ASSERT_EQ(Dump(original_.store()), Dump(folded.store()));
  }

  void CheckRows() {
    const auto report = original_.store().Verify();
    ASSERT_TRUE(report.ok());
    ASSERT_EQ(report->broken, "");
  }

  int accepted = 0;
  int refused = 0;

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }

  static commands::CommandT Parse(const std::string& text) {
    const std::size_t command_end = text.find(' ');
    const std::size_t saga_end = text.find(' ', command_end + 1);
    auto command = CommandFromJson(text.substr(0, command_end),
                                   text.substr(command_end + 1, saga_end - command_end - 1),
                                   text.substr(saga_end + 1));
    EXPECT_TRUE(command.ok()) << text << ": " << command.status().text();
    return *std::move(command);
  }

  void Compare(const std::vector<std::string>& batch, bool atomic, Store& one_by_one) {
    const Sequence before = original_.store().log().Last();
    std::vector<commands::CommandT> commands;
    for (const std::string& text : batch) {
      commands.push_back(Parse(text));
    }
    const BatchReply reply = original_.store().ExecuteBatch(std::move(commands), atomic);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::string alone = CodeOf(one_by_one.Execute(Parse(batch[i])).Get());
      if (!reply.refusal) {
        ASSERT_EQ(CodeOf(reply.answers.at(i)), alone) << fmt::format("{}", fmt::join(batch, "\n"));
        NoteTokens(reply.answers[i]);
      } else if (*reply.refusal->index == i) {
        ASSERT_EQ(schema::EnumNameRefusalCode(reply.refusal->code), alone) << batch[i];
        break;
      } else if (reply.refusal->code != schema::RefusalCode::invalid_argument) {
        // What is wrong by itself is refused before anything is decided.
        ASSERT_TRUE(alone.starts_with("ok:"))
            << batch[i] << ": " << alone << "\nin " << fmt::format("{}", fmt::join(batch, "\n"))
            << "\nrefused at " << *reply.refusal->index << ": " << reply.refusal->detail;
      }
    }
    if (reply.refusal) {
      ++refused;
      ASSERT_LE(original_.store().log().Last().value(), before.value() + 1) << "a note at most";
    } else {
      ++accepted;
    }
  }

  void NoteTokens(const Reply& reply) {
    if (reply.ok() && reply.answer().token != 0) {
      tokens_.push_back(reply.answer().token);
    }
  }

  std::uint64_t SomeToken() {
    return tokens_.empty()
               ? 1
               : tokens_[tokens_.size() - 1 - Pick(std::min<std::size_t>(tokens_.size(), 6))];
  }

  std::string SomePlan() {
    const std::string saga = fmt::format("s{}", Pick(4) == 0 ? Pick(planned_ + 1) : planned_++);
    std::string facts;
    if (Pick(3) == 0) facts += R"(,"key":"k","rerun":"again")";
    if (Pick(3) == 0) facts += R"(,"queue":"q")";
    if (Pick(2) == 0) {
      facts += fmt::format(R"(,"labels":{{"team":"{}"}})", Pick(2) == 0 ? "red" : "blue");
    }
    if (Pick(4) == 0) facts += fmt::format(R"(,"depends_on":["s{}"])", Pick(planned_ + 1));
    if (Pick(4) == 0) facts += fmt::format(R"(,"parent":"s{}")", Pick(planned_));
    if (Pick(2) == 0) {
      facts += fmt::format(
          R"(,"compensations":[{{"id":"c","kind":"k","target":"t{}","when":"always"}}])", Pick(5));
    }
    if (Pick(3) == 0) facts += fmt::format(R"(,"request_id":"{:032x}")", Pick(50));
    return fmt::format(R"(plan {} {{"priority":{}{}}})", saga, Pick(3), facts);
  }

  std::string SomeCommand() {
    const std::string saga =
        fmt::format("s{}", planned_ - 1 - Pick(std::min<std::size_t>(planned_, 5)));
    const std::uint64_t token = SomeToken();
    const std::string owner =
        fmt::format(R"({{"owner":"w{}","host":"h","boot_id":"b{}","pid":1}})", Pick(3), Pick(2));
    const auto with_token = [&](const char* command, const char* more = "") {
      return fmt::format(R"({} {} {{"token":{}{}}})", command, saga, token, more);
    };
    switch (Pick(25)) {
      case 0:
      case 1:
      case 2: return SomePlan();
      case 3:
      case 4: return fmt::format(R"(acquire {} {{"owner":{},"ttl":"15s"}})", saga, owner);
      case 5: return fmt::format(R"(claim_next  {{"queue":"q","owner":{}}})", owner);
      case 6:
        return fmt::format(R"(claim_next  {{"queue":"default","owner":{},"ttl":"9s"}})", owner);
      case 7: return fmt::format(R"(dispatch {} {{"owner":{}}})", saga, owner);
      case 8: return with_token("heartbeat", R"(,"ttl":"25s")");
      case 9: return with_token("release");
      case 10: return with_token("complete");
      case 11: return with_token("fail", R"(,"no_compensation_reason":"none")");
      case 12: return with_token("compensate");
      case 13: return with_token("enter_section", R"(,"name":"s")");
      case 14: return with_token("leave_section", R"(,"outcome":"o","final":"completed")");
      case 15:
        return with_token("begin_effect", R"(,"effect":"e","fingerprint":"f","scope":"key")");
      case 16: return fmt::format(R"(settle_effect {} {{"effect":"e","outcome":"o"}})", saga);
      case 17: return fmt::format(R"(cancel {} {{"cascade":true}})", saga);
      case 18: return fmt::format(R"(quarantine {} {{}})", saga);
      case 19: return fmt::format(R"(park {} {{}})", saga);
      case 20: return fmt::format(R"(claim_compensation {} {{"id":"c","executor":"x"}})", saga);
      case 21:
        return fmt::format(R"(settle_compensation {} {{"id":"c","token":{},"outcome":"done"}})",
                           saga, token);
      case 22:
        return fmt::format(R"(configure_queue  {{"queue":"q","frozen":{},"limit":{},)"
                           R"("policy":{{"lease_ttl":"{}s"}}}})",
                           Pick(3) == 0, 1 + Pick(4), 5 + Pick(9));
      case 23:
        return fmt::format(
            R"(change_policy  {{"policy":{{"lease_ttl":"{}s","max_recoveries":{}}}}})", 5 + Pick(9),
            Pick(5));
      default: return fmt::format(R"(report_owners  {{"identity":{},"verdict":"dead"}})", owner);
    }
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  LogCopy original_;
  std::size_t planned_ = 1;
  std::vector<std::uint64_t> tokens_;
};

class BatchesOfSeed : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Seeds, BatchesOfSeed, ::testing::Range(1, 7));

TEST_P(BatchesOfSeed, AreTheSameCommandsOneByOneOrNothing) {
  RandomBatches batches(static_cast<std::uint64_t>(GetParam()));
  for (int step = 0; step < 60; ++step) {
    batches.Step();
    if (testing::Test::HasFatalFailure()) {
      FAIL() << "seed " << GetParam() << ", step " << step;
    }
  }
  batches.CheckRows();
  EXPECT_GT(batches.accepted, 10);
  EXPECT_GT(batches.refused, 10);
}

}  // namespace
}  // namespace sagalog
