// SPDX-License-Identifier: Apache-2.0
#include "link/stream_service.h"

#include <sys/epoll.h>

#include <array>
#include <utility>

#include "rpmsg/rpmsg_header.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

// Packets that a reset takes out of one socket at most. A socket of the usual size holds fewer than
// three hundred; a client that writes as fast as they are taken gets no further.
constexpr uint32_t kMostDiscarded = 1024;
// How often one that hung up is looked at while its last packets wait.
constexpr uint64_t kLingerLookNs = 50 * kNsPerMs;
// How long those wait: longer than any single send may.
constexpr uint64_t kLingerNs = 20'000 * kNsPerMs;

} // namespace

/// By edges: what a blocked stream's client does costs one entry of epoll's list, and no call.
bool StreamService::watch(Stream& stream, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = stream.tag;
  return epoll_ctl(epoll_, operation, stream.socket.get(), &event) == 0;
}

void StreamService::open(Stream& stream, uint64_t tag, uint32_t generation) {
  Endpoint& endpoint = stream.endpoint;
  endpoint.queue.raise_capacity(stream.queue_capacity);
  endpoint.stream = &stream;
  endpoint.is_read_by_stream = stream.options.reads;
  StreamSet& set = endpoint.vdev.streams();
  set.add(stream);
  // A direction that was not asked for is closed: the client learns it from its own calls.
  if (!stream.options.reads) ::shutdown(stream.socket.get(), SHUT_WR);
  if (!stream.options.writes) ::shutdown(stream.socket.get(), SHUT_RD);
  stream.tag = tag;
  if (!watch(stream, EPOLL_CTL_ADD)) return end(stream, StreamEnd::socket_error);
  begin_life(stream, generation);
  if (stream.options.writes) set.with_packets.push(stream);
  if (stream.options.reads) set.with_messages.push(stream);
}

void StreamService::on_socket(Stream& stream, uint32_t events) {
  if (!stream.socket) return; // ended in this turn
  StreamSet& set = stream.endpoint.vdev.streams();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) stream.has_hung_up = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    stream.is_readable = true;
    set.pace.on_edge(monotonic_ns());
    set.with_packets.push(stream);
  }
  if ((events & EPOLLOUT) != 0 && stream.options.reads) {
    stream.is_writable = true;
    set.with_messages.push(stream);
  }
}

void StreamService::set_peer(Stream& stream, uint32_t address) {
  if (stream.record.peer == address) return;
  persist_store(stream.record.peer, address);
  if (address != kAnyAddress && stream.options.writes) {
    stream.endpoint.vdev.streams().with_packets.push(stream);
  }
}

void StreamService::begin_life(Vdev& vdev, uint32_t generation) {
  if (vdev.streams().generation == generation) return;
  vdev.streams().generation = generation;
  vdev.streams().untold = 0; // of a ring that is no more
  for (Stream* stream = vdev.streams().first; stream != nullptr; stream = stream->next)
    begin_life(*stream, generation);
}

void StreamService::begin_life(Stream& stream, uint32_t generation) {
  // One that was opened while SCFW is asked about the first life is of that, which is yet to begin.
  if (stream.record.generation >= generation) return;
  if (stream.options.writes && !stream.options.keep_on_reset) discard(stream);
  if (!stream.options.fixed_peer) persist_store(stream.record.peer, kAnyAddress);
  persist_store(stream.record.generation, generation);
}

/// What its socket holds will not be sent.
void StreamService::discard(Stream& stream) {
  std::array<mmsghdr, kStreamBatch> packets{};
  for (uint32_t taken = 0; taken < kMostDiscarded;) {
    // Without a place for their bytes: only how many there were is of interest.
    const int count = receive_packets(stream, packets, 0);
    if (count <= 0) return;
    const auto last = static_cast<size_t>(count) - 1;
    const bool is_empty = (packets[last].msg_hdr.msg_flags & MSG_TRUNC) == 0;
    size_t real = last + 1;
    if (is_empty && is_at_end(stream)) {
      while (real > 0 && (packets[real - 1].msg_hdr.msg_flags & MSG_TRUNC) == 0)
        --real;
    }
    stream.endpoint.counters.tx_dropped.add(real);
    taken += static_cast<uint32_t>(count);
    if (real < packets.size()) return;
  }
}

void StreamService::close(Stream& stream, uint32_t generation) {
  if (stream.options.writes) {
    // One look is owed to a client that has just sent and now closes its endpoint. But there is
    // only one batch, and what a death left in it is somebody's, too.
    if (resume_batch(stream.endpoint.vdev, generation)) take_what_is_there(stream);
    discard(stream);
  }
  end(stream, StreamEnd::closed);
}

void StreamService::take_what_is_there(Stream& stream) {
  uint32_t taken = 0;
  uint32_t step = 0;
  do {
    step = collect_from(stream, kStreamBatch).moved;
    taken += step;
  } while (step > 0 && taken < kMostDiscarded);
}

void StreamService::end(Stream& stream, StreamEnd why) {
  Endpoint& endpoint = stream.endpoint;
  StreamSet& set = endpoint.vdev.streams();
  stream.tell_drops();
  set.with_packets.remove(stream);
  set.with_messages.remove(stream);
  set.with_notes.remove(stream); // told with its end
  set.remove(stream);
  if (stream.linger_until_ns != kNever) --lingering_;
  // Not by close() alone: the service manager may hold the same socket, whose client is to know.
  (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, stream.socket.get(), nullptr);
  (void)::shutdown(stream.socket.get(), SHUT_RDWR);
  stream.socket.reset();
  StreamState::forget(stream.record);
  endpoint.stream = nullptr;
  endpoint.is_read_by_stream = false;
  stream.end = why;
  stream.next_over = over_;
  over_ = &stream;
}

void StreamService::stop(Vdev& vdev) {
  for (Stream* stream = vdev.streams().first; stream != nullptr; stream = stream->next)
    (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, stream->socket.get(), nullptr);
}

/// False once it has come to its end: the client is gone, and nothing of it can go into the ring
/// any more.
bool StreamService::may_stay(Stream& stream, Step::Outcome outcome, uint64_t now_ns) {
  if (!stream.has_hung_up) return true;
  if (stream.is_readable && outcome == Step::served) return true; // its turn comes again
  if (stream.is_readable && (outcome == Step::no_buffer || outcome == Step::no_credit)) {
    linger_look_ns_ = now_ns + kLingerLookNs;
    if (stream.linger_until_ns == kNever) {
      stream.linger_until_ns = now_ns + kLingerNs;
      ++lingering_;
    }
    if (now_ns < stream.linger_until_ns) return true;
  }
  if (stream.options.writes) discard(stream);
  end(stream, StreamEnd::hung_up);
  return false;
}

bool StreamService::tell(EventWriter& events, Stream& stream) {
  if (stream.dropped == 0 && stream.refused == 0 && !stream.has_learned_peer) return true;
  StreamNoteEvent event{};
  event.endpoint = stream.endpoint.id;
  event.peer = stream.has_learned_peer ? stream.record.peer : kAnyAddress;
  event.generation = stream.record.generation;
  event.refused = stream.refused;
  event.refused_bytes = stream.refused_bytes;
  event.refusal = static_cast<uint32_t>(stream.refusal);
  event.dropped = stream.dropped;
  event.pointer = reinterpret_cast<uintptr_t>(&stream);
  stream.is_note_out.store(true, std::memory_order_relaxed); // before it can be read
  if (!events.stream_note(event)) {
    stream.is_note_out.store(false, std::memory_order_relaxed);
    return false;
  }
  stream.dropped = 0;
  stream.refused = 0;
  stream.has_learned_peer = false;
  return true;
}

bool StreamService::report(EventWriter& events, Vdev& vdev) {
  auto& noted = vdev.streams().with_notes;
  bool is_told = true;
  for (uint32_t turns = noted.size(); turns > 0 && is_told; --turns) {
    Stream& stream = *noted.pop();
    // One at a time: however often it happens, the main thread hears of it as often as it listens.
    const bool must_wait = stream.is_note_out.load(std::memory_order_acquire);
    is_told = must_wait || tell(events, stream);
    if (must_wait || !is_told) noted.push(stream);
  }
  return is_told;
}

bool StreamService::report_ends(Delivery& delivery) {
  EventWriter& events = delivery.events();
  while (Stream* const stream = over_) {
    Endpoint& endpoint = stream->endpoint;
    if (!tell(events, *stream)) return false;
    StreamOverEvent event{};
    event.endpoint = endpoint.id;
    event.why = static_cast<uint32_t>(stream->end);
    event.next_seq = endpoint.queue.size() == 0
                         ? endpoint.record.next_seq
                         : endpoint.vdev.arena().record(endpoint.queue.front()).seq;
    event.pointer = reinterpret_cast<uintptr_t>(stream);
    Stream* const next = stream->next_over; // after the commit the main thread may free it
    if (!events.stream_over(event)) return false;
    over_ = next;
    delivery.give_over(endpoint);
  }
  return true;
}

} // namespace rpmsg
