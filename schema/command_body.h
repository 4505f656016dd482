// One place that lists the commands for code that treats them alike.
#pragma once

#include <utility>

#include "schema/check.h"
#include "schema/commands_generated.h"

namespace sagalog {

// What `visit` returns for the native object in `body`, which must hold one.
template <typename Visitor>
auto VisitCommandBody(const commands::BodyUnion& body, Visitor&& visit) {
  using commands::Body;
  CHECK(body.value != nullptr);
  switch (body.type) {
    case Body::Plan: return visit(*body.AsPlan());
    case Body::Dispatch: return visit(*body.AsDispatch());
    case Body::AbortDispatch: return visit(*body.AsAbortDispatch());
    case Body::Acquire: return visit(*body.AsAcquire());
    case Body::ClaimNext: return visit(*body.AsClaimNext());
    case Body::Heartbeat: return visit(*body.AsHeartbeat());
    case Body::Release: return visit(*body.AsRelease());
    case Body::AdvanceStage: return visit(*body.AsAdvanceStage());
    case Body::EnterSection: return visit(*body.AsEnterSection());
    case Body::LeaveSection: return visit(*body.AsLeaveSection());
    case Body::BeginEffect: return visit(*body.AsBeginEffect());
    case Body::SettleEffect: return visit(*body.AsSettleEffect());
    case Body::RecordExit: return visit(*body.AsRecordExit());
    case Body::RegisterCompensation: return visit(*body.AsRegisterCompensation());
    case Body::Complete: return visit(*body.AsComplete());
    case Body::Fail: return visit(*body.AsFail());
    case Body::Compensate: return visit(*body.AsCompensate());
    case Body::MarkCompensated: return visit(*body.AsMarkCompensated());
    case Body::Quarantine: return visit(*body.AsQuarantine());
    case Body::Cancel: return visit(*body.AsCancel());
    case Body::Park: return visit(*body.AsPark());
    case Body::Unpark: return visit(*body.AsUnpark());
    case Body::Recover: return visit(*body.AsRecover());
    case Body::ClaimCompensation: return visit(*body.AsClaimCompensation());
    case Body::SettleCompensation: return visit(*body.AsSettleCompensation());
    case Body::ReportOwner: return visit(*body.AsReportOwner());
    case Body::Annotate: return visit(*body.AsAnnotate());
    case Body::ForceRelease: return visit(*body.AsForceRelease());
    case Body::ConfigureQueue: return visit(*body.AsConfigureQueue());
    case Body::ChangePolicy: return visit(*body.AsChangePolicy());
    case Body::ReportOwners: return visit(*body.AsReportOwners());
    case Body::NONE: break;
  }
  CheckFailed("a command has a known type", __FILE__, __LINE__);
}

}  // namespace sagalog
