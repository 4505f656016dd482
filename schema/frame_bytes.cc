#include "schema/frame_bytes.h"

#include <fmt/format.h>

#include "schema/frame_limits.h"

namespace sagalog {
namespace {

using flatbuffers::uoffset_t;

// A length, a root, an identifier and the smallest table.
constexpr std::size_t kFrameSizeMin = 24;
// Memory that one large frame took is given back.
constexpr std::size_t kKeptBuilderSizeMax = 1UL << 20;

}  // namespace

Result<std::optional<std::size_t>> FrameSize(std::string_view bytes, std::size_t size_max) {
  if (bytes.size() < sizeof(uoffset_t)) {
    return std::optional<std::size_t>();
  }
  const std::size_t size = sizeof(uoffset_t) + flatbuffers::ReadScalar<uoffset_t>(bytes.data());
  if (size < kFrameSizeMin || size > size_max) {
    return Status(Code::kInvalidArgument,
                  fmt::format("a frame has {} to {} bytes, not {}", kFrameSizeMin, size_max, size));
  }
  return std::optional(size);
}

FrameBytes::FrameBytes(std::string_view bytes)
    : data_(reinterpret_cast<const std::uint8_t*>(bytes.data())), size_(bytes.size()) {
  constexpr std::uintptr_t kAlignment = alignof(std::uint64_t);
  if (reinterpret_cast<std::uintptr_t>(data_) % kAlignment != 0) {
    copy_.resize(bytes.size() / kAlignment + 1);
    bytes.copy(reinterpret_cast<char*>(copy_.data()), bytes.size());
    data_ = reinterpret_cast<const std::uint8_t*>(copy_.data());
  }
}

const frames::Frame* FrameBytes::Verify() const {
  flatbuffers::Verifier::Options options;
  options.max_tables = kFrameTablesMax;
  flatbuffers::Verifier verifier(data_, size_, options);
  return verifier.VerifySizePrefixedBuffer<frames::Frame>(frames::FrameIdentifier())
             ? frames::GetSizePrefixedFrame(data_)
             : nullptr;
}

flatbuffers::FlatBufferBuilder& FrameBuilder::Begin() {
  if (builder_.GetSize() > kKeptBuilderSizeMax) {
    builder_.Reset();
  } else {
    builder_.Clear();
  }
  return builder_;
}

std::string_view FrameBuilder::FinishAs(std::uint64_t number, frames::Message type,
                                        flatbuffers::Offset<void> message) {
  frames::FinishSizePrefixedFrameBuffer(builder_,
                                        frames::CreateFrame(builder_, number, type, message));
  return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
}

}  // namespace sagalog
