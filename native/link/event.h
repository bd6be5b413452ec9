// SPDX-License-Identifier: Apache-2.0
// The records that the link thread hands to the main thread: host byte order, each a multiple of
// 8 bytes, starting with EventHeader. src/addon/events.ts reads the same offsets.
#pragma once

#include <cstdint>

namespace rpmsg {

enum class EventKind : uint32_t {
  remote_state = 1,
  remote_ready = 2,
  vdev_state = 3,
  message = 4,
  synced = 5,
  send_done = 6,
  endpoint_closed = 7,
  board_gone = 8,
  table_retired = 9, // never reaches JavaScript
  remote_reset = 10,
  remote_partition = 11,
  stream_note = 12,
  stream_over = 13,
  guard_retired = 14, // never reaches JavaScript
  capture_over = 15,  // made where events are drained: the link knows nothing of captures
};

struct EventHeader {
  uint32_t bytes; // of the whole record
  EventKind kind;
};

struct RemoteStateEvent {
  EventHeader header;
  uint32_t remote;
  uint32_t state; // RemoteState
  uint32_t generation;
  uint32_t reason_bytes; // of UTF-8 that follow
};

struct RemoteReadyEvent {
  EventHeader header;
  uint32_t remote;
  uint32_t generation;
  uint32_t evidence; // Evidence
  uint32_t reserved;
};

struct VdevStateEvent {
  EventHeader header;
  uint32_t remote;
  uint32_t vdev;
  uint32_t state; // VdevState
  uint32_t reason_bytes;
};

struct MessageEvent {
  EventHeader header;
  uint32_t endpoint;
  uint32_t source;
  uint32_t generation;
  uint32_t data_bytes; // of payload that follow
  uint64_t seq;
  uint64_t time_ns;
};

/// A life of a remote ended; told with the move to `down`, just before it. `generation` is the new
/// life's.
struct RemoteResetEvent {
  EventHeader header;
  uint32_t remote;
  uint32_t generation;
  uint32_t cause; // ResetCause
  uint32_t reserved;
  uint64_t time_ns; // CLOCK_MONOTONIC
};

/// synced: (endpoint, tag); send_done: (token, Errc); endpoint_closed: (endpoint, 0);
/// board_gone: (remote, 0); remote_partition: (remote, SCFW partition); capture_over: (id, 0).
/// `pointer` is for the native side alone.
struct PairEvent {
  EventHeader header;
  uint32_t first;
  uint32_t second;
  uint64_t pointer;
};

/// What happened on a stream since the last note.
struct StreamNoteEvent {
  EventHeader header;
  uint32_t endpoint;
  uint32_t peer; // learned in life `generation`; kAnyAddress: none was
  uint32_t generation;
  uint32_t refused; // packets
  uint32_t refused_bytes;
  uint32_t refusal; // Refusal of the last one
  uint64_t dropped; // messages
  uint64_t pointer; // for the native side alone
};

/// Nothing more comes of it. What comes next for the endpoint has this number, or a higher one.
struct StreamOverEvent {
  EventHeader header;
  uint32_t endpoint;
  uint32_t why; // StreamEnd
  uint64_t next_seq;
  uint64_t pointer; // for the native side alone
};

static_assert(sizeof(StreamNoteEvent) == 48 && sizeof(StreamOverEvent) == 32);
static_assert(sizeof(RemoteStateEvent) == 24 && sizeof(RemoteReadyEvent) == 24);
static_assert(sizeof(VdevStateEvent) == 24 && sizeof(MessageEvent) == 40);
static_assert(sizeof(PairEvent) == 24 && sizeof(RemoteResetEvent) == 32);

} // namespace rpmsg
