// How `sagalog run` ends, and what it leaves in the store.
#include <fstream>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
namespace json = boost::json;

// Without a daemon: the wrapper holds the directory itself.
class RunExitCode : public ::testing::Test {
 protected:
  // Plans T1 and runs a shell script as its worker.
  CliResult Script(const std::string& script) {
    directory_.Json({"plan", "T1"});
    return directory_.Run({"run", "--saga", "T1", "--owner", "w1", "--", "sh", "-c", script});
  }
  json::object Saga() { return directory_.Json({"show", "T1"}); }
  std::string State() { return Word(Saga(), "state"); }
  std::string RecordedExit() { return Word(Saga().at("exit").as_object(), "code"); }

  CliDirectory directory_;
};

TEST_F(RunExitCode, ZeroCompletes) {
  EXPECT_EQ(Script("exit 0").exit_code, 0);
  EXPECT_EQ(State(), "completed");
  EXPECT_EQ(RecordedExit(), "0");
}

TEST_F(RunExitCode, OfTheCommandIsHandedOnAndFails) {
  const CliResult result = Script("exit 3");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("the command exited with 3"));
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(RecordedExit(), "3");
  EXPECT_EQ(Word(Saga(), "reason"), "the command exited with 3");
}

TEST_F(RunExitCode, OfASignalIs128AndItsNumber) {
  EXPECT_EQ(Script("kill -TERM $$").exit_code, 143);
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(RecordedExit(), "143");
  EXPECT_THAT(Word(Saga(), "reason"), HasSubstr("killed by signal 15 (SIGTERM)"));
}

TEST_F(RunExitCode, OfACommandThatDoesNotExistIs127) {
  directory_.Json({"plan", "T1"});
  const CliResult result = directory_.Run({"run", "--saga", "T1", "--", "no-such-command"});
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_THAT(result.error, HasSubstr("no-such-command"));
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(RecordedExit(), "127");
}

TEST_F(RunExitCode, OfACommandThatCannotBeRunIs126) {
  const fs::path file = directory_.root() / "no-program";
  std::ofstream(file) << "text";
  directory_.Json({"plan", "T1"});
  const CliResult result = directory_.Run({"run", "--saga", "T1", "--", file.string()});
  EXPECT_EQ(result.exit_code, 126);
  EXPECT_THAT(result.error, HasSubstr("Permission denied"));
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(RecordedExit(), "126");
}

TEST_F(RunExitCode, OfARefusedAcquisitionIs125WithItsFacts) {
  directory_.Json({"plan", "T1"});
  directory_.Json({"acquire", "T1", "--owner", "w2", "--ttl", "1h"});
  const CliResult result = directory_.Run({"run", "--saga", "T1", "--", "sh", "-c", "echo ran"});
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("acquiring T1 was refused: lease_held"), HasSubstr("w2 holds T1")));
}

TEST_F(RunExitCode, WithoutASagaIs125) {
  directory_.Json({"plan", "T1"});
  const CliResult result = directory_.Run({"run", "--saga", "T9", "--", "true"});
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.error, HasSubstr("not_found"));
}

TEST_F(RunExitCode, WithoutADataDirectoryIs125) {
  const CliResult result = directory_.Run({"run", "--saga", "T1", "--", "true"});
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_FALSE(fs::exists(directory_.data()));
}

TEST_F(RunExitCode, OfAWrongCommandLineIs2) {
  directory_.Json({"plan", "T1"});
  EXPECT_EQ(directory_.Run({"run", "--saga", "T1"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"run", "--", "true"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"run", "--saga", "T1", "--ttl", "30", "--", "true"}).exit_code, 2);
  EXPECT_EQ(State(), "planned");
}

TEST_F(RunExitCode, IsOurOwnWhenTheEndIsNotAccepted) {
  directory_.Serve();
  const CliResult result =
      Script(std::string(kProgram) + " section enter T1 --token $SAGALOG_TOKEN --name merge");
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.error, HasSubstr("section_open"));
  EXPECT_EQ(State(), "running");
  EXPECT_EQ(RecordedExit(), "0");
}

TEST_F(RunExitCode, OfACommandThatEndsItsSagaItselfIsHandedOn) {
  directory_.Serve();
  const CliResult result =
      Script(std::string(kProgram) + " complete T1 --token $SAGALOG_TOKEN; exit 5");
  EXPECT_EQ(result.exit_code, 5) << result.error;
  EXPECT_EQ(State(), "completed");
  EXPECT_EQ(RecordedExit(), "5");
}

TEST_F(RunExitCode, FailureOwesWhatWasRegistered) {
  directory_.Json({"plan", "T1", "--compensation", "id=wt,kind=remove-worktree,target=/wt"});
  EXPECT_EQ(directory_.Run({"run", "--saga", "T1", "--", "false"}).exit_code, 1);
  EXPECT_EQ(State(), "failed");
  EXPECT_EQ(Word(Saga(), "compensation_status"), "owed");
}

TEST_F(RunExitCode, FailureSaysWhyNothingHasToBeUndone) {
  directory_.Json({"plan", "T1"});
  EXPECT_EQ(
      directory_
          .Run({"run", "--saga", "T1", "--no-compensation-reason", "it only reads", "--", "false"})
          .exit_code,
      1);
  const json::array events = directory_.Json({"history", "T1"}).at("items").as_array();
  EXPECT_EQ(Word(events.back().at("body").as_object(), "no_compensation_reason"), "it only reads");
}

TEST_F(RunExitCode, CommandGetsItsArgumentsAsTheyAre) {
  directory_.Json({"plan", "T1"});
  const CliResult result = directory_.Run({"run", "--saga", "T1", "--", "printf", "<%s>", "[a,b]",
                                           "", "--data", "x y", "--", "plan", "--stage="});
  EXPECT_EQ(result.out, "<[a,b]><><--data><x y><--><plan><--stage=>");
}

TEST_F(RunExitCode, CommandGetsItsSagaTokenAndStore) {
  const CliResult result = Script("echo $SAGALOG_SAGA $SAGALOG_TOKEN $SAGALOG_DATA");
  const json::array events = directory_.Json({"history", "T1"}).at("items").as_array();
  const json::object& leased = events.at(1).as_object();
  ASSERT_EQ(Word(leased, "type"), "leased");
  EXPECT_EQ(result.out, "T1 " + Word(leased.at("body").as_object(), "token") + " " +
                            directory_.data().string() + "\n");
}

TEST_F(RunExitCode, OwnerIsThisVeryProcess) {
  directory_.Serve();
  const CliResult result = Script("echo $PPID; exec " + std::string(kProgram) + " --json show T1");
  const std::size_t line_end = result.out.find('\n');
  ASSERT_NE(line_end, std::string::npos);
  const json::object owner = Saga().at("owner").as_object();
  EXPECT_EQ(Word(owner, "owner"), "w1");
  EXPECT_EQ(Word(owner, "pid"), result.out.substr(0, line_end));
  std::ifstream boot_id_file("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  std::getline(boot_id_file, boot_id);
  EXPECT_EQ(Word(owner, "boot_id"), boot_id);
  EXPECT_NE(Word(owner, "host"), "");
  EXPECT_NE(Word(owner, "pid_namespace"), "");
  EXPECT_NE(Word(owner, "pid_start"), "");
}

TEST_F(RunExitCode, DispatchIsTakenUpByItsToken) {
  directory_.Json({"plan", "T1"});
  const std::string token = directory_.Token({"dispatch", "T1", "--owner", "fleet"});
  const CliResult other = directory_.Run({"run", "--saga", "T1", "--", "true"});
  EXPECT_EQ(other.exit_code, 125);
  EXPECT_THAT(other.error, HasSubstr("lease_held"));
  EXPECT_EQ(
      directory_.Run({"run", "--saga", "T1", "--dispatch-token", token, "--", "true"}).exit_code,
      0);
  EXPECT_EQ(State(), "completed");
}

}  // namespace
}  // namespace sagalog
