// SPDX-License-Identifier: Apache-2.0
// A received message.
#pragma once

#include <cstdint>

namespace rpmsg::sim {

/// `data` points into the host's buffer.
struct Message {
  uint32_t src;
  uint32_t dst;
  uint32_t length;
  const uint8_t* data;
};

} // namespace rpmsg::sim
