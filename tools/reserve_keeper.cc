#include "tools/reserve_keeper.h"

#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

constexpr std::chrono::seconds kLookInterval{1};
// More is a typing error.
constexpr std::uint64_t kReserveSizeMax = 1ULL << 40;

using Change = DiskReserve::Change;

}  // namespace

Result<std::uint64_t> ParseSize(std::string_view text) {
  if (text == "off") {
    return std::uint64_t{0};
  }
  constexpr std::array<std::pair<std::string_view, int>, 4> kUnits = {
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"", 0}}};
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& [name, shift] : kUnits) {
    if (error == std::errc() && unit == name && number <= kReserveSizeMax >> shift) {
      return number << shift;
    }
  }
  return Status(Code::kInvalidArgument, "it is a size as 64MiB, 1GiB or off, of 1 TiB at most");
}

ReserveKeeper::ReserveKeeper(const std::filesystem::path& directory, std::uint64_t size_bytes,
                             Store& store, const DaemonLog& log)
    : reserve_(directory / kReserveFileName, size_bytes),
      size_bytes_(size_bytes),
      store_(store),
      log_(log) {
  Look();
  thread_ = std::thread([this] { Loop(); });
}

ReserveKeeper::~ReserveKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
  Look();  // a store that has just met a full disk has still to be closed
}

void ReserveKeeper::Loop() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kLookInterval, [this] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

void ReserveKeeper::Look() {
  const auto change = reserve_.Look(store_.Health().ok());
  std::string complaint;
  if (!change.ok()) {
    complaint = change.status().text();
  } else if (*change == Change::kTooFew) {
    complaint = fmt::format(
        "the disk has no room for a reserve of {} MiB: when it is full, the "
        "store cannot even be compacted; make room",
        size_bytes_ >> 20);
  } else if (*change == Change::kMade) {
    log_.Say({ServerNote::Level::kInfo, "reserve",
              fmt::format("{} MiB are kept back for the day the disk is full", size_bytes_ >> 20)});
  } else if (*change == Change::kFreed) {
    log_.Say({ServerNote::Level::kError, "reserve",
              fmt::format("the disk is full: the reserve of {} MiB is free now. Restart, make room "
                          "(sagalog compact, old backups), then it is kept again",
                          size_bytes_ >> 20)});
  }
  if (!complaint.empty() && complaint != complaint_) {
    log_.Say({ServerNote::Level::kWarning, "reserve", complaint});
  }
  complaint_ = std::move(complaint);
}

}  // namespace sagalog::tools
