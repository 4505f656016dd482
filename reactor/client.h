// sagalog::Client: what a Store is, spoken to over the daemon's native protocol.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/store.h"
#include "schema/status.h"

namespace sagalog {

class ClientLink;

struct ClientOptions {
  // Where the daemon is: "unix:PATH" of its socket, "native://HOST:PORT", or, with TLS 1.2 or
  // later, "natives://HOST:PORT".
  std::string url;
  // For a peer that the daemon does not know by its socket.
  std::string access_token = {};
  // How long to connect for at first, and again after a dropped connection; what waits for an
  // answer is then given up.
  std::chrono::milliseconds patience = std::chrono::seconds(10);
  // Requests that may be under way; the next one is answered kOverloaded at once, and not sent.
  std::size_t requests_max = 16384;
  // With TLS: whom to trust, in PEM, else whom the machine trusts; and the name or IP address that
  // the server's certificate must be for, else the host of the URL.
  std::string ca_file = {};
  std::string server_name = {};
};

// Which events a client follows.
struct EventFollow {
  // What comes is behind this event; none = everything.
  Sequence seen = {};
  // Names, as "leased"; empty = of all types.
  std::vector<std::string> types = {};
  // Empty = of all sagas and of the store.
  std::string saga = {};
};

// A connection to a daemon, with many requests on their way at once. Thread-safe: any method from
// any thread, but those that wait not from a callback or a coroutine that the client resumed.
//
// A dropped connection is made anew. What can be repeated then is: reads, and commands with a
// request id, which the store carries out once however often they come. Any other command that was
// on its way ends in kIndeterminate: it may have been carried out or not. So does what could not
// be repeated in time, and what was repeated and refused before the daemon looked whether it has
// answered it before (overloaded, unauthenticated, forbidden, read_only, corrupt): the same request
// again, when it can be answered, tells. What had not left yet ends in kIoError, and did not
// happen. A connection that brings no answer counts as one that was not made.
//
// A request is kept in memory until it is answered; ClientOptions bounds how many are. The daemon
// takes 1,024 of one connection at a time, and the others wait here. One too many ends in
// kOverloaded and did not happen, one too large in kInvalidArgument; its callback is called, its
// coroutine resumed, before the call that would have sent it returns.
class Client {
 public:
  // A command under way: wait for it, or co_await it. It is sent when asked for its result.
  class Call;

  // Connects and says hello. kNotFound when nobody listens there, kUnsupportedVersion,
  // kInvalidArgument (URL, access token), kIoError.
  [[nodiscard]] static Result<std::unique_ptr<Client>> Connect(ClientOptions options);
  // Gives up what is under way.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any command, in its general form. Its principal is what the daemon knows of this client.
  [[nodiscard]] Call Execute(commands::CommandT command, bool with_saga = false);

  // Several commands in their order, as Store::ExecuteBatch. It is repeated after a dropped
  // connection when each command has a request id.
  [[nodiscard]] Result<BatchReply> ExecuteBatch(std::vector<commands::CommandT> batch, bool atomic,
                                                bool with_saga = false);

  // A method a command. Meaning and refusals: docs/guarantees.md.
  [[nodiscard]] Call Plan(std::string_view saga, commands::PlanT arguments = {},
                          CallOptions options = {});
  [[nodiscard]] Call Dispatch(std::string_view saga, commands::DispatchT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call AbortDispatch(std::string_view saga, commands::AbortDispatchT arguments,
                                   CallOptions options = {});
  [[nodiscard]] Call Acquire(std::string_view saga, commands::AcquireT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call ClaimNext(commands::ClaimNextT arguments, CallOptions options = {});
  [[nodiscard]] Call Heartbeat(std::string_view saga, commands::HeartbeatT arguments,
                               CallOptions options = {});
  [[nodiscard]] Call Release(std::string_view saga, commands::ReleaseT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call AdvanceStage(std::string_view saga, commands::AdvanceStageT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call EnterSection(std::string_view saga, commands::EnterSectionT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call LeaveSection(std::string_view saga, commands::LeaveSectionT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call BeginEffect(std::string_view saga, commands::BeginEffectT arguments,
                                 CallOptions options = {});
  [[nodiscard]] Call SettleEffect(std::string_view saga, commands::SettleEffectT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call RecordExit(std::string_view saga, commands::RecordExitT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call RegisterCompensation(std::string_view saga,
                                          commands::RegisterCompensationT arguments,
                                          CallOptions options = {});
  [[nodiscard]] Call Complete(std::string_view saga, commands::CompleteT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call Fail(std::string_view saga, commands::FailT arguments,
                          CallOptions options = {});
  [[nodiscard]] Call Compensate(std::string_view saga, commands::CompensateT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call MarkCompensated(std::string_view saga,
                                     commands::MarkCompensatedT arguments = {},
                                     CallOptions options = {});
  [[nodiscard]] Call Quarantine(std::string_view saga, commands::QuarantineT arguments,
                                CallOptions options = {});
  [[nodiscard]] Call Cancel(std::string_view saga, commands::CancelT arguments,
                            CallOptions options = {});
  [[nodiscard]] Call Park(std::string_view saga, commands::ParkT arguments,
                          CallOptions options = {});
  [[nodiscard]] Call Unpark(std::string_view saga, CallOptions options = {});
  [[nodiscard]] Call Recover(std::string_view saga, commands::RecoverT arguments,
                             CallOptions options = {});
  [[nodiscard]] Call ClaimCompensation(std::string_view saga,
                                       commands::ClaimCompensationT arguments,
                                       CallOptions options = {});
  [[nodiscard]] Call SettleCompensation(std::string_view saga,
                                        commands::SettleCompensationT arguments,
                                        CallOptions options = {});
  [[nodiscard]] Call ReportOwner(std::string_view saga, commands::ReportOwnerT arguments,
                                 CallOptions options = {});
  // Of every saga that the process, or an older boot of its host, holds; `reports` in the answer.
  [[nodiscard]] Call ReportOwners(commands::ReportOwnersT arguments, CallOptions options = {});
  [[nodiscard]] Call Annotate(std::string_view saga, commands::AnnotateT arguments,
                              CallOptions options = {});
  [[nodiscard]] Call ForceRelease(std::string_view saga, commands::ForceReleaseT arguments,
                                  CallOptions options = {});
  [[nodiscard]] Call ConfigureQueue(commands::ConfigureQueueT arguments, CallOptions options = {});
  [[nodiscard]] Call ChangePolicy(commands::ChangePolicyT arguments, CallOptions options = {});

  // Reads, as those of Store. A command is seen by those that were asked after its answer.
  [[nodiscard]] Result<answers::SagaT> Find(std::string_view saga, Sequence min_sequence = {});
  [[nodiscard]] Result<answers::SagaPageT> List(const SagaQuery& query);
  [[nodiscard]] Result<answers::StalePageT> Stale(const PageQuery& query);
  [[nodiscard]] Result<answers::CompensationPageT> Compensations(const PageQuery& query);
  [[nodiscard]] Result<answers::OwnerPageT> Owners(const PageQuery& query);
  [[nodiscard]] Result<answers::QueueT> Queue(std::string_view queue);
  [[nodiscard]] Result<answers::StorePolicyT> Policy();
  [[nodiscard]] Result<answers::EffectPageT> EffectsInDoubt(const PageQuery& query);
  [[nodiscard]] Result<answers::SectionPageT> Sections(const PageQuery& query);
  [[nodiscard]] Result<std::vector<StoredEvent>> History(std::string_view saga,
                                                         bool transitions_only, std::size_t limit);
  [[nodiscard]] Result<std::vector<RefusalRecord>> Refusals(std::string_view saga);
  [[nodiscard]] Result<answers::StatusT> Describe();

  // Calls `each`, on this thread, with every wanted event, and with those to come, in their order,
  // none left out and none twice, also over dropped connections and other daemons of the store.
  // Returns OK when `each` says false; an error when the server refuses it, and when the daemon is
  // not there again within the patience. As long as `each` takes its time, the server waits:
  // about 1,024 events are held here. The client must not be destroyed meanwhile.
  Status Follow(EventFollow query, const std::function<bool(const StoredEvent& event)>& each);

 private:
  explicit Client(std::unique_ptr<ClientLink> link);
  std::unique_ptr<ClientLink> link_;
};

// One command's way to the daemon and back. Move-only; ask for the result once, either way. No
// Reply: the command got no answer, and the status says whether it may have been carried out.
class Client::Call {
 public:
  Call(ClientLink& link, commands::CommandT command, bool with_saga);

  // Blocks until the answer is here.
  [[nodiscard]] Result<Reply> Get() &&;

  // co_await client.Acquire(…): suspends, and resumes on the client's thread when the answer is
  // here. The resumed code must not block it.
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  [[nodiscard]] Result<Reply> await_resume();

  // The same with a callback, from the client's thread.
  void Then(std::function<void(Result<Reply>)> callback) &&;

 private:
  ClientLink& link_;
  commands::CommandT command_;
  bool with_saga_;
  std::unique_ptr<Result<Reply>> result_;
};

}  // namespace sagalog
