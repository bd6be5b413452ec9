// SPDX-License-Identifier: Apache-2.0
// From the ring into a slot: takes one message of a vdev, finds whose it is, and posts the buffer
// again. What the remote can write is read once, checked, then used. Link thread only.
#pragma once

#include <cstdint>

#include "link/delivery.h"
#include "link/vdev.h"

namespace rpmsg {

class ReceivePath {
public:
  explicit ReceivePath(Delivery& delivery) : delivery_(delivery) {}

  enum class Outcome : uint8_t {
    nothing,     // the ring has nothing new
    taken,       // one message was taken: accepted, or dropped and counted
    taken_empty, // the same, and the remote had no empty buffer left until now: kick vring0
    fault,       // the ring is poisoned
  };

  Outcome receive_one(Vdev& vdev, uint32_t generation);

private:
  void take_message(Vdev& vdev, const UsedBuffer& used, uint32_t generation);

  Delivery& delivery_;
};

} // namespace rpmsg
