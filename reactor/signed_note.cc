#include "reactor/signed_note.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "schema/base64.h"
#include "schema/check.h"
#include "schema/utf8.h"

namespace sagalog {
namespace {

// Ed25519 over the text itself, as the notes' page assigns it.
constexpr std::uint8_t kAlgorithm = 1;
constexpr std::string_view kDash = "\xE2\x80\x94 ";
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr std::size_t kIdSize = 4;

using Key = std::array<std::uint8_t, kEd25519KeySize>;
using PKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string ToBase64(std::span<const std::uint8_t> bytes) {
  std::string text;
  AppendBase64(text, bytes);
  return text;
}

std::vector<std::uint8_t> WithAlgorithm(const Key& key) {
  std::vector<std::uint8_t> bytes(1 + key.size(), kAlgorithm);
  std::copy(key.begin(), key.end(), bytes.begin() + 1);
  return bytes;
}

bool IsName(std::string_view name) {
  return !name.empty() && IsUtf8(name) && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '+' || static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
  });
}

struct KeyText {
  std::string name;
  std::string id;
  Key key{};
};

// "NAME+ID+BASE64".
std::optional<KeyText> SplitKey(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == text.npos ? first : text.find('+', first + 1);
  if (second == text.npos || !IsName(text.substr(0, first))) {
    return std::nullopt;
  }
  const auto bytes = DecodeBase64(text.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kEd25519KeySize || bytes->front() != kAlgorithm) {
    return std::nullopt;
  }
  KeyText key{std::string(text.substr(0, first)),
              std::string(text.substr(first + 1, second - first - 1)),
              {}};
  std::copy(bytes->begin() + 1, bytes->end(), key.key.begin());
  return key;
}

bool Verify(const VerifierKey& key, std::string_view text,
            std::span<const std::uint8_t> signature) {
  const PKey pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.key.data(), key.key.size()),
      &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return pkey != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), Bytes(text),
                          text.size()) == 1;
}

Result<NoteSignature> ParseSignature(std::string_view line) {
  const Status wrong(Code::kInvalidArgument, "a line below the text is no signature");
  if (!line.starts_with(kDash)) {
    return wrong;
  }
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == line.npos || !IsName(line.substr(0, space))) {
    return wrong;
  }
  const auto bytes = DecodeBase64(line.substr(space + 1));
  if (!bytes || bytes->size() <= kIdSize) {
    return wrong;
  }
  NoteSignature signature;
  signature.name = line.substr(0, space);
  for (std::size_t i = 0; i < kIdSize; ++i) {
    signature.id = signature.id << 8 | (*bytes)[i];
  }
  signature.signature.assign(bytes->begin() + kIdSize, bytes->end());
  return signature;
}

}  // namespace

std::uint32_t VerifierKey::Id() const {
  std::string bytes = name + '\n';
  for (const std::uint8_t byte : WithAlgorithm(key)) {
    bytes += static_cast<char>(byte);
  }
  std::array<std::uint8_t, 32> digest{};
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < kIdSize; ++i) {
    id = id << 8 | digest[i];
  }
  return id;
}

std::string VerifierKey::ToText() const {
  return fmt::format("{}+{:08x}+{}", name, Id(), ToBase64(WithAlgorithm(key)));
}

Result<VerifierKey> VerifierKey::Parse(std::string_view text) {
  const auto split = SplitKey(text);
  if (!split) {
    return Status(Code::kInvalidArgument,
                  "this is no verifier key: it looks like NAME+HASH+BASE64, as sagalog audit key "
                  "prints it");
  }
  VerifierKey key{split->name, split->key};
  if (fmt::format("{:08x}", key.Id()) != split->id) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the key of {} is damaged: its hash is {:08x}, not {}", key.name,
                              key.Id(), split->id));
  }
  return key;
}

SignerKey::SignerKey(std::string_view name, const Key& seed) : seed_(seed) {
  verifier_.name = name;
  const PKey pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()),
      &EVP_PKEY_free);
  std::size_t size = verifier_.key.size();
  CHECK(EVP_PKEY_get_raw_public_key(pkey.get(), verifier_.key.data(), &size) == 1);
}

SignerKey SignerKey::Generate(std::string_view name) {
  CHECK(IsName(name));
  Key seed{};
  CHECK(RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) == 1);
  return {name, seed};
}

std::string SignerKey::ToText() const {
  return fmt::format("{}{}+{:08x}+{}", kPrivatePrefix, verifier_.name, verifier_.Id(),
                     ToBase64(WithAlgorithm(seed_)));
}

Result<SignerKey> SignerKey::Parse(std::string_view text) {
  std::optional<KeyText> split;
  if (text.starts_with(kPrivatePrefix)) {
    split = SplitKey(text.substr(kPrivatePrefix.size()));
  }
  if (!split) {
    return Status(Code::kInvalidArgument, "this is no private key");
  }
  SignerKey key(split->name, split->key);
  if (fmt::format("{:08x}", key.verifier().Id()) != split->id) {
    return Status(Code::kInvalidArgument, "the private key is damaged");
  }
  return key;
}

std::string SignerKey::SignatureLine(std::string_view text) const {
  const PKey pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()),
      &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::vector<std::uint8_t> bytes;
  const std::uint32_t id = verifier_.Id();
  for (std::size_t i = kIdSize; i-- > 0;) {
    bytes.push_back(static_cast<std::uint8_t>(id >> (8 * i)));
  }
  bytes.resize(kIdSize + kEd25519SignatureSize);
  std::size_t size = kEd25519SignatureSize;
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), bytes.data() + kIdSize, &size, Bytes(text), text.size()) ==
        1);
  return fmt::format("{}{} {}\n", kDash, verifier_.name, ToBase64(bytes));
}

Result<SignedNote> SignedNote::Parse(std::string_view note) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; };
  const std::size_t blank = note.rfind("\n\n");
  if (note.size() > kNoteSizeMax || !IsUtf8(note) || blank == note.npos || !note.ends_with('\n') ||
      std::any_of(note.begin(), note.end(), is_control)) {
    return Status(Code::kInvalidArgument,
                  "this is no signed note: text, an empty line, and signatures are expected");
  }
  SignedNote parsed;
  parsed.text = note.substr(0, blank + 1);
  for (std::string_view rest = note.substr(blank + 2); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    ASSIGN_OR_RETURN(NoteSignature signature, ParseSignature(rest.substr(0, end)));
    parsed.signatures.push_back(std::move(signature));
    rest.remove_prefix(end + 1);
  }
  if (parsed.signatures.empty() || parsed.signatures.size() > kNoteSignaturesMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("a note has from 1 to {} signatures, this one {}", kNoteSignaturesMax,
                              parsed.signatures.size()));
  }
  return parsed;
}

std::string SignNote(std::string_view text, std::span<const SignerKey* const> keys) {
  CHECK(text.ends_with('\n'));
  std::string note(text);
  note += '\n';
  for (const SignerKey* key : keys) {
    note += key->SignatureLine(text);
  }
  return note;
}

Status VerifyNote(const SignedNote& note, std::span<const VerifierKey> keys) {
  std::string signers;
  bool is_signed = false;
  for (const NoteSignature& signature : note.signatures) {
    signers +=
        fmt::format("{}{}+{:08x}", signers.empty() ? "" : ", ", signature.name, signature.id);
    for (const VerifierKey& key : keys) {
      if (key.name != signature.name || key.Id() != signature.id) {
        continue;
      }
      if (!Verify(key, note.text, signature.signature)) {
        return {Code::kCorruption,
                fmt::format("the signature of {}+{:08x} does not hold: what was signed was changed",
                            signature.name, signature.id)};
      }
      is_signed = true;
    }
  }
  if (!is_signed) {
    return {Code::kNotFound,
            fmt::format("it is signed by {}, and that is none of the keys given", signers)};
  }
  return {};
}

}  // namespace sagalog
