// SPDX-License-Identifier: Apache-2.0
#include "virtio/queue_state.h"

#include <cassert>

#include "virtio/ring_fault.h"

namespace rpmsg {
namespace {

bool has_identity(const QueueStateHeader& header, const QueueGeometry& geometry, uint32_t use) {
  return header.magic == kQueueStateMagic && header.layout == kQueueStateLayout &&
         header.num == geometry.num && header.align == geometry.align &&
         header.buffer_bytes == geometry.buffer_bytes && header.use == use;
}

} // namespace

QueueState queue_state_in(std::span<std::byte> block, const QueueGeometry& geometry) {
  assert(block.size() >= queue_state_bytes(geometry));
  assert(reinterpret_cast<uintptr_t>(block.data()) % 8 == 0);
  const size_t num = geometry.num;
  const size_t words = (4 * num + 7) / 8 * 8;
  std::byte* at = block.data();
  QueueState state;
  state.header = reinterpret_cast<QueueStateHeader*>(at);
  state.redo = reinterpret_cast<QueueRedo*>(at += sizeof(QueueStateHeader));
  state.in_flight = reinterpret_cast<uint32_t*>(at += sizeof(QueueRedo));
  state.owner = reinterpret_cast<uint32_t*>(at += words);
  state.ids = reinterpret_cast<uint16_t*>(at + words);
  return state;
}

bool can_replay(const QueueState& state, const QueueGeometry& geometry, uint32_t use) {
  if (!has_identity(*state.header, geometry, use)) return false;
  const QueueRedo& redo = *state.redo;
  if (redo.armed == 0) return true;
  const bool is_post = redo.operation == RedoOperation::post;
  const uint64_t before = is_post ? state.header->avail_position : state.header->used_position;
  // Applied already, or to be applied next.
  if (redo.position != before && redo.position != before + 1) return false;
  if (redo.armed != 1 || redo.id >= geometry.num || redo.position == 0) return false;
  if (is_post) return redo.length_bytes > 0 && redo.length_bytes <= geometry.buffer_bytes;
  return redo.operation == RedoOperation::take;
}

bool is_sound(const QueueState& state, const QueueGeometry& geometry, uint32_t use) {
  const QueueStateHeader& header = *state.header;
  if (!has_identity(header, geometry, use)) return false;
  if (header.fault > static_cast<uint32_t>(RingFault::used_length_too_short)) return false;
  uint64_t in_flight = 0;
  for (size_t i = 0; i < geometry.num; ++i) {
    if (state.ids[i] >= geometry.num || state.in_flight[i] > geometry.buffer_bytes) return false;
    if (state.in_flight[i] != 0) ++in_flight;
  }
  return header.used_position <= header.avail_position &&
         header.avail_position - header.used_position == in_flight;
}

} // namespace rpmsg
