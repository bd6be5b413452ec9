// SPDX-License-Identifier: Apache-2.0
// The device side of one split virtqueue (virtio 1.2 §2.7), as RPMsg-Lite keeps it: a private
// available index that starts at 0 and is only ever compared for "different".
#pragma once

#include <cstdint>

namespace rpmsg::sim {

constexpr uint32_t kRingSize = 256;
constexpr uint64_t kRingBytes = 0x8000;
constexpr uint16_t kNoNotify = 1;    // used.flags: do not kick the device
constexpr uint16_t kNoInterrupt = 1; // avail.flags: do not signal the driver

struct Descriptor {
  uint32_t id;
  uint64_t physical;
  uint32_t length;
};

class DeviceRing {
public:
  void place(uint8_t* base) { base_ = base; }
  /// What a program that starts anew believes.
  void forget() { private_available_ = 0; }

  bool available() const;
  /// The next descriptor; only when available().
  Descriptor peek() const;
  void take() { private_available_++; }
  void put_used(uint32_t id, uint32_t length);
  void jump_used(uint16_t distance);

  bool driver_wants_no_interrupt() const;
  bool own_no_notify() const;
  void set_no_notify();

private:
  uint16_t load16(uint32_t offset) const;
  void store16(uint32_t offset, uint16_t value);

  uint8_t* base_ = nullptr;
  uint16_t private_available_ = 0;
};

} // namespace rpmsg::sim
