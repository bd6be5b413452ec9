// SPDX-License-Identifier: Apache-2.0
// The endpoints that an earlier process had open: made again from the state, with their numbers,
// the messages that wait for them and the credits that the remote still holds.
#include <algorithm>
#include <bit>
#include <unordered_map>

#include "link/link.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

using SlotsByEndpoint = std::unordered_map<uint32_t, std::vector<uint32_t>>;

SlotsByEndpoint filled_slots(const SlotArena& arena) {
  SlotsByEndpoint found;
  if (arena.free_slots() == arena.slots()) return found;
  for (uint32_t slot = 0; slot < arena.slots(); ++slot) {
    const SlotRecord& record = arena.record(slot);
    if (record.state == SlotState::filled) found[record.endpoint].push_back(slot);
  }
  return found;
}

/// What was delivered already is freed; the rest in the order in which it came.
std::vector<uint32_t> undelivered(SlotArena& arena, std::vector<uint32_t> slots, uint64_t from) {
  std::erase_if(slots, [&](uint32_t slot) {
    const bool is_delivered = arena.record(slot).seq < from;
    if (is_delivered) arena.release(slot);
    return is_delivered;
  });
  std::sort(slots.begin(), slots.end(),
            [&](uint32_t a, uint32_t b) { return arena.record(a).seq < arena.record(b).seq; });
  return slots;
}

/// What the kernel had taken of a batch when the process before died was delivered.
void settle_deliveries(Vdev& vdev) {
  uint32_t id = 0;
  uint64_t seq = 0;
  if (!vdev.stream_state().delivered(id, seq)) return;
  for (EndpointRecord* const record : vdev.endpoints().load()) {
    if (record->id != id || record->released_seq >= seq || seq > record->next_seq) continue;
    persist_store(record->released_seq, seq);
  }
  vdev.stream_state().end_outgoing();
}

} // namespace

void Link::reopen_endpoints(uint32_t remote, Vdev& vdev, std::vector<Unclaimed>& into) {
  VdevBook& known = book(remote, vdev.index());
  known.table_capacity = vdev.addresses().capacity();
  if (!remotes_[remote]->has_former_state()) return;
  settle_deliveries(vdev);
  SlotArena& arena = vdev.arena();
  SlotsByEndpoint slots = filled_slots(arena);
  const std::vector<EndpointRecord*> records = vdev.endpoints().load();
  if (records.size() >= known.table_capacity) {
    known.table_capacity = std::bit_ceil(static_cast<uint32_t>(records.size()) + 1);
    (void)vdev.adopt(std::make_unique<AddressTable>(known.table_capacity));
    (void)vdev.adopt_senders(std::make_unique<AddressTable>(known.table_capacity));
  }
  for (EndpointRecord* const record : records) {
    if (by_id_.count(record->id) != 0) { // another remote's: this one cannot be told from it
      EndpointTable::forget(*record);
      vdev.endpoints().give_back(*record);
      continue;
    }
    const std::vector<uint32_t> kept =
        undelivered(arena, std::move(slots[record->id]), record->released_seq);
    slots.erase(record->id);
    const uint64_t first = reopen(remote, *record, vdev, kept);
    into.push_back({record->id, vdev.index(), record->local, first, record->next_seq});
  }
  for (const auto& [id, orphans] : slots) { // of endpoints that were being closed
    for (const uint32_t slot : orphans)
      arena.release(slot);
  }
  vdev.tx().for_each_in_flight([&](uint32_t owner) {
    Endpoint* const sender = vdev.senders().find(owner);
    if (sender == nullptr) return;
    sender->tx_life = vdev.tx_life;
    ++sender->tx_in_flight;
  });
  find_streams(vdev);
}

uint64_t Link::reopen(uint32_t remote, EndpointRecord& record, Vdev& vdev,
                      const std::vector<uint32_t>& slots) {
  const uint64_t first = slots.empty() ? record.next_seq : vdev.arena().record(slots[0]).seq;
  const auto capacity =
      queue_capacity(vdev, std::max(record.rx_queue, static_cast<uint32_t>(slots.size())));
  auto owned = std::make_unique<Endpoint>(record, vdev, SlotQueue(vdev.arena(), capacity), first);
  Endpoint* const endpoint = owned.get();
  for (const uint32_t slot : slots)
    endpoint->queue.push(slot);
  endpoints_.emplace(endpoint, std::pair(remote, std::move(owned)));
  by_id_.emplace(record.id, endpoint);
  unclaimed_.insert(record.id);
  book(remote, vdev.index()).addresses.insert(record.local);
  vdev.addresses().insert(record.local, endpoint);
  vdev.senders().insert(record.id, endpoint);
  return first;
}

Result<void> Link::claim(const EndpointSetup& setup) {
  const Endpoint* const endpoint = find(setup.id);
  const bool is_same = endpoints_.at(const_cast<Endpoint*>(endpoint)).first == setup.remote &&
                       endpoint->vdev.index() == setup.vdev && endpoint->local == setup.local;
  if (!is_same) return Error{Errc::invalid_argument, 0, "claim an endpoint", setup.id};
  unclaimed_.erase(setup.id);
  return {};
}

void Link::drop_unclaimed() {
  const std::vector<uint32_t> left(unclaimed_.begin(), unclaimed_.end());
  for (const uint32_t id : left)
    close_endpoint(id);
}

} // namespace rpmsg
