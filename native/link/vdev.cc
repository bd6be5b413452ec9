// SPDX-License-Identifier: Apache-2.0
#include "link/vdev.h"

#include "rpmsg/rpmsg_header.h"

namespace rpmsg {

namespace {

// Room for the endpoints of a quiet vdev; the main thread hands over roomier tables as they grow.
constexpr uint32_t kFirstTableCapacity = 64;

constexpr size_t round_up(size_t bytes) {
  return (bytes + 63) & ~size_t{63};
}

size_t queue_bytes(const RemoteSetup& setup) {
  return round_up(DriverQueue::state_bytes(setup.geometry));
}

size_t arena_bytes(const RemoteSetup& setup) {
  return round_up(SlotArena::state_bytes(setup.slots, setup.geometry.buffer_bytes));
}

} // namespace

size_t Vdev::state_bytes(const RemoteSetup& setup) {
  return 2 * queue_bytes(setup) + EndpointTable::state_bytes() + arena_bytes(setup);
}

size_t Vdev::stream_state_bytes(const RemoteSetup& setup) {
  return StreamState::state_bytes(setup.geometry.buffer_bytes);
}

StateSizes Vdev::state_sizes(const RemoteSetup& setup) {
  return {setup.vdevs, state_bytes(setup), stream_state_bytes(setup)};
}

Vdev::Vdev(uint32_t index, const RemoteSetup& setup, SharedSpan vring0, SharedSpan vring1,
           SharedSpan buffers, std::span<std::byte> state, std::span<std::byte> stream_state)
    : index_(index), mtu_(setup.geometry.buffer_bytes - kHeaderBytes),
      is_lossless_((setup.lossless_vdevs >> index & 1) != 0),
      rx_(setup.geometry, BufferUse::remote_writes, vring0, buffers.sub(0, setup.half_bytes()),
          state.subspan(0, queue_bytes(setup))),
      tx_(setup.geometry, BufferUse::remote_reads, vring1,
          buffers.sub(setup.half_bytes(), setup.half_bytes()),
          state.subspan(queue_bytes(setup), queue_bytes(setup))),
      endpoints_(state.subspan(2 * queue_bytes(setup), EndpointTable::state_bytes())),
      arena_(
          state.subspan(2 * queue_bytes(setup) + EndpointTable::state_bytes(), arena_bytes(setup)),
          setup.slots, setup.geometry.buffer_bytes),
      stream_state_(stream_state, setup.geometry.buffer_bytes),
      addresses_(std::make_unique<AddressTable>(kFirstTableCapacity)),
      senders_(std::make_unique<AddressTable>(kFirstTableCapacity)) {
  rx_.set_numbers(endpoints_.numbers());
  tx_.set_numbers(stream_state_.numbers());
}

bool Vdev::post_empties() {
  bool had_none = false;
  bool is_first = true;
  while (!is_lossless_ || rx_.in_flight() < arena_.free_slots()) {
    if (!rx_.post_empty()) break;
    // Looked at after the post: a remote that uses its last buffer meanwhile has seen the new one,
    // or we see that it had none.
    if (is_first) had_none = rx_.remote_had_none();
    is_first = false;
  }
  return had_none;
}

namespace {

std::unique_ptr<AddressTable> swap_tables(std::unique_ptr<AddressTable>& present,
                                          std::unique_ptr<AddressTable> roomier) {
  present->for_each([&](uint32_t key, Endpoint* endpoint) { roomier->insert(key, endpoint); });
  std::swap(present, roomier);
  return roomier;
}

} // namespace

std::unique_ptr<AddressTable> Vdev::adopt(std::unique_ptr<AddressTable> table) {
  return swap_tables(addresses_, std::move(table));
}

std::unique_ptr<AddressTable> Vdev::adopt_senders(std::unique_ptr<AddressTable> table) {
  return swap_tables(senders_, std::move(table));
}

uint8_t Vdev::status() const {
  constexpr uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFailed = 0x80;
  switch (state()) {
  case VdevState::down: return 0;
  case VdevState::offered:
  case VdevState::up: return kAcknowledge | kDriver | kDriverOk;
  case VdevState::faulted: return kAcknowledge | kDriver | kDriverOk | kFailed;
  }
  return 0;
}

} // namespace rpmsg
