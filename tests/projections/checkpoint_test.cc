#include "projections/checkpoint.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/history.h"
#include "tests/projections/no_rows.h"
#include "tests/projections/random_history.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNull;
namespace fs = std::filesystem;

class DirectoryOfRows {
 public:
  DirectoryOfRows() {
    std::string pattern = fs::temp_directory_path() / "sagalog-rows-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~DirectoryOfRows() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::unique_ptr<CheckpointStore> OpenAt(const fs::path& path, CheckpointStore::Mode mode = {}) {
  auto store = CheckpointStore::Open(path, mode);
  EXPECT_TRUE(store.ok()) << store.status().text();
  return store.ok() ? *std::move(store) : nullptr;
}

// What the lists of a state say, in words: what two equal states must agree on.
std::map<std::string, std::string> Lists(const Projections& state, StoreTime now) {
  std::map<std::string, std::string> lists;
  const auto add = [&lists](const std::string& name, const std::vector<const Saga*>& sagas) {
    for (const Saga* saga : sagas) {
      lists[name] += saga->id + " ";
    }
  };
  for (const std::string& queue : state.QueueNames()) {
    lists["slots " + queue] = std::to_string(state.SlotsUsed(queue, now));
    lists["planned " + queue] = std::to_string(state.PlannedIn(queue));
    for (const bool for_dispatch : {false, true}) {
      const Saga* first = state.FirstClaimable(queue, for_dispatch, InternedText(), now);
      lists["first " + queue] += first == nullptr ? "none " : first->id + " ";
    }
  }
  lists["slots"] = std::to_string(state.SlotsUsedInAll(now));
  add("stale", state.Stale(now, 10'000));
  add("backlog", state.CompensationBacklog(10'000));
  add("in doubt", state.WithEffectsInDoubt(10'000));
  add("sections", state.WithOpenSection(10'000));
  lists["next"] = state.NextStaleMoment(now) ? FormatTime(*state.NextStaleMoment(now)) : "never";
  state.VisitOwners([&](const InternedText& owner, std::span<const Saga* const> sagas) {
    add("owner " + owner.str(), {sagas.begin(), sagas.end()});
  });
  state.VisitPlannedAfter(Sequence(), [&](const Saga& saga) {
    if (!saga.IsTerminal()) {
      lists["live"] += saga.id + " ";
      lists["waiting for " + saga.id] = std::to_string(state.DependentsOf(saga.id).size());
      if (!saga.key.empty()) {
        lists["holder " + saga.key] = state.HolderOfKey(saga.key)->id;
      }
    }
    return true;
  });
  for (int i = 0; i < 9; ++i) {
    const std::string target = "target" + std::to_string(i);
    lists[target] = state.OtherHolderOfTarget(TargetHash(target), nullptr, true) ? "held" : "free";
  }
  return lists;
}

TEST(Checkpoints, RebuildGivesTheSameRowsWhateverHappened) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    History history;
    RandomHistory random(history, seed);
    std::mt19937_64 chance(seed);
    for (int step = 0; step < 500; ++step) {
      random.Step();
      if (chance() % 60 == 0) {
        history.TakeCheckpoint();
      }
      if (chance() % 150 == 0) {
        history.Reopen();
      }
    }
    ASSERT_EQ(history.DifferenceFromRebuild(), "") << "seed " << seed;
  }
}

TEST(Checkpoints, SlicesBetweenEventsWriteTheStateAtTheBeginning) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    History history;
    RandomHistory random(history, seed);
    std::mt19937_64 chance(seed);
    for (int round = 0; round < 12; ++round) {
      for (std::uint64_t step = chance() % 40; step > 0; --step) {
        random.Step();
      }
      history.checkpointer().Begin();
      const Sequence begun = history.log().Last();
      while (!history.checkpointer().Serialize(1 + chance() % 3)) {
        random.Step();
      }
      random.Step();
      ASSERT_EQ(history.checkpointer().sequence(), begun);
      ASSERT_TRUE(history.checkpointer().Commit().ok());
      random.Step();
      history.checkpointer().Finish();
      ASSERT_EQ(history.rows().CheckpointSequence(), begun);

      // What was written is the state at `begun`, and nothing of what came after.
      const auto fresh = OpenAt({}, CheckpointStore::Mode::kInMemory);
      Projections then(*fresh);
      ASSERT_TRUE(Fold(history.log(), begun, then, fresh.get(), 50).ok());
      ASSERT_TRUE(Checkpointer(then, *fresh).TakeNow().ok());
      const auto difference = history.rows().FirstDifference(*fresh);
      ASSERT_TRUE(difference.ok());
      ASSERT_EQ(difference->value_or(""), "") << "seed " << seed << ", round " << round;
    }
  }
}

TEST(Checkpoints, LoadedListsEqualFoldedOnes) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    History history;
    RandomHistory random(history, seed);
    for (int step = 0; step < 400; ++step) {
      random.Step();
      // Asking moves what has come due, which must not show either.
      static_cast<void>(history.state().SlotsUsedInAll(history.time()));
    }
    const auto folded = Lists(history.state(), history.time());
    history.TakeCheckpoint();
    history.Reopen();
    ASSERT_EQ(Lists(history.state(), history.time()), folded) << "seed " << seed;
    const auto later = history.time() + Duration(Seconds(15));
    const NoRows none;
    Projections rebuilt(none);
    ASSERT_TRUE(Fold(history.log(), history.log().Last(), rebuilt, nullptr).ok());
    ASSERT_EQ(Lists(history.state(), later), Lists(rebuilt, later)) << "seed " << seed;
  }
}

TEST(Checkpoints, LetGoOfEndedSagasAfterTheNextOne) {
  History history;
  history.Plan("a", {.key = "k"});
  history.Acquire("a");
  history.End("a");
  history.TakeCheckpoint();
  EXPECT_NE(history.state().Find("a"), nullptr);
  history.TakeCheckpoint();
  EXPECT_THAT(history.state().Find("a"), IsNull());
  EXPECT_EQ(history.state().CountInMemory(), 0U);
  EXPECT_EQ(history.checkpointer().Epoch(), 2U);
  const auto row = history.rows().FindSaga("a");
  ASSERT_TRUE(row.ok() && *row);
  EXPECT_EQ((*row)->state, State::completed);
  EXPECT_EQ((*row)->key, "k");
}

TEST(Checkpoints, ThawedSagaStaysUntilItsChangeIsWritten) {
  History history;
  history.Plan("a");
  history.End("a", State::cancelled);
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  history.Append("a", events::AnnotatedT());
  EXPECT_EQ(history.Get("a").version, SagaVersion(3));
  EXPECT_EQ(history.state().CountInMemory(), 1U);
  history.TakeCheckpoint();
  EXPECT_EQ(history.state().CountInMemory(), 1U);
  history.TakeCheckpoint();
  EXPECT_EQ(history.state().CountInMemory(), 0U);
  EXPECT_EQ((*history.rows().FindSaga("a"))->version, SagaVersion(3));
}

TEST(Checkpoints, AdmittedSagaThatDoesNotChangeLeavesAgain) {
  History history;
  history.Plan("a");
  history.End("a", State::cancelled);
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  history.state().Admit(**history.rows().FindSaga("a"));
  history.state().Admit(**history.rows().FindSaga("a"));
  EXPECT_EQ(history.state().CountInMemory(), 1U);
  history.TakeCheckpoint();
  history.TakeCheckpoint();
  EXPECT_EQ(history.state().CountInMemory(), 0U);
}

TEST(Checkpoints, MemoryIsFreeOnceAllHasEnded) {
  const std::size_t texts_before = InternedText::CountDistinct();
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    History history;
    RandomHistory random(history, seed);
    for (int step = 0; step < 300; ++step) {
      random.Step();
      if (step == 200) {
        history.TakeCheckpoint();
      }
    }
    random.EndAll();
    history.TakeCheckpoint();
    history.TakeCheckpoint();
    EXPECT_EQ(history.state().CountInMemory(), 0U);
    for (const auto& [name, list] : Lists(history.state(), history.time())) {
      EXPECT_THAT(list, ::testing::AnyOf("", "0", "never", "none none ", "free")) << name;
    }
    EXPECT_EQ(InternedText::CountDistinct(), texts_before);
  }
}

TEST(Checkpoints, SurviveClosingAndOpeningOnDisk) {
  const DirectoryOfRows directory;
  History history;
  RandomHistory random(history, 5);
  for (int step = 0; step < 300; ++step) {
    random.Step();
  }
  {
    const auto store = OpenAt(directory.path());
    Projections state(*store);
    ASSERT_TRUE(Fold(history.log(), history.log().Last(), state, store.get(), 100).ok());
    ASSERT_TRUE(Checkpointer(state, *store).TakeNow().ok());
    EXPECT_GT(store->SizeBytes(), 0U);
    ASSERT_TRUE(store->Close().ok());
  }
  history.TakeCheckpoint();
  const auto store = OpenAt(directory.path());
  EXPECT_EQ(store->CheckpointSequence(), history.log().Last());
  EXPECT_EQ((*history.rows().FirstDifference(*store)).value_or(""), "");
  Projections state(*store);
  ASSERT_TRUE(store->Load(state).ok());
  EXPECT_EQ(state.Applied(), history.log().Last());
  EXPECT_EQ(Lists(state, history.time()), Lists(history.state(), history.time()));
}

TEST(Checkpoints, WithoutACheckpointLeaveNothingBehind) {
  const DirectoryOfRows directory;
  {
    const auto store = OpenAt(directory.path());
    Projections state(*store);
    Checkpointer checkpointer(state, *store);
    checkpointer.Begin();
    EXPECT_TRUE(checkpointer.Serialize(1));
  }
  EXPECT_EQ(OpenAt(directory.path())->CheckpointSequence(), Sequence());
}

TEST(Checkpoints, AreReadBesideTheirWriter) {
  const DirectoryOfRows directory;
  EXPECT_EQ(
      CheckpointStore::Open(directory.path(), CheckpointStore::Mode::kReadOnly).status().code(),
      Code::kNotFound);
  History history;
  history.Plan("a");
  history.End("a", State::cancelled);
  const auto writer = OpenAt(directory.path());
  Projections state(*writer);
  ASSERT_TRUE(Fold(history.log(), history.log().Last(), state, writer.get(), 1).ok());
  const auto reader = OpenAt(directory.path(), CheckpointStore::Mode::kReadOnly);
  EXPECT_EQ(reader->CheckpointSequence(), history.log().Last());
  EXPECT_EQ((*reader->FindSaga("a"))->state, State::cancelled);
  EXPECT_EQ(
      CheckpointStore::Open(directory.path(), CheckpointStore::Mode::kReadWrite).status().code(),
      Code::kLocked);
  Projections copy(*reader);
  EXPECT_EQ(Checkpointer(copy, *reader).TakeNow().code(), Code::kReadOnly);
}

TEST(Checkpoints, EndedSagasAreListedInTheOrderOfPlanning) {
  History history;
  for (int i = 0; i < 5; ++i) {
    history.Plan("s" + std::to_string(i));
  }
  for (const int i : {3, 0, 4, 1}) {
    history.End("s" + std::to_string(i), State::cancelled);
  }
  history.TakeCheckpoint();
  const auto ids = [&](std::uint64_t after, std::size_t limit) {
    std::vector<std::string> found;
    const auto ended = history.rows().EndedAfter(Sequence(after), limit);
    EXPECT_TRUE(ended.ok());
    for (const Saga& saga : *ended) {
      found.push_back(saga.id);
    }
    return found;
  };
  EXPECT_THAT(ids(0, 10), ElementsAre("s0", "s1", "s3", "s4"));
  EXPECT_THAT(ids(1, 2), ElementsAre("s1", "s3"));
}

TEST(Checkpoints, DamagedOnesAreFoundOut) {
  const DirectoryOfRows directory;
  History history;
  RandomHistory random(history, 9);
  for (int step = 0; step < 200; ++step) {
    random.Step();
  }
  {
    const auto store = OpenAt(directory.path());
    Projections state(*store);
    ASSERT_TRUE(Fold(history.log(), history.log().Last(), state, store.get()).ok());
    ASSERT_TRUE(Checkpointer(state, *store).TakeNow().ok());
  }
  int found_out = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(directory.path())) {
    if (file.path().extension() != ".sst") {
      continue;
    }
    const DirectoryOfRows copy;
    fs::copy(directory.path(), copy.path(), fs::copy_options::recursive);
    const fs::path damaged = copy.path() / file.path().filename();
    std::fstream bytes(damaged, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(20);
    bytes.write("damage", 6);
    bytes.close();
    const auto store = CheckpointStore::Open(copy.path(), CheckpointStore::Mode::kReadWrite);
    Status status = store.status();
    if (store.ok()) {
      Projections state(**store);
      status = (*store)->Load(state);
      if (status.ok()) {
        status = (*store)->FirstDifference(**store).status();
      }
    }
    EXPECT_EQ(status.code(), Code::kCorruption) << damaged << ": " << status.text();
    found_out += status.ok() ? 0 : 1;
  }
  EXPECT_GE(found_out, 5);
}

TEST(Checkpoints, MissingFileIsFoundOut) {
  const DirectoryOfRows directory;
  History history;
  history.Plan("a");
  {
    const auto store = OpenAt(directory.path());
    Projections state(*store);
    ASSERT_TRUE(Fold(history.log(), history.log().Last(), state, store.get(), 1).ok());
  }
  for (const fs::directory_entry& file : fs::directory_iterator(directory.path())) {
    if (file.path().extension() == ".sst") {
      fs::remove(file.path());
      break;
    }
  }
  EXPECT_EQ(
      CheckpointStore::Open(directory.path(), CheckpointStore::Mode::kReadWrite).status().code(),
      Code::kCorruption);
}

TEST(Checkpoints, DifferenceIsNamed) {
  History one;
  one.Plan("a");
  one.TakeCheckpoint();
  History two;
  two.Plan("b");
  two.TakeCheckpoint();
  EXPECT_EQ((*one.rows().FirstDifference(two.rows())).value_or(""),
            "live: row a is only in the first");
  History three;
  three.Plan("a", {.priority = 1});
  three.TakeCheckpoint();
  EXPECT_EQ((*one.rows().FirstDifference(three.rows())).value_or(""), "live: row a differs");
}

TEST(Fold, StopsAtAnEventOfASagaThatWasNeverPlanned) {
  History history;
  history.Plan("a");
  events::EventT event;
  event.sequence = 2;
  event.saga_id = "ghost";
  event.version = 1;
  event.body.Set(events::AnnotatedT());
  EventEncoder encoder;
  const std::string_view bytes = encoder.Encode(event);
  const Status applied = history.state().Apply(*events::GetEvent(bytes.data()));
  EXPECT_EQ(applied.code(), Code::kCorruption);
  EXPECT_THAT(applied.text(), HasSubstr("ghost"));
  EXPECT_EQ(history.state().Applied(), Sequence(1));
}

TEST(Fold, EndsBeforeTheDamage) {
  MemoryDisk disk;
  EventEncoder encoder;
  {
    const auto log = MemoryLog::Open(disk);
    for (std::uint64_t i = 1; i <= 50; ++i) {
      events::EventT event;
      event.sequence = i;
      event.body.Set(events::ClockSteppedT());
      const std::array<std::string_view, 1> batch = {encoder.Encode(event)};
      ASSERT_TRUE((*log)->Append(Sequence(i - 1), batch).ok());
    }
    disk.FlipByte(Sequence(31), 9);
    const NoRows none;
    Projections state(none);
    const Status folded = Fold(**log, (*log)->Last(), state, nullptr);
    EXPECT_EQ(folded.code(), Code::kCorruption);
    EXPECT_THAT(folded.text(), HasSubstr("31"));
    EXPECT_EQ(state.Applied(), Sequence(30));
  }
}

}  // namespace
}  // namespace sagalog
