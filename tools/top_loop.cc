#include "tools/top_loop.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "tools/boot_timer.h"
#include "tools/exit_code.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace {

// A daemon that answers no status for so long is shown as away.
constexpr std::chrono::seconds kPatience{10};

ConnectionOptions PlaceOf(const GlobalOptions& global) {
  ConnectionOptions place = global.Connect(true);
  place.patience = kPatience;
  return place;
}

}  // namespace

TopLoop::TopLoop(const GlobalOptions& global, const TopOptions& options)
    : global_(global),
      options_(options),
      inbox_({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP}),
      reader_(PlaceOf(global)) {
  view_.place = PlaceOf(global).data.string();
  view_.color = global.color;
}

int TopLoop::Run() {
  const bool on_screen = isatty(STDOUT_FILENO) == 1 && options_.count != 1 && !global_.json;
  return on_screen ? RunOnScreen() : RunAsText();
}

void TopLoop::TakeSample() {
  auto read = reader_.Read();
  if (!read.ok()) {
    view_.trouble = read.status().text();
    rates_.reset();
    return;
  }
  view_.trouble.clear();
  rates_ = RatesBetween(sample_ ? &*sample_ : nullptr, *read);
  sample_ = *std::move(read);
}

void TopLoop::Draw(LiveScreen& screen) {
  const ScreenSize size = screen.Size();
  view_.columns = size.columns;
  view_.rows = size.rows;
  view_.keys = screen.has_keys() && !keys_ended_;
  screen.Draw(TopFrame(sample_ ? &*sample_ : nullptr, rates_, view_));
}

int TopLoop::RunOnScreen() {
  LiveScreen screen;
  for (std::uint64_t shown = 0; options_.count == 0 || shown < options_.count;) {
    const Duration next = BootNow() + options_.interval;
    if (!view_.paused) {
      TakeSample();
      ++shown;
    }
    Draw(screen);
    const bool enough = options_.count != 0 && shown == options_.count;
    if (enough || Await(&screen, next) == Turn::kEnd || !OutputFailure().empty()) {
      break;
    }
  }
  return exit_code_;
}

int TopLoop::RunAsText() {
  view_.columns = ColumnsOf(STDOUT_FILENO);
  for (std::uint64_t shown = 0; options_.count == 0 || shown < options_.count;) {
    const Duration next = BootNow() + options_.interval;
    TakeSample();
    if (!view_.trouble.empty()) {
      PrintError(global_, "top: " + view_.trouble);
      return kExitUnavailable;
    }
    if (global_.json) {
      PrintLine(TopJson(*sample_, rates_));
    } else {
      for (const std::string& line : TopFrame(&*sample_, rates_, view_)) {
        PrintLine(line);
      }
    }
    FlushOutput();
    ++shown;
    if (shown == options_.count || Await(nullptr, next) == Turn::kEnd || !OutputFailure().empty()) {
      break;
    }
  }
  return exit_code_;
}

// Waits for the moment; what happens meanwhile is shown at once.
TopLoop::Turn TopLoop::Await(LiveScreen* screen, Duration until) {
  BootTimer timer;
  timer.Set(until);
  for (;;) {
    const bool keys = screen != nullptr && screen->has_keys() && !keys_ended_;
    std::array<pollfd, 3> sources{pollfd{timer.descriptor(), POLLIN, 0},
                                  pollfd{inbox_.descriptor(), POLLIN, 0},
                                  pollfd{keys ? STDIN_FILENO : -1, POLLIN, 0}};
    poll(sources.data(), sources.size(), -1);
    if (sources[1].revents != 0 && TakeSignals(screen) == Turn::kEnd) {
      return Turn::kEnd;
    }
    if (sources[2].revents != 0 && TakeKeys(*screen) == Turn::kEnd) {
      return Turn::kEnd;
    }
    if (sources[0].revents != 0) {
      return Turn::kGoOn;
    }
    if (screen != nullptr) {
      Draw(*screen);
    }
  }
}

TopLoop::Turn TopLoop::TakeSignals(LiveScreen* screen) {
  while (const auto signal = inbox_.Next()) {
    if (*signal == SIGWINCH) {
      continue;  // Whoever draws asks for the size.
    }
    if (*signal == SIGTSTP) {
      if (screen != nullptr) {
        screen->Leave();
      }
      kill(getpid(), SIGSTOP);
      if (screen != nullptr) {
        screen->Enter();
      }
      continue;
    }
    // Who types ^C wants nothing else than who types q.
    exit_code_ = *signal == SIGINT ? kExitDone : 128 + *signal;
    return Turn::kEnd;
  }
  return Turn::kGoOn;
}

TopLoop::Turn TopLoop::TakeKeys(LiveScreen& screen) {
  const auto keys = screen.Keys();
  if (!keys) {
    keys_ended_ = true;
    return Turn::kGoOn;
  }
  for (const char key : *keys) {
    switch (key) {
      case 'q':
      case 'Q': return Turn::kEnd;
      case 'p':
      case 'P':
      case ' ': view_.paused = !view_.paused; break;
      case 's':
      case 'S': view_.order = NextOrder(view_.order); break;
      default: break;
    }
  }
  return Turn::kGoOn;
}

}  // namespace sagalog::tools
