// A method a command: each fills the general form.
#include <utility>

#include "reactor/client.h"
#include "reactor/command_filling.h"

namespace sagalog {

Client::Call Client::Plan(std::string_view saga, commands::PlanT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Dispatch(std::string_view saga, commands::DispatchT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::AbortDispatch(std::string_view saga, commands::AbortDispatchT arguments,
                                   CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Acquire(std::string_view saga, commands::AcquireT arguments,
                             CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ClaimNext(commands::ClaimNextT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Client::Call Client::Heartbeat(std::string_view saga, commands::HeartbeatT arguments,
                               CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Release(std::string_view saga, commands::ReleaseT arguments,
                             CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::AdvanceStage(std::string_view saga, commands::AdvanceStageT arguments,
                                  CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::EnterSection(std::string_view saga, commands::EnterSectionT arguments,
                                  CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::LeaveSection(std::string_view saga, commands::LeaveSectionT arguments,
                                  CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::BeginEffect(std::string_view saga, commands::BeginEffectT arguments,
                                 CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::SettleEffect(std::string_view saga, commands::SettleEffectT arguments,
                                  CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::RecordExit(std::string_view saga, commands::RecordExitT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::RegisterCompensation(std::string_view saga,
                                          commands::RegisterCompensationT arguments,
                                          CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Complete(std::string_view saga, commands::CompleteT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Fail(std::string_view saga, commands::FailT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Compensate(std::string_view saga, commands::CompensateT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::MarkCompensated(std::string_view saga, commands::MarkCompensatedT arguments,
                                     CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Quarantine(std::string_view saga, commands::QuarantineT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Cancel(std::string_view saga, commands::CancelT arguments,
                            CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Park(std::string_view saga, commands::ParkT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::Unpark(std::string_view saga, CallOptions options) {
  return Execute(FillCommand(saga, commands::UnparkT(), options), options.with_saga);
}

Client::Call Client::Recover(std::string_view saga, commands::RecoverT arguments,
                             CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ClaimCompensation(std::string_view saga,
                                       commands::ClaimCompensationT arguments,
                                       CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::SettleCompensation(std::string_view saga,
                                        commands::SettleCompensationT arguments,
                                        CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ReportOwner(std::string_view saga, commands::ReportOwnerT arguments,
                                 CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ReportOwners(commands::ReportOwnersT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Client::Call Client::Annotate(std::string_view saga, commands::AnnotateT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ForceRelease(std::string_view saga, commands::ForceReleaseT arguments,
                                  CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Client::Call Client::ConfigureQueue(commands::ConfigureQueueT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Client::Call Client::ChangePolicy(commands::ChangePolicyT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

}  // namespace sagalog
