// SPDX-License-Identifier: Apache-2.0
// One local address on a vdev. Made and destroyed by the main thread, used by the link thread
// between its open and its close command; each field says whose it is.
#pragma once

#include <cstdint>

#include "link/counters.h"
#include "link/endpoint_table.h"
#include "virtio/slot_queue.h"

namespace rpmsg {

class Vdev;
struct Stream;

/// A request to be told when everything granted so far has been handed over. Allocated by the main
/// thread, which also frees it.
struct SyncRequest {
  uint32_t tag = 0;
  SyncRequest* next = nullptr;
};

struct Endpoint {
  Endpoint(EndpointRecord& from, Vdev& on, SlotQueue empty, uint64_t first_seq)
      : id(from.id), local(from.local), vdev(on), record(from), seen_seq(first_seq),
        tx_credits(from.tx_credits), queue(empty), granted(first_seq) {}

  const uint32_t id;
  const uint32_t local;
  Vdev& vdev;
  EndpointRecord& record; // next_seq is the link thread's, released_seq the main thread's
  EndpointCounters counters;

  // The main thread's.
  uint64_t seen_seq; // messages below this number came out of the event ring

  // Under the remote's send mutex.
  const uint32_t tx_credits;
  uint32_t tx_in_flight = 0;
  uint64_t tx_life = 0;    // the life of the rings that tx_in_flight counts in
  uint32_t tx_waiting = 0; // sends of this endpoint in the vdev's SendQueue

  // The link thread's.
  Stream* stream = nullptr;       // that serves it
  bool is_read_by_stream = false; // its messages go there, and not to JavaScript
  Stream* reader() const { return is_read_by_stream ? stream : nullptr; }
  SlotQueue queue;
  uint64_t granted; // messages below this number may be handed over
  SyncRequest* syncs = nullptr;
  Endpoint* next_ready =
      nullptr; // in Delivery's list of endpoints that have something to hand over
  Endpoint* next_closed = nullptr;
  bool is_ready = false;
  bool is_closed = false;
};

} // namespace rpmsg
