// SPDX-License-Identifier: Apache-2.0
// The three numbers that both ends of a ring must agree on, and which values of them are legal.
#pragma once

#include <cstdint>

namespace rpmsg {

struct QueueGeometry {
  uint16_t num = 256;          // descriptors, and as many buffers
  uint32_t align = 4096;       // alignment of the used ring, in bytes
  uint32_t buffer_bytes = 512; // of each buffer, RPMsg header included
};

constexpr bool is_power_of_two(uint32_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

/// num is a power of two up to 32,768 (virtio 1.2 §2.7), align a power of two of at least 16 (what
/// RPMsg-Lite's bare links use), a buffer holds a header and one word and ends on a word.
constexpr bool is_valid(const QueueGeometry& geometry) {
  return is_power_of_two(geometry.num) && geometry.num <= 32768 &&
         is_power_of_two(geometry.align) && geometry.align >= 16 && geometry.align <= 65536 &&
         geometry.buffer_bytes >= 20 && geometry.buffer_bytes <= 65536 &&
         geometry.buffer_bytes % 4 == 0;
}

} // namespace rpmsg
