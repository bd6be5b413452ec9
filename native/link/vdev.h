// SPDX-License-Identifier: Apache-2.0
// One virtio RPMsg device of a remote: its two queues, the arena its messages wait in, the
// addresses that live on it. Says what it has; the receive path, the send path and the life work on
// it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include "link/address_table.h"
#include "link/counters.h"
#include "link/endpoint.h"
#include "link/endpoint_table.h"
#include "link/remote_setup.h"
#include "link/send_queue.h"
#include "link/states.h"
#include "memory/shared_span.h"
#include "virtio/driver_queue.h"
#include "virtio/slot_arena.h"

namespace rpmsg {

class Vdev {
public:
  /// Persistent bytes a vdev needs, a multiple of 64: its receive queue, its transmit queue, its
  /// endpoints, its arena, in this order.
  static size_t state_bytes(const RemoteSetup& setup);

  /// Touches neither rings nor state.
  Vdev(uint32_t index, const RemoteSetup& setup, SharedSpan vring0, SharedSpan vring1,
       SharedSpan buffers, std::span<std::byte> state);

  uint32_t index() const { return index_; }
  unsigned rx_queue_id() const { return 2 * index_; }
  unsigned tx_queue_id() const { return 2 * index_ + 1; }
  uint32_t mtu_bytes() const { return mtu_; }
  /// The main thread's, see there.
  EndpointTable& endpoints() { return endpoints_; }
  VdevCounters& counters() { return counters_; }

  // The link thread's.
  DriverQueue& rx() { return rx_; }
  SlotArena& arena() { return arena_; }
  AddressTable& addresses() { return *addresses_; }
  /// Takes over a roomier table, filled with what the present one holds; returns that one.
  std::unique_ptr<AddressTable> adopt(std::unique_ptr<AddressTable> table);

  // Under the remote's send mutex.
  DriverQueue& tx() { return tx_; }
  SendQueue& waiting() { return waiting_; }
  /// The open endpoints by id: whom a used TX buffer's owner gives its credit back to.
  AddressTable& senders() { return *senders_; }
  std::unique_ptr<AddressTable> adopt_senders(std::unique_ptr<AddressTable> table);
  /// Counts the lives of the TX ring, so that credits of a former one are not given back twice.
  uint64_t tx_life = 1;
  /// The remote is about to be reset: sends fail at once, as if the vdev were down.
  bool is_quiet = false;
  /// What waits does so for its endpoint's own credits, not for a buffer that others could take.
  bool waiting_for_credit_only = false;

  /// Written by the link thread under the send mutex; read by it alone, or under the mutex.
  VdevState state() const { return state_.load(std::memory_order_relaxed); }
  void set_state(VdevState state) { state_.store(state, std::memory_order_relaxed); }
  /// The virtio status byte this driver would show a device that has one (virtio 1.2 §2.1).
  uint8_t status() const;

private:
  uint32_t index_;
  uint32_t mtu_;
  DriverQueue rx_;
  DriverQueue tx_;
  EndpointTable endpoints_;
  SlotArena arena_;
  std::unique_ptr<AddressTable> addresses_;
  SendQueue waiting_;
  std::unique_ptr<AddressTable> senders_;
  std::atomic<VdevState> state_{VdevState::down};
  VdevCounters counters_;
};

} // namespace rpmsg
