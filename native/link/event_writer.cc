// SPDX-License-Identifier: Apache-2.0
#include "link/event_writer.h"

#include <cstring>

namespace rpmsg {

template<class Record>
bool EventWriter::put(Record record, EventKind kind, const void* tail, uint32_t tail_bytes) {
  const uint32_t bytes = (static_cast<uint32_t>(sizeof(Record)) + tail_bytes + 7u) & ~7u;
  uint8_t* to = ring_.reserve(bytes);
  if (to == nullptr) return false;
  record.header = EventHeader{bytes, kind};
  std::memcpy(to, &record, sizeof record);                                // private memory
  if (tail_bytes != 0) std::memcpy(to + sizeof record, tail, tail_bytes); // private memory
  ring_.commit();
  written_ = true;
  return true;
}

bool EventWriter::remote_state(uint32_t remote, RemoteState state, uint32_t generation,
                               std::string_view why) {
  if (!has_room_for_state()) return false;
  RemoteStateEvent event{};
  event.remote = remote;
  event.state = static_cast<uint32_t>(state);
  event.generation = generation;
  event.reason_bytes = static_cast<uint32_t>(why.size());
  return put(event, EventKind::remote_state, why.data(), event.reason_bytes);
}

bool EventWriter::vdev_state(uint32_t remote, uint32_t vdev, VdevState state,
                             std::string_view why) {
  if (!has_room_for_state()) return false;
  VdevStateEvent event{};
  event.remote = remote;
  event.vdev = vdev;
  event.state = static_cast<uint32_t>(state);
  event.reason_bytes = static_cast<uint32_t>(why.size());
  return put(event, EventKind::vdev_state, why.data(), event.reason_bytes);
}

bool EventWriter::remote_ready(uint32_t remote, uint32_t generation, Evidence evidence) {
  if (!has_room_for_state()) return false;
  RemoteReadyEvent event{};
  event.remote = remote;
  event.generation = generation;
  event.evidence = static_cast<uint32_t>(evidence);
  return put(event, EventKind::remote_ready, nullptr, 0);
}

bool EventWriter::remote_reset(uint32_t remote, uint32_t generation, ResetCause cause,
                               uint64_t time_ns) {
  if (!has_room_for_state()) return false;
  RemoteResetEvent event{};
  event.remote = remote;
  event.generation = generation;
  event.cause = static_cast<uint32_t>(cause);
  event.time_ns = time_ns;
  return put(event, EventKind::remote_reset, nullptr, 0);
}

bool EventWriter::pair(EventKind kind, uint32_t first, uint32_t second, void* pointer) {
  PairEvent event{};
  event.first = first;
  event.second = second;
  event.pointer = reinterpret_cast<uintptr_t>(pointer);
  return put(event, kind, nullptr, 0);
}

bool EventWriter::stream_note(const StreamNoteEvent& event) {
  return has_room_for_state() && put(event, EventKind::stream_note, nullptr, 0);
}

bool EventWriter::stream_over(const StreamOverEvent& event) {
  return put(event, EventKind::stream_over, nullptr, 0);
}

bool EventWriter::message(uint32_t endpoint, const SlotRecord& record, const uint8_t* payload,
                          uint32_t payload_bytes) {
  if (ring_.free_bytes() < kControlReserveBytes + sizeof(MessageEvent) + payload_bytes)
    return false;
  MessageEvent event{};
  event.endpoint = endpoint;
  event.source = record.source;
  event.generation = record.generation;
  event.data_bytes = payload_bytes;
  event.seq = record.seq;
  event.time_ns = record.time_ns;
  return put(event, EventKind::message, payload, payload_bytes);
}

void EventWriter::flush() {
  if (!written_) return;
  written_ = false;
  if (!wake_pending_.exchange(true, std::memory_order_acq_rel)) wake_();
}

} // namespace rpmsg
