// Peers over TLS that ask for much and take nothing: what they hold in memory is bounded.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/token_file.h"
#include "schema/limits.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"
#include "tests/reactor/tls_peer.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SAGALOG_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif
#endif

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// What this process, the server and its peers, holds in memory; what was given back does not count.
// A sanitizer keeps that resident, and knows what is in use.
std::size_t HeldBytes() {
#ifdef SAGALOG_SANITIZED
  return __sanitizer_get_current_allocated_bytes();
#else
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
#endif
}

// A log of 10 MB, far more than sockets take, and peers that have shaken hands.
class ServerSlowTls : public ::testing::Test {
 protected:
  static constexpr int kNotes = 600;
  static constexpr int kPeers = 40;
  // What one that takes nothing may hold beyond one that is idle: a piece or an answer in text, and
  // the records that it becomes. That is less than 256 KiB; what all share is counted along.
  static constexpr std::size_t kHeldMax = 1UL << 20;

  ServerSlowTls() {
    const CertificateFiles files = MakeCertificate(api_.folder(), "sagalog");
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.tls_certificate = files.certificate;
    options.tls_key = files.key;
    options.token_file = api_.folder() / "tokens";
    EXPECT_TRUE(
        AppendTokenLine(options.token_file, *TokenLineFor({"boss", Role::kAdmin}, "boss")).ok());
    api_.Post("/v1/sagas", R"({"saga_id":"T1"})");
    const std::string note = fmt::format(R"({{"text":"{}"}})", std::string(kTextSizeMax, 't'));
    for (int i = 0; i < kNotes; ++i) {
      api_.Post("/v1/sagas/T1:annotate", note);
    }
    server_ = std::make_unique<RunningServer>(api_, options);
    ReadAll();  // what all followers share is there from the beginning
    for (int i = 0; i < kPeers; ++i) {
      slow_.push_back(Connect());
      // Whoever is shaken hands with has been read from.
      slow_.back()->Send(Request("GET /healthz"));
      EXPECT_THAT(slow_.back()->ReadUntil("}"), StartsWith("HTTP/1.1 200 OK\r\n"));
    }
  }

  static std::string Request(const std::string& line) {
    return fmt::format("{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer boss\r\n\r\n", line);
  }

  // Its socket takes little at a time.
  [[nodiscard]] std::unique_ptr<TlsPeer> Connect() {
    auto peer = std::make_unique<TlsPeer>(server_->server().addresses().front());
    EXPECT_TRUE(peer->connected());
    peer->TakeLittle();
    return peer;
  }

  void ReadAll() {
    TlsPeer reader(server_->server().addresses().front());
    reader.Send(Request("GET /v1/events?follow=true"));
    EXPECT_TRUE(reader.SkipThrough(fmt::format("{{\"sequence\":{},", kNotes + 2)));
  }

  // What is held beyond `before` when another has read all there is, twice, beside them.
  [[nodiscard]] std::size_t HeldBesideReader(std::size_t before) {
    std::size_t most = before;
    for (int round = 0; round < 2; ++round) {
      ReadAll();
      most = std::max(most, HeldBytes());
    }
    return most - before;
  }

  ApiStore api_;
  std::unique_ptr<RunningServer> server_;
  std::deque<std::unique_ptr<TlsPeer>> slow_;
};

TEST_F(ServerSlowTls, FollowersHoldAPieceEach) {
  const std::size_t before = HeldBytes();
  for (const auto& peer : slow_) {
    peer->Send(Request("GET /v1/events?follow=true"));
    EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  // They miss 10 MB each, 400 MB together.
  const std::size_t held = HeldBesideReader(before);
  RecordProperty("bytes_each", static_cast<int>(held / kPeers));
  EXPECT_LT(held, kPeers * kHeldMax);
}

TEST_F(ServerSlowTls, NativeFollowersHoldAPieceEach) {
  slow_.clear();
  for (int i = 0; i < kPeers; ++i) {
    slow_.push_back(Connect());
    slow_.back()->Send(Greeting(kNativeVersion, "boss"));
    EXPECT_THAT(slow_.back()->ReadUntil("SGF1"), HasSubstr("SGF1"));  // a frame: the welcome
  }
  const std::size_t before = HeldBytes();
  frames::FollowT follow;
  follow.credit = 1'000'000;
  for (const auto& peer : slow_) {
    peer->Send(FrameOf(2, follow));
    EXPECT_THAT(peer->ReadUntil("ttttttt"), HasSubstr("ttttttt"));
  }
  const std::size_t held = HeldBesideReader(before);
  RecordProperty("bytes_each", static_cast<int>(held / kPeers));
  EXPECT_LT(held, kPeers * kHeldMax);
}

// What they have asked for behind it is not even read.
TEST_F(ServerSlowTls, WhoTakesNoAnswersHoldsOneOfThem) {
  const std::size_t before = HeldBytes();
  std::string many;
  for (int i = 0; i < 20; ++i) {
    many += Request("GET /v1/events");
  }
  for (const auto& peer : slow_) {
    peer->Send(many);
    EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  const std::size_t held = HeldBesideReader(before);
  RecordProperty("bytes_each", static_cast<int>(held / kPeers));
  EXPECT_LT(held, kPeers * kHeldMax);
}

}  // namespace
}  // namespace sagalog
