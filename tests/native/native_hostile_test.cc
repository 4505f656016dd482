// Peers of the native protocol that mean harm: what they ask for is bounded, and they are let go.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/native/native_peer.h"
#include "tests/reactor/running_server.h"

namespace sagalog {
namespace {

// A saga whose history takes some megabytes.
void MakeLongHistory(ApiStore& api, std::string_view saga, int notes) {
  constexpr int kNotesOfBatch = 100;
  api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", saga));
  const std::string note = fmt::format(R"({{"do":"annotate","saga_id":"{}","text":"{}"}})", saga,
                                       std::string(kTextSizeMax, 't'));
  for (int done = 0; done < notes; done += kNotesOfBatch) {
    std::string batch = R"({"commands":[)" + note;
    for (int i = 1; i < kNotesOfBatch; ++i) {
      batch += "," + note;
    }
    api.Post("/v1/batch", batch + "]}");
  }
}

std::string HistoryRead(std::uint64_t number, std::string_view saga) {
  frames::ReadT read;
  read.what = frames::ReadWhat::history;
  read.name = saga;
  read.limit = kPageRowsMax;
  return FrameOf(number, read);
}

// Until nobody but the one who asks is connected.
void AwaitAlone(const RunningServer& server) {
  const auto client = server.Connect();
  std::string figures;
  while (figures.find("sagalog_connections 1\n") == std::string::npos) {
    figures = client->Send({"GET", "/metrics", "", ""})->body;
  }
}

TEST(NativeHostile, APeerThatDiesBesideUntakenAnswersIsLetGo) {
  ApiStore api;
  MakeLongHistory(api, "T1", 200);
  RunningServer server(api);
  for (int i = 0; i < 5; ++i) {
    NativePeer peer(server.socket());
    for (std::uint64_t number = 2; number < 14; ++number) {
      peer.Send(HistoryRead(number, "T1"));
    }
    peer.Drop();
  }
  AwaitAlone(server);
  NativePeer last(server.socket());
  for (std::uint64_t number = 2; number < 14; ++number) {
    last.Send(HistoryRead(number, "T1"));
  }
  last.Drop();
  server.server().Stop();
  EXPECT_TRUE(server.Join().ok());
}

}  // namespace
}  // namespace sagalog
