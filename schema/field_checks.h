// What a single value of a command may be.
//
// Every function returns kInvalidArgument with the path of the field at fault. Thread-safe: all
// functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "schema/field_path.h"
#include "schema/saga_generated.h"
#include "schema/status.h"

namespace sagalog {

// UTF-8 of at most `size_max` bytes.
[[nodiscard]] Status CheckText(const FieldPath& path, std::string_view text, std::size_t size_max);
// The same without control characters.
[[nodiscard]] Status CheckName(const FieldPath& path, std::string_view name, std::size_t size_max);
// The same, and not empty.
[[nodiscard]] Status RequireText(const FieldPath& path, std::string_view text,
                                 std::size_t size_max);
[[nodiscard]] Status RequireName(const FieldPath& path, std::string_view name,
                                 std::size_t size_max);
// 1 to 128 bytes of [A-Za-z0-9._~-], and not "." or "..", which paths and URLs would swallow.
[[nodiscard]] Status CheckSagaId(const FieldPath& path, std::string_view id);

[[nodiscard]] Status RequireToken(const FieldPath& path, std::uint64_t token);
// Absent, or positive and at most kDurationMicrosMax.
[[nodiscard]] Status CheckDuration(const FieldPath& path,
                                   flatbuffers::Optional<std::int64_t> micros);
// Absent, off, or at least 0.
[[nodiscard]] Status CheckCount(const FieldPath& path, flatbuffers::Optional<std::int64_t> count);

template <typename Enum>
[[nodiscard]] Status CheckEnum(const FieldPath& path, Enum value) {
  static_assert(static_cast<int>(Enum::MIN) == 0);
  return value <= Enum::MAX ? Status() : path.Refuse("there is no such value");
}

// Absent, or with a name and fields within their limits.
[[nodiscard]] Status CheckOwner(const FieldPath& path,
                                const std::unique_ptr<schema::OwnerT>& owner);
[[nodiscard]] Status RequireOwner(const FieldPath& path,
                                  const std::unique_ptr<schema::OwnerT>& owner);
// Like a holder, but any one of its fields will do: a probe may know the process and not the name.
[[nodiscard]] Status RequireIdentity(const FieldPath& path,
                                     const std::unique_ptr<schema::OwnerT>& identity);

// At most `count_max` labels with unique names.
[[nodiscard]] Status CheckLabels(const FieldPath& path,
                                 const std::vector<std::unique_ptr<schema::LabelT>>& labels,
                                 std::size_t count_max);
// At most kCompensationsMax compensations with unique ids.
[[nodiscard]] Status CheckCompensations(
    const FieldPath& path,
    const std::vector<std::unique_ptr<schema::CompensationT>>& compensations);
// Unique saga ids other than `saga_id`.
[[nodiscard]] Status CheckDependencies(const FieldPath& path, std::string_view saga_id,
                                       const std::vector<std::string>& depends_on);
// Absent, or every value that is set in its own range. How they compare is not looked at: that
// depends on the levels above.
[[nodiscard]] Status CheckPolicy(const FieldPath& path,
                                 const std::unique_ptr<schema::PolicyT>& policy);

}  // namespace sagalog
