// SPDX-License-Identifier: Apache-2.0
// The persistent half of a driver queue: plain data at fixed offsets, so that the next process, or
// the next version, can take over a live ring. Nothing in it is a lock, a list or a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "virtio/queue_geometry.h"

namespace rpmsg {

constexpr uint32_t kQueueStateMagic = 0x51535052; // "RPSQ" in little-endian memory
constexpr uint16_t kQueueStateLayout = 1;
constexpr uint32_t kNoSlot = 0xFFFFFFFF;

/// At offset 0. Everything is in host byte order.
struct QueueStateHeader {
  uint32_t magic; // 0 while the block is being initialised
  uint16_t layout;
  uint16_t num;
  uint32_t align;
  uint32_t buffer_bytes;
  uint32_t use;   // BufferUse
  uint32_t fault; // RingFault; not 0 = poisoned
  uint64_t fault_value;
  uint64_t avail_position; // buffers posted since the ring was zeroed; avail.idx is its low 16 bits
  uint64_t used_position;  // used entries taken
  uint64_t reserved[2];
};
static_assert(sizeof(QueueStateHeader) == 64);
static_assert(offsetof(QueueStateHeader, avail_position) == 32);

enum class RedoOperation : uint32_t { post = 1, take = 2 };

/// At offset 64: the one operation in progress, in absolute new values, so that applying it twice
/// is applying it once. `armed` going from 0 to 1 is the commit.
struct QueueRedo {
  uint32_t armed;
  RedoOperation operation;
  uint64_t position;     // the new avail_position (post) or used_position (take)
  uint32_t id;           // descriptor, and buffer
  uint32_t length_bytes; // post: what is posted
  uint32_t owner;        // post
  uint32_t slot;         // take: the slot that becomes filled, or kNoSlot
  uint64_t number;       // 1 + which of the numbers beside the queue changes too, 0 = none
  uint64_t number_value; // its new value
  uint64_t reserved[2];
};
static_assert(sizeof(QueueRedo) == 64);
static_assert(offsetof(QueueRedo, position) == 8);

/// Three arrays follow at offset 128, each starting on 8 bytes:
///   in_flight  num × u32  bytes posted with descriptor k, 0 = the buffer is ours
///   owner      num × u32  whom the message in buffer k belongs to
///   ids        num × u16  what avail.ring holds
struct QueueState {
  QueueStateHeader* header = nullptr;
  QueueRedo* redo = nullptr;
  uint32_t* in_flight = nullptr;
  uint32_t* owner = nullptr;
  uint16_t* ids = nullptr;
};

constexpr size_t queue_state_bytes(const QueueGeometry& geometry) {
  const size_t num = geometry.num;
  const auto round = [](size_t bytes) { return (bytes + 7) / 8 * 8; };
  return sizeof(QueueStateHeader) + sizeof(QueueRedo) + 2 * round(4 * num) + round(2 * num);
}

/// The block seen as a queue's state; it is at least queue_state_bytes() long and 8-byte aligned.
QueueState queue_state_in(std::span<std::byte> block, const QueueGeometry& geometry);

/// Whether a block describes a ring of this geometry and use whose operation in progress, if there
/// is one, can be applied: ask before replaying it.
bool can_replay(const QueueState& state, const QueueGeometry& geometry, uint32_t use);

/// Whether the block contradicts itself: ask with no operation in progress.
bool is_sound(const QueueState& state, const QueueGeometry& geometry, uint32_t use);

} // namespace rpmsg
