// What the native protocol answers, as frames.
#pragma once

#include <cstdint>
#include <string_view>

#include "reactor/store.h"
#include "schema/frame_bytes.h"

namespace sagalog {

// Frames are built where the answers come from; each of those threads has memory for it.
[[nodiscard]] FrameBuilder& BuilderOfThread();

// Each gives one frame, valid until the builder's next.
[[nodiscard]] std::string_view BuildReply(FrameBuilder& builder, std::uint64_t number,
                                          const Reply& reply);
[[nodiscard]] std::string_view BuildBatchReply(FrameBuilder& builder, std::uint64_t number,
                                               const BatchReply& reply);
[[nodiscard]] std::string_view BuildRefusal(FrameBuilder& builder, std::uint64_t number,
                                            schema::RefusalCode code, std::string_view detail);

// Carries a read out; may block.
[[nodiscard]] std::string_view AnswerRead(FrameBuilder& builder, std::uint64_t number, Store& store,
                                          const frames::ReadT& read);

}  // namespace sagalog
