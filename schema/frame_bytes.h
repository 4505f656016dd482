// The bytes of the native protocol's frames, for both of its sides: docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "schema/frames_generated.h"
#include "schema/status.h"

namespace sagalog {

// What a client sends before its first frame. No other protocol begins with this byte.
inline constexpr std::string_view kNativePreamble = "\xF5sagalog";
inline constexpr unsigned char kNativeFirstByte = 0xF5;
inline constexpr std::uint32_t kNativeVersion = 1;

// The size of the frame that begins with these bytes, its length included; empty when it takes more
// bytes to know. kInvalidArgument when the frame would be larger than `size_max`, or no frame.
[[nodiscard]] Result<std::optional<std::size_t>> FrameSize(std::string_view bytes,
                                                           std::size_t size_max);

// A frame that has come. Borrows the bytes, or copies them to where numbers can be read from them.
class FrameBytes {
 public:
  // Of the size that FrameSize gave.
  explicit FrameBytes(std::string_view bytes);

  // Null unless every table, vector and string of a frame lies inside. Known types, values of enums
  // and the size of what is unpacked are left open.
  [[nodiscard]] const frames::Frame* Verify() const;

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::vector<std::uint64_t> copy_;
};

// Builds one frame after the other in memory that is used again.
class FrameBuilder {
 public:
  // Where the message of the next frame is built.
  [[nodiscard]] flatbuffers::FlatBufferBuilder& Begin();

  // Valid until the next Begin.
  template <typename Table>
  [[nodiscard]] std::string_view Finish(std::uint64_t number, flatbuffers::Offset<Table> message) {
    return FinishAs(number, frames::MessageTraits<Table>::enum_value, message.Union());
  }
  // A frame of a native object.
  template <typename Object>
  [[nodiscard]] std::string_view Build(std::uint64_t number, const Object& object) {
    flatbuffers::FlatBufferBuilder& builder = Begin();
    return Finish(number, Object::TableType::Pack(builder, &object));
  }

 private:
  [[nodiscard]] std::string_view FinishAs(std::uint64_t number, frames::Message type,
                                          flatbuffers::Offset<void> message);

  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace sagalog
