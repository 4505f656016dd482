#include "projections/store_row.h"

#include <fmt/format.h>

#include "projections/policy_row.h"
#include "projections/row_bytes.h"

namespace sagalog {
namespace {

void WriteLimit(RowWriter& row, const std::optional<std::int64_t>& limit) {
  row.Byte(limit ? 1 : 0);
  if (limit) {
    row.Signed(*limit);
  }
}

std::optional<std::int64_t> ReadLimit(RowReader& row) {
  return row.NumberUpTo<std::uint8_t>(1) == 0 ? std::nullopt : std::optional(row.Signed());
}

void WriteFacts(RowWriter& row, const StoreFacts& facts) {
  row.Text(facts.store_id);
  row.Number(facts.token_offset);
  row.Text(facts.lineage);
  row.Byte(facts.last_open ? static_cast<std::uint8_t>(*facts.last_open) + 1 : 0);
  row.Number(facts.returns.size());
  for (const StoreReturn& back : facts.returns) {
    row.Time(back.at);
    row.Number(back.sequence);
  }
  WritePolicy(row, facts.policy);
  WriteLimit(row, facts.limit);
  row.Time(facts.last_time);
  row.Number(facts.last_event);
  row.Number(facts.boots ? facts.boots->size() : 0);
  for (std::size_t i = 0; facts.boots && i < facts.boots->size(); ++i) {
    row.Text((*facts.boots)[i].host);
    row.Text((*facts.boots)[i].boot_id);
  }
  row.Number(facts.requests ? facts.requests->size() : 0);
  for (std::size_t i = 0; facts.requests && i < facts.requests->size(); ++i) {
    const StoreRequest& request = (*facts.requests)[i];
    row.Number(request.high);
    row.Number(request.low);
    row.Number(request.content);
    row.Number(request.sequence);
  }
}

// Null when there is none, as before the first.
template <typename Entry>
SharedList<Entry> Share(std::vector<Entry> entries) {
  return entries.empty() ? nullptr : std::make_shared<const std::vector<Entry>>(std::move(entries));
}

void ReadLists(RowReader& row, StoreFacts& facts) {
  std::vector<SeenBoot> boots;
  const std::size_t boot_count = row.Count();
  for (std::size_t i = 0; i < boot_count && row.ok(); ++i) {
    std::string host(row.Text());
    boots.push_back({std::move(host), std::string(row.Text())});
  }
  facts.boots = Share(std::move(boots));
  std::vector<StoreRequest> requests;
  const std::size_t request_count = row.Count();
  for (std::size_t i = 0; i < request_count && row.ok(); ++i) {
    StoreRequest request;
    request.high = row.Number();
    request.low = row.Number();
    request.content = row.Number();
    request.sequence = Sequence(row.Number());
    requests.push_back(request);
  }
  facts.requests = Share(std::move(requests));
}

void ReadFacts(RowReader& row, StoreFacts& facts) {
  facts.store_id = row.Text();
  facts.token_offset = row.Number();
  facts.lineage = row.Text();
  const auto modes =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(schema::OpenMode::MAX) + 1);
  if (const std::uint8_t mode = row.NumberUpTo(modes); mode > 0) {
    facts.last_open = static_cast<schema::OpenMode>(mode - 1);
  }
  const std::size_t returns = row.Count();
  for (std::size_t i = 0; i < returns && row.ok(); ++i) {
    const StoreTime at = row.Time();
    facts.returns.push_back({at, Sequence(row.Number())});
  }
  ReadPolicy(row, facts.policy);
  facts.limit = ReadLimit(row);
  facts.last_time = row.Time();
  facts.last_event = row.Number();
  ReadLists(row, facts);
}

// How many there are may grow with the enumerations: what an older release did not know is 0.
template <typename Counts>
void WriteCounts(RowWriter& row, const Counts& counts) {
  row.Number(counts.size());
  for (const std::uint64_t count : counts) {
    row.Number(count);
  }
}

template <typename Counts>
void ReadCounts(RowReader& row, Counts& counts) {
  const std::size_t size = row.NumberUpTo<std::size_t>(counts.size());
  for (std::size_t i = 0; i < size; ++i) {
    counts[i] = row.Number();
  }
}

}  // namespace

std::string EncodeStoreRow(Sequence sequence, const StoreFacts& facts, const Statistics& statistics,
                           const NamedQueues& queues) {
  std::string bytes;
  {
    RowWriter row(bytes);
    row.Number(kRowLayoutVersion);
    row.Number(sequence);
    WriteFacts(row, facts);
    WriteCounts(row, statistics.sagas_by_state);
    WriteCounts(row, statistics.events_by_type);
    row.Number(queues.size());
    for (const auto& [name, configuration] : queues) {
      row.Text(name);
      WriteLimit(row, configuration->limit);
      row.Byte(configuration->frozen ? 1 : 0);
      WritePolicy(row, configuration->policy);
    }
  }
  return bytes;
}

Result<StoreRow> DecodeStoreRow(std::string_view bytes) {
  RowReader row(bytes);
  const std::uint64_t version = row.Number();
  if (row.ok() && version != kRowLayoutVersion) {
    return Status(Code::kUnsupportedVersion,
                  fmt::format("the projections' rows have layout {}, this release has {}", version,
                              kRowLayoutVersion));
  }
  StoreRow store;
  store.sequence = Sequence(row.Number());
  ReadFacts(row, store.facts);
  ReadCounts(row, store.statistics.sagas_by_state);
  ReadCounts(row, store.statistics.events_by_type);
  const std::size_t queues = row.Count();
  for (std::size_t i = 0; i < queues && row.ok(); ++i) {
    std::string name(row.Text());
    QueueConfiguration configuration;
    configuration.limit = ReadLimit(row);
    configuration.frozen = row.NumberUpTo<std::uint8_t>(1) != 0;
    ReadPolicy(row, configuration.policy);
    store.queues.emplace_back(std::move(name), std::move(configuration));
  }
  if (!row.ok() || !row.AtEnd()) {
    return Status(Code::kCorruption, "the meta row of the projections is damaged");
  }
  return store;
}

}  // namespace sagalog
