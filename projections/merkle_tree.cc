#include "projections/merkle_tree.h"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>

#include "schema/check.h"

namespace sagalog {
namespace {

constexpr std::string_view kLeafPrefix("\0", 1);
constexpr std::string_view kNodePrefix("\1", 1);

EventHash Sha256(std::string_view first, std::string_view second, std::string_view third) {
  // Fetched once: looking the digest up costs more than computing it.
  static EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EventHash hash{};
  CHECK(EVP_DigestInit_ex2(context.get(), kDigest, nullptr) == 1);
  for (const std::string_view part : {first, second, third}) {
    CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  CHECK(EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1);
  return hash;
}

std::string_view View(const EventHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

EventHash LeafHash(std::string_view bytes) { return Sha256(kLeafPrefix, bytes, {}); }

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
  return Sha256(kNodePrefix, View(left), View(right));
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
    return Sha256({}, {}, {});
  }
  EventHash root = complete_.back();
  for (auto left = complete_.rbegin() + 1; left != complete_.rend(); ++left) {
    root = NodeHash(*left, root);
  }
  return root;
}

}  // namespace sagalog
