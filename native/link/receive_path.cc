// SPDX-License-Identifier: Apache-2.0
#include "link/receive_path.h"

#include <algorithm>
#include <array>

#include "base/clock.h"

namespace rpmsg {

ReceivePath::Outcome ReceivePath::receive_one(Vdev& vdev, uint32_t generation) {
  UsedBuffer used;
  switch (vdev.rx().peek(used)) {
  case DriverQueue::Peek::nothing: return Outcome::nothing;
  case DriverQueue::Peek::fault: return Outcome::fault;
  case DriverQueue::Peek::ready: break;
  }
  return take_message(vdev, used, generation);
}

ReceivePath::Outcome ReceivePath::take_message(Vdev& vdev, const UsedBuffer& used,
                                               uint32_t generation) {
  DriverQueue& rx = vdev.rx();
  Head head;
  rx.copy_out(used, 0, head); // used.length_bytes >= 16: peek() saw to that
  const RpmsgHeader header = decode_header(head);
  // The length field of the used entry is the whole buffer with RPMsg-Lite and OpenAMP: the size of
  // the message is the header's, bounded by what was used. The subtraction cannot wrap, see above.
  if (header.length > used.length_bytes - kHeaderBytes) {
    vdev.counters().rx_malformed.add();
    tap_dropped(vdev, used, head, used.length_bytes, TapNote::malformed);
    rx.take(used);
    return Outcome::taken;
  }
  Endpoint* const endpoint = vdev.addresses().find(header.destination);
  if (endpoint == nullptr && may_be_opened(vdev, used, generation)) return Outcome::deferred;
  if (endpoint != nullptr && Delivery::should_deliver_first(*endpoint)) return Outcome::full;
  vdev.counters().rx_messages.add();
  vdev.counters().rx_bytes.add(header.length);
  if (endpoint != nullptr) {
    accept(*endpoint, used, head, header, generation);
  } else {
    vdev.counters().rx_no_endpoint.add();
    tap_dropped(vdev, used, head, kHeaderBytes + header.length, TapNote::no_endpoint);
    rx.take(used);
  }
  return Outcome::taken;
}

/// An endpoint that was opened before the message it is to receive was provoked is always known:
/// its command was pushed before the message could be seen.
bool ReceivePath::may_be_opened(const Vdev& vdev, const UsedBuffer& used, uint32_t generation) {
  Deferred& deferred = deferred_[vdev.index()];
  if (deferred.position != used.position || deferred.generation != generation) {
    deferred = {used.position, generation, commands_.mark()};
  }
  return !commands_.is_popped(deferred.commands);
}

/// A message that gets no further: `message_bytes` of the buffer, of which the head was read
/// already and is not read again. 16 <= message_bytes <= used.length_bytes.
void ReceivePath::tap_dropped(Vdev& vdev, const UsedBuffer& used, const Head& head,
                              uint32_t message_bytes, TapNote note) {
  TapRing* const ring = tap_.received();
  if (ring == nullptr) return;
  TapRecord tapped;
  tapped.vdev = static_cast<uint8_t>(vdev.index());
  tapped.note = note;
  tapped.original_bytes = message_bytes;
  tapped.time_ns = monotonic_ns();
  const std::span<uint8_t> place = ring->begin(tapped, message_bytes);
  if (place.empty()) return;
  const size_t headed = std::min<size_t>(kHeaderBytes, place.size());
  std::copy_n(head.begin(), headed, place.begin()); // private memory
  if (place.size() > headed) vdev.rx().copy_out(used, kHeaderBytes, place.subspan(headed));
  ring->commit();
}

void ReceivePath::accept(Endpoint& endpoint, const UsedBuffer& used, const Head& head,
                         const RpmsgHeader& header, uint32_t generation) {
  Vdev& vdev = endpoint.vdev;
  endpoint.counters.rx_messages.add();
  endpoint.counters.rx_bytes.add(header.length);
  const uint64_t seq = endpoint.record.next_seq;
  // One that is dropped has had its number: a gap shows.
  const NumberUpdate counted = {&endpoint.record.next_seq, seq + 1};
  const int32_t reserved = delivery_.reserve_slot(endpoint);
  if (reserved < 0) {
    tap_dropped(vdev, used, head, kHeaderBytes + header.length, TapNote::no_room);
    vdev.rx().take(used, counted);
    return;
  }
  const auto slot = static_cast<uint32_t>(reserved);
  const auto bytes = vdev.arena().bytes(slot);
  encode_header(header, bytes.first<kHeaderBytes>());
  vdev.rx().copy_out(used, kHeaderBytes, bytes.subspan(kHeaderBytes, header.length));
  SlotRecord record;
  record.queue = static_cast<uint16_t>(vdev.rx_queue_id());
  record.used_position = used.position;
  record.endpoint = endpoint.id;
  record.length_bytes = kHeaderBytes + header.length;
  record.source = header.source;
  record.destination = header.destination;
  record.generation = generation;
  record.seq = seq;
  record.time_ns = monotonic_ns();
  if (TapRing* const ring = tap_.received(); ring != nullptr) {
    TapRecord tapped;
    tapped.vdev = static_cast<uint8_t>(vdev.index());
    tapped.original_bytes = record.length_bytes;
    tapped.time_ns = record.time_ns;
    ring->put(tapped, head, bytes.subspan(kHeaderBytes, header.length));
  }
  vdev.rx().take(used, vdev.arena(), slot, record, counted);
  delivery_.accept(endpoint, slot);
}

} // namespace rpmsg
