#include "reactor/repeated_request.h"

#include <fmt/format.h>

namespace sagalog {
namespace {

using schema::RefusalCode;

// The refusals that may come before the look-up of the request, in the order of precedence. The
// last two do so of a store that is damaged, cannot write or closes.
bool ComesBeforeTheLookUp(RefusalCode code) {
  switch (code) {
    case RefusalCode::overloaded:
    case RefusalCode::unauthenticated:
    case RefusalCode::forbidden:
    case RefusalCode::read_only:
    case RefusalCode::corrupt: return true;
    default: return false;
  }
}

Status JudgeRefusal(const answers::Refusal* refusal) {
  if (refusal == nullptr || !ComesBeforeTheLookUp(refusal->code())) {
    return {};
  }
  return {Code::kIndeterminate,
          fmt::format("no answer came at first, and then: {}: {}; it may have been carried out or "
                      "not: send it again, with its request id, to know",
                      schema::EnumNameRefusalCode(refusal->code()),
                      refusal->detail() == nullptr ? "" : refusal->detail()->string_view())};
}

}  // namespace

Status JudgeRepeatedAnswer(const frames::Frame& frame) {
  const frames::BatchAnswers* const batch = frame.message_as_BatchAnswers();
  if (batch == nullptr) {
    return JudgeRefusal(frame.message_as_Refusal());
  }
  RETURN_IF_ERROR(JudgeRefusal(batch->refusal()));
  if (batch->items() != nullptr) {
    for (const frames::BatchItem* item : *batch->items()) {
      RETURN_IF_ERROR(JudgeRefusal(item->refusal()));
    }
  }
  return {};
}

}  // namespace sagalog
