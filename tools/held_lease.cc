#include "tools/held_lease.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "tools/json_fields.h"
#include "tools/store_client.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// Newest transitions that are looked at: what ends a lease comes soon behind it.
constexpr int kTransitionsMax = 100;

std::string WithReason(std::string_view what, const json::object& body, std::string_view field) {
  const std::string_view reason = TextIn(body, field);
  return reason.empty() ? std::string(what) : fmt::format("{}: {}", what, Printable(reason));
}

// The end that an event brought; none when the lease lived on. `cancel` is the request that came
// before it in this lease, if any.
std::optional<LeaseEnd> EndBy(const json::object& event, const json::object* cancel) {
  const std::string_view type = TextIn(event, "type");
  const json::object& body = ObjectIn(event, "body");
  if (type == "leased") {
    const json::value* owner = body.if_contains("owner");
    return LeaseEnd{false, fmt::format("taken over by {} under token {}",
                                       owner == nullptr ? "nobody" : OwnerInWords(*owner),
                                       InWords(body, "token"))};
  }
  if (type == "recovered") {
    return LeaseEnd{false, WithReason(fmt::format("revoked by a recovery (decision {})",
                                                  TextIn(body, "decision")),
                                      body, "evidence")};
  }
  if (type == "force_released") {
    return LeaseEnd{false, WithReason("force-released by an operator", body, "reason")};
  }
  if (type == "released" || type == "compensating") {
    return LeaseEnd{true, WithReason(type, body, "reason")};
  }
  if (type != "terminal") {
    return std::nullopt;
  }
  const std::string_view state = TextIn(body, "state");
  if (cancel != nullptr && state == "cancelled") {
    return LeaseEnd{false, WithReason(state, *cancel, "reason")};
  }
  const bool own = state == "completed" || state == "failed";
  return LeaseEnd{own, WithReason(state, body, "reason")};
}

}  // namespace

json::object HeldLease::Arguments() const { return {{"token", token}, {"owner", owner}}; }

bool EndsLease(std::string_view code) {
  static constexpr std::array<std::string_view, 6> kEnds = {
      "terminal", "stale_token", "lease_expired", "not_owner", "not_found", "wrong_state"};
  return std::find(kEnds.begin(), kEnds.end(), code) != kEnds.end();
}

LeaseEnd HowLeaseEnded(Connection& connection, const HeldLease& lease, const StoreAnswer& refusal) {
  const auto events = Ask(connection, "GET",
                          fmt::format("/v1/sagas/{}/events?transitions_only=true&limit={}",
                                      UrlPart(lease.saga_id), kTransitionsMax));
  bool inside = false;
  const json::object* cancel = nullptr;
  if (events.ok() && events->ok()) {
    for (const json::value& item : ArrayIn(events->body, "items")) {
      const json::object& event = AsObject(item);
      const std::string_view type = TextIn(event, "type");
      if (!inside) {
        const auto token = NumberIn(ObjectIn(event, "body"), "token");
        inside = type == "leased" && token && static_cast<std::uint64_t>(*token) == lease.token;
        continue;
      }
      if (auto end = EndBy(event, cancel)) {
        return *std::move(end);
      }
      if (type == "cancel_requested") {
        cancel = &ObjectIn(event, "body");
      }
    }
  }
  return LeaseEnd{false, refusal.Line()};
}

}  // namespace sagalog::tools
