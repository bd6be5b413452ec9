// SPDX-License-Identifier: Apache-2.0
// Private places for received messages, from their one copy out of the ring until a client has
// them. Lives in persistent memory; nothing in there is a lock, a list or a pointer.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rpmsg {

enum class SlotState : uint32_t { free = 0, filled = 1 };

/// What is known of a filled slot. Stable format, 64 bytes, host byte order.
struct SlotRecord {
  SlotState state = SlotState::free;
  uint16_t queue = 0; // virtio queue number the message came from
  uint16_t reserved_a = 0;
  uint64_t used_position = 0; // which use of that queue's ring, counted from 0 a life
  uint32_t endpoint = 0;      // the link's handle of the endpoint, not an address
  uint32_t length_bytes = 0;  // RPMsg header and payload
  uint32_t source = 0;
  uint32_t destination = 0;
  uint32_t generation = 0;
  uint32_t reserved_b = 0;
  uint64_t seq = 0;
  uint64_t time_ns = 0; // CLOCK_MONOTONIC
  uint64_t reserved_c = 0;
};
static_assert(sizeof(SlotRecord) == 64);

/// Not thread-safe: the link thread's. No allocation after construction. Before its first use call
/// clear() (cold start) or let DriverQueue::resume() rebuild it.
class SlotArena {
public:
  static size_t state_bytes(uint32_t slots, uint32_t slot_bytes);

  /// `state` is 8-byte aligned, at least state_bytes() long and outlives the arena.
  SlotArena(std::span<std::byte> state, uint32_t slots, uint32_t slot_bytes);

  uint32_t slots() const { return slots_; }
  uint32_t slot_bytes() const { return slot_bytes_; }
  uint32_t free_slots() const { return free_count_; }

  /// A free slot, or -1. The reservation is not persistent: a slot that nobody filled before a
  /// crash is free after it. Ends with release(), or with DriverQueue::take() and then release().
  int32_t reserve();

  /// The slot's own slot_bytes() bytes. Private memory: no remote can reach it.
  std::span<uint8_t> bytes(uint32_t slot);
  const SlotRecord& record(uint32_t slot) const;

  /// For the queue that a slot is in: the slot that follows it there. Not persistent.
  uint32_t& link(uint32_t slot) {
    assert(slot < slots_);
    return links_[slot];
  }

  /// Frees a slot that is reserved or filled. Exactly once: freeing a free slot is our bug.
  void release(uint32_t slot);

  /// Forgets everything, on a cold start.
  void clear();

  /// Rebuilds what is not persistent from the slots' states. False, with nothing usable, when the
  /// block is not an arena of this layout and these sizes.
  bool rebuild();

  /// For DriverQueue::take() and its replay only: everything but the state; then the state alone.
  void prepare(uint32_t slot, const SlotRecord& record);
  void mark_filled(uint32_t slot);

private:
  void put_free(uint32_t slot);
  bool is_sound() const;
  SlotRecord& mutable_record(uint32_t slot);

  std::span<std::byte> state_;
  uint32_t slots_;
  uint32_t slot_bytes_;
  uint32_t free_head_ = 0;  // free_[(free_head_ + i) % slots_], i < free_count_, is free: first in,
  uint32_t free_count_ = 0; // first out
  std::vector<uint32_t> free_;
  std::vector<uint8_t> is_free_;
  std::vector<uint32_t> links_;
};

} // namespace rpmsg
