// Answers of the HTTP interface: JSON documents and RFC 9457 problems.
#pragma once

#include <string>
#include <string_view>

#include "reactor/api.h"
#include "schema/answers_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// A JSON object with `sequence` added to it, which it must not have yet.
[[nodiscard]] std::string WithSequence(std::string object, Sequence sequence);

// 200 with a JSON document.
[[nodiscard]] ApiResponse Answer(std::string json);

// A problem document with all facts of the refusal and the sequence it was given at. Where the
// detail of an `invalid_argument` begins with the path of a field ("owner.pid: …"), the path also
// becomes the problem's `subject`.
[[nodiscard]] ApiResponse Problem(Sequence sequence, answers::RefusalT refusal);
// The same for what has no more facts than its words; `saga` may be empty.
[[nodiscard]] ApiResponse Problem(Sequence sequence, schema::RefusalCode code,
                                  std::string_view detail, std::string_view saga = {});
// The same for an error.
[[nodiscard]] ApiResponse Problem(Sequence sequence, const Status& status,
                                  std::string_view saga = {});

// Any HTTP status, where there is no refusal of the store behind it.
[[nodiscard]] ApiResponse ProblemWithHttpStatus(int status, Sequence sequence,
                                                const answers::RefusalT& refusal);

}  // namespace sagalog
