// OpenSSL would rather be asked through EVP, which takes a fifth longer for an event and a node.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "projections/merkle_tree.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "schema/check.h"

namespace sagalog {
namespace {

constexpr char kLeafPrefix = 0;
constexpr char kNodePrefix = 1;
// Most events fit behind their prefix: to hash both at once costs less than one after the other.
constexpr std::size_t kAtOnceMax = 1024;

class Sha256 {
 public:
  Sha256() { CHECK(SHA256_Init(&state_) == 1); }
  void Add(std::string_view bytes) {
    CHECK(SHA256_Update(&state_, bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] EventHash Finish() {
    EventHash hash;
    CHECK(SHA256_Final(hash.data(), &state_) == 1);
    return hash;
  }

 private:
  SHA256_CTX state_;
};

std::string_view HashBytes(const EventHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

EventHash LeafHash(std::string_view bytes) {
  std::array<char, 1 + kAtOnceMax> both;
  both.front() = kLeafPrefix;
  const std::size_t first = bytes.copy(&both[1], kAtOnceMax);
  Sha256 hash;
  hash.Add({both.data(), 1 + first});
  if (first < bytes.size()) {
    hash.Add(bytes.substr(first));
  }
  return hash.Finish();
}

EventHash LeafHash(const events::Event& event, std::string_view bytes) {
  if (!IsStub(event)) {
    return LeafHash(bytes);
  }
  EventHash hash{};
  CHECK(event.original_hash()->size() == hash.size());  // VerifyEvent has seen it
  std::copy(event.original_hash()->begin(), event.original_hash()->end(), hash.begin());
  return hash;
}

EventHash NodeHash(const EventHash& left, const EventHash& right) {
  std::array<char, 1 + 2 * kEventHashSize> all;
  all.front() = kNodePrefix;
  HashBytes(left).copy(&all[1], kEventHashSize);
  HashBytes(right).copy(&all[1 + kEventHashSize], kEventHashSize);
  Sha256 hash;
  hash.Add({all.data(), all.size()});
  return hash.Finish();
}

std::string ToBase64(const EventHash& hash) {
  std::string text((kEventHashSize + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), hash.data(),
                                   static_cast<int>(hash.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void MerkleTree::Append(const EventHash& leaf) { Append(leaf, {}); }

void MerkleTree::Append(const EventHash& leaf, const NodeVisitor& visit) {
  EventHash hash = leaf;
  unsigned level = 0;
  for (std::uint64_t trees = size_; (trees & 1) != 0; trees >>= 1) {
    hash = NodeHash(complete_.back(), hash);
    complete_.pop_back();
    ++level;
    if (visit) {
      visit(level, hash);
    }
  }
  complete_.push_back(hash);
  ++size_;
}

EventHash MerkleTree::Root() const {
  if (complete_.empty()) {
    return Sha256().Finish();
  }
  EventHash root = complete_.back();
  for (auto left = complete_.rbegin() + 1; left != complete_.rend(); ++left) {
    root = NodeHash(*left, root);
  }
  return root;
}

}  // namespace sagalog
