#include "projections/merkle_tree.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "schema/event_encoder.h"

namespace sagalog {
namespace {

using namespace std::string_literals;

std::string Hex(const EventHash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

// The leaves and roots that implementations of RFC 6962 are tested with everywhere.
TEST(MerkleTree, HasTheRootsOfTheKnownExample) {
  const std::vector<std::string> leaves = {
      "",
      "\x00"s,
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const std::vector<std::string> roots = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  MerkleTree tree;
  for (std::size_t size = 0;; ++size) {
    EXPECT_EQ(tree.size(), size);
    EXPECT_EQ(Hex(tree.Root()), roots[size]) << size << " leaves";
    if (size == leaves.size()) {
      break;
    }
    tree.Append(LeafHash(leaves[size]));
  }
}

TEST(MerkleTree, HashesALeafOfAnySize) {
  for (const std::size_t size : {0U, 1U, 1023U, 1024U, 1025U, 5000U, 100'000U}) {
    std::string leaf(size, 'e');
    for (std::size_t i = 0; i < size; i += 7) {
      leaf[i] = static_cast<char>(i);
    }
    const std::string prefixed = std::string(1, '\0') + leaf;
    EventHash expected{};
    ASSERT_EQ(EVP_Digest(prefixed.data(), prefixed.size(), expected.data(), nullptr, EVP_sha256(),
                         nullptr),
              1);
    EXPECT_EQ(LeafHash(leaf), expected) << size;
  }
}

TEST(MerkleTree, WritesHashesAsBase64) {
  EXPECT_EQ(ToBase64(MerkleTree().Root()), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(MerkleTree, TakesAStubForTheEventItWas) {
  events::EventT heartbeat;
  heartbeat.sequence = 7;
  heartbeat.saga_id = "a";
  heartbeat.version = 3;
  heartbeat.previous = 5;
  heartbeat.actor = "worker";
  heartbeat.body.Set(events::HeartbeatedT());
  EventEncoder encoder;
  const std::string whole(encoder.Encode(heartbeat));
  const events::Event& event = *events::GetEvent(whole.data());
  StubEncoder stubs;
  const std::string stub(stubs.Encode(event, LeafHash(event, whole)));
  EXPECT_EQ(LeafHash(*events::GetEvent(stub.data()), stub), LeafHash(whole));
}

}  // namespace
}  // namespace sagalog
