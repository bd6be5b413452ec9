// SPDX-License-Identifier: Apache-2.0
#include "virtio/slot_arena.h"

#include <cassert>

#include "virtio/persist.h"

namespace rpmsg {
namespace {

constexpr uint32_t kArenaMagic = 0x53535052; // "RPSS" in little-endian memory
constexpr uint32_t kArenaLayout = 1;

/// At offset 0; `slots` records follow at offset 64, then the slots' bytes, each slot on 64 bytes.
/// Stable format, host byte order.
struct ArenaHeader {
  uint32_t magic; // 0 while the block is being initialised
  uint32_t layout;
  uint32_t slots;
  uint32_t slot_bytes;
  uint64_t reserved[6];
};
static_assert(sizeof(ArenaHeader) == 64);

size_t stride(uint32_t slot_bytes) {
  return (size_t{slot_bytes} + 63) / 64 * 64;
}

ArenaHeader& header_of(std::span<std::byte> state) {
  return *reinterpret_cast<ArenaHeader*>(state.data());
}

} // namespace

size_t SlotArena::state_bytes(uint32_t slots, uint32_t slot_bytes) {
  return sizeof(ArenaHeader) + size_t{slots} * (sizeof(SlotRecord) + stride(slot_bytes));
}

SlotArena::SlotArena(std::span<std::byte> state, uint32_t slots, uint32_t slot_bytes)
    : state_(state), slots_(slots), slot_bytes_(slot_bytes), free_(slots), is_free_(slots),
      links_(slots) {
  assert(slots > 0 && state.size() >= state_bytes(slots, slot_bytes));
  assert(reinterpret_cast<uintptr_t>(state.data()) % 8 == 0);
}

int32_t SlotArena::reserve() {
  if (free_count_ == 0) return -1;
  const uint32_t slot = free_[free_head_];
  free_head_ = (free_head_ + 1) % slots_;
  --free_count_;
  is_free_[slot] = 0;
  return static_cast<int32_t>(slot);
}

std::span<uint8_t> SlotArena::bytes(uint32_t slot) {
  assert(slot < slots_);
  const size_t records = size_t{slots_} * sizeof(SlotRecord);
  std::byte* at = state_.data() + sizeof(ArenaHeader) + records + slot * stride(slot_bytes_);
  return {reinterpret_cast<uint8_t*>(at), slot_bytes_};
}

const SlotRecord& SlotArena::record(uint32_t slot) const {
  assert(slot < slots_);
  return reinterpret_cast<const SlotRecord*>(state_.data() + sizeof(ArenaHeader))[slot];
}

SlotRecord& SlotArena::mutable_record(uint32_t slot) {
  return const_cast<SlotRecord&>(record(slot));
}

void SlotArena::release(uint32_t slot) {
  assert(slot < slots_ && is_free_[slot] == 0);
  if (record(slot).state != SlotState::free) {
    persist_store(mutable_record(slot).state, SlotState::free);
  }
  put_free(slot);
}

void SlotArena::put_free(uint32_t slot) {
  free_[(free_head_ + free_count_) % slots_] = slot;
  ++free_count_;
  is_free_[slot] = 1;
}

void SlotArena::clear() {
  ArenaHeader& header = header_of(state_);
  persist_store(header.magic, 0);
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    persist_store(mutable_record(slot).state, SlotState::free);
  }
  persist_store(header.layout, kArenaLayout);
  persist_store(header.slots, slots_);
  persist_store(header.slot_bytes, slot_bytes_);
  persist_store(header.magic, kArenaMagic);
  (void)rebuild();
}

bool SlotArena::rebuild() {
  free_head_ = 0;
  free_count_ = 0;
  is_free_.assign(slots_, 0);
  if (!is_sound()) return false;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    if (record(slot).state == SlotState::free) put_free(slot);
  }
  return true;
}

bool SlotArena::is_sound() const {
  const ArenaHeader& header = header_of(state_);
  if (header.magic != kArenaMagic || header.layout != kArenaLayout) return false;
  if (header.slots != slots_ || header.slot_bytes != slot_bytes_) return false;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    const SlotRecord& entry = record(slot);
    if (entry.state == SlotState::free) continue;
    if (entry.state != SlotState::filled || entry.length_bytes > slot_bytes_) return false;
  }
  return true;
}

void SlotArena::prepare(uint32_t slot, const SlotRecord& from) {
  assert(slot < slots_ && is_free_[slot] == 0 && record(slot).state == SlotState::free);
  assert(from.length_bytes <= slot_bytes_);
  SlotRecord& to = mutable_record(slot);
  persist_store(to.queue, from.queue);
  persist_store(to.used_position, from.used_position);
  persist_store(to.endpoint, from.endpoint);
  persist_store(to.length_bytes, from.length_bytes);
  persist_store(to.source, from.source);
  persist_store(to.destination, from.destination);
  persist_store(to.generation, from.generation);
  persist_store(to.seq, from.seq);
  persist_store(to.time_ns, from.time_ns);
}

void SlotArena::mark_filled(uint32_t slot) {
  assert(slot < slots_);
  persist_store(mutable_record(slot).state, SlotState::filled);
}

} // namespace rpmsg
