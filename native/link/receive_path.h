// SPDX-License-Identifier: Apache-2.0
// From the ring into a slot: takes one message of a vdev and finds whose it is. What the remote can
// write is read once, checked, then used. Link thread only.
#pragma once

#include <array>
#include <cstdint>

#include "link/command.h"
#include "link/delivery.h"
#include "link/spsc_queue.h"
#include "link/tap.h"
#include "link/vdev.h"
#include "rpmsg/rpmsg_header.h"

namespace rpmsg {

class ReceivePath {
public:
  ReceivePath(Delivery& delivery, const SpscQueue<Command>& commands, const Tap& tap)
      : delivery_(delivery), commands_(commands), tap_(tap) {}

  enum class Outcome : uint8_t {
    nothing,  // the ring has nothing new
    taken,    // one message was taken: accepted, or dropped and counted
    deferred, // nobody is known at its address, but commands wait that were given before it was
              // seen: run them, then look again. Those that come later do not stop a ring
    full,     // its stream holds all it may and its socket may have room: deliver, then look again
    fault,    // the ring is poisoned
  };

  Outcome receive_one(Vdev& vdev, uint32_t generation);

private:
  using Head = std::array<uint8_t, kHeaderBytes>; // as it came

  Outcome take_message(Vdev& vdev, const UsedBuffer& used, uint32_t generation);
  bool may_be_opened(const Vdev& vdev, const UsedBuffer& used, uint32_t generation);
  void accept(Endpoint& endpoint, const UsedBuffer& used, const Head& head,
              const RpmsgHeader& header, uint32_t generation);
  void tap_dropped(Vdev& vdev, const UsedBuffer& used, const Head& head, uint32_t message_bytes,
                   TapNote note);

  Delivery& delivery_;
  const SpscQueue<Command>& commands_;
  const Tap& tap_;
  struct Deferred {
    uint64_t position = UINT64_MAX; // of the message
    uint32_t generation = 0;        // of the life it is of
    uint32_t commands = 0;          // the mark that those before it end with
  };
  std::array<Deferred, kMaxVdevs> deferred_{}; // by vdev: the last
};

} // namespace rpmsg
