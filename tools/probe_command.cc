#include "tools/probe_command.h"

#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/owner_identity.h"
#include "tools/owner_probe.h"
#include "tools/store_client.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

using Verdict = ProbeResult::Verdict;

// One incarnation that holds sagas, and what was found of it.
struct Holder {
  json::object owner;
  json::array sagas;
  ProbeResult found;
};

std::optional<std::vector<Holder>> ListHolders(StoreClient& client) {
  std::vector<Holder> holders;
  std::string cursor;
  do {
    UrlQuery query;
    query.Add("limit", "10000");
    query.Add("cursor", cursor);
    const auto page = client.Ask("GET", "/v1/owners" + query.text());
    if (!page) {
      return std::nullopt;
    }
    for (const json::value& item : ArrayIn(*page, "items")) {
      const json::object& row = AsObject(item);
      holders.push_back({ObjectIn(row, "owner"), ArrayIn(row, "sagas"), {}});
    }
    cursor = TextIn(*page, "cursor");
  } while (!cursor.empty());
  return holders;
}

bool Report(StoreClient& client, const json::object& identity, std::string_view verdict,
            const std::string& evidence) {
  const json::object body{{"identity", identity}, {"verdict", verdict}, {"evidence", evidence}};
  return client.Ask("POST", "/v1/owners:report", json::serialize(body)).has_value();
}

// Older boots all at once, by saying which boot runs now; then each process of this boot.
bool ReportAll(StoreClient& client, const json::object& self, const std::vector<Holder>& holders) {
  for (const Holder& holder : holders) {
    if (holder.found.older_boot) {
      if (!Report(client, self, "alive", holder.found.evidence)) {
        return false;
      }
      break;
    }
  }
  for (const Holder& holder : holders) {
    if (holder.found.older_boot || holder.found.verdict == Verdict::kUnknown) {
      continue;
    }
    if (!Report(client, holder.owner, VerdictName(holder.found.verdict), holder.found.evidence)) {
      return false;
    }
  }
  return true;
}

json::object AsJson(const std::vector<Holder>& holders) {
  json::array items;
  for (const Holder& holder : holders) {
    items.push_back(json::object{{"owner", holder.owner},
                                 {"sagas", holder.sagas},
                                 {"verdict", VerdictName(holder.found.verdict)},
                                 {"evidence", holder.found.evidence}});
  }
  return {{"items", std::move(items)}};
}

std::string SagasInWords(const json::array& sagas) {
  std::string words;
  for (const json::value& saga : sagas) {
    words += (words.empty() ? "" : ", ") + InWords(saga);
  }
  return words;
}

void PrintHolders(const GlobalOptions& global, const std::vector<Holder>& holders) {
  Table table({"OWNER", "VERDICT", "EVIDENCE", "SAGAS"});
  for (const Holder& holder : holders) {
    const bool dead = holder.found.verdict == Verdict::kDead;
    const bool alive = holder.found.verdict == Verdict::kAlive;
    table.Add({OwnerInWords(holder.owner),
               Cell(std::string(VerdictName(holder.found.verdict)),
                    dead ? Style::kBad : (alive ? Style::kGood : Style::kDim)),
               holder.found.evidence, SagasInWords(holder.sagas)});
  }
  PrintLine(table.empty() ? "nobody holds a saga"
                          : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

}  // namespace

void ProbeOwners(const GlobalOptions& global, int& exit_code) {
  const Result<json::object> self = ThisIncarnation(DefaultOwnerName());
  if (!self.ok()) {
    PrintError(global, self.status().text());
    exit_code = kExitUnavailable;
    return;
  }
  const auto client = StoreClient::Open(global, StoreClient::Access::kChange, exit_code);
  auto holders = client == nullptr ? std::nullopt : ListHolders(*client);
  if (!holders) {
    return;
  }
  const OwnerProbe probe(*self);
  for (Holder& holder : *holders) {
    holder.found = probe.Look(holder.owner);
  }
  if (!ReportAll(*client, *self, *holders)) {
    return;
  }
  if (global.json) {
    PrintLine(json::serialize(AsJson(*holders)));
  } else {
    PrintHolders(global, *holders);
  }
}

}  // namespace sagalog::tools
