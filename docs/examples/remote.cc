// A worker that speaks to a daemon: plans a task, owns it for a while, and has it done. Every
// command carries a request id, so that a dropped connection doubles nothing.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "reactor/client.h"

namespace {

sagalog::CallOptions Requested() {
  static std::random_device random;
  const auto half = [] { return std::uint64_t{random()} << 32 | random(); };
  sagalog::CallOptions options;
  options.request_id = sagalog::schema::RequestId(half(), half());
  return options;
}

// The answer; ends the program where there is none.
sagalog::answers::AnswerT Answered(sagalog::Client::Call call) {
  const sagalog::Result<sagalog::Reply> reply = std::move(call).Get();
  if (!reply.ok()) {
    std::cerr << reply.status().text() << "\n";  // may have happened or not: the code says
    std::exit(3);
  }
  if (!reply->ok()) {
    std::cerr << reply->refusal().detail << "\n";
    std::exit(1);
  }
  return reply->answer();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cout << "usage: remote unix:DATA/socket [SAGA]\n";
    return 0;
  }
  sagalog::ClientOptions options;
  options.url = argv[1];
  const std::string saga = argc > 2 ? argv[2] : "fix-168";
  const auto connected = sagalog::Client::Connect(std::move(options));
  if (!connected.ok()) {
    std::cerr << connected.status().text() << "\n";
    return 3;
  }
  sagalog::Client& client = **connected;

  Answered(client.Plan(saga, {}, Requested()));
  sagalog::commands::AcquireT acquire;
  acquire.owner = std::make_unique<sagalog::schema::OwnerT>();
  acquire.owner->owner = "worker-1";
  const std::uint64_t token = Answered(client.Acquire(saga, std::move(acquire), Requested())).token;
  sagalog::commands::CompleteT complete;
  complete.token = token;
  complete.result = "merged";
  Answered(client.Complete(saga, std::move(complete), Requested()));
  const auto found = client.Find(saga);
  std::cout << saga << ": " << sagalog::schema::EnumNameState(found->state) << "\n";
  return 0;
}
