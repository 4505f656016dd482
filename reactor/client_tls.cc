#include "reactor/client_tls.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace sagalog {
namespace {

constexpr std::size_t kRecordSizeMax = 16384;

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

std::string TlsError() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

}  // namespace

class ClientTls::Parts {
 public:
  Parts() : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  ~Parts() {
    SSL_free(ssl);
    SSL_CTX_free(context_);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  Status Prepare(const std::string& ca_file, const std::string& server_name) {
    const bool trusts =
        ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_) == 1
                        : SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr) == 1;
    if (!trusts) {
      return {Code::kInvalidArgument,
              fmt::format("{}: no certificates in PEM: {}", ca_file, TlsError())};
    }
    ssl = SSL_new(context_);
    SSL_set_connect_state(ssl);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    const bool named =
        IsAddress(server_name)
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str()) == 1
            : SSL_set1_host(ssl, server_name.c_str()) == 1 &&
                  SSL_set_tlsext_host_name(ssl, server_name.c_str()) == 1;
    return named ? Status()
                 : Status(Code::kInvalidArgument,
                          fmt::format("\"{}\" is no name of a server", server_name));
  }

  SSL* ssl = nullptr;

 private:
  SSL_CTX* const context_;
};

ClientTls::ClientTls(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ClientTls::ClientTls(ClientTls&& other) noexcept = default;

ClientTls::~ClientTls() = default;

Result<ClientTls> ClientTls::Make(const std::string& ca_file, const std::string& server_name) {
  auto parts = std::make_unique<Parts>();
  RETURN_IF_ERROR(parts->Prepare(ca_file, server_name));
  return ClientTls(std::move(parts));
}

Result<bool> ClientTls::Shake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(parts_->ssl);
  Collect();
  if (done == 1) {
    return true;
  }
  if (SSL_get_error(parts_->ssl, done) == SSL_ERROR_WANT_READ) {
    return false;
  }
  const long trust = SSL_get_verify_result(parts_->ssl);
  if (trust != X509_V_OK) {
    return Status(Code::kInvalidArgument, fmt::format("the server's certificate is not trusted: {}",
                                                      X509_verify_cert_error_string(trust)));
  }
  return Status(Code::kIoError, fmt::format("no TLS with the server: {}", TlsError()));
}

bool ClientTls::Receive(std::string_view travelled, std::string& plain) {
  BIO* const incoming = SSL_get_rbio(parts_->ssl);
  BIO_write(incoming, travelled.data(), static_cast<int>(travelled.size()));
  std::array<char, kRecordSizeMax> bytes;  // NOLINT: written before it is read
  ERR_clear_error();
  for (;;) {
    const int size = SSL_read(parts_->ssl, bytes.data(), static_cast<int>(bytes.size()));
    if (size > 0) {
      plain.append(bytes.data(), static_cast<std::size_t>(size));
      continue;
    }
    Collect();  // an answer to the server's TLS
    return SSL_get_error(parts_->ssl, size) == SSL_ERROR_WANT_READ;
  }
}

Status ClientTls::Send(std::string_view plain) {
  ERR_clear_error();
  while (!plain.empty()) {
    const std::size_t part = std::min(plain.size(), kRecordSizeMax);
    if (SSL_write(parts_->ssl, plain.data(), static_cast<int>(part)) != static_cast<int>(part)) {
      return {Code::kIoError, fmt::format("TLS: {}", TlsError())};
    }
    plain.remove_prefix(part);
  }
  Collect();
  return {};
}

void ClientTls::Collect() {
  BIO* const written = SSL_get_wbio(parts_->ssl);
  const std::size_t before = outgoing_.size();
  const std::size_t more = BIO_ctrl_pending(written);
  if (more > 0) {
    outgoing_.resize(before + more);
    BIO_read(written, outgoing_.data() + before, static_cast<int>(more));
  }
}

}  // namespace sagalog
