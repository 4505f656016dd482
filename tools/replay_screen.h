// A replay in a terminal: one event at a time, with keys.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "schema/status.h"
#include "tools/global_options.h"
#include "tools/raw_terminal.h"
#include "tools/replay_cursor.h"
#include "tools/terminal.h"

namespace sagalog::tools {

class ReplayScreen {
 public:
  struct Settings {
    // What is replayed, and what is to be known of it all the time: damage.
    std::string title;
    std::string warning;
    std::string filter;
    // How fast recorded time passes while it plays.
    double speed = 1;
    bool color = false;
  };

  // All are borrowed.
  ReplayScreen(RawTerminal& terminal, ReplayCursor& cursor, const EventLog& log, Settings settings)
      : terminal_(terminal), cursor_(cursor), log_(log), settings_(std::move(settings)) {}

  // From the first event that matches to the key that ends it. kCorruption when what is to be seen
  // cannot be read.
  Status Run();

 private:
  // False = it is over.
  Result<bool> Act(const RawTerminal::Press& press);
  Result<bool> ActOnText(char key);
  Status Step(bool forwards, const ReplayCursor::Wanted& wanted, const char* nothing);
  Status StepInSaga(bool forwards);
  Status StepInType(bool forwards);
  Status StepInTime(Duration by);
  Status StepMany(bool forwards);
  Status GoToEnd();
  Status AskWhere();
  Status AskFilter();
  Status Play();
  // One line typed below the screen; none = given up.
  Result<std::optional<std::string>> Ask(const std::string& question, std::string answer);

  Status Draw(const std::string& last_line);
  [[nodiscard]] std::string Header() const;
  [[nodiscard]] std::string Body(const ReplayStep& step) const;
  [[nodiscard]] std::string Line(const std::string& text, Style style = Style::kPlain) const;

  RawTerminal& terminal_;
  ReplayCursor& cursor_;
  const EventLog& log_;
  Settings settings_;
  std::string message_;
  bool helps_ = false;
  // While it plays: how long this event stays.
  std::optional<std::chrono::milliseconds> stays_;
};

}  // namespace sagalog::tools
