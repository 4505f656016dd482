// What can be said of a daemon's options before it has a store.
#pragma once

#include "reactor/server.h"
#include "reactor/token_file.h"
#include "schema/status.h"

namespace sagalog {

// Whether the options go together, which is all that Server::Listen checks at first.
// `sockets_come`: whoever starts the daemon may hand it sockets that these options do not name.
[[nodiscard]] Status CheckTogether(const ServerOptions& options, bool sockets_come);

// The tokens that the options name; none where they name no file.
[[nodiscard]] Result<TokenFile> LoadTokens(const ServerOptions& options);

// All that needs neither store nor network: also the form of the addresses, the tokens and the
// certificate. kInvalidArgument as for Server::Listen; kNotFound and kIoError for files.
[[nodiscard]] Status CheckOptions(const ServerOptions& options, bool sockets_come);

// Listens on each TCP address and lets go of it again: kLocked for one that is taken, kIoError for
// one that is not this machine's.
[[nodiscard]] Status CheckAddresses(const ServerOptions& options);

}  // namespace sagalog
