#include "reactor/signed_note.h"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sagalog {
namespace {

using ::testing::HasSubstr;

// The example of the package golang.org/x/mod/sumdb/note.
constexpr const char* kVerifier =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* kSigner =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr const char* kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr const char* kSignature =
    "\xE2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n";

std::string Example() { return std::string(kText) + "\n" + kSignature; }

TEST(SignedNote, IsThatOfTheKnownExample) {
  const auto signer = SignerKey::Parse(kSigner);
  ASSERT_TRUE(signer.ok()) << signer.status().text();
  EXPECT_EQ(signer->ToText(), kSigner);
  EXPECT_EQ(signer->verifier().ToText(), kVerifier);
  EXPECT_EQ(SignNote(kText, std::array{&*signer}), Example());
}

TEST(SignedNote, HoldsForItsKeyAlone) {
  const auto note = SignedNote::Parse(Example());
  ASSERT_TRUE(note.ok()) << note.status().text();
  EXPECT_EQ(note->text, kText);
  EXPECT_TRUE(VerifyNote(*note, std::array{*VerifierKey::Parse(kVerifier)}).ok());
  const SignerKey other = SignerKey::Generate("PeterNeumann");
  const Status refused = VerifyNote(*note, std::array{other.verifier()});
  EXPECT_EQ(refused.code(), Code::kNotFound);
  EXPECT_THAT(refused.text(), HasSubstr("PeterNeumann+c74f20a3"));
  EXPECT_EQ(VerifyNote(*note, {}).code(), Code::kNotFound);
}

TEST(SignedNote, ChangedAnywhereDoesNotHold) {
  const std::array keys = {*VerifierKey::Parse(kVerifier)};
  const std::string note = Example();
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string changed = note;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto parsed = SignedNote::Parse(changed);
    EXPECT_FALSE(parsed.ok() && VerifyNote(*parsed, keys).ok()) << "byte " << i;
  }
}

TEST(SignedNote, TakesSignaturesOfOthersBesideOurs) {
  const SignerKey ours = SignerKey::Generate("log");
  const SignerKey witness = SignerKey::Generate("witness.example/w1");
  const auto note = SignedNote::Parse(SignNote("a\n\nb\n", std::array{&witness, &ours}));
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(note->text, "a\n\nb\n");
  EXPECT_EQ(note->signatures.size(), 2U);
  EXPECT_TRUE(VerifyNote(*note, std::array{ours.verifier()}).ok());
}

TEST(SignedNote, RefusesWhatIsNone) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("text\n"), std::string("text\n\n"),
        std::string(kText) + kSignature, std::string(kText) + "\nPeterNeumann abc\n",
        Example() + "and more\n", std::string("bell\a\n\n") + kSignature,
        Example().substr(0, Example().size() - 1), std::string("\xFF\n\n") + kSignature}) {
    EXPECT_EQ(SignedNote::Parse(text).status().code(), Code::kInvalidArgument) << text;
  }
}

TEST(VerifierKey, RefusesWhatIsNoneAndWhatIsDamaged) {
  for (const char* text : {"", "a+b", "a+b+c", "PeterNeumann", "+c74f20a3+AR==",
                           "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T"}) {
    EXPECT_EQ(VerifierKey::Parse(text).status().code(), Code::kInvalidArgument) << text;
  }
  std::string other = kVerifier;
  other[0] = 'p';
  EXPECT_THAT(VerifierKey::Parse(other).status().text(), HasSubstr("damaged"));
  EXPECT_FALSE(SignerKey::Parse(kVerifier).ok());
}

}  // namespace
}  // namespace sagalog
