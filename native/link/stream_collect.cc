// SPDX-License-Identifier: Apache-2.0
// From a client's socket into the ring: a place first, then the packet, so that nothing is taken
// that could not be sent; and each packet exactly once, whenever this process dies.
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "link/stream_service.h"
#include "rpmsg/rpmsg_header.h"
#include "virtio/persist.h"

namespace rpmsg {

/// As recvmmsg(), without waiting. A client that closes its end with packets unread makes the next
/// call fail once; what it had sent is there nevertheless.
int StreamService::receive_packets(const Stream& stream, std::span<mmsghdr> packets, int flags) {
  for (bool was_reset = false;;) {
    const int count =
        recvmmsg(stream.socket.get(), packets.data(), static_cast<unsigned>(packets.size()),
                 flags | MSG_DONTWAIT, nullptr);
    if (count >= 0 || (errno != EINTR && (errno != ECONNRESET || was_reset))) return count;
    was_reset = was_reset || errno == ECONNRESET;
  }
}

uint32_t StreamService::collect(Vdev& vdev, uint32_t generation, uint32_t budget, uint64_t now_ns) {
  StreamSet& set = vdev.streams();
  begin_life(vdev, generation); // before anything of a former one could be sent
  set.is_short = false;
  if (!is_waiting(vdev)) {
    set.pace.on_none();
    if (vdev.streams_wait) sends_.set_streams_wait(vdev, false); // the last that did is over
    return 0;
  }
  if (!resume_batch(vdev, generation)) {
    set.is_short = true; // of buffers or credit: both come back with what the remote has used
    return 0;
  }
  if (set.pace.may_gather(monotonic_ns())) return 0;
  uint32_t moved = 0;
  bool is_short = false;
  const uint32_t share = sends_.share(vdev, set.with_packets.size()).buffers;
  for (uint32_t turns = set.with_packets.size(); turns > 0 && moved < budget && !is_short;
       --turns) {
    Stream& stream = *set.with_packets.pop();
    const Step step = collect_from(stream, std::min({budget - moved, share, kStreamBatch}));
    moved += step.moved;
    is_short = step.outcome == Step::no_buffer;
    set.is_short = set.is_short || is_short || step.outcome == Step::no_credit;
    if (!may_stay(stream, step.outcome, now_ns)) continue;
    // One without a peer is put back by set_peer(), one with an empty socket by an edge.
    if (stream.is_readable && step.outcome != Step::no_peer) set.with_packets.push(stream);
  }
  if (is_short != vdev.streams_wait) sends_.set_streams_wait(vdev, is_short);
  const bool is_dry = set.with_packets.empty();
  // A remote with a quarter of the ring to do is not kept from it.
  if (is_dry || set.is_short || set.untold >= vdev.tx().num() / 4) tell_remote(vdev);
  set.pace.on_taken(moved, is_dry, monotonic_ns()); // to tell takes some of the moment
  return moved;
}

bool StreamService::looks_on(Vdev& vdev) {
  StreamSet& set = vdev.streams();
  if (set.first != nullptr && set.pace.is_on(monotonic_ns())) return true;
  tell_remote(vdev);
  return false;
}

void StreamService::tell_remote(Vdev& vdev) {
  if (vdev.streams().untold == 0) return;
  vdev.streams().untold = 0;
  sends_.kick(vdev);
}

StreamService::Step StreamService::collect_from(Stream& stream, uint32_t wanted) {
  Endpoint& endpoint = stream.endpoint;
  Vdev& vdev = endpoint.vdev;
  if (!stream.options.writes) stream.is_readable = false;
  if (!stream.is_readable) return {Step::served, 0};
  if (!stream.options.with_header && stream.record.peer == kAnyAddress) {
    return {Step::no_peer, 0};
  }
  SendPath::Reserved place = sends_.reserve(vdev, endpoint, wanted);
  if (place.buffers == 0) {
    if (place.is_closed) return {Step::closed, 0};
    return {place.is_short ? Step::no_buffer : Step::no_credit, 0};
  }
  StreamState& state = vdev.stream_state();
  StreamBatchHeader batch{};
  batch.endpoint = endpoint.id;
  batch.flags = stream.record.flags;
  batch.destination = stream.record.peer;
  batch.generation = stream.record.generation;
  const uint32_t room = vdev.mtu_bytes() + (stream.options.with_header ? kHeaderBytes : 0);
  state.begin_incoming(batch, place.buffers, room);
  const uint32_t taken = take_packets(stream, place.buffers);
  post_batch(vdev, endpoint, taken, place.buffers);
  sends_.unreserve(vdev, place.buffers);
  persist_store(state.incoming().asked, 0);
  return {Step::served, taken};
}

/// Fills the batch that was begun; how many of its entries are messages.
uint32_t StreamService::take_packets(Stream& stream, uint32_t asked) {
  StreamState& state = stream.endpoint.vdev.stream_state();
  const std::span<mmsghdr> packets = state.incoming_packets().first(asked);
  const int count = receive_packets(stream, packets, MSG_TRUNC);
  if (count < 0 && errno != EAGAIN) stream.has_hung_up = true;
  uint32_t taken = count < 0 ? 0 : static_cast<uint32_t>(count);
  if (taken < asked) stream.is_readable = false; // an edge says when there is more
  // At the end of file the kernel fills the batch with empty packets, which others look like too.
  if (taken == asked && packets[taken - 1].msg_len == 0 && is_at_end(stream)) {
    while (taken > 0 && packets[taken - 1].msg_len == 0)
      --taken;
    stream.is_readable = false;
    if (!stream.options.reads) stream.has_hung_up = true; // it wrote, and will not any more
  }
  persist_store(state.incoming().taken, taken);
  return taken;
}

/// Whether the client writes no more.
bool StreamService::is_at_end(const Stream& stream) {
  pollfd look{stream.socket.get(), POLLRDHUP, 0};
  return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP)) != 0;
}

/// The entries not dealt with yet, each into one of `places`, which are used up.
void StreamService::post_batch(Vdev& vdev, Endpoint& endpoint, uint32_t taken, uint32_t& places) {
  StreamBatchHeader& batch = vdev.stream_state().incoming();
  while (batch.done < taken && places > 0) {
    const auto entry = static_cast<uint32_t>(batch.done);
    const Packet packet = packet_at(vdev, entry);
    if (packet.refusal != Refusal::none) {
      refuse(endpoint, packet);
      persist_store(batch.done, entry + 1);
      continue;
    }
    --places;
    if (sends_.post_reserved(vdev, endpoint, packet.destination, packet.payload,
                             {&batch.done, entry + uint64_t{1}})) {
      ++vdev.streams().untold;
    } else { // the ring is broken: everything on this vdev waits for the remote's next life
      endpoint.counters.tx_dropped.add();
      persist_store(batch.done, entry + 1);
    }
  }
}

/// What a process that died had taken out of a socket and not posted. False: later.
bool StreamService::resume_batch(Vdev& vdev, uint32_t generation) {
  StreamState& state = vdev.stream_state();
  StreamBatchHeader& batch = state.incoming();
  if (batch.asked == 0) return true;
  if (batch.taken == StreamState::kUndecided) {
    uint32_t taken = state.moved_in();
    const bool is_full = taken == batch.asked;
    while (is_full && taken > 0 && state.incoming_packets()[taken - 1].msg_len == 0)
      --taken;
    persist_store(batch.taken, taken);
  }
  const uint32_t taken = std::min(batch.taken, kStreamBatch);
  Endpoint* const endpoint = sends_.find_sender(vdev, batch.endpoint);
  if (endpoint != nullptr && batch.generation == generation && batch.done < taken) {
    SendPath::Reserved place =
        sends_.reserve(vdev, *endpoint, taken - static_cast<uint32_t>(batch.done));
    if (place.buffers == 0) return false;
    post_batch(vdev, *endpoint, taken, place.buffers);
    sends_.unreserve(vdev, place.buffers);
    if (batch.done < taken) return false;
  } else if (endpoint != nullptr && batch.done < taken) {
    endpoint->counters.tx_dropped.add(taken - batch.done); // written for a former life
  }
  persist_store(batch.asked, 0);
  return true;
}

StreamService::Packet StreamService::packet_at(Vdev& vdev, uint32_t entry) {
  StreamState& state = vdev.stream_state();
  const StreamBatchHeader& batch = state.incoming();
  StreamRecord as_begun{};
  as_begun.flags = batch.flags;
  const bool with_header = stream_options(as_begun).with_header;
  const uint32_t length = state.incoming_packets()[entry].msg_len;
  Packet packet;
  packet.length_bytes = length;
  packet.destination = batch.destination;
  const uint8_t* const bytes = state.incoming_bytes(entry);
  if (length > vdev.mtu_bytes() + (with_header ? kHeaderBytes : 0)) {
    packet.refusal = Refusal::too_long;
    return packet;
  }
  packet.payload = {bytes, length};
  if (!with_header) return packet;
  if (length < kHeaderBytes) {
    packet.refusal = Refusal::no_header;
    return packet;
  }
  const RpmsgHeader header = decode_header(packet.payload.first<kHeaderBytes>());
  packet.payload = packet.payload.subspan(kHeaderBytes);
  if (header.length != packet.payload.size()) packet.refusal = Refusal::wrong_length;
  if (header.destination != kAnyAddress) packet.destination = header.destination;
  const bool is_guarded =
      packet.destination != batch.destination && vdev.guard != nullptr &&
      std::binary_search(vdev.guard->begin(), vdev.guard->end(), packet.destination);
  if (is_guarded) packet.refusal = Refusal::not_allowed;
  if (packet.destination == kAnyAddress) packet.refusal = Refusal::no_peer;
  return packet;
}

/// Counted, and told to whoever holds the stream.
void StreamService::refuse(Endpoint& endpoint, const Packet& packet) {
  endpoint.counters.tx_refused.add();
  Stream* const stream = endpoint.stream;
  if (stream == nullptr) return;
  ++stream->refused;
  stream->refused_bytes = packet.length_bytes;
  stream->refusal = packet.refusal;
  endpoint.vdev.streams().with_notes.push(*stream);
}

} // namespace rpmsg
