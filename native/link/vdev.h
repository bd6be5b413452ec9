// SPDX-License-Identifier: Apache-2.0
// One virtio RPMsg device of a remote: its two queues, the arena its messages wait in, the
// addresses that live on it. Says what it has; the receive path, the send path and the life work on
// it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "link/address_table.h"
#include "link/counters.h"
#include "link/endpoint.h"
#include "link/endpoint_table.h"
#include "link/remote_setup.h"
#include "link/send_queue.h"
#include "link/state_block.h"
#include "link/states.h"
#include "link/stream.h"
#include "link/stream_state.h"
#include "memory/shared_span.h"
#include "virtio/driver_queue.h"
#include "virtio/slot_arena.h"

namespace rpmsg {

/// Addresses on a remote that only some may send to.
using AddressGuard = std::vector<uint32_t>;

class Vdev {
public:
  /// Persistent bytes a vdev needs, a multiple of 64: its receive queue, its transmit queue, its
  /// endpoints, its arena, in this order; and elsewhere those of its streams.
  static size_t state_bytes(const RemoteSetup& setup);
  static size_t stream_state_bytes(const RemoteSetup& setup);
  /// Both, of all vdevs of a remote.
  static StateSizes state_sizes(const RemoteSetup& setup);

  /// Touches neither rings nor state.
  Vdev(uint32_t index, const RemoteSetup& setup, SharedSpan vring0, SharedSpan vring1,
       SharedSpan buffers, std::span<std::byte> state, std::span<std::byte> stream_state);

  uint32_t index() const { return index_; }
  unsigned rx_queue_id() const { return 2 * index_; }
  unsigned tx_queue_id() const { return 2 * index_ + 1; }
  uint32_t mtu_bytes() const { return mtu_; }
  /// The main thread's, see there.
  EndpointTable& endpoints() { return endpoints_; }
  /// Records: the main thread's; batches: the link thread's.
  StreamState& stream_state() { return stream_state_; }
  VdevCounters& counters() { return counters_; }
  /// Nothing that its remote sends is dropped for want of a place: it is given no buffer then.
  bool is_lossless() const { return is_lossless_; }

  // The link thread's.
  DriverQueue& rx() { return rx_; }
  SlotArena& arena() { return arena_; }
  StreamSet& streams() { return streams_; }
  /// Addresses that a client's own header may not name, sorted; null: none. Swapped as a whole.
  std::unique_ptr<AddressGuard> guard;
  /// Gives the remote every empty buffer it may have: all, but on a lossless vdev no more than
  /// there are free slots. True if it had none before, and now has: it waits to hear of them.
  bool post_empties();
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
  /// TX buffers set aside for a batch of packets, and whether a stream waits for one.
  uint32_t tx_reserved = 0;
  bool streams_wait = false;
  /// The used position, and the life of the ring, from which on buffers are awaited, and the words
  /// written for that.
  uint64_t awaited_from = 0;
  uint64_t awaited_life = 0;
  uint8_t awaiting_words = 0;
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
  bool is_lossless_;
  DriverQueue rx_;
  DriverQueue tx_;
  EndpointTable endpoints_;
  SlotArena arena_;
  StreamState stream_state_;
  StreamSet streams_;
  std::unique_ptr<AddressTable> addresses_;
  SendQueue waiting_;
  std::unique_ptr<AddressTable> senders_;
  std::atomic<VdevState> state_{VdevState::down};
  VdevCounters counters_;
};

} // namespace rpmsg
