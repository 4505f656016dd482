// A client of TLS that trusts whatever it is shown, and a certificate to show it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "tests/reactor/running_server.h"

namespace sagalog {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// A new key and a certificate for it, signed by itself, in `folder`.
[[nodiscard]] CertificateFiles MakeCertificate(const std::filesystem::path& folder,
                                               const std::string& name);

class TlsPeer {
 public:
  // Speaks no version above `version_max`.
  explicit TlsPeer(const std::string& address, int version_max = TLS1_3_VERSION);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  // The common name in the certificate that it was shown.
  [[nodiscard]] std::string ShownName() const;
  void Send(std::string_view bytes);
  // From now on its socket holds little that was not read.
  void TakeLittle();
  // Up to where `end` stands in what came, or all until the server closes.
  [[nodiscard]] std::string ReadUntil(std::string_view end);
  // The same, and nothing of it is kept: whether it came.
  [[nodiscard]] bool SkipThrough(std::string_view end);
  [[nodiscard]] std::string ReadToEnd() { return ReadUntil(""); }
  // Whether the server took leave instead of just closing; after ReadToEnd.
  [[nodiscard]] bool ClosedInForm() const;

 private:
  RawConnection connection_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_ = false;
  std::string unread_;
};

}  // namespace sagalog
