// What sagas are compared by: identities of owners, and hashes of what is not kept in memory.
#include <charconv>
#include <memory>

#include <openssl/evp.h>

#include "projections/saga.h"
#include "schema/check.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

InternedText JoinIdentity(std::string_view owner, std::string_view host, std::string_view boot_id,
                          std::string_view pid_namespace, std::uint64_t pid,
                          std::uint64_t pid_start) {
  if (host.empty() && boot_id.empty() && pid_namespace.empty() && pid == 0 && pid_start == 0) {
    return InternedText(owner);
  }
  std::string joined(owner);
  for (const std::string_view field : {host, boot_id, pid_namespace}) {
    joined += '\n';
    joined += field;
  }
  joined += '\n' + std::to_string(pid) + '\n' + std::to_string(pid_start);
  return InternedText(joined);
}

// The next field of an identity, cut off its front.
std::string_view TakeField(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view field = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return field;
}

}  // namespace

InternedText OwnerIdentity(const schema::Owner* owner) {
  return owner == nullptr
             ? InternedText()
             : JoinIdentity(View(owner->owner()), View(owner->host()), View(owner->boot_id()),
                            View(owner->pid_namespace()), owner->pid(), owner->pid_start());
}

InternedText OwnerIdentity(const schema::OwnerT* owner) {
  return owner == nullptr ? InternedText()
                          : JoinIdentity(owner->owner, owner->host, owner->boot_id,
                                         owner->pid_namespace, owner->pid, owner->pid_start);
}

schema::OwnerT OwnerFromIdentity(const InternedText& identity) {
  schema::OwnerT owner;
  std::string_view rest = identity.view();
  const auto number = [](std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  owner.owner = TakeField(rest);
  owner.host = TakeField(rest);
  owner.boot_id = TakeField(rest);
  owner.pid_namespace = TakeField(rest);
  owner.pid = number(TakeField(rest));
  owner.pid_start = number(TakeField(rest));
  return owner;
}

std::string_view OwnerName(const InternedText& identity) {
  const std::string_view text = identity.view();
  return text.substr(0, text.find('\n'));
}

HostBoot HostBootOf(const InternedText& identity) {
  std::string_view rest = identity.view();
  static_cast<void>(TakeField(rest));  // the name
  const std::string_view host = TakeField(rest);
  return {host, TakeField(rest)};
}

std::uint64_t TargetHash(std::string_view target) {
  // Fetched once: looking the digest up costs more than computing it.
  static EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  CHECK(EVP_DigestInit_ex2(context.get(), kDigest, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), target.data(), target.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context.get(), digest, nullptr) == 1);
  std::uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) {
    hash = hash << 8 | digest[i];
  }
  return hash;
}

namespace {

constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325U;

// FNV-1a of a text and an end mark, so that ("ab", "c") differs from ("a", "bc").
std::uint64_t HashText(std::uint64_t hash, std::string_view text) {
  constexpr std::uint64_t kFnvPrime = 0x100000001b3U;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kFnvPrime;
  }
  return (hash ^ 0xff) * kFnvPrime;
}

std::uint32_t Halves(std::uint64_t hash) { return static_cast<std::uint32_t>(hash ^ hash >> 32); }

}  // namespace

std::uint32_t CompensationContent(const schema::Compensation& compensation) {
  std::uint64_t hash = HashText(kFnvOffset, View(compensation.kind()));
  if (compensation.params() != nullptr) {
    for (const schema::Label* param : *compensation.params()) {
      hash = HashText(HashText(hash, View(param->name())), View(param->value()));
    }
  }
  return Halves(hash);
}

std::uint32_t CompensationContent(const schema::CompensationT& compensation) {
  std::uint64_t hash = HashText(kFnvOffset, compensation.kind);
  for (const auto& param : compensation.params) {
    hash = HashText(HashText(hash, param->name), param->value);
  }
  return Halves(hash);
}

std::uint64_t SettlementHash(std::string_view outcome, std::string_view result) {
  return HashText(HashText(kFnvOffset, outcome), result);
}

}  // namespace sagalog
