#include "tests/reactor/tls_peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace sagalog {

CertificateFiles MakeCertificate(const std::filesystem::path& folder, const std::string& name) {
  const CertificateFiles files{folder / (name + ".crt"), folder / (name + ".key")};
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  EXPECT_NE(X509_sign(certificate, key, EVP_sha256()), 0);
  std::FILE* file = std::fopen(files.certificate.c_str(), "w");
  EXPECT_EQ(PEM_write_X509(file, certificate), 1);
  std::fclose(file);
  file = std::fopen(files.key.c_str(), "w");
  EXPECT_EQ(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

TlsPeer::TlsPeer(const std::string& address, int version_max)
    : connection_(RawConnection::ToAddress(address)),
      context_(SSL_CTX_new(TLS_client_method())),
      ssl_(nullptr) {
  // The library would refuse to offer versions this old by itself.
  SSL_CTX_set_security_level(context_, 0);
  SSL_CTX_set_max_proto_version(context_, version_max);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, connection_.descriptor());
  connected_ = SSL_connect(ssl_) == 1;
}

TlsPeer::~TlsPeer() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

std::string TlsPeer::ShownName() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            name.size());
  X509_free(certificate);
  return name.data();
}

void TlsPeer::Send(std::string_view bytes) {
  EXPECT_EQ(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())),
            static_cast<int>(bytes.size()));
}

void TlsPeer::TakeLittle() {
  const int bytes = 4096;
  EXPECT_EQ(setsockopt(connection_.descriptor(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

std::string TlsPeer::ReadUntil(std::string_view end) {
  while (end.empty() || unread_.find(end) == std::string::npos) {
    std::array<char, 4096> buffer{};
    const int size = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) {
      return std::exchange(unread_, {});
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  const std::size_t size = unread_.find(end) + end.size();
  std::string text = unread_.substr(0, size);
  unread_.erase(0, size);
  return text;
}

bool TlsPeer::SkipThrough(std::string_view end) {
  std::size_t found = unread_.find(end);
  while (found == std::string::npos) {
    unread_.erase(0, unread_.size() - std::min(unread_.size(), end.size()));
    std::array<char, 16384> buffer{};
    const int size = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) {
      return false;
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
    found = unread_.find(end);
  }
  unread_.erase(0, found + end.size());
  return true;
}

bool TlsPeer::ClosedInForm() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

}  // namespace sagalog
