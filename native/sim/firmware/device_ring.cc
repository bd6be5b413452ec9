// SPDX-License-Identifier: Apache-2.0
// Ring layout for 256 descriptors at 4096-byte alignment (virtio 1.2 §2.7.2).
#include "sim/firmware/device_ring.h"

#include <cstring>

namespace rpmsg::sim {
namespace {

constexpr uint32_t kAvailFlags = 0x1000;
constexpr uint32_t kAvailIdx = 0x1002;
constexpr uint32_t kAvailRing = 0x1004;
constexpr uint32_t kUsedFlags = 0x2000;
constexpr uint32_t kUsedIdx = 0x2002;
constexpr uint32_t kUsedRing = 0x2004;

} // namespace

uint16_t DeviceRing::load16(uint32_t offset) const {
  return __atomic_load_n(reinterpret_cast<const uint16_t*>(base_ + offset), __ATOMIC_ACQUIRE);
}

void DeviceRing::store16(uint32_t offset, uint16_t value) {
  __atomic_store_n(reinterpret_cast<uint16_t*>(base_ + offset), value, __ATOMIC_RELEASE);
}

bool DeviceRing::available() const {
  return private_available_ != load16(kAvailIdx);
}

Descriptor DeviceRing::peek() const {
  const size_t slot = private_available_ % kRingSize;
  const uint32_t id = load16(static_cast<uint32_t>(kAvailRing + 2 * slot)) % kRingSize;
  Descriptor descriptor = {id, 0, 0};
  std::memcpy(&descriptor.physical, base_ + size_t{16} * id, sizeof descriptor.physical);
  std::memcpy(&descriptor.length, base_ + size_t{16} * id + 8, sizeof descriptor.length);
  return descriptor;
}

void DeviceRing::put_used(uint32_t id, uint32_t length) {
  const uint16_t index = load16(kUsedIdx);
  uint8_t* element = base_ + kUsedRing + size_t{8} * (index % kRingSize);
  std::memcpy(element, &id, sizeof id);
  std::memcpy(element + 4, &length, sizeof length);
  store16(kUsedIdx, static_cast<uint16_t>(index + 1));
  // The index before the flags that decide on the signal, and before the MU word.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void DeviceRing::jump_used(uint16_t distance) {
  store16(kUsedIdx, static_cast<uint16_t>(load16(kUsedIdx) + distance));
}

bool DeviceRing::driver_wants_no_interrupt() const {
  return (load16(kAvailFlags) & kNoInterrupt) != 0;
}

bool DeviceRing::own_no_notify() const {
  return (load16(kUsedFlags) & kNoNotify) != 0;
}
void DeviceRing::set_no_notify() {
  store16(kUsedFlags, kNoNotify);
}

} // namespace rpmsg::sim
