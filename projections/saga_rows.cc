#include "projections/saga_rows.h"

#include <array>
#include <cstddef>

#include "projections/effects_in_doubt.h"
#include "projections/row_bytes.h"
#include "projections/saga_row.h"

namespace sagalog {
namespace {

template <typename T>
void AppendBigEndian(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes;
  for (std::size_t i = sizeof(T); i > 0; --i, value = static_cast<T>(value >> 8)) {
    bytes[i - 1] = static_cast<char>(value);
  }
  out.append(bytes.data(), bytes.size());
}

template <typename T>
T TakeBigEndian(std::string_view& bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(bytes[i]));
  }
  bytes.remove_prefix(sizeof(T));
  return value;
}

void WriteLabels(const Saga& saga, const Labels& labels, std::string& row) {
  RowWriter writer(row);
  writer.Number(labels.CountOf(saga));
  labels.VisitOf(saga, [&](std::string_view name, std::string_view value) {
    writer.Text(name);
    writer.Text(value);
  });
}

}  // namespace

bool MayLeaveMemory(const Saga& saga) { return saga.IsSettled() && !AwaitsSettlement(saga); }

void VisitLookUpRows(const Saga& saga, const RowVisitor& visit) {
  thread_local std::string row;  // so that most rows need no memory of their own
  visit(RowFamily::kByPlan, PlanRowKey(saga.planned_sequence), saga.id);
  if (!saga.key.empty()) {
    visit(RowFamily::kKeys, saga.key, EncodeKeyRow({saga.generation, saga.id, saga.state}));
    visit(RowFamily::kGenerations, GenerationRowKey(saga.key, saga.generation), saga.id);
  }
  for (const RequestRecord& request : saga.requests) {
    if (request.store_wide) {
      row.clear();
      AppendBigEndian(row, request.high);
      AppendBigEndian(row, request.low);
      const std::size_t key_size = row.size();
      AppendBigEndian(row, request.sequence.value());
      row += saga.id;
      const std::string_view both = row;
      visit(RowFamily::kRequests, both.substr(0, key_size), both.substr(key_size));
    }
  }
}

void WriteSagaRows(Saga& saga, const Labels& labels, CheckpointBatch& batch) {
  thread_local std::string row;
  row.clear();
  EncodeSaga(saga, row);
  if (!MayLeaveMemory(saga)) {
    WriteLabels(saga, labels, row);
    batch.Put(RowFamily::kLive, saga.id, row);
    saga.places.has_live_row = true;
    return;
  }
  if (saga.places.has_live_row) {
    batch.Delete(RowFamily::kLive, saga.id);
    saga.places.has_live_row = false;
  }
  batch.Put(RowFamily::kEnded, saga.id, row);
  if (!saga.places.has_ended_row) {
    VisitLookUpRows(saga, [&batch](RowFamily family, std::string_view key, std::string_view value) {
      batch.Put(family, key, value);
    });
    saga.places.has_ended_row = true;
  }
}

Result<LiveRow> DecodeLiveRow(std::string_view bytes) {
  ASSIGN_OR_RETURN(Saga saga, DecodeSaga(bytes));
  LiveRow row{std::move(saga), {}};
  RowReader reader(bytes);
  const std::size_t count = reader.Count();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view name = reader.Text();
    row.labels.emplace_back(name, reader.Text());
  }
  if (!reader.ok() || !reader.AtEnd()) {
    return Status(Code::kCorruption, "the row of saga " + row.saga.id + " is damaged");
  }
  return row;
}

Result<Saga> DecodeEndedRow(std::string_view bytes) {
  ASSIGN_OR_RETURN(Saga saga, DecodeSaga(bytes));
  if (!bytes.empty() || !MayLeaveMemory(saga)) {
    return Status(Code::kCorruption, "the row of the ended saga " + saga.id + " is damaged");
  }
  return saga;
}

std::string EncodeKeyRow(const EndedKey& key) {
  std::string row;
  AppendBigEndian(row, key.generation);
  row.push_back(static_cast<char>(key.state));
  row += key.saga_id;
  return row;
}

Result<EndedKey> DecodeKeyRow(std::string_view bytes) {
  if (bytes.size() <= sizeof(std::uint32_t) + 1) {
    return Status(Code::kCorruption, "the row of a key is damaged");
  }
  EndedKey key;
  key.generation = TakeBigEndian<std::uint32_t>(bytes);
  key.state = static_cast<State>(bytes.front());
  key.saga_id = bytes.substr(1);
  if (key.state > State::MAX || !IsTerminal(key.state)) {
    return Status(Code::kCorruption, "the row of a key of saga " + key.saga_id + " is damaged");
  }
  return key;
}

Result<EndedRequest> DecodeRequestRow(std::string_view bytes) {
  if (bytes.size() <= sizeof(std::uint64_t)) {
    return Status(Code::kCorruption, "the row of a request is damaged");
  }
  EndedRequest request;
  request.sequence = Sequence(TakeBigEndian<std::uint64_t>(bytes));
  request.saga_id = bytes;
  return request;
}

std::string PlanRowKey(Sequence planned) {
  std::string key;
  AppendBigEndian(key, planned.value());
  return key;
}

std::string GenerationRowPrefix(std::string_view key) { return std::string(key) + '\0'; }

std::string GenerationRowKey(std::string_view key, std::uint32_t generation) {
  std::string row_key = GenerationRowPrefix(key);
  AppendBigEndian(row_key, generation);
  return row_key;
}

std::string RequestRowKey(std::uint64_t high, std::uint64_t low) {
  std::string key;
  AppendBigEndian(key, high);
  AppendBigEndian(key, low);
  return key;
}

}  // namespace sagalog
