// SPDX-License-Identifier: Apache-2.0
// Where the parts of a split virtqueue are, in bytes from the ring's base (virtio 1.2 §2.7).
#pragma once

#include <cstddef>
#include <cstdint>

#include "virtio/queue_geometry.h"

namespace rpmsg {

constexpr size_t kDescriptorBytes = 16;
constexpr size_t kDescriptorAddress = 0; // u64
constexpr size_t kDescriptorLength = 8;  // u32
constexpr size_t kDescriptorFlags = 12;  // u16
constexpr size_t kDescriptorNext = 14;   // u16
constexpr uint16_t kDescriptorWrite = 2; // VIRTQ_DESC_F_WRITE: the device writes

constexpr uint16_t kAvailNoInterrupt = 1; // VIRTQ_AVAIL_F_NO_INTERRUPT
constexpr uint16_t kUsedNoNotify = 1;     // VIRTQ_USED_F_NO_NOTIFY

constexpr size_t kUsedEntryBytes = 8; // u32 id, u32 length
constexpr size_t kUsedEntryLength = 4;

struct RingLayout {
  size_t avail_flags = 0; // u16
  size_t avail_index = 0; // u16, runs freely modulo 65,536
  size_t avail_ring = 0;  // num × u16, followed by used_event, which is not used here
  size_t used_flags = 0;  // u16
  size_t used_index = 0;  // u16, runs freely modulo 65,536
  size_t used_ring = 0;   // num × {u32 id, u32 length}, followed by avail_event, not used here
  size_t total_bytes = 0; // as vring_size() counts it

  constexpr size_t descriptor(uint32_t id) const { return kDescriptorBytes * id; }
  constexpr size_t avail_entry(uint32_t slot) const { return avail_ring + 2 * size_t{slot}; }
  constexpr size_t used_entry(uint32_t slot) const { return used_ring + kUsedEntryBytes * slot; }
};

constexpr RingLayout ring_layout(const QueueGeometry& geometry) {
  const size_t num = geometry.num;
  const size_t align = geometry.align;
  RingLayout layout;
  layout.avail_flags = kDescriptorBytes * num;
  layout.avail_index = layout.avail_flags + 2;
  layout.avail_ring = layout.avail_flags + 4;
  const size_t avail_end = layout.avail_ring + 2 * num + 2;
  layout.used_flags = (avail_end + align - 1) / align * align;
  layout.used_index = layout.used_flags + 2;
  layout.used_ring = layout.used_flags + 4;
  layout.total_bytes = layout.used_ring + kUsedEntryBytes * num + 2;
  return layout;
}

} // namespace rpmsg
