// SPDX-License-Identifier: Apache-2.0
// A host for one vdev, written out by hand on a Platform: it shares no ring code with the product,
// so that the simulator's firmware is judged by something else than the driver it will judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/platform.h"

namespace rpmsg::test {

struct HandMessage {
  uint32_t src = 0;
  uint32_t dst = 0;
  uint16_t header_length = 0;
  uint32_t used_length = 0;
  uint32_t id = 0;
  std::string payload;
};

/// Speaks to V1 Messaging Units only.
class HandHost {
public:
  HandHost(Platform& platform, uint32_t vdev, uint64_t vring_base = 0x90000000,
           uint64_t buffer_base = 0x90400000);

  /// Zeroes the rings and posts all 256 receive buffers. The remote must be link-down or dead.
  void prepare();
  /// prepare() and the link-up word.
  void link_up();
  /// False if no TX buffer is free.
  bool send(uint32_t src, uint32_t dst, const std::string& payload);
  /// The next message, its buffer posted again; nothing at the deadline.
  std::optional<HandMessage> receive(int timeout_ms = 10000);
  /// The next message that is not an announcement.
  std::optional<HandMessage> receive_data(int timeout_ms = 10000);
  /// Waits for a word for this queue; the words of others are taken and dropped.
  bool wait_word(uint32_t vq, int timeout_ms = 10000);
  void kick(uint32_t vq);
  /// How far the remote is with the given ring of this vdev (0 or 1).
  uint16_t used_index(uint32_t ring) const;
  uint16_t sent() const { return avail_[1]; }
  uint32_t used_id(uint32_t ring, uint16_t position) const;

private:
  volatile uint16_t& u16(uint32_t ring, uint32_t offset) const;
  void write_descriptor(uint32_t ring, uint32_t id, uint64_t physical, uint32_t length,
                        uint16_t flags);
  void post(uint32_t ring, uint32_t id);
  uint32_t status() { return platform_.mu().read32(0x20); }
  void enable(bool transmit);
  /// Sleeps until an interrupt; false at the deadline. Takes RR's word, if there is one.
  bool wait_interrupt(int timeout_ms);
  void take_word();

  Platform& platform_;
  uint32_t vdev_;
  SharedSpan rings_;
  SharedSpan buffers_;
  uint16_t avail_[2] = {0, 0};
  uint16_t seen_ = 0;  // of vring0's used ring
  uint64_t words_ = 0; // bit per queue, taken out of RR
};

} // namespace rpmsg::test
