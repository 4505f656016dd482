#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "schema/command_body.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

template <typename Native>
using List = std::vector<std::unique_ptr<Native>>;

// Hashes a canonical encoding, which is never stored. Changing it would turn replays into
// conflicts.
//
//   content   = command type (1 byte) envelope end body end
//   envelope, body, table = fields in schema order, those with their default value left out
//   field     = number (1 byte, from 1 in schema order) value
//   number    = 8 bytes, little-endian        text, bytes = length (as a number) bytes
//   table     = fields end                    list        = count (as a number) values
//   end       = 0 (1 byte)
//
// So a field that a later release adds changes no content that does not use it. Labels are a map:
// they are hashed in the order of their names.
class ContentHash {
 public:
  [[nodiscard]] std::uint64_t value() const { return hash_; }

  void Byte(std::uint8_t byte) {
    constexpr std::uint64_t kFnvPrime = 0x100000001b3;
    hash_ = (hash_ ^ byte) * kFnvPrime;
  }

  void End() { Byte(0); }

  void Field(std::uint8_t number, const std::string& text) {
    if (!text.empty()) {
      Byte(number);
      Text(text);
    }
  }
  void Field(std::uint8_t number, const char* text) = delete;
  void Field(std::uint8_t number, bool flag) { Field(number, std::uint64_t{flag}); }
  void Field(std::uint8_t number, std::int32_t value) {
    Field(number, static_cast<std::uint64_t>(std::int64_t{value}));
  }
  void Field(std::uint8_t number, std::uint64_t value) {
    if (value != 0) {
      Byte(number);
      Number(value);
    }
  }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void Field(std::uint8_t number, Enum value) {
    Field(number, static_cast<std::uint64_t>(value));
  }
  // What is given is content, its default value too.
  template <typename Scalar>
  void Field(std::uint8_t number, const flatbuffers::Optional<Scalar>& value) {
    if (value.has_value()) {
      Byte(number);
      Number(static_cast<std::uint64_t>(*value));
    }
  }

  void Field(std::uint8_t number, const std::vector<std::uint8_t>& bytes) {
    if (!bytes.empty()) {
      Byte(number);
      Number(bytes.size());
      for (const std::uint8_t byte : bytes) {
        Byte(byte);
      }
    }
  }

  void Field(std::uint8_t number, const std::vector<std::string>& texts) {
    if (!texts.empty()) {
      Byte(number);
      Number(texts.size());
      for (const std::string& text : texts) {
        Text(text);
      }
    }
  }

  void Field(std::uint8_t number, const List<schema::LabelT>& labels) {
    if (labels.empty()) {
      return;
    }
    std::vector<const schema::LabelT*> sorted;
    for (const auto& label : labels) {
      sorted.push_back(label.get());
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const auto* left, const auto* right) { return left->name < right->name; });
    Byte(number);
    Number(sorted.size());
    for (const schema::LabelT* label : sorted) {
      Text(label->name);
      Text(label->value);
    }
  }

  void Field(std::uint8_t number, const List<schema::CompensationT>& compensations) {
    if (!compensations.empty()) {
      Byte(number);
      Number(compensations.size());
      for (const auto& compensation : compensations) {
        Table(*compensation);
        End();
      }
    }
  }

  template <typename Native>
  void Field(std::uint8_t number, const std::unique_ptr<Native>& table) {
    if (table != nullptr) {
      Byte(number);
      Table(*table);
      End();
    }
  }

 private:
  void Number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      Byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }

  void Text(const std::string& text) {
    Number(text.size());
    for (const char c : text) {
      Byte(static_cast<std::uint8_t>(c));
    }
  }

  void Table(const schema::OwnerT& owner) {
    Field(1, owner.owner);
    Field(2, owner.host);
    Field(3, owner.boot_id);
    Field(4, owner.pid_namespace);
    Field(5, owner.pid);
    Field(6, owner.pid_start);
  }

  void Table(const schema::PolicyT& policy) {
    Field(1, policy.lease_ttl);
    Field(2, policy.dispatch_ttl);
    Field(3, policy.reopen_grace);
    Field(4, policy.finalize_grace);
    Field(5, policy.section_max_age);
    Field(6, policy.max_running);
    Field(7, policy.progress_timeout);
    Field(8, policy.max_recoveries);
    Field(9, policy.max_dispatch_failures);
    Field(10, policy.compensation_ttl);
    Field(11, policy.compensation_order);
    Field(12, policy.on_stale);
    Field(13, policy.requeue_backoff);
  }

  void Table(const schema::CompensationT& compensation) {
    Field(1, compensation.id);
    Field(2, compensation.kind);
    Field(3, compensation.target);
    Field(4, compensation.params);
    Field(5, compensation.when);
    Field(6, compensation.shared);
  }

  std::uint64_t hash_ = 0xcbf29ce484222325;
};

// Adds the fields with the numbers 1, 2, … in schema order.
template <typename... Fields>
void HashFields(ContentHash& hash, const Fields&... fields) {
  std::uint8_t number = 0;
  (hash.Field(++number, fields), ...);
}

void HashBody(ContentHash& hash, const commands::PlanT& body) {
  HashFields(hash, body.key, body.rerun, body.queue, body.priority, body.not_before,
             body.not_before_in, body.issue, body.repository, body.branch, body.worktree,
             body.stage, body.labels, body.payload, body.parent, body.depends_on,
             body.compensations, body.policy);
}
void HashBody(ContentHash& hash, const commands::DispatchT& body) {
  HashFields(hash, body.owner, body.ttl);
}
void HashBody(ContentHash& hash, const commands::AbortDispatchT& body) {
  HashFields(hash, body.dispatch_token, body.owner, body.reason, body.then,
             body.no_compensation_reason);
}
void HashBody(ContentHash& hash, const commands::AcquireT& body) {
  HashFields(hash, body.owner, body.ttl, body.dispatch_token);
}
void HashBody(ContentHash& hash, const commands::ClaimNextT& body) {
  HashFields(hash, body.queue, body.owner, body.ttl, body.as);
}
void HashBody(ContentHash& hash, const commands::HeartbeatT& body) {
  HashFields(hash, body.token, body.owner, body.ttl, body.progress);
}
void HashBody(ContentHash& hash, const commands::ReleaseT& body) {
  HashFields(hash, body.token, body.owner, body.reason);
}
void HashBody(ContentHash& hash, const commands::AdvanceStageT& body) {
  HashFields(hash, body.token, body.owner, body.expected, body.next);
}
void HashBody(ContentHash& hash, const commands::EnterSectionT& body) {
  HashFields(hash, body.token, body.owner, body.name, body.expected_stage, body.max_age);
}
void HashBody(ContentHash& hash, const commands::LeaveSectionT& body) {
  HashFields(hash, body.token, body.owner, body.outcome, body.final, body.no_compensation_reason);
}
void HashBody(ContentHash& hash, const commands::BeginEffectT& body) {
  HashFields(hash, body.token, body.owner, body.effect, body.fingerprint, body.scope);
}
void HashBody(ContentHash& hash, const commands::SettleEffectT& body) {
  HashFields(hash, body.effect, body.outcome, body.result);
}
void HashBody(ContentHash& hash, const commands::RecordExitT& body) {
  HashFields(hash, body.token, body.owner, body.exit_code);
}
void HashBody(ContentHash& hash, const commands::RegisterCompensationT& body) {
  HashFields(hash, body.id, body.kind, body.target, body.params, body.when, body.shared, body.token,
             body.owner);
}
void HashBody(ContentHash& hash, const commands::CompleteT& body) {
  HashFields(hash, body.token, body.owner, body.result);
}
void HashBody(ContentHash& hash, const commands::FailT& body) {
  HashFields(hash, body.token, body.owner, body.reason, body.no_compensation_reason);
}
void HashBody(ContentHash& hash, const commands::CompensateT& body) {
  HashFields(hash, body.token, body.owner, body.reason);
}
void HashBody(ContentHash& hash, const commands::MarkCompensatedT& body) {
  HashFields(hash, body.reason);
}
void HashBody(ContentHash& hash, const commands::QuarantineT& body) {
  HashFields(hash, body.reason);
}
void HashBody(ContentHash& hash, const commands::CancelT& body) {
  HashFields(hash, body.reason, body.cascade);
}
void HashBody(ContentHash& hash, const commands::ParkT& body) { HashFields(hash, body.reason); }
void HashBody(ContentHash& /*hash*/, const commands::UnparkT& /*body*/) {}
void HashBody(ContentHash& hash, const commands::RecoverT& body) {
  // A requeue counts by default, so that it does not is what is said.
  HashFields(hash, body.observed, body.decision, body.evidence, body.section_outcome, body.gate,
             !body.counts, body.no_compensation_reason);
}
void HashBody(ContentHash& hash, const commands::ClaimCompensationT& body) {
  HashFields(hash, body.id, body.executor, body.ttl);
}
void HashBody(ContentHash& hash, const commands::SettleCompensationT& body) {
  HashFields(hash, body.id, body.token, body.outcome, body.detail);
}
void HashBody(ContentHash& hash, const commands::ReportOwnerT& body) {
  HashFields(hash, body.identity, body.verdict, body.evidence);
}
void HashBody(ContentHash& hash, const commands::ReportOwnersT& body) {
  HashFields(hash, body.identity, body.verdict, body.evidence);
}
void HashBody(ContentHash& hash, const commands::AnnotateT& body) { HashFields(hash, body.text); }
void HashBody(ContentHash& hash, const commands::ForceReleaseT& body) {
  HashFields(hash, body.reason);
}
void HashBody(ContentHash& hash, const commands::ConfigureQueueT& body) {
  HashFields(hash, body.queue, body.limit, body.frozen, body.policy);
}
void HashBody(ContentHash& hash, const commands::ChangePolicyT& body) {
  HashFields(hash, body.policy, body.limit);
}

}  // namespace

std::uint64_t CommandContent(const commands::CommandT& command) {
  ContentHash hash;
  hash.Byte(static_cast<std::uint8_t>(command.body.type));
  const bool is_plan = command.body.type == commands::Body::Plan;
  HashFields(hash, is_plan ? std::string() : command.saga_id, command.expected_version);
  hash.End();
  VisitCommandBody(command.body, [&hash](const auto& body) { HashBody(hash, body); });
  hash.End();
  return hash.value();
}

}  // namespace sagalog
