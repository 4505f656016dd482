#include "reactor/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace sagalog {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Status Unusable(const std::filesystem::path& file, std::string_view what, const error_code& error) {
  return {Code::kInvalidArgument, fmt::format("{}: {}: {}", file.string(), what, error.message())};
}

}  // namespace

Result<std::shared_ptr<ssl::context>> LoadTls(const std::filesystem::path& certificate,
                                              const std::filesystem::path& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  error_code error;
  context->use_certificate_chain_file(certificate.string(), error);
  if (error) {
    return Unusable(certificate, "no certificate chain in PEM", error);
  }
  context->use_private_key_file(key.string(), ssl::context::pem, error);
  if (error) {
    return Unusable(key, "no private key in PEM that belongs to the certificate", error);
  }
  if (SSL_CTX_check_private_key(native) != 1) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} does not belong to {}", key.string(), certificate.string()));
  }
  return context;
}

Result<std::shared_ptr<ssl::context>> LoadTrust(const std::filesystem::path& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file.string(), error);
  }
  if (error) {
    return Unusable(ca_file, "no certificates in PEM", error);
  }
  context->set_verify_mode(ssl::verify_peer);
  return context;
}

}  // namespace sagalog
