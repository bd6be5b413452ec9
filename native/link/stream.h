// SPDX-License-Identifier: Apache-2.0
// A SOCK_SEQPACKET socket that carries an endpoint's payload, one packet a message. Made and
// destroyed by the main thread, used by the link thread between its open and its end.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/unique_fd.h"
#include "link/endpoint.h"
#include "link/packet_pace.h"
#include "link/stream_state.h"

namespace rpmsg {

/// Why a packet is not sent, as src/addon/events.ts reads it.
enum class Refusal : uint32_t { none, too_long, no_header, wrong_length, no_peer, not_allowed };

/// Why a stream is over, as src/addon/events.ts reads it.
enum class StreamEnd : uint32_t {
  closed,      // by this side: its endpoint closes, or the daemon wants it
  hung_up,     // the client closed its end, and what it had sent is in the ring or counted
  socket_error // neither: the socket cannot be used
};

struct Stream {
  /// What waits at the endpoint before `first` was delivered already.
  Stream(uint32_t of, Endpoint& on, StreamRecord& from, UniqueFd fd, uint32_t capacity,
         uint64_t first)
      : remote(of), endpoint(on), record(from), options(stream_options(from)), first_seq(first),
        queue_capacity(capacity), socket(std::move(fd)) {}

  const uint32_t remote;
  Endpoint& endpoint;
  StreamRecord& record;
  const StreamOptions options;
  const uint64_t first_seq;
  const uint32_t queue_capacity; // that its endpoint's queue is to have

  // The link thread's.
  uint64_t tag = 0; // of its events
  UniqueFd socket;
  bool is_readable = true; // packets may be there; edges say when again
  bool is_writable = true; // there may be room
  bool has_hung_up = false;
  bool is_in_tx_turns = false;           // in the vdev's queue of those with packets
  bool is_in_rx_turns = false;           // in the vdev's queue of those with messages
  uint64_t linger_until_ns = UINT64_MAX; // hung up, and its last packets wait for a buffer
  bool has_notes = false;                // in the vdev's queue of those with something to tell
  Stream* next_tx = nullptr;
  Stream* next_rx = nullptr;
  Stream* next_note = nullptr;
  Stream* next = nullptr;      // on the same vdev
  Stream* next_over = nullptr; // of those whose end is to be told
  StreamEnd end = StreamEnd::closed;

  uint64_t dropped_now = 0; // messages, since the last one that was kept

  // To be told, each added up until there is room.
  uint64_t dropped = 0;                 // messages
  uint32_t refused = 0;                 // packets
  uint32_t refused_bytes = 0;           // of the last one
  Refusal refusal = Refusal::none;      // the same
  bool has_learned_peer = false;        // and nobody was told
  std::atomic<bool> is_note_out{false}; // the main thread has one to read yet: no further one

  /// Once a message is kept after others were dropped, or all that were kept are out.
  void tell_drops();
};

/// Streams that have something to do, first come, first served. Link thread.
template<Stream* Stream::*kNext, bool Stream::*kIsIn>
class StreamTurns {
public:
  bool empty() const { return first_ == nullptr; }
  uint32_t size() const { return size_; }

  void push(Stream& stream) {
    if (stream.*kIsIn) return;
    stream.*kIsIn = true;
    stream.*kNext = nullptr;
    (first_ == nullptr ? first_ : last_->*kNext) = &stream;
    last_ = &stream;
    ++size_;
  }

  /// Null when empty.
  Stream* pop() {
    Stream* const stream = first_;
    if (stream == nullptr) return nullptr;
    first_ = stream->*kNext;
    stream->*kIsIn = false;
    --size_;
    return stream;
  }

  void remove(Stream& stream) {
    if (!(stream.*kIsIn)) return;
    for (uint32_t i = size_; i > 0; --i) {
      Stream* const next = pop();
      if (next != &stream) push(*next);
    }
  }

private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
  uint32_t size_ = 0;
};

/// The streams of one vdev. Link thread.
struct StreamSet {
  void add(Stream& stream) {
    stream.next = first;
    first = &stream;
  }
  void remove(Stream& stream) {
    for (Stream** link = &first; *link != nullptr; link = &(*link)->next) {
      if (*link != &stream) continue;
      *link = stream.next;
      return;
    }
  }

  Stream* first = nullptr;
  uint32_t generation = 0; // of the life that all of them have been told of
  bool is_short = false;   // of buffers, or one of them of credit
  uint32_t untold = 0;     // messages of theirs in the ring since its remote was last told of them
  PacketPace pace;
  StreamTurns<&Stream::next_tx, &Stream::is_in_tx_turns> with_packets;
  StreamTurns<&Stream::next_rx, &Stream::is_in_rx_turns> with_messages;
  StreamTurns<&Stream::next_note, &Stream::has_notes> with_notes;
};

} // namespace rpmsg
