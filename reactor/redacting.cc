#include "reactor/redacting.h"

#include <array>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "eventlog/durable_file.h"
#include "projections/merkle_tree.h"
#include "projections/redaction.h"
#include "projections/text_hash.h"
#include "reactor/store_engine.h"
#include "schema/field_checks.h"
#include "schema/limits.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

// What is about to be redacted, beside the log: so that an end of the process between the event
// that says so and the rewriting of the files is made good.
class Intention {
 public:
  explicit Intention(const fs::path& directory)
      : file_(directory.empty() ? fs::path() : directory / kRedactingFileName) {}

  // The event, and the end of the log before it was said.
  struct Content {
    Sequence sequence;
    Sequence before;
  };

  Status Write(const Content& content) const {
    if (file_.empty()) {
      return {};
    }
    RETURN_IF_ERROR(Remove());
    RETURN_IF_ERROR(WriteFileDurably(
        file_, fmt::format("{} {}\n", content.sequence.value(), content.before.value()), nullptr));
    return SyncDirectory(file_.parent_path(), nullptr);
  }

  // Nothing when there is none, or one that was never finished: then nothing was said either.
  [[nodiscard]] std::optional<Content> Read() const {
    std::uint64_t sequence = 0;
    std::uint64_t before = 0;
    std::ifstream file(file_);
    const bool whole = !file_.empty() && file >> sequence >> before && file.get() == '\n';
    return whole ? std::optional(Content{Sequence(sequence), Sequence(before)}) : std::nullopt;
  }

  Status Remove() const {
    std::error_code error;
    if (!file_.empty() && fs::remove(file_, error)) {
      return SyncDirectory(file_.parent_path(), nullptr);
    }
    return error ? Status(Code::kIoError,
                          fmt::format("cannot remove {}: {}", file_.string(), error.message()))
                 : Status();
  }

 private:
  const fs::path file_;
};

std::uint64_t ContentOf(const RedactOptions& options) {
  return TextHash(fmt::format("redact {} {}", options.sequence.value(), options.reason));
}

Status CheckOptions(const RedactOptions& options) {
  RETURN_IF_ERROR(RequireText(FieldPath("reason"), options.reason, kTextSizeMax));
  return CheckName(FieldPath("actor"), options.actor, kNameSizeMax);
}

// Whether the event's plan had labels: they are in the rows of live sagas too.
bool IsLabelled(const events::Event& event) {
  const events::Planned* planned = event.body_as_Planned();
  return planned != nullptr && planned->labels() != nullptr && planned->labels()->size() > 0;
}

// Puts what is left in the event's place, in every file.
Status Rewrite(Store::Engine& engine, Sequence sequence) {
  LogMaintenance& maintenance = *engine.maintenance();
  ASSIGN_OR_RETURN(const StoredEvent event, engine.log().Read(sequence));
  const bool labelled = IsLabelled(*event);
  if (labelled) {
    RETURN_IF_ERROR(engine.keeper()->Take().status());
    RETURN_IF_ERROR(engine.state().WithRows(
        [](const CheckpointStore& rows) { return rows.DropOverwritten(); }));
  }
  if (!IsStub(*event)) {
    const std::string left = RedactedBytes(*event, LeafHash(*event, event.bytes()));
    const std::array<std::string_view, 1> one = {left};
    RETURN_IF_ERROR(maintenance.Replace(one));
  }
  RETURN_IF_ERROR(maintenance.Settle());
  return maintenance.ReclaimSpace(sequence, sequence);
}

// The answer that this request got before; nothing when it is new.
Result<std::optional<RedactReport>> FindAnswer(Store::Engine& engine,
                                               const RedactOptions& options) {
  std::optional<StoreRequest> found;
  RETURN_IF_ERROR(engine.RunInTurn([&](const Decider& decider) {
    found.reset();
    const auto& requests = decider.projections().facts().requests;
    for (std::size_t i = 0; options.request_id && requests && i < requests->size(); ++i) {
      const StoreRequest& one = (*requests)[i];
      if (one.high == options.request_id->high() && one.low == options.request_id->low()) {
        found = one;
      }
    }
  }));
  if (!found) {
    return std::optional<RedactReport>();
  }
  if (found->content != ContentOf(options)) {
    return Status(Code::kConflict, fmt::format("this request id was used for something else, in "
                                               "event {}",
                                               found->sequence.value()));
  }
  ASSIGN_OR_RETURN(const StoredEvent event, engine.log().Read(found->sequence));
  const events::Redacted* redacted = event->body_as_Redacted();
  RedactReport report;
  report.done = true;
  report.replayed = true;
  report.sequence = found->sequence;
  report.hash = redacted == nullptr || redacted->hash() == nullptr ? "" : redacted->hash()->str();
  return std::optional(std::move(report));
}

// `hash` is the leaf of the event, `left` what takes its place.
Result<Sequence> Append(Store::Engine& engine, const RedactOptions& options,
                        const std::string& hash, std::string_view left) {
  events::RedactedT body;
  body.redacted_sequence = options.sequence.value();
  body.reason = options.reason;
  body.hash = hash;
  body.left_hash = ToBase64(LeafHash(left));
  return engine.AppendNote({std::move(body), options.actor, options.principal, options.request_id,
                            options.request_id ? ContentOf(options) : 0});
}

}  // namespace

Status FinishRedacting(Store::Engine& engine) {
  const Intention intention(engine.directory());
  const auto begun = intention.Read();
  if (!begun || engine.keeper() == nullptr) {
    return {};
  }
  bool said = false;
  RETURN_IF_ERROR(engine.log().Scan(
      begun->before.Next(), engine.log().Last(), [&](const events::Event& event, std::string_view) {
        const events::Redacted* redacted = event.body_as_Redacted();
        said = said ||
               (redacted != nullptr && redacted->redacted_sequence() == begun->sequence.value());
        return Status();
      }));
  if (said) {
    RETURN_IF_ERROR(Rewrite(engine, begun->sequence));
  }
  return intention.Remove();
}

Result<RedactReport> RedactOne(Store& store, const RedactOptions& options) {
  Store::Engine& engine = Store::Engine::Of(store);
  RETURN_IF_ERROR(CheckOptions(options));
  if (engine.maintenance() == nullptr) {
    return Status(Code::kInvalidArgument, "this store's log sees to its events itself");
  }
  RETURN_IF_ERROR(engine.Health());
  if (engine.keeper() == nullptr) {
    return Status(Code::kReadOnly, "the store is open for reading only");
  }
  const std::lock_guard lock(engine.compaction_mutex());
  RETURN_IF_ERROR(FinishRedacting(engine));
  ASSIGN_OR_RETURN(std::optional<RedactReport> before, FindAnswer(engine, options));
  if (before) {
    return *std::move(before);
  }
  ASSIGN_OR_RETURN(const StoredEvent event, engine.log().Read(options.sequence));
  RedactReport report;
  const EventHash leaf = LeafHash(*event, event.bytes());
  report.hash = ToBase64(leaf);
  report.sequence = engine.log().Last();
  if (IsStub(*event)) {
    return report;
  }
  const Intention intention(engine.directory());
  RETURN_IF_ERROR(intention.Write({options.sequence, engine.log().Last()}));
  ASSIGN_OR_RETURN(report.sequence,
                   Append(engine, options, report.hash, RedactedBytes(*event, leaf)));
  RETURN_IF_ERROR(Rewrite(engine, options.sequence));
  RETURN_IF_ERROR(intention.Remove());
  report.done = true;
  return report;
}

}  // namespace sagalog
