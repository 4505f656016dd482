// TLS as the daemon and its clients speak it.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "schema/status.h"

namespace sagalog {

// TLS 1.2 and later with this certificate (and its chain) and key, both PEM. kInvalidArgument when
// a file cannot be used, or the two do not belong together.
[[nodiscard]] Result<std::shared_ptr<boost::asio::ssl::context>> LoadTls(
    const std::filesystem::path& certificate, const std::filesystem::path& key);

// What a client trusts: certificates of this file, PEM; empty = the machine's. The peer's is always
// verified. kInvalidArgument when the file cannot be used.
[[nodiscard]] Result<std::shared_ptr<boost::asio::ssl::context>> LoadTrust(
    const std::filesystem::path& ca_file);

}  // namespace sagalog
