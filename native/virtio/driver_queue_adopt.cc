// SPDX-License-Identifier: Apache-2.0
// Takes over a live ring whose state is lost, from what the ring itself says, as far as that can be
// checked. Everything is read once, checked, then used: the remote may go on meanwhile.
#include "memory/barrier.h"
#include "virtio/driver_queue.h"
#include "virtio/persist.h"
#include "virtio/ring_access.h"

namespace rpmsg {

bool DriverQueue::ring_is_blank() const {
  return load_hint(ring_u16(ring_, layout_.avail_index)) == 0 &&
         load_hint(ring_u16(ring_, layout_.used_index)) == 0 &&
         ring_load_u32(ring_, layout_.descriptor(0) + kDescriptorAddress) == 0;
}

void DriverQueue::discard_state() {
  persist_store(state_.header->magic, 0);
}

/// The length of a descriptor that is exactly as we would write it, else 0.
uint32_t DriverQueue::own_descriptor(uint16_t id) const {
  const size_t at = layout_.descriptor(id);
  const uint64_t expected = buffers_.physical() + uint64_t{id} * geometry_.buffer_bytes;
  const uint32_t low = ring_load_u32(ring_, at + kDescriptorAddress);
  const uint32_t high = ring_load_u32(ring_, at + kDescriptorAddress + 4);
  const uint32_t length = ring_load_u32(ring_, at + kDescriptorLength);
  const uint32_t flags_and_next = ring_load_u32(ring_, at + kDescriptorFlags);
  const bool is_receive = use_ == BufferUse::remote_writes;
  const uint32_t flags = is_receive ? kDescriptorWrite : 0;
  if ((uint64_t{high} << 32 | low) != expected || flags_and_next != flags) return 0;
  if (length > geometry_.buffer_bytes) return 0;
  return is_receive && length != geometry_.buffer_bytes ? 0 : length;
}

bool DriverQueue::adopt() {
  const uint16_t used = consume_index(ring_u16(ring_, layout_.used_index));
  const uint16_t avail = load_hint(ring_u16(ring_, layout_.avail_index));
  const auto in_flight = static_cast<uint16_t>(avail - used);
  if (in_flight > geometry_.num) return false;
  std::vector<uint32_t> lengths(geometry_.num, 0);
  std::vector<uint16_t> ids(geometry_.num, 0);
  for (uint32_t i = 0; i < geometry_.num; ++i) {
    if (own_descriptor(static_cast<uint16_t>(i)) == 0) return false;
    const uint16_t id = load_hint(ring_u16(ring_, layout_.avail_entry(i)));
    if (id >= geometry_.num) return false;
    ids[i] = id;
  }
  const uint32_t mask = geometry_.num - 1u; // the size is a power of two (virtio 1.2 §2.7)
  for (uint32_t n = 0; n < in_flight; ++n) {
    const uint16_t id = ids[(uint32_t{used} + n) & mask];
    if (lengths[id] != 0) return false; // available twice
    lengths[id] = own_descriptor(id);
    if (lengths[id] == 0) return false;
  }
  write_adopted(lengths, ids, used, in_flight);
  return true;
}

void DriverQueue::write_adopted(const std::vector<uint32_t>& lengths,
                                const std::vector<uint16_t>& ids, uint64_t used,
                                uint16_t in_flight) {
  QueueStateHeader& header = *state_.header;
  persist_store(header.magic, 0);
  for (uint32_t i = 0; i < geometry_.num; ++i) {
    persist_store(state_.in_flight[i], lengths[i]);
    persist_store(state_.owner[i], 0);
    persist_store(state_.ids[i], ids[i]);
  }
  persist_store(state_.redo->armed, 0);
  persist_store(header.used_position, used);
  persist_store(header.avail_position, used + in_flight);
  write_identity();
  rebuild_volatile();
}

} // namespace rpmsg
