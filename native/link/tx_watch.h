// SPDX-License-Identifier: Apache-2.0
// When to look at vring1 without being told: while sends wait (RPMsg-Lite need not say that it
// freed a buffer), and while messages lie unused for so long that the word for them may have been
// lost.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "link/remote_setup.h"

namespace rpmsg {

class Vdev;

class TxWatch {
public:
  /// Any thread, after a message was posted: true if the link thread sleeps without watching this
  /// remote and has to be woken once.
  bool arm() { return !armed_.exchange(true, std::memory_order_seq_cst); }

  // The link thread's.

  /// Nothing is in flight on any vdev: the next arm() wakes us. Look once more after calling this.
  void disarm() { armed_.store(false, std::memory_order_seq_cst); }

  /// After a look at this vdev. `waits`: sends wait; `in_flight`: unused messages; `used_position`
  /// says whether there was progress since the last look. True: one more word is due.
  bool after_look(uint32_t vdev, bool waits, bool in_flight, uint64_t used_position,
                  uint64_t now_ns);
  /// When to look next, or kNever.
  uint64_t next_look() const;
  bool is_idle() const;

private:
  struct State {
    uint64_t used_position = 0;
    uint64_t poll_at_ns = UINT64_MAX; // while sends wait: 1 ms, backing off to 10 ms
    uint64_t poll_interval_ns = 0;
    uint64_t word_at_ns = UINT64_MAX; // while messages are unused: 100 ms without progress, backing
    uint64_t word_interval_ns = 0;    // off
  };

  std::array<State, kMaxVdevs> states_{};
  std::atomic<bool> armed_{false};
};

} // namespace rpmsg
