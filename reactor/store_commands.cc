// A method a command: each fills the general form.
#include <utility>

#include "reactor/command_filling.h"
#include "reactor/store_engine.h"

namespace sagalog {

Store::Call Store::Plan(std::string_view saga, commands::PlanT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Dispatch(std::string_view saga, commands::DispatchT arguments,
                            CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::AbortDispatch(std::string_view saga, commands::AbortDispatchT arguments,
                                 CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Acquire(std::string_view saga, commands::AcquireT arguments,
                           CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Heartbeat(std::string_view saga, commands::HeartbeatT arguments,
                             CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Release(std::string_view saga, commands::ReleaseT arguments,
                           CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::AdvanceStage(std::string_view saga, commands::AdvanceStageT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::EnterSection(std::string_view saga, commands::EnterSectionT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::LeaveSection(std::string_view saga, commands::LeaveSectionT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::BeginEffect(std::string_view saga, commands::BeginEffectT arguments,
                               CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::SettleEffect(std::string_view saga, commands::SettleEffectT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::RecordExit(std::string_view saga, commands::RecordExitT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::RegisterCompensation(std::string_view saga,
                                        commands::RegisterCompensationT arguments,
                                        CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Complete(std::string_view saga, commands::CompleteT arguments,
                            CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Fail(std::string_view saga, commands::FailT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Compensate(std::string_view saga, commands::CompensateT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::MarkCompensated(std::string_view saga, commands::MarkCompensatedT arguments,
                                   CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Quarantine(std::string_view saga, commands::QuarantineT arguments,
                              CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Cancel(std::string_view saga, commands::CancelT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Park(std::string_view saga, commands::ParkT arguments, CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Recover(std::string_view saga, commands::RecoverT arguments,
                           CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::ClaimCompensation(std::string_view saga, commands::ClaimCompensationT arguments,
                                     CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::SettleCompensation(std::string_view saga,
                                      commands::SettleCompensationT arguments,
                                      CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::ReportOwner(std::string_view saga, commands::ReportOwnerT arguments,
                               CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Annotate(std::string_view saga, commands::AnnotateT arguments,
                            CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::ForceRelease(std::string_view saga, commands::ForceReleaseT arguments,
                                CallOptions options) {
  return Execute(FillCommand(saga, std::move(arguments), options), options.with_saga);
}

Store::Call Store::Unpark(std::string_view saga, CallOptions options) {
  return Execute(FillCommand(saga, commands::UnparkT(), options), options.with_saga);
}

Store::Call Store::ClaimNext(commands::ClaimNextT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Store::Call Store::ReportOwners(commands::ReportOwnersT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Store::Call Store::ConfigureQueue(commands::ConfigureQueueT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

Store::Call Store::ChangePolicy(commands::ChangePolicyT arguments, CallOptions options) {
  return Execute(FillCommand("", std::move(arguments), options), options.with_saga);
}

}  // namespace sagalog
