// Untrusted bytes that should be a FlatBuffers buffer.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "schema/limits.h"

namespace sagalog {

// The tables of the largest command or event: its envelope and body, an owner and a policy, and all
// its lists full. More of them share bytes, which no encoder of ours does, to cost memory.
inline constexpr flatbuffers::uoffset_t kTablesMax =
    8 + kLabelsMax + kCompensationsMax * (1 + kCompensationParamsMax);

// Borrows bytes, or copies them to where numbers can be read from them: the ones in the middle of
// another buffer may stand at any address.
class FlatbufferBytes {
 public:
  explicit FlatbufferBytes(std::string_view bytes) : data_(Address(bytes)), size_(bytes.size()) {
    constexpr std::uintptr_t kAlignment = alignof(std::uint64_t);
    if (reinterpret_cast<std::uintptr_t>(data_) % kAlignment != 0) {
      copy_.resize(bytes.size() / kAlignment + 1);
      bytes.copy(reinterpret_cast<char*>(copy_.data()), bytes.size());
      data_ = reinterpret_cast<const std::uint8_t*>(copy_.data());
    }
  }

  // Whether they start with `identifier` and every table, vector and string lies inside.
  template <typename Root>
  [[nodiscard]] bool Verify(const char* identifier) const {
    flatbuffers::Verifier::Options options;
    options.max_tables = kTablesMax;
    return flatbuffers::Verifier(data_, size_, options).VerifyBuffer<Root>(identifier);
  }

  // Only when Verify() said so.
  template <typename Root>
  [[nodiscard]] const Root& GetRoot() const {
    return *flatbuffers::GetRoot<Root>(data_);
  }

 private:
  static const std::uint8_t* Address(std::string_view bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
  }

  const std::uint8_t* data_;
  std::size_t size_;
  std::vector<std::uint64_t> copy_;
};

}  // namespace sagalog
