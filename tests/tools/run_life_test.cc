// `sagalog run` while its command lives: signals, heartbeats, lost leases, cancels.
#include <sys/stat.h>
#include <sys/types.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/background_run.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a worker says of itself.
struct WorkerPids {
  pid_t worker = 0;
  pid_t child = 0;
};

WorkerPids PidsIn(const std::string& line) {
  WorkerPids pids;
  std::string word;
  std::istringstream(line) >> word >> pids.worker >> pids.child;
  EXPECT_EQ(word, "ready") << line;
  return pids;
}

// With a daemon, whose time moves only when a test says so.
class RunLife : public ::testing::Test {
 protected:
  RunLife() {
    directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
    directory_.Json({"plan", "T1"});
  }

  static Words Flags(const std::string& ttl) {
    return {"--saga", "T1", "--owner", "w1", "--ttl", ttl, "--kill-after", "30s"};
  }
  static Words Script(const std::string& script) { return {"sh", "-c", script}; }

  // A worker that says "ready" and goes on when the test opens the gate.
  std::string WaitsForGate() {
    EXPECT_EQ(mkfifo(Gate().c_str(), 0600), 0);
    return "echo ready; read line <" + Gate();
  }
  void OpenGate() { std::ofstream(Gate()) << "go\n"; }
  std::string Gate() const { return (directory_.root() / "gate").string(); }

  std::string State() { return Word(directory_.Json({"show", "T1"}), "state"); }

  CliDirectory directory_;
};

TEST_F(RunLife, SignalsArePassedOnToTheGroup) {
  BackgroundRun run(directory_, Flags("60s"),
                    Script("for s in TERM INT HUP USR1 USR2 QUIT; do trap \"echo got $s\" $s; done;"
                           "(trap '' TERM INT HUP USR1 USR2 QUIT; exec sleep 1000) &"
                           "child=$!; trap 'echo got TERM; kill -KILL $child' TERM;"
                           "echo ready $$ $child;"
                           "while kill -0 $child 2>/dev/null; do wait $child; done; exit 9"));
  PidsIn(run.ReadLine());
  for (const auto& [signal, name] :
       {std::pair(SIGUSR1, "USR1"), std::pair(SIGUSR2, "USR2"), std::pair(SIGHUP, "HUP"),
        std::pair(SIGINT, "INT"), std::pair(SIGQUIT, "QUIT"), std::pair(SIGTERM, "TERM")}) {
    run.Signal(signal);
    EXPECT_EQ(run.ReadLine(), std::string("got ") + name);
  }
  EXPECT_EQ(run.Wait(), 9);
  EXPECT_EQ(State(), "failed");
}

TEST_F(RunLife, KilledWrapperTakesTheWholeGroupWithIt) {
  BackgroundRun run(directory_, Flags("60s"), Script(kDeafWorker));
  const WorkerPids pids = PidsIn(run.ReadLine());
  run.Signal(SIGKILL);
  EXPECT_EQ(run.Wait(), 137);
  AwaitEnd(pids.worker);
  AwaitEnd(pids.child);
  EXPECT_EQ(State(), "running");
}

TEST_F(RunLife, HeartbeatsKeepTheLeaseAlive) {
  BackgroundRun run(directory_, Flags("3s"), Script(kPoliteWorker));
  run.ReadLine();
  const std::string first = Word(directory_.Json({"show", "T1"}), "heartbeat_at");
  AdvanceClock(directory_, "2s");
  std::string latest = first;
  while (latest == first) {
    latest = Word(directory_.Json({"show", "T1"}), "heartbeat_at");
  }
  AdvanceClock(directory_, "2s");
  const auto saga = directory_.Json({"show", "T1"});
  EXPECT_EQ(Word(saga, "state"), "running");
  EXPECT_EQ(Word(saga, "stale"), "[]");
}

TEST_F(RunLife, TakenOverLeaseStopsTheCommandWith124) {
  BackgroundRun run(directory_, Flags("9s"), Script(kPoliteWorker));
  const WorkerPids pids = PidsIn(run.ReadLine());
  AdvanceClock(directory_, "10s");
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "w2", "--ttl", "1h"});
  EXPECT_EQ(run.ReadLine(), "asked");
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(), HasSubstr("taken over by w2 under token " + token));
  AwaitEnd(pids.child);
  const auto saga = directory_.Json({"show", "T1"});
  EXPECT_EQ(Word(saga, "state"), "running");
  EXPECT_EQ(Word(saga.at("owner").as_object(), "owner"), "w2");
}

TEST_F(RunLife, CancelStopsTheCommandWith124) {
  BackgroundRun run(directory_, Flags("3s"), Script(kPoliteWorker));
  run.ReadLine();
  directory_.Json({"cancel", "T1", "--reason", "issue closed"});
  EXPECT_EQ(run.ReadLine(), "asked");
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(), HasSubstr("cancelled: issue closed"));
  const auto saga = directory_.Json({"show", "T1"});
  EXPECT_EQ(Word(saga, "state"), "cancelled");
  EXPECT_EQ(Word(saga.at("exit").as_object(), "code"), "7");
}

TEST_F(RunLife, CommandThatDoesNotStopIsKilled) {
  Words flags = Flags("3s");
  flags.back() = "100ms";
  BackgroundRun run(directory_, flags, Script(kDeafWorker));
  const WorkerPids pids = PidsIn(run.ReadLine());
  directory_.Json({"cancel", "T1"});
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(), HasSubstr("killing it"));
  AwaitEnd(pids.child);
}

TEST_F(RunLife, RestOfTheGroupIsKilledAfterItsLeaderStopped) {
  Words flags = Flags("3s");
  flags.back() = "100ms";
  BackgroundRun run(directory_, flags,
                    Script("(trap '' TERM; exec sleep 1000) & echo ready $$ $!; wait"));
  const WorkerPids pids = PidsIn(run.ReadLine());
  directory_.Json({"cancel", "T1"});
  EXPECT_EQ(run.Wait(), 124);
  AwaitEnd(pids.child);
}

TEST_F(RunLife, CancelWaitsForTheSection) {
  BackgroundRun run(directory_, Flags("3s"), Script(kPoliteWorker));
  run.ReadLine();
  const std::string token = Word(directory_.Json({"show", "T1"}), "token");
  directory_.Json({"section", "enter", "T1", "--token", token, "--name", "merge"});
  EXPECT_EQ(Word(directory_.Json({"cancel", "T1", "--reason", "late"}), "outcome"), "deferred");
  run.ReadErrorsUntil("is to be cancelled once its section is left");
  EXPECT_EQ(State(), "running");
  directory_.Json({"section", "leave", "T1", "--token", token, "--outcome", "merged"});
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(), HasSubstr("cancelled: late"));
}

TEST_F(RunLife, FinishedStepWinsOverACancelThatWaited) {
  BackgroundRun run(directory_, Flags("3s"), Script(WaitsForGate() + "; exit 6"));
  EXPECT_EQ(run.ReadLine(), "ready");
  const std::string token = Word(directory_.Json({"show", "T1"}), "token");
  directory_.Json({"section", "enter", "T1", "--token", token, "--name", "merge"});
  directory_.Json({"cancel", "T1"});
  directory_.Json(
      {"section", "leave", "T1", "--token", token, "--outcome", "merged", "--final", "completed"});
  OpenGate();
  EXPECT_EQ(run.Wait(), 6);
  EXPECT_THAT(run.ReadErrors(), Not(HasSubstr("lost")));
  EXPECT_EQ(State(), "completed");
}

TEST_F(RunLife, RecoverySaysWhoDecidedWhat) {
  BackgroundRun run(directory_, Flags("9s"), Script(kPoliteWorker));
  run.ReadLine();
  AdvanceClock(directory_, "10s");
  directory_.Json({"recover", "T1", "--observed", Word(directory_.Json({"show", "T1"}), "version"),
                   "--decision", "requeue", "--evidence", "it looks dead"});
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(),
              HasSubstr("revoked by a recovery (decision requeue): it looks dead"));
  EXPECT_EQ(State(), "planned");
}

TEST_F(RunLife, LeaseIsOverByItsOwnReckoningWhenTheStoreIsSilent) {
  BackgroundRun run(directory_, Flags("1s"), Script(kPoliteWorker));
  run.ReadLine();
  kill(directory_.daemon(), SIGSTOP);
  EXPECT_EQ(run.ReadLine(), "asked");
  kill(directory_.daemon(), SIGCONT);
  EXPECT_EQ(run.Wait(), 124);
  EXPECT_THAT(run.ReadErrors(), HasSubstr("the store took no heartbeat for 1s"));
}

TEST_F(RunLife, RestartOfTheDaemonIsRiddenOut) {
  BackgroundRun run(directory_, Flags("60s"), Script(WaitsForGate()));
  EXPECT_EQ(run.ReadLine(), "ready");
  directory_.StopServing();
  directory_.Serve({"--manual-clock", "2026-11-21T03:18:00Z"});
  OpenGate();
  EXPECT_EQ(run.Wait(), 0) << run.ReadErrors();
  EXPECT_EQ(State(), "completed");
}

TEST_F(RunLife, CommandThatReleasesItsSagaGoesOn) {
  BackgroundRun run(
      directory_, Flags("1s"),
      Script(std::string(kProgram) + " release T1 --token $SAGALOG_TOKEN >/dev/null; " +
             WaitsForGate() + "; exit 4"));
  EXPECT_EQ(run.ReadLine(), "ready");
  while (Word(directory_.Json({"status"}), "refusals").find("stale_token") == std::string::npos) {
    // A heartbeat is refused soon.
  }
  OpenGate();
  EXPECT_EQ(run.Wait(), 4);
  EXPECT_THAT(run.ReadErrors(), Not(HasSubstr("lost")));
  EXPECT_EQ(State(), "planned");
}

}  // namespace
}  // namespace sagalog
