// Signed notes: text with Ed25519 signatures below it (https://c2sp.org/signed-note).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/status.h"

namespace sagalog {

inline constexpr std::size_t kEd25519KeySize = 32;
inline constexpr std::size_t kEd25519SignatureSize = 64;
// A note of ours has 300 bytes; the rest is room for the signatures of witnesses.
inline constexpr std::size_t kNoteSizeMax = 1UL << 20;
inline constexpr std::size_t kNoteSignaturesMax = 100;

// Who can be believed: the public half of a key, and its name.
struct VerifierKey {
  std::string name;
  std::array<std::uint8_t, kEd25519KeySize> key{};

  // What tells keys of one name apart in a note.
  [[nodiscard]] std::uint32_t Id() const;
  // "NAME+ID+BASE64", as C2SP writes it.
  [[nodiscard]] std::string ToText() const;
  // kInvalidArgument, with what is wrong, unless `text` is exactly one such key.
  [[nodiscard]] static Result<VerifierKey> Parse(std::string_view text);

  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

// The private half.
class SignerKey {
 public:
  // A new one, from the machine's randomness.
  [[nodiscard]] static SignerKey Generate(std::string_view name);
  // "PRIVATE+KEY+NAME+ID+BASE64".
  [[nodiscard]] std::string ToText() const;
  [[nodiscard]] static Result<SignerKey> Parse(std::string_view text);

  [[nodiscard]] const VerifierKey& verifier() const { return verifier_; }
  // The line that goes below `text`.
  [[nodiscard]] std::string SignatureLine(std::string_view text) const;

 private:
  SignerKey(std::string_view name, const std::array<std::uint8_t, kEd25519KeySize>& seed);

  std::array<std::uint8_t, kEd25519KeySize> seed_{};
  VerifierKey verifier_;
};

struct NoteSignature {
  std::string name;
  std::uint32_t id = 0;
  std::vector<std::uint8_t> signature;
};

struct SignedNote {
  std::string text;  // with its last newline
  std::vector<NoteSignature> signatures;

  // kInvalidArgument unless `note` is one note. Says nothing of its signatures.
  [[nodiscard]] static Result<SignedNote> Parse(std::string_view note);
};

// Text, a blank line, and the signature of each key.
[[nodiscard]] std::string SignNote(std::string_view text, std::span<const SignerKey* const> keys);

// OK when one of `keys` has signed it. kNotFound when none of them has, naming who did;
// kCorruption when one is said to have and its signature does not hold.
[[nodiscard]] Status VerifyNote(const SignedNote& note, std::span<const VerifierKey> keys);

}  // namespace sagalog
