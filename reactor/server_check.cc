#include "reactor/server_check.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "reactor/listen_address.h"
#include "reactor/listener.h"
#include "reactor/tls.h"

namespace sagalog {

Status CheckTogether(const ServerOptions& options, bool sockets_come) {
  const auto wrong = [](std::string_view text) {
    return Status(Code::kInvalidArgument, std::string(text));
  };
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return wrong("TLS takes a certificate and a key: --tls-cert and --tls-key");
  }
  if (options.insecure && !options.token_file.empty()) {
    return wrong("--insecure lets everybody in, --token-file does not: give one of them");
  }
  if (options.listen.empty()) {
    const bool needless = options.inherited.empty() && !sockets_come &&
                          (options.insecure || !options.tls_certificate.empty());
    return needless ? wrong("only --listen has a use for --tls-cert, --tls-key and --insecure")
                    : Status();
  }
  if (options.token_file.empty() && !options.insecure) {
    return wrong(
        "--listen takes a --token-file (sagalog token new NAME makes one), or --insecure: "
        "everybody who reaches the address is then admin");
  }
  return {};
}

Result<TokenFile> LoadTokens(const ServerOptions& options) {
  return options.token_file.empty() ? Result<TokenFile>(TokenFile())
                                    : TokenFile::Load(options.token_file);
}

Status CheckOptions(const ServerOptions& options, bool sockets_come) {
  RETURN_IF_ERROR(CheckTogether(options, sockets_come));
  for (const std::string& where : options.listen) {
    RETURN_IF_ERROR(ParseHostAndPort(where).status());
  }
  RETURN_IF_ERROR(LoadTokens(options).status());
  return options.tls_certificate.empty()
             ? Status()
             : LoadTls(options.tls_certificate, options.tls_key).status();
}

Status CheckAddresses(const ServerOptions& options) {
  try {
    boost::asio::io_context context;
    std::vector<TcpListener> listening;
    for (const std::string& where : options.listen) {
      ASSIGN_OR_RETURN(auto listeners, ListenOnTcp(context, where, Role::kNone, nullptr));
      std::move(listeners.begin(), listeners.end(), std::back_inserter(listening));
    }
    return {};
  } catch (const std::exception& error) {
    return {Code::kIoError, error.what()};
  }
}

}  // namespace sagalog
