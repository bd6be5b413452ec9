// SPDX-License-Identifier: Apache-2.0
#include "virtio/driver_queue.h"

#include <cassert>

#include "memory/barrier.h"
#include "memory/shared_copy.h"
#include "virtio/persist.h"
#include "virtio/ring_access.h"

namespace rpmsg {
namespace {

constexpr uint32_t kRpmsgHeaderBytes = 16; // the least a remote may return with a message in it

} // namespace

size_t DriverQueue::state_bytes(const QueueGeometry& geometry) {
  return queue_state_bytes(geometry);
}

size_t DriverQueue::ring_bytes(const QueueGeometry& geometry) {
  return ring_layout(geometry).total_bytes;
}

DriverQueue::DriverQueue(const QueueGeometry& geometry, BufferUse use, SharedSpan ring,
                         SharedSpan buffers, std::span<std::byte> state)
    : geometry_(geometry), use_(use), layout_(ring_layout(geometry)), ring_(ring),
      buffers_(buffers), state_(queue_state_in(state, geometry)), idle_(geometry.num) {
  assert(is_valid(geometry) && ring.size() >= layout_.total_bytes);
  assert(buffers.size() >= size_t{geometry.num} * geometry.buffer_bytes);
}

bool DriverQueue::post_empty() {
  assert(use_ == BufferUse::remote_writes);
  if (poisoned() || idle_count_ == 0) return false;
  const uint16_t id = pop_idle();
  write_descriptor(id, geometry_.buffer_bytes);
  post(id, geometry_.buffer_bytes, 0, {});
  return true;
}

bool DriverQueue::post_message(std::span<const uint8_t> header, std::span<const uint8_t> payload,
                               uint32_t owner, NumberUpdate also) {
  assert(use_ == BufferUse::remote_reads);
  const size_t length = header.size() + payload.size();
  assert(length >= kRpmsgHeaderBytes && length <= geometry_.buffer_bytes);
  if (poisoned() || idle_count_ == 0) return false;
  const uint16_t id = pop_idle();
  const size_t start = size_t{id} * geometry_.buffer_bytes;
  copy_to_shared(buffers_.at(start, header.size()), header);
  copy_to_shared(buffers_.at(start + header.size(), payload.size()), payload);
  write_descriptor(id, static_cast<uint32_t>(length));
  post(id, static_cast<uint32_t>(length), owner, also);
  return true;
}

// The descriptor of an idle buffer: nobody reads it before its id is in the avail ring.
void DriverQueue::write_descriptor(uint16_t id, uint32_t length_bytes) {
  const size_t at = layout_.descriptor(id);
  const uint64_t address = buffers_.physical() + uint64_t{id} * geometry_.buffer_bytes;
  const uint16_t flags = use_ == BufferUse::remote_writes ? kDescriptorWrite : 0;
  ring_store<uint64_t>(ring_, at + kDescriptorAddress, address);
  ring_store<uint32_t>(ring_, at + kDescriptorLength, length_bytes);
  ring_store<uint16_t>(ring_, at + kDescriptorFlags, flags);
  ring_store<uint16_t>(ring_, at + kDescriptorNext, 0);
}

// Before `armed` the message does not exist; after it, it will be sent, by us or by resume().
void DriverQueue::post(uint16_t id, uint32_t length_bytes, uint32_t owner, NumberUpdate also) {
  QueueRedo& redo = *state_.redo;
  persist_store(redo.operation, RedoOperation::post);
  persist_store(redo.position, state_.header->avail_position + 1);
  persist_store(redo.id, id);
  persist_store(redo.length_bytes, length_bytes);
  persist_store(redo.owner, owner);
  record_number(also);
  persist_store(redo.armed, 1);
  apply_post();
  publish_post(id);
  persist_store(redo.armed, 0);
}

void DriverQueue::publish_post(uint16_t id) {
  const uint64_t posted = state_.header->avail_position;
  const auto entry = static_cast<uint32_t>((posted - 1) % geometry_.num);
  ring_store<uint16_t>(ring_, layout_.avail_entry(entry), id);
  const uint16_t flags =
      publish_then_look(ring_u16(ring_, layout_.avail_index), static_cast<uint16_t>(posted),
                        ring_u16(ring_, layout_.used_flags));
  is_kick_wanted_ = (flags & kUsedNoNotify) == 0;
  crash_point();
}

DriverQueue::Peek DriverQueue::peek(UsedBuffer& out) {
  if (poisoned()) return Peek::fault;
  const uint64_t position = state_.header->used_position;
  const auto ours = static_cast<uint16_t>(position);
  if (seen_used_index_ == ours) {
    const uint16_t index = consume_index(ring_u16(ring_, layout_.used_index));
    // Free-running counters: only their wrapped difference means anything, and since num is at most
    // 32,768 it cannot be ambiguous. What was seen before stays below the limit, since each entry
    // that is taken lowers both.
    if (static_cast<uint16_t>(index - ours) > in_flight()) {
      return poison(RingFault::used_index_jump, index);
    }
    seen_used_index_ = index;
    if (index == ours) return Peek::nothing;
  }
  const size_t entry = layout_.used_entry(static_cast<uint32_t>(position % geometry_.num));
  const uint32_t id = ring_load_u32(ring_, entry);
  const uint32_t length = ring_load_u32(ring_, entry + kUsedEntryLength);
  const RingFault fault = check(id, length);
  if (fault != RingFault::none) {
    const bool is_about_id =
        fault == RingFault::used_id_out_of_range || fault == RingFault::used_id_not_in_flight;
    return poison(fault, is_about_id ? id : length);
  }
  out = {.id = static_cast<uint16_t>(id), // below num, so it fits
         .length_bytes = length,
         .owner = state_.owner[id],
         .position = position};
  return Peek::ready;
}

// All 32 bits of the id: 0x10003 is not 3.
RingFault DriverQueue::check(uint32_t id, uint32_t length_bytes) const {
  if (id >= geometry_.num) return RingFault::used_id_out_of_range;
  const uint32_t posted = state_.in_flight[id];
  if (posted == 0) return RingFault::used_id_not_in_flight;
  if (length_bytes > posted) return RingFault::used_length_too_long;
  // A remote need not say how much it has read of a message.
  if (use_ == BufferUse::remote_writes && length_bytes < kRpmsgHeaderBytes) {
    return RingFault::used_length_too_short;
  }
  return RingFault::none;
}

DriverQueue::Peek DriverQueue::poison(RingFault fault, uint64_t value) {
  persist_store(state_.header->fault_value, value);
  persist_store(state_.header->fault, static_cast<uint32_t>(fault));
  return Peek::fault;
}

void DriverQueue::copy_out(const UsedBuffer& used, uint32_t offset, std::span<uint8_t> to) const {
  assert(offset <= used.length_bytes && to.size() <= used.length_bytes - offset);
  const size_t start = size_t{used.id} * geometry_.buffer_bytes + offset;
  copy_from_shared(to, buffers_.at(start, to.size()));
}

void DriverQueue::take(const UsedBuffer& used, NumberUpdate also) {
  commit_take(used, nullptr, kNoSlot, also);
}

void DriverQueue::take(const UsedBuffer& used, SlotArena& arena, uint32_t slot,
                       const SlotRecord& record, NumberUpdate also) {
  arena.prepare(slot, record);
  commit_take(used, &arena, slot, also);
}

// Before `armed` the ring owns the message; after it, the slot does, or nobody.
void DriverQueue::commit_take(const UsedBuffer& used, SlotArena* arena, uint32_t slot,
                              NumberUpdate also) {
  assert(used.position == state_.header->used_position && state_.in_flight[used.id] != 0);
  QueueRedo& redo = *state_.redo;
  persist_store(redo.operation, RedoOperation::take);
  persist_store(redo.position, used.position + 1);
  persist_store(redo.id, used.id);
  persist_store(redo.slot, slot);
  record_number(also);
  persist_store(redo.armed, 1);
  apply_take(arena);
  persist_store(redo.armed, 0);
  push_idle(used.id);
}

void DriverQueue::record_number(NumberUpdate also) {
  const size_t number =
      also.where == nullptr ? 0 : 1 + static_cast<size_t>(also.where - numbers_.data());
  assert(number <= numbers_.size());
  persist_store(state_.redo->number, number);
  persist_store(state_.redo->number_value, also.value);
}

bool DriverQueue::set_interrupts(bool wanted) {
  const uint16_t index = store_flags_then_look(ring_u16(ring_, layout_.avail_flags),
                                               wanted ? uint16_t{0} : kAvailNoInterrupt,
                                               ring_u16(ring_, layout_.used_index));
  return index != static_cast<uint16_t>(used_position());
}

RingFault DriverQueue::fault() const {
  return static_cast<RingFault>(state_.header->fault);
}
uint64_t DriverQueue::fault_value() const {
  return state_.header->fault_value;
}
uint64_t DriverQueue::posted_position() const {
  return state_.header->avail_position;
}
uint64_t DriverQueue::used_position() const {
  return state_.header->used_position;
}

bool DriverQueue::has_used() const {
  const uint16_t index = load_hint(ring_u16(ring_, layout_.used_index));
  return index != static_cast<uint16_t>(used_position());
}

uint16_t DriverQueue::unused_buffers() const {
  const uint16_t index = load_hint(ring_u16(ring_, layout_.used_index));
  const auto used = static_cast<uint16_t>(index - static_cast<uint16_t>(used_position()));
  // More than there are: peek() is going to find that fault.
  return used > in_flight() ? uint16_t{0} : static_cast<uint16_t>(in_flight() - used);
}

bool DriverQueue::remote_had_none() const {
  const uint16_t index = load_hint(ring_u16(ring_, layout_.used_index));
  return index == static_cast<uint16_t>(posted_position() - 1);
}

void DriverQueue::push_idle(uint16_t id) {
  const uint32_t end = uint32_t{idle_head_} + idle_count_;
  idle_[end % geometry_.num] = id;
  ++idle_count_;
}

uint16_t DriverQueue::pop_idle() {
  const uint16_t id = idle_[idle_head_];
  idle_head_ = static_cast<uint16_t>((idle_head_ + 1) % geometry_.num);
  --idle_count_;
  return id;
}

} // namespace rpmsg
