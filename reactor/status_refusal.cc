#include "reactor/status_refusal.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

RefusalCode RefusalCodeOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return RefusalCode::invalid_argument;
    case Code::kNotFound: return RefusalCode::not_found;
    case Code::kConflict: return RefusalCode::version_conflict;
    case Code::kOverloaded: return RefusalCode::overloaded;
    case Code::kCorruption: return RefusalCode::corrupt;
    default: return RefusalCode::read_only;
  }
}

Code CodeOf(RefusalCode code) {
  switch (code) {
    case RefusalCode::not_found: return Code::kNotFound;
    case RefusalCode::version_conflict: return Code::kConflict;
    case RefusalCode::overloaded: return Code::kOverloaded;
    case RefusalCode::corrupt: return Code::kCorruption;
    case RefusalCode::read_only: return Code::kReadOnly;
    default: return Code::kInvalidArgument;
  }
}

}  // namespace

answers::RefusalT RefusalOf(const Status& status, std::string_view saga) {
  answers::RefusalT refusal;
  refusal.code = RefusalCodeOf(status.code());
  refusal.detail = status.text();
  refusal.saga_id = saga;
  return refusal;
}

Status StatusOf(const answers::RefusalT& refusal) { return {CodeOf(refusal.code), refusal.detail}; }

}  // namespace sagalog
