// SPDX-License-Identifier: Apache-2.0
// Counters that one thread (or the holder of one lock) writes and any thread reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace rpmsg {

/// A plain load and store, not a read-modify-write: there is one writer at a time.
class Counter {
public:
  void add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<uint64_t> value_{0};
};

struct VdevCounters {
  Counter rx_messages, rx_bytes, rx_words, rx_dropped, rx_no_endpoint, rx_malformed, rx_faults;
  Counter tx_messages, tx_bytes, tx_words, tx_waits, tx_timeouts, tx_faults;
};

struct EndpointCounters {
  Counter rx_messages, rx_bytes, rx_dropped;
  Counter tx_messages, tx_bytes;
  // Of a stream: messages that are not the peer's, or empty; packets that were refused, or that a
  // reset or a fault found in the socket.
  Counter rx_foreign, rx_empty, tx_refused, tx_dropped;
};

} // namespace rpmsg
