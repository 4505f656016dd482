// The life of `sagalog top`: a sample each interval, until it is enough.
#pragma once

#include <cstdint>
#include <optional>

#include "schema/store_time.h"
#include "tools/global_options.h"
#include "tools/live_screen.h"
#include "tools/signal_inbox.h"
#include "tools/top_frame.h"
#include "tools/top_sample.h"

namespace sagalog::tools {

struct TopOptions {
  Duration interval = std::chrono::seconds(1);
  std::uint64_t count = 0;  // how many frames; 0 = until somebody ends it
};

// On a screen when standard output is a terminal and more than one frame is wanted, else as text,
// or, with --json, as a line for each frame. One thread.
class TopLoop {
 public:
  TopLoop(const GlobalOptions& global, const TopOptions& options);

  // The exit code. That a daemon is away ends only what has no screen to say it on.
  [[nodiscard]] int Run();

 private:
  enum class Turn : std::uint8_t { kGoOn, kEnd };

  [[nodiscard]] int RunOnScreen();
  [[nodiscard]] int RunAsText();
  void TakeSample();
  void Draw(LiveScreen& screen);
  [[nodiscard]] Turn Await(LiveScreen* screen, Duration until);
  [[nodiscard]] Turn TakeSignals(LiveScreen* screen);
  [[nodiscard]] Turn TakeKeys(LiveScreen& screen);

  const GlobalOptions& global_;
  const TopOptions options_;
  SignalInbox inbox_;
  TopReader reader_;
  TopView view_;
  std::optional<TopSample> sample_;
  std::optional<TopRates> rates_;
  bool keys_ended_ = false;
  int exit_code_ = 0;
};

}  // namespace sagalog::tools
