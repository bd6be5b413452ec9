// SPDX-License-Identifier: Apache-2.0
// From slots into a client's socket. A slot is free only after the kernel took its bytes, and what
// the kernel took is never sent again, whenever this process dies.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "link/stream_service.h"
#include "rpmsg/rpmsg_header.h"
#include "virtio/persist.h"

namespace rpmsg {

uint32_t StreamService::deliver(Vdev& vdev, uint32_t generation, uint32_t budget) {
  StreamSet& set = vdev.streams();
  uint32_t moved = 0;
  for (uint32_t turns = set.with_messages.size(); turns > 0 && moved < budget; --turns) {
    Stream& stream = *set.with_messages.pop();
    moved += deliver_to(stream, generation);
    const bool has_more = stream.endpoint.queue.size() > 0;
    if (has_more && stream.is_writable && !stream.has_hung_up) set.with_messages.push(stream);
  }
  return moved;
}

uint32_t StreamService::deliver_to(Stream& stream, uint32_t generation) {
  Endpoint& endpoint = stream.endpoint;
  if (!stream.is_writable || stream.has_hung_up) return 0;
  uint32_t dropped = drop_undeliverable(stream, generation);
  const uint32_t count = fill_batch(stream, generation);
  if (count == 0) return dropped;
  StreamState& state = endpoint.vdev.stream_state();
  const int sent = sendmmsg(stream.socket.get(), state.outgoing_packets().data(), count,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) on_send_error(stream, errno);
  SlotArena& arena = endpoint.vdev.arena();
  for (int i = 0; i < sent; ++i)
    arena.release(endpoint.queue.pop());
  state.end_outgoing();
  if (endpoint.queue.size() == 0) stream.tell_drops();
  return dropped + static_cast<uint32_t>(std::max(sent, 0));
}

void StreamService::on_send_error(Stream& stream, int error) {
  if (error == EAGAIN) {
    stream.is_writable = false; // an edge says when there is room
  } else if (error == ENOBUFS || error == ENOMEM || error == EINTR) {
    stream.is_writable = false;
    (void)watch(stream, EPOLL_CTL_MOD); // no edge will come of that: it is asked for
  } else {
    stream.has_hung_up = true; // its end is closed, or not read any more
    stream.is_readable = true;
    stream.endpoint.vdev.streams().with_packets.push(stream);
  }
}

/// Prepares the oldest messages of the endpoint, up to one that is not to be delivered.
uint32_t StreamService::fill_batch(Stream& stream, uint32_t generation) {
  Endpoint& endpoint = stream.endpoint;
  StreamState& state = endpoint.vdev.stream_state();
  SlotArena& arena = endpoint.vdev.arena();
  const uint32_t most = std::min(endpoint.queue.size(), kStreamBatch);
  const uint32_t skipped = stream.options.with_header ? 0 : kHeaderBytes;
  if (most == 0) return 0;
  state.begin_outgoing(endpoint.id);
  uint32_t count = 0;
  uint32_t slot = endpoint.queue.front();
  for (; count < most; ++count) {
    if (count > 0) slot = endpoint.queue.after(slot);
    const SlotRecord& record = arena.record(slot);
    if (!is_deliverable(stream, record, generation)) break;
    state.add_outgoing(count, record.seq,
                       arena.bytes(slot).subspan(skipped, record.length_bytes - skipped));
  }
  state.arm_outgoing(count);
  return count;
}

/// Takes what the client does not get from the front of the queue, counted.
uint32_t StreamService::drop_undeliverable(Stream& stream, uint32_t generation) {
  Endpoint& endpoint = stream.endpoint;
  SlotArena& arena = endpoint.vdev.arena();
  uint32_t dropped = 0;
  while (endpoint.queue.size() > 0 && dropped < kStreamBatch) {
    const SlotRecord& record = arena.record(endpoint.queue.front());
    learn_peer(stream, record, generation);
    if (is_deliverable(stream, record, generation)) break;
    const bool is_empty = record.length_bytes == kHeaderBytes;
    (is_empty ? endpoint.counters.rx_empty : endpoint.counters.rx_foreign).add();
    arena.release(endpoint.queue.pop());
    ++dropped;
  }
  return dropped;
}

bool StreamService::is_deliverable(const Stream& stream, const SlotRecord& record,
                                   uint32_t generation) {
  if (stream.options.with_header) return true;
  if (record.length_bytes == kHeaderBytes && !stream.options.zero_length) return false;
  // What a former life sent came from the peer as it was then.
  return record.generation != generation || stream.record.peer == kAnyAddress ||
         record.source == stream.record.peer;
}

/// Where there is no peer, whoever sends first is it; but a channel's address is for the name
/// service.
void StreamService::learn_peer(Stream& stream, const SlotRecord& record, uint32_t generation) {
  if (stream.options.bound_peer) return;
  if (stream.record.peer != kAnyAddress || record.generation != generation) return;
  set_peer(stream, record.source);
  stream.has_learned_peer = true;
  stream.endpoint.vdev.streams().with_notes.push(stream);
}

} // namespace rpmsg
