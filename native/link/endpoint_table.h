// SPDX-License-Identifier: Apache-2.0
// The endpoints of one vdev in persistent memory, so that the next process knows whose the messages
// in the slots are and which number comes next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rpmsg {

/// Stable format, 32 bytes, host byte order.
struct EndpointRecord {
  uint32_t id; // the link's handle; 0 = the record is free. Stored last
  uint32_t local;
  uint32_t rx_queue;
  uint32_t tx_credits;
  uint64_t next_seq;     // of the next message: changes in the commit of a take
  uint64_t released_seq; // messages below this number were delivered for good
};
static_assert(sizeof(EndpointRecord) == 32 && offsetof(EndpointRecord, next_seq) == 16);

/// The main thread's, but for forget() and the numbers of an open endpoint.
class EndpointTable {
public:
  static constexpr uint32_t kCapacity = 4096; // endpoints of a vdev at most

  static constexpr size_t state_bytes() { return kCapacity * sizeof(EndpointRecord); }

  /// `state` is 8-byte aligned, at least state_bytes() long, zeroed or an earlier process's.
  explicit EndpointTable(std::span<std::byte> state);

  /// A record for a new endpoint, or nullptr when all are in use.
  EndpointRecord* add(uint32_t id, uint32_t local, uint32_t rx_queue, uint32_t tx_credits,
                      uint64_t next_seq);
  /// The link thread: the endpoint is closed; its slots may be freed after this.
  static void forget(EndpointRecord& record);
  /// The record, forgotten, may be used again.
  void give_back(EndpointRecord& record);

  /// Of what an earlier process left: frees every record that no endpoint can have had, and finds
  /// those in use.
  std::vector<EndpointRecord*> load();
  /// Frees all records.
  void clear();

  /// What a DriverQueue changes in its commits (DriverQueue::set_numbers): each u64 of the table.
  std::span<uint64_t> numbers();

private:
  std::span<EndpointRecord> records_;
  uint32_t never_used_ = 0;      // records from here on were not handed out by this process
  std::vector<uint32_t> unused_; // below it and free again
};

} // namespace rpmsg
