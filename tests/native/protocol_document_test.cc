// docs/protocol.md, taken at its word.
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "schema/frame_limits.h"
#include "tests/generated/places.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

// The bytes of the hex block of this name.
std::string HexBlock(const std::string& name) {
  std::ifstream file(std::string(kSourceDirectory) + "/docs/protocol.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string begin = "```hex " + name + "\n";
  const std::size_t at = text.find(begin);
  EXPECT_NE(at, std::string::npos) << name;
  std::istringstream words(
      text.substr(at + begin.size(), text.find("```", at + begin.size()) - at - begin.size()));
  std::string bytes;
  for (std::string word; words >> word;) {
    bytes += static_cast<char>(std::stoi(word, nullptr, 16));
  }
  return bytes;
}

frames::FrameT Decoded(const std::string& name) {
  const std::string bytes = HexBlock(name);
  const auto size = FrameSize(bytes, kRequestFrameSizeMax);
  EXPECT_TRUE(size.ok() && *size && **size == bytes.size()) << name;
  const FrameBytes frame(bytes);
  const frames::Frame* const verified = frame.Verify();
  EXPECT_NE(verified, nullptr) << name;
  frames::FrameT decoded;
  if (verified != nullptr) {
    verified->UnPackTo(&decoded);
  }
  return decoded;
}

TEST(ProtocolDocument, ItsFramesSayWhatItSays) {
  EXPECT_EQ(HexBlock("preamble"), kNativePreamble);
  const frames::FrameT hello = Decoded("hello");
  EXPECT_EQ(hello.number, 1U);
  EXPECT_EQ(hello.message.AsHello()->version, kNativeVersion);
  EXPECT_EQ(hello.message.AsHello()->client, "example");
  const frames::FrameT welcome = Decoded("welcome");
  EXPECT_EQ(welcome.message.AsWelcome()->server, "0.1.0");
  EXPECT_EQ(welcome.message.AsWelcome()->last_sequence, 1U);
  const frames::FrameT plan = Decoded("plan");
  EXPECT_EQ(plan.number, 2U);
  EXPECT_EQ(plan.message.AsExecute()->command->saga_id, "T1");
  EXPECT_EQ(plan.message.AsExecute()->command->request_id->low(), 2U);
  EXPECT_EQ(Decoded("answer").message.AsAnswer()->sequence, 2U);
  EXPECT_EQ(Decoded("goodbye").message.AsGoodbye()->reason, "the server stops");
}

TEST(ProtocolDocument, ItsExchangeIsTheServers) {
  ApiStore api;
  RunningServer server(api);
  NativePeer peer(server.socket(), false);
  peer.Send(HexBlock("preamble") + HexBlock("hello"));
  EXPECT_EQ(peer.Expect<frames::WelcomeT>(1).last_sequence, 1U);
  peer.Send(HexBlock("plan"));
  const auto answer = peer.Expect<answers::AnswerT>(2);
  EXPECT_EQ(FrameOf(2, answer), HexBlock("answer"));
  server.server().Stop();
  EXPECT_EQ(peer.ExpectGoodbye(), "the server stops");
}

}  // namespace
}  // namespace sagalog
