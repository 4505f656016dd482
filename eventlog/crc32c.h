// CRC-32C (Castagnoli), the checksum of HEAD's records and of RocksDB's write-ahead log.
#pragma once

#include <cstdint>
#include <string_view>

namespace sagalog {

// Of `bytes`, going on from `before`, the checksum of what stands before them. Pure.
[[nodiscard]] std::uint32_t Crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace sagalog
