// TLS on the client's side, between what is said and what travels. Knows no socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

// One connection's. A thread at a time.
class ClientTls {
 public:
  // Trusts the certificates in `ca_file`, else those of the machine, if they are for `server_name`,
  // a name or an IP address. kInvalidArgument for a file that cannot be used.
  [[nodiscard]] static Result<ClientTls> Make(const std::string& ca_file,
                                              const std::string& server_name);
  ClientTls(ClientTls&& other) noexcept;
  ClientTls& operator=(ClientTls&&) = delete;
  ~ClientTls();

  // Goes on with the handshake: true when it is done, false when more has to come. What is to
  // travel is in outgoing(), also beside an error. kInvalidArgument when the server is not trusted.
  [[nodiscard]] Result<bool> Shake();
  // Takes what has come, and appends what it says to `plain`; false when the server took leave, or
  // broke the rules.
  [[nodiscard]] bool Receive(std::string_view travelled, std::string& plain);
  // Puts it into outgoing().
  Status Send(std::string_view plain);
  // What is to travel; whoever sends it takes it away.
  [[nodiscard]] std::string& outgoing() { return outgoing_; }

 private:
  class Parts;
  explicit ClientTls(std::unique_ptr<Parts> parts);
  void Collect();

  std::unique_ptr<Parts> parts_;
  std::string outgoing_;
};

}  // namespace sagalog
