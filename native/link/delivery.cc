// SPDX-License-Identifier: Apache-2.0
#include "link/delivery.h"

#include <algorithm>

#include "link/vdev.h"
#include "rpmsg/rpmsg_header.h"

namespace rpmsg {

namespace {

void count_drop(Endpoint& endpoint) {
  endpoint.counters.rx_dropped.add();
  endpoint.vdev.counters().rx_dropped.add();
}

} // namespace

bool Delivery::has_place(const Endpoint& endpoint) {
  const uint32_t queued = endpoint.queue.size();
  // A lossless vdev's remote has no more buffers than there are slots, so that one is free.
  if (endpoint.vdev.is_lossless()) return queued < endpoint.queue.capacity();
  const Stream* const stream = endpoint.reader();
  const uint32_t most =
      std::min(endpoint.queue.capacity(), stream == nullptr ? UINT32_MAX : stream->options.hold);
  // No hog exhausts the arena: whoever holds more than what is left pays with its own.
  return queued < most && queued < endpoint.vdev.arena().free_slots();
}

bool Delivery::should_deliver_first(const Endpoint& endpoint) {
  const Stream* const stream = endpoint.reader();
  return stream != nullptr && stream->is_writable && !stream->has_hung_up && !has_place(endpoint);
}

int32_t Delivery::reserve_slot(Endpoint& endpoint) {
  SlotArena& arena = endpoint.vdev.arena();
  if (has_place(endpoint)) return arena.reserve();
  if (Stream* const stream = endpoint.reader()) { // of what it holds nothing is given up
    count_drop(endpoint);
    ++stream->dropped_now;
    return -1;
  }
  if (endpoint.queue.size() == 0) {
    count_drop(endpoint);
    return -1;
  }
  drop_oldest(endpoint);
  return arena.reserve();
}

void Delivery::drop_oldest(Endpoint& endpoint) {
  // Where JavaScript has its copy nothing is lost.
  if (endpoint.queue.handed_over() == 0) count_drop(endpoint);
  endpoint.vdev.arena().release(endpoint.queue.pop());
}

void Delivery::accept(Endpoint& endpoint, uint32_t slot) {
  endpoint.queue.push(slot);
  if (Stream* const stream = endpoint.reader()) {
    stream->tell_drops();
    endpoint.vdev.streams().with_messages.push(*stream);
  } else {
    mark_ready(endpoint);
  }
}

void Delivery::grant(Endpoint& endpoint, uint64_t limit_seq) {
  if (limit_seq > endpoint.granted) endpoint.granted = limit_seq;
  mark_ready(endpoint);
}

void Delivery::release(Endpoint& endpoint, uint64_t up_to_seq) {
  SlotArena& arena = endpoint.vdev.arena();
  // Only what was handed over can have been delivered.
  while (endpoint.queue.handed_over() > 0 && arena.record(endpoint.queue.front()).seq < up_to_seq)
    arena.release(endpoint.queue.pop());
}

void Delivery::take_back(Endpoint& endpoint, uint64_t from_seq) {
  SlotArena& arena = endpoint.vdev.arena();
  endpoint.queue.take_back();
  while (endpoint.queue.size() > 0 && arena.record(endpoint.queue.front()).seq < from_seq)
    arena.release(endpoint.queue.pop());
}

void Delivery::sync(Endpoint& endpoint, SyncRequest& request) {
  SyncRequest** last = &endpoint.syncs;
  while (*last != nullptr)
    last = &(*last)->next;
  *last = &request;
  mark_ready(endpoint);
}

void Delivery::close(Endpoint& endpoint) {
  EndpointTable::forget(endpoint.record); // first: slots that nobody has are freed by a successor
  while (endpoint.queue.size() > 0)
    endpoint.vdev.arena().release(endpoint.queue.pop());
  endpoint.is_closed = true;
  endpoint.next_closed = closed_;
  closed_ = &endpoint;
}

bool Delivery::report_closed() {
  Endpoint** link = &closed_;
  while (Endpoint* const endpoint = *link) {
    if (endpoint->is_ready) { // its syncs are answered first, when its turn comes
      link = &endpoint->next_closed;
      continue;
    }
    Endpoint* const next = endpoint->next_closed; // after the commit the main thread may free it
    if (!events_.pair(EventKind::endpoint_closed, endpoint->id, 0, endpoint)) return false;
    *link = next;
  }
  return true;
}

bool Delivery::has_granted(const Endpoint& endpoint) {
  if (endpoint.is_closed || endpoint.reader() != nullptr) return false;
  if (!endpoint.queue.has_fresh()) return false;
  return endpoint.vdev.arena().record(endpoint.queue.fresh()).seq < endpoint.granted;
}

void Delivery::mark_ready(Endpoint& endpoint) {
  if (endpoint.is_ready) return;
  if (!has_granted(endpoint) && endpoint.syncs == nullptr) return;
  endpoint.is_ready = true;
  endpoint.next_ready = nullptr;
  (first_ready_ == nullptr ? first_ready_ : last_ready_->next_ready) = &endpoint;
  last_ready_ = &endpoint;
}

bool Delivery::hand_over_one(Endpoint& endpoint) {
  const uint32_t slot = endpoint.queue.fresh();
  SlotArena& arena = endpoint.vdev.arena();
  const SlotRecord& record = arena.record(slot);
  const uint8_t* payload = arena.bytes(slot).data() + kHeaderBytes;
  if (!events_.message(endpoint.id, record, payload, record.length_bytes - kHeaderBytes)) {
    return false;
  }
  endpoint.queue.hand_over();
  return true;
}

bool Delivery::answer_syncs(Endpoint& endpoint) {
  while (SyncRequest* request = endpoint.syncs) {
    SyncRequest* const next = request->next; // after the commit the main thread may free it
    if (!events_.pair(EventKind::synced, endpoint.id, request->tag, request)) return false;
    endpoint.syncs = next;
  }
  return true;
}

bool Delivery::hand_over() {
  const bool is_left = hand_over_ready();
  return !report_closed() || is_left;
}

bool Delivery::hand_over_ready() {
  while (first_ready_ != nullptr) {
    Endpoint& endpoint = *first_ready_;
    if (has_granted(endpoint)) {
      if (!hand_over_one(endpoint)) return true;
    } else if (!answer_syncs(endpoint)) {
      return true;
    }
    first_ready_ = endpoint.next_ready;
    if (first_ready_ == nullptr) last_ready_ = nullptr;
    endpoint.is_ready = false;
    mark_ready(endpoint);
  }
  return false;
}

} // namespace rpmsg
