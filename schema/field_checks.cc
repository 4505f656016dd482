#include "schema/field_checks.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "schema/limits.h"
#include "schema/store_time.h"
#include "schema/utf8.h"

namespace sagalog {
namespace {

using flatbuffers::Optional;

constexpr std::string_view kRequired = "is required";

Status CheckSize(const FieldPath& path, std::size_t size, std::size_t size_max) {
  return size <= size_max
             ? Status()
             : path.Refuse(fmt::format("has {} bytes, allowed are {}", size, size_max));
}

Status CheckElements(const FieldPath& path, std::size_t count, std::size_t count_max) {
  return count <= count_max
             ? Status()
             : path.Refuse(fmt::format("has {} elements, allowed are {}", count, count_max));
}

bool IsSagaIdCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("._~-").find(c) != std::string_view::npos;
}

// A duration that may also be off.
Status CheckDurationOrOff(const FieldPath& path, Optional<std::int64_t> micros) {
  return micros.has_value() && *micros == kOff ? Status() : CheckDuration(path, micros);
}

bool IsEmpty(const schema::OwnerT& owner) {
  return owner.owner.empty() && owner.host.empty() && owner.boot_id.empty() &&
         owner.pid_namespace.empty() && owner.pid == 0 && owner.pid_start == 0;
}

Status CheckOwnerFields(const FieldPath& path, const schema::OwnerT& owner) {
  RETURN_IF_ERROR(CheckName({path, "owner"}, owner.owner, kOwnerFieldSizeMax));
  RETURN_IF_ERROR(CheckName({path, "host"}, owner.host, kOwnerFieldSizeMax));
  RETURN_IF_ERROR(CheckName({path, "boot_id"}, owner.boot_id, kOwnerFieldSizeMax));
  return CheckName({path, "pid_namespace"}, owner.pid_namespace, kOwnerFieldSizeMax);
}

}  // namespace

Status CheckText(const FieldPath& path, std::string_view text, std::size_t size_max) {
  RETURN_IF_ERROR(CheckSize(path, text.size(), size_max));
  return IsUtf8(text) ? Status() : path.Refuse("is no UTF-8");
}

Status CheckName(const FieldPath& path, std::string_view name, std::size_t size_max) {
  RETURN_IF_ERROR(CheckSize(path, name.size(), size_max));
  return IsPrintableUtf8(name) ? Status() : path.Refuse("is no UTF-8 or has control characters");
}

Status RequireText(const FieldPath& path, std::string_view text, std::size_t size_max) {
  return text.empty() ? path.Refuse(kRequired) : CheckText(path, text, size_max);
}

Status RequireName(const FieldPath& path, std::string_view name, std::size_t size_max) {
  return name.empty() ? path.Refuse(kRequired) : CheckName(path, name, size_max);
}

Status CheckSagaId(const FieldPath& path, std::string_view id) {
  if (id.empty()) {
    return path.Refuse(kRequired);
  }
  RETURN_IF_ERROR(CheckSize(path, id.size(), kSagaIdSizeMax));
  if (!std::all_of(id.begin(), id.end(), IsSagaIdCharacter)) {
    return path.Refuse("may only have letters, digits and . _ ~ -");
  }
  return id == "." || id == ".." ? path.Refuse("may not be . or ..") : Status();
}

Status RequireToken(const FieldPath& path, std::uint64_t token) {
  return token == 0 ? path.Refuse(kRequired) : Status();
}

Status CheckDuration(const FieldPath& path, Optional<std::int64_t> micros) {
  if (!micros.has_value()) {
    return Status();
  }
  if (*micros <= 0) {
    return path.Refuse("must be longer than nothing");
  }
  return *micros <= kDurationMicrosMax
             ? Status()
             : path.Refuse(
                   fmt::format("may be {} at most", FormatDuration(Duration(kDurationMicrosMax))));
}

Status CheckCount(const FieldPath& path, Optional<std::int64_t> count) {
  return !count.has_value() || *count >= 0 || *count == kOff ? Status()
                                                             : path.Refuse("may not be negative");
}

Status CheckOwner(const FieldPath& path, const std::unique_ptr<schema::OwnerT>& owner) {
  if (owner == nullptr) {
    return Status();
  }
  if (owner->owner.empty()) {
    return FieldPath(path, "owner").Refuse(kRequired);
  }
  return CheckOwnerFields(path, *owner);
}

Status RequireOwner(const FieldPath& path, const std::unique_ptr<schema::OwnerT>& owner) {
  return owner == nullptr ? path.Refuse(kRequired) : CheckOwner(path, owner);
}

Status RequireIdentity(const FieldPath& path, const std::unique_ptr<schema::OwnerT>& identity) {
  if (identity == nullptr || IsEmpty(*identity)) {
    return path.Refuse(kRequired);
  }
  return CheckOwnerFields(path, *identity);
}

Status CheckLabels(const FieldPath& path,
                   const std::vector<std::unique_ptr<schema::LabelT>>& labels,
                   std::size_t count_max) {
  RETURN_IF_ERROR(CheckElements(path, labels.size(), count_max));
  std::unordered_set<std::string_view> names;
  for (const auto& label : labels) {
    RETURN_IF_ERROR(RequireName({path, "name"}, label->name, kNameSizeMax));
    const FieldPath label_path(path, label->name);
    RETURN_IF_ERROR(CheckText(label_path, label->value, kFactSizeMax));
    if (!names.insert(label->name).second) {
      return label_path.Refuse("given more than once");
    }
  }
  return Status();
}

Status CheckCompensations(
    const FieldPath& path,
    const std::vector<std::unique_ptr<schema::CompensationT>>& compensations) {
  RETURN_IF_ERROR(CheckElements(path, compensations.size(), kCompensationsMax));
  std::unordered_set<std::string_view> ids;
  for (std::size_t i = 0; i < compensations.size(); ++i) {
    const schema::CompensationT& compensation = *compensations[i];
    const FieldPath element(path, i);
    RETURN_IF_ERROR(RequireName({element, "id"}, compensation.id, kNameSizeMax));
    RETURN_IF_ERROR(RequireName({element, "kind"}, compensation.kind, kNameSizeMax));
    RETURN_IF_ERROR(RequireText({element, "target"}, compensation.target, kFactSizeMax));
    RETURN_IF_ERROR(CheckLabels({element, "params"}, compensation.params, kCompensationParamsMax));
    RETURN_IF_ERROR(CheckEnum({element, "when"}, compensation.when));
    if (!ids.insert(compensation.id).second) {
      return FieldPath(element, "id").Refuse("given more than once");
    }
  }
  return Status();
}

Status CheckDependencies(const FieldPath& path, std::string_view saga_id,
                         const std::vector<std::string>& depends_on) {
  RETURN_IF_ERROR(CheckElements(path, depends_on.size(), kDependenciesMax));
  std::unordered_set<std::string_view> ids;
  for (std::size_t i = 0; i < depends_on.size(); ++i) {
    const FieldPath element(path, i);
    RETURN_IF_ERROR(CheckSagaId(element, depends_on[i]));
    if (depends_on[i] == saga_id) {
      return element.Refuse("is the saga itself");
    }
    if (!ids.insert(depends_on[i]).second) {
      return element.Refuse("given more than once");
    }
  }
  return Status();
}

Status CheckPolicy(const FieldPath& path, const std::unique_ptr<schema::PolicyT>& policy) {
  if (policy == nullptr) {
    return Status();
  }
  RETURN_IF_ERROR(CheckDuration({path, "lease_ttl"}, policy->lease_ttl));
  RETURN_IF_ERROR(CheckDuration({path, "dispatch_ttl"}, policy->dispatch_ttl));
  RETURN_IF_ERROR(CheckDurationOrOff({path, "reopen_grace"}, policy->reopen_grace));
  RETURN_IF_ERROR(CheckDurationOrOff({path, "finalize_grace"}, policy->finalize_grace));
  RETURN_IF_ERROR(CheckDuration({path, "section_max_age"}, policy->section_max_age));
  RETURN_IF_ERROR(CheckDurationOrOff({path, "max_running"}, policy->max_running));
  RETURN_IF_ERROR(CheckDurationOrOff({path, "progress_timeout"}, policy->progress_timeout));
  RETURN_IF_ERROR(CheckCount({path, "max_recoveries"}, policy->max_recoveries));
  RETURN_IF_ERROR(CheckCount({path, "max_dispatch_failures"}, policy->max_dispatch_failures));
  RETURN_IF_ERROR(CheckDuration({path, "compensation_ttl"}, policy->compensation_ttl));
  if (policy->compensation_order.has_value()) {
    RETURN_IF_ERROR(CheckEnum({path, "compensation_order"}, *policy->compensation_order));
  }
  if (policy->on_stale.has_value()) {
    RETURN_IF_ERROR(CheckEnum({path, "on_stale"}, *policy->on_stale));
  }
  return CheckDurationOrOff({path, "requeue_backoff"}, policy->requeue_backoff);
}

}  // namespace sagalog
