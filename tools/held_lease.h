// A lease that this process holds, and how it came to end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/store_time.h"
#include "tools/connection.h"
#include "tools/store_answer.h"

namespace sagalog::tools {

struct HeldLease {
  std::string saga_id;
  boost::json::object owner;  // the full incarnation
  std::uint64_t token = 0;
  Duration ttl{};
  // Until when it lasts at least, by the boot clock: the ttl counted from when the request for it
  // left, which was before the store counted.
  Duration held_until{};

  // What goes into every command of its owner.
  [[nodiscard]] boost::json::object Arguments() const;
};

// The end of a lease as the history tells it.
struct LeaseEnd {
  // Whoever has the token ended it himself (released, completed, failed or compensated the saga):
  // nobody has to be stopped.
  bool given_up = false;
  // For a person: "taken over by w2 under token 17".
  std::string why;
};

// Whether a refusal of this code means that the lease is no more, rather than that the store could
// not answer just now.
[[nodiscard]] bool EndsLease(std::string_view code);

// Reads what happened since the lease was granted. `refusal` is what its owner was told; it is the
// reason when the history says nothing.
[[nodiscard]] LeaseEnd HowLeaseEnded(Connection& connection, const HeldLease& lease,
                                     const StoreAnswer& refusal);

}  // namespace sagalog::tools
