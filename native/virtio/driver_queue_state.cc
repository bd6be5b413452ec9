// SPDX-License-Identifier: Apache-2.0
// How a driver queue begins: fresh, or out of the state that an earlier process left.
#include "memory/barrier.h"
#include "memory/shared_copy.h"
#include "virtio/driver_queue.h"
#include "virtio/persist.h"
#include "virtio/ring_access.h"

namespace rpmsg {

void DriverQueue::start_fresh() {
  QueueStateHeader& header = *state_.header;
  persist_store(header.magic, 0); // a crash from here on leaves nothing to resume
  zero_shared(ring_.at(0, layout_.total_bytes), layout_.total_bytes);
  for (uint32_t i = 0; i < geometry_.num; ++i) {
    persist_store(state_.in_flight[i], 0);
    persist_store(state_.owner[i], 0);
    persist_store(state_.ids[i], 0);
    write_descriptor(static_cast<uint16_t>(i), geometry_.buffer_bytes);
  }
  persist_store(state_.redo->armed, 0);
  persist_store(header.avail_position, 0);
  persist_store(header.used_position, 0);
  write_identity();
  shared_full_barrier(); // the zeroed ring is visible before whatever the caller does next
  rebuild_volatile();
}

// The last stores of a state that is made: from the magic number on it counts.
void DriverQueue::write_identity() {
  QueueStateHeader& header = *state_.header;
  persist_store(header.fault, static_cast<uint32_t>(RingFault::none));
  persist_store(header.fault_value, 0);
  persist_store(header.layout, kQueueStateLayout);
  persist_store(header.num, geometry_.num);
  persist_store(header.align, geometry_.align);
  persist_store(header.buffer_bytes, geometry_.buffer_bytes);
  persist_store(header.use, static_cast<uint32_t>(use_));
  persist_store(header.magic, kQueueStateMagic);
}

bool DriverQueue::resume(SlotArena* arena) {
  const auto use = static_cast<uint32_t>(use_);
  if (!can_apply(arena)) return false;
  if (arena != nullptr && !arena->rebuild()) return false;
  apply(arena);
  if (arena != nullptr && !arena->rebuild()) return false;
  if (!is_sound(state_, geometry_, use)) return false;
  rewrite_ring();
  persist_store(state_.redo->armed, 0);
  rebuild_volatile();
  return true;
}

bool DriverQueue::recover(SlotArena* arena) {
  if (!can_apply(arena)) return false;
  apply(arena);
  persist_store(state_.redo->armed, 0);
  return true;
}

bool DriverQueue::can_apply(const SlotArena* arena) const {
  if (!can_replay(state_, geometry_, static_cast<uint32_t>(use_))) return false;
  const QueueRedo& redo = *state_.redo;
  if (redo.armed == 0) return true;
  if (redo.number > numbers_.size()) return false;
  if (redo.operation == RedoOperation::post) return true;
  return redo.slot == kNoSlot || (arena != nullptr && redo.slot < arena->slots());
}

void DriverQueue::apply(SlotArena* arena) {
  if (state_.redo->armed == 0) return;
  state_.redo->operation == RedoOperation::post ? apply_post() : apply_take(arena);
}

// Absolute values, from the record alone: a second time changes nothing.
void DriverQueue::apply_post() {
  const QueueRedo& redo = *state_.redo;
  const auto entry = static_cast<uint32_t>((redo.position - 1) % geometry_.num);
  persist_store(state_.ids[entry], static_cast<uint16_t>(redo.id));
  persist_store(state_.in_flight[redo.id], redo.length_bytes);
  persist_store(state_.owner[redo.id], redo.owner);
  apply_number();
  persist_store(state_.header->avail_position, redo.position);
}

void DriverQueue::apply_take(SlotArena* arena) {
  const QueueRedo& redo = *state_.redo;
  if (redo.slot != kNoSlot && arena != nullptr) arena->mark_filled(redo.slot);
  apply_number();
  persist_store(state_.in_flight[redo.id], 0);
  persist_store(state_.header->used_position, redo.position);
}

void DriverQueue::apply_number() {
  const QueueRedo& redo = *state_.redo;
  if (redo.number != 0) persist_store(numbers_[redo.number - 1], redo.number_value);
}

// Everything that the remote may be reading is stored again with the value it has already; what it
// can write is not touched.
void DriverQueue::rewrite_ring() {
  for (uint32_t i = 0; i < geometry_.num; ++i) {
    const uint32_t posted = state_.in_flight[i];
    if (posted != 0) write_descriptor(static_cast<uint16_t>(i), posted);
    ring_store<uint16_t>(ring_, layout_.avail_entry(i), state_.ids[i]);
  }
  const auto posted = static_cast<uint16_t>(state_.header->avail_position);
  (void)publish_then_look(ring_u16(ring_, layout_.avail_index), posted,
                          ring_u16(ring_, layout_.used_flags));
  crash_point();
}

void DriverQueue::rebuild_volatile() {
  seen_used_index_ = static_cast<uint16_t>(state_.header->used_position);
  is_kick_wanted_ = true;
  idle_head_ = 0;
  idle_count_ = 0;
  for (uint32_t i = 0; i < geometry_.num; ++i) {
    if (state_.in_flight[i] == 0) push_idle(static_cast<uint16_t>(i));
  }
}

} // namespace rpmsg
